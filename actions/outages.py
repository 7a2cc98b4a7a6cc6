"""Outages that the utility knows of (F10): planned cuts, and why there is no power now."""

from datetime import date, datetime, time, timedelta
from typing import Final

from actions import outage_reports
from actions.backends.models import Outage
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.service_requests import service_status
from actions.where import asked_about, called, outages_at
from bot.dialogue.commands import Command, Place, Slots
from bot.dialogue.turn import Account

SHOWN: Final = 5
LONGEST_SPAN: Final = timedelta(days=31)
JUST_NOW: Final = timedelta(hours=3)
"""So long ago power may have come back for a question about it to be answered by that."""


@registry.handles("outage_schedule")
def outage_schedule(turn: DeskTurn, slots: Slots) -> None:
    """Planned cuts of a place, or of a linked account; anyone may ask about a place."""
    if slots.request_code:
        service_status(turn, slots)
        return
    place, account = asked_about(turn, slots, "outage_schedule")
    if place is None and account is None:
        return
    first, last = _span(turn, slots)
    found = outages_at(turn, place, account, first, last)
    planned = [outage for outage in found.items if outage.kind == "planned"]
    faults = [outage for outage in found.items if outage.kind == "unplanned" and outage.state == "active"]
    turn.say(
        "outage.schedule" if planned else "outage.none_planned",
        where=called(turn, place, account),
        outages=planned[:SHOWN],
        more=max(0, len(planned) - SHOWN),
        fault=faults[0] if faults else None,
        day=turn.desk.today(first) if slots.date else None,
        until=turn.desk.today(last - timedelta(seconds=1)) if slots.until else None,
        days=turn.desk.company.outage_days_ahead,
        as_of=found.as_of,
    )


@registry.handles("outage_status")
def outage_status(turn: DeskTurn, slots: Slots) -> None:
    """Why there is no power now and when it is expected back, as far as the feed knows; else offer to report."""
    if outage_reports.says_it_is_over(turn):
        outage_reports.power_is_back(turn, slots)
        return
    if slots.request_code:
        service_status(turn, slots)
        return
    place, account = asked_about(turn, slots, "outage_status")
    if place is None and account is None:
        return
    found = outages_at(turn, place, account, turn.now - JUST_NOW, turn.now + timedelta(hours=1))
    running = [outage for outage in found.items if outage.state == "active"]
    where, link = called(turn, place, account), account.link_id if account else None
    if running:
        turn.say("outage.running", where=where, outages=running[:SHOWN], as_of=found.as_of)
        return
    spot = outage_reports.spot_of(turn, place, account)
    if account and spot.is_cut:
        turn.say("outage.cut_for_debt", **outage_reports.cut_for_debt(turn, account))
        return
    if ticket := outage_reports.own_open_report(turn, spot):
        turn.say("outage.told_already", where=where, ticket=ticket, field=outage_reports.ANOTHER)
        return
    back = [outage for outage in found.items if outage.state == "restored" and outage.actual_end]
    if not back and not slots.said() and _planned_as_shown(turn, place, account):
        outage_schedule(turn, turn.state.topic.command.slots if turn.state.topic else slots)
        return
    if suspicion := outage_reports.suspicion_of(turn, spot):
        turn.say("outage.suspected_there", where=where, suspicion=suspicion, link=link)
    elif back:
        turn.say("outage.back", where=where, outage=_latest(back), link=link, as_of=found.as_of)
    else:
        turn.say("outage.not_known", where=where, link=link, as_of=found.as_of)
    turn.ask_yes_no(yes=Command(name="outage_report", slots=slots), no=Command(name="help"))


def _planned_as_shown(turn: DeskTurn, place: Place | None, account: Account | None) -> list[Outage]:
    """The planned cuts that were the last answer: "mấy giờ có lại?" after it is about these."""
    topic = turn.state.topic
    if topic is None or topic.command.name != "outage_schedule":
        return []
    found = outages_at(turn, place, account, *_span(turn, topic.command.slots))
    return [outage for outage in found.items if outage.kind == "planned" and outage.state == "planned"]


def _span(turn: DeskTurn, slots: Slots) -> tuple[datetime, datetime]:
    """The day or days that were named, from today on if that is among them; else the coming days."""
    if slots.date is None:
        return turn.now, turn.now + timedelta(days=turn.desk.company.outage_days_ahead)
    first, last, today = slots.date, slots.until or slots.date, turn.desk.today(turn.now)
    if first <= today <= last:
        first = today
    start = _midnight(turn, first)
    return start, min(_midnight(turn, last + timedelta(days=1)), start + LONGEST_SPAN)


def _midnight(turn: DeskTurn, day: date) -> datetime:
    return datetime.combine(day, time.min, turn.desk.zone)


def _latest(restored: list[Outage]) -> Outage:
    return max(restored, key=lambda outage: outage.actual_end or outage.start)

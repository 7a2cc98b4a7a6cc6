"""Where the company is reached (F13): the office of a place or of a linked account, when it is open, the hotline."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from actions.backends.models import Office, OfficeList
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.office_hours import OfficeHours
from actions.where import AREAS, ask_which, called, codes_of
from bot.dialogue.commands import Place, Slots

DAYS_AHEAD = 30


@dataclass(frozen=True)
class Opening:
    """How an office is open on `day`; `now`, `until` and `reopens` (aware) where the question is about now.

    `is_off`: it is a holiday. `known`: the system says the hours in a form that can be counted with.
    """

    day: date
    is_off: bool
    known: bool
    spans: tuple[tuple[time, time], ...] = ()
    now: bool = False
    until: time | None = None
    reopens: datetime | None = None


@registry.handles("office_info")
def office_info(turn: DeskTurn, slots: Slots) -> None:
    """The team that serves the place named, or that of the linked accounts; all of them by name otherwise."""
    every = turn.desk.service.offices()
    place = slots.place
    if not every.items:
        turn.say("office.unknown")
    elif place and (place.code or place.kind in AREAS):
        _tell(turn, slots, every, codes_of(place), called(turn, place, None))
    elif place and place.choices:
        _of_a_name_with_choices(turn, slots, every, place)
    elif place and place.kind != "province":
        turn.say("place.of_which_commune", name=place.name)
    elif place is None and turn.caller.accounts:
        _of_accounts(turn, slots, every)
    else:
        _list(turn, slots, every)


@registry.handles("hotline")
def hotline(turn: DeskTurn, _slots: Slots) -> None:
    turn.say("hotline")


def opening(office: Office, hours: OfficeHours, now: datetime, asked: date | None) -> Opening:
    """On the day that was asked about, or at `now` (local); public holidays and the company's days off are free."""
    day = asked or now.date()
    spans = _spans(office, hours, day)
    if asked and asked != now.date():
        return Opening(day, hours.is_day_off(day), bool(office.open_spans), spans)
    until = next((closes for opens, closes in spans if opens <= now.time() < closes), None)
    return Opening(
        day,
        hours.is_day_off(day),
        bool(office.open_spans),
        spans,
        now=until is not None,
        until=until,
        reopens=None if until else _reopens(office, hours, now),
    )


def _spans(office: Office, hours: OfficeHours, day: date) -> tuple[tuple[time, time], ...]:
    if hours.is_day_off(day):
        return ()
    return tuple(sorted((s.opens, s.closes) for s in office.open_spans if day.weekday() in s.weekdays))


def _reopens(office: Office, hours: OfficeHours, now: datetime) -> datetime | None:
    days = (now.date() + timedelta(days=ahead) for ahead in range(DAYS_AHEAD))
    starts = (datetime.combine(day, opens, now.tzinfo) for day in days for opens, _ in _spans(office, hours, day))
    return next((start for start in starts if start > now), None)


def _of_a_name_with_choices(turn: DeskTurn, slots: Slots, every: OfficeList, place: Place) -> None:
    """A name of several places matters only where they have different teams."""
    serving = {tuple(office.code for office in _serving(every, {choice.code})) for choice in place.choices}
    if len(serving) == 1:
        _tell(turn, slots, every, codes_of(place), place.name)
    else:
        ask_which(turn, slots, place, "office_info")


def _of_accounts(turn: DeskTurn, slots: Slots, every: OfficeList) -> None:
    """The account that was named, or all that are linked."""
    accounts = [turn.account(slots)] if slots.link or slots.customer_code else turn.caller.accounts
    codes = {turn.desk.billing.customer(account.customer_code).place_code for account in accounts}
    _tell(turn, slots, every, codes, ", ".join(account.label for account in accounts))


def _tell(turn: DeskTurn, slots: Slots, every: OfficeList, codes: Set[str], name: str) -> None:
    serving = _serving(every, codes)
    if not serving:
        turn.say("office.none", called=name)
        return
    now = turn.now.astimezone(turn.desk.zone)
    found = [(office, opening(office, turn.desk.hours, now, slots.date)) for office in serving]
    turn.say("office.serving", found=found, called=name, as_of=every.as_of)


def _list(turn: DeskTurn, slots: Slots, every: OfficeList) -> None:
    """All of them, with their hours where these are the same everywhere."""
    hours = {office.hours for office in every.items}
    day = slots.date or turn.desk.today(turn.now)
    turn.say(
        "office.all",
        offices=every.items,
        office_hours=hours.pop() if len(hours) == 1 else None,
        day_off=day if turn.desk.hours.is_day_off(day) else None,
        as_of=every.as_of,
    )


def _serving(every: OfficeList, codes: Set[str]) -> list[Office]:
    return [office for office in every.items if codes & set(office.place_codes)]

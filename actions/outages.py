"""Outages and dangers (F10): planned cuts, reporting a cut, when power is back, danger first."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from actions.answers import option_meant
from actions.backends.errors import BackendError
from actions.backends.models import Case, Outage, OutageReport
from actions.desk import DeskTurn
from actions.handlers import registry
from bot.dialogue.commands import Command, Place, PlaceChoice, Slots
from bot.dialogue.forms import Ask, Form, Invalid
from bot.dialogue.turn import Account, NeedsAccountChoice, NeedsLink, Turn
from bot.logs import get_logger
from bot.messages import InboundKind

SHOWN = 5
log = get_logger(__name__)


@registry.handles("outage_schedule")
def outage_schedule(turn: DeskTurn, slots: Slots) -> None:
    """Planned cuts of a place, or of a linked account; anyone may ask about a place."""
    first, last = _span(turn, slots.date)
    place, account = _where(turn, slots, "outage_schedule")
    if place is None and account is None:
        return
    found = _outages(turn, place, account, first, last)
    planned = [outage for outage in found if outage.kind == "planned" and outage.state in {"planned", "active"}]
    turn.say(
        "outage.schedule" if planned else "outage.none_planned",
        where=_called(turn, place, account),
        outages=planned[:SHOWN],
        day=slots.date,
        days=turn.desk.company.outage_days_ahead,
        as_of=turn.now,
    )


@registry.handles("outage_status")
def outage_status(turn: DeskTurn, slots: Slots) -> None:
    """Why there is no power now and when it is expected back, as far as the feed knows; else offer to report."""
    place, account = _where(turn, slots, "outage_status")
    if place is None and account is None:
        return
    running = _running(turn, place, account)
    where = _called(turn, place, account)
    if account and not running and _cut_for_debt(turn, account):
        return
    if running:
        turn.say("outage.running", where=where, outage=running[0], as_of=turn.now)
        return
    turn.say("outage.not_known", where=where, link=account.link_id if account else None)
    turn.ask_yes_no(yes=Command(name="outage_report", slots=slots), no=Command(name="help"))


@registry.handles("hazard_report")
def hazard_report(turn: DeskTurn, slots: Slots) -> None:
    """What to do now and the hotline come first and never depend on a backend; then the case."""
    turn.say("hazard.now")
    account = turn.caller.accounts[0] if len(turn.caller.accounts) == 1 else None
    case = Case(
        kind="hazard",
        text=turn.text or ", ".join(map(str, slots.position or ["hazard"])),
        customer_code=account.customer_code if account else None,
        place_code=slots.place.code if slots.place else None,
    )
    try:
        ticket = turn.desk.service.open_case(case, idempotency_key=turn.idempotency_key("hazard"))
    except BackendError as error:
        log.warning("hazard_case_not_opened", error=type(error).__name__)
        turn.say("hazard.call_us")
        return
    turn.say("hazard.recorded", ticket=ticket, place=slots.place or slots.position)


def _read_place(turn: Turn[Any]) -> Any:
    """A commune or ward, its choices if the name may mean several, or a shared position."""
    if turn.inbound.kind is InboundKind.LOCATION and turn.inbound.latitude is not None:
        return {"latitude": turn.inbound.latitude, "longitude": turn.inbound.longitude}
    if code := turn.slots.customer_code:
        linked = next((a for a in turn.caller.accounts if a.customer_code == code), None)
        if linked is None:
            raise Invalid("outage.code_not_linked")
        return {"link": linked.link_id}
    place = turn.slots.place
    if place and place.choices and not place.code:
        options = [(_choice_title(choice), choice.code) for choice in place.choices]
        raise Invalid("place.which", options=options, name=place.name, choices=place.choices)
    return _as_value(place) if place and place.code else None


def _choice_title(choice: PlaceChoice) -> str:
    """Short enough for a button: what tells the readings apart is the former district, or else the unit."""
    return choice.district if choice.district and choice.old_name else choice.name


def _chosen(choice: PlaceChoice) -> Place:
    return Place(code=choice.code, name=choice.name)


def _as_value(place: Place) -> dict[str, Any]:
    return {"code": place.code, "name": place.name}


def _read_scope(turn: Turn[Any]) -> str | None:
    return option_meant(turn.desk.answers, "outage.scope", turn.text)


@registry.handles("media.location")
def shared_position(turn: DeskTurn, _slots: Slots) -> None:
    """A position shared out of the blue is most likely where the power is out; after a danger, where that is."""
    if turn.inbound.latitude is None or turn.inbound.longitude is None:
        turn.say("media.other")
        return
    here = Slots(position=(turn.inbound.latitude, turn.inbound.longitude))
    if turn.state.topic and turn.state.topic.command.name == "hazard_report":
        hazard_report(turn, here)
        return
    report = Command(name="outage_report", slots=here)
    turn.say("outage.position_shared", position=here.position)
    turn.ask_yes_no(yes=report, no=Command(name="deny"))


@registry.form("outage_report")
class ReportOutage(Form):
    """Where there is no power, and whether only there; known cuts are told instead of filed twice."""

    intents = frozenset({"outage_report", "outage_status"})

    link: int | None = None
    where: Annotated[dict[str, Any], Ask("outage.ask_where", read=_read_place)]
    scope: Annotated[Literal["only_me", "neighbours", "unknown"], Ask("outage.ask_scope", read=_read_scope)]

    @classmethod
    def prefill(cls, turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        """The shared position, or the account: the one named, or the only one. A place named is read as an answer."""
        if slots.position:
            return {"where": {"latitude": slots.position[0], "longitude": slots.position[1]}}
        if slots.place or slots.customer_code:
            return {}
        try:
            account = turn.account(slots)
        except (NeedsLink, NeedsAccountChoice):
            return {}
        return {"link": account.link_id, "where": {"link": account.link_id}}

    @classmethod
    def filled(cls, turn: DeskTurn, field: str, values: dict[str, Any]) -> None:
        if field == "where" and isinstance(values["where"], str):
            code = values["where"]
            values["where"] = {"code": code, "name": turn.desk.gazetteer.title(code)}
        if field == "where":
            values["link"] = values["where"].get("link")

    def submit(self, turn: DeskTurn) -> None:
        account = turn.account(Slots(link=self.link)) if self.link is not None else None
        place = Place(code=self.where.get("code"), name=self.where.get("name", "")) if "code" in self.where else None
        report = OutageReport(
            customer_code=account.customer_code if account else None,
            place_code=place.code if place else None,
            latitude=self.where.get("latitude"),
            longitude=self.where.get("longitude"),
            scope=self.scope,
            note="",
        )
        if account and _cut_for_debt(turn, account):
            return
        known = _running(turn, place, account) if place or account else []
        ticket = turn.desk.service.report_outage(report, idempotency_key=turn.idempotency_key("outage"))
        where = _called(turn, place, account)
        turn.say("outage.reported", ticket=ticket, where=where, outage=known[0] if known else None, scope=self.scope)


def _cut_for_debt(turn: DeskTurn, account: Account) -> bool:
    """A supply that was cut for debt is no fault of the grid: say so, without blame, and how it comes back."""
    customer = turn.desk.billing.customer(account.customer_code)
    if customer.status != "cut_for_debt":
        return False
    debt = turn.desk.billing.debt(account.customer_code)
    turn.say("outage.cut_for_debt", link=account.link_id, account=account, debt=debt)
    return True


def _where(turn: DeskTurn, slots: Slots, intent: str) -> tuple[Place | None, Account | None]:
    """The place named, or the account; neither when a question had to be asked first."""
    place = slots.place
    if place and place.choices and not place.code:
        options = [
            (_choice_title(choice), Command(name=intent, slots=slots.model_copy(update={"place": _chosen(choice)})))
            for choice in place.choices
        ]
        turn.offer("place.which", options, name=place.name, choices=place.choices)
        return None, None
    if place and place.code:
        return place, None
    if turn.caller.accounts:
        return None, turn.account(slots)
    turn.say("outage.which_place")
    return None, None


def _outages(
    turn: DeskTurn, place: Place | None, account: Account | None, first: datetime, last: datetime
) -> tuple[Outage, ...]:
    found = turn.desk.service.outages(
        customer_code=account.customer_code if account else None,
        place_code=place.code if place else None,
        first=first,
        last=last,
    )
    return found.items


def _running(turn: DeskTurn, place: Place | None, account: Account | None) -> list[Outage]:
    found = _outages(turn, place, account, turn.now - timedelta(hours=1), turn.now + timedelta(hours=1))
    return [outage for outage in found if outage.state == "active"]


def _span(turn: DeskTurn, day: date | None) -> tuple[datetime, datetime]:
    """The day that was named, or the coming days."""
    zone = turn.desk.zone
    if day:
        start = datetime.combine(day, time.min, zone)
        return start, start + timedelta(days=1)
    return turn.now, turn.now + timedelta(days=turn.desk.company.outage_days_ahead)


def _called(turn: DeskTurn, place: Place | None, account: Account | None) -> str:
    if account:
        return account.label
    return turn.desk.gazetteer.title(place.code) if place and place.code else ""

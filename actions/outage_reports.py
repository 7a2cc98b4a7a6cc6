"""Telling that there is no power (F10): what is known already is said instead of asked; many reports make an outage."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from actions.answers import option_meant, option_of
from actions.backends.errors import BackendError
from actions.backends.models import Case, Outage, OutageReport, Ticket, TicketNote
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.payment_problems import NOT_SEEN
from actions.photos import attach
from actions.where import called, is_split, outages_at, titles
from bot.dialogue.commands import PAYLOAD_PREFIX, Place, Slots
from bot.dialogue.forms import Abandon, Ask, Form, Invalid
from bot.dialogue.turn import Account, NeedsAccountChoice, NeedsLink, Turn
from bot.logs import get_logger
from bot.messages import InboundKind
from bot.metrics import SUSPECTED_OUTAGES
from bot.store import grid
from bot.store.grid import Reported, Suspicion

LONGEST_NOTE: Final = 1_000
STILL_OPEN: Final = timedelta(hours=24)
"""So long after a report "có điện rồi" is about it."""
NEXT_HOUR: Final = timedelta(hours=1)
ELSEWHERE, ANOTHER = "elsewhere", "another"
"""What a tap says of a report: it is not the known outage; it is another one than one's own."""

log = get_logger(__name__)


@dataclass(frozen=True)
class Spot:
    """Where there is no power: the commune or ward, if known, or a position; `is_cut` for the debt of an account."""

    called: str = ""
    code: str | None = None
    position: tuple[float, float] | None = None
    is_cut: bool = False


def read_place(turn: Turn[Any]) -> Any:
    """A commune or ward, its choices if the name may mean several, a linked code, or a shared position."""
    if turn.inbound.kind is InboundKind.LOCATION and turn.inbound.latitude is not None:
        assert turn.inbound.longitude is not None
        if not turn.desk.company.area.holds(turn.inbound.latitude, turn.inbound.longitude):
            raise Invalid("outage.position_outside")
        return {"latitude": turn.inbound.latitude, "longitude": turn.inbound.longitude}
    if code := turn.slots.customer_code:
        linked = next((a for a in turn.caller.accounts if a.customer_code == code), None)
        if linked is None:
            raise Invalid("outage.code_not_linked")
        return {"link": linked.link_id}
    place = turn.slots.place
    if place is None:
        return None
    if place.code:
        return {"code": place.code, "name": place.name}
    if place.choices:
        options = list(zip(titles(place.choices), (choice.code for choice in place.choices), strict=True))
        if is_split(place):
            options.append((turn.replies.render("place.either")[0], place.choices[0].code))
            raise Invalid("place.split", options=options, name=place.name, choices=place.choices)
        raise Invalid("place.which", options=options, name=place.name, choices=place.choices)
    if turn.state.form:
        _remember(turn.state.form.values, turn.text)
    raise Invalid("place.of_which_commune", name=place.name)


def read_scope(turn: Turn[Any]) -> str | None:
    """Who only asks when power comes back does not know, and gets the number and the honest word at once."""
    told = option_meant(turn.desk.answers, "outage.scope", turn.text)
    return told or ("unknown" if turn.asks_for("scope") and turn.intent == "outage_status" else None)


@registry.form("outage_report")
class ReportOutage(Form):
    """Where there is no power, whether only there, and then whether it is the breaker. Known cuts end it at once."""

    intents = frozenset({"outage_report", "outage_status"})

    link: int | None = None
    note: str = ""
    anyway: str = ""
    where: Annotated[dict[str, Any], Ask("outage.ask_where", read=read_place)]
    scope: Annotated[Literal["only_me", "neighbours", "unknown"], Ask("outage.ask_scope", read_scope)]
    breaker: Annotated[
        Literal["fixed", "no_help", "unseen", "not_needed"], Ask("outage.ask_breaker", option_of("outage.breaker"))
    ]

    @classmethod
    def prefill(cls, turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        """The shared position, or the account: the one named, or the only one. A place named is read as an answer."""
        if says_it_is_over(turn):
            ended = _end(turn)
            raise Abandon("outage.over", ticket=ended) if ended else Abandon("outage.glad")
        told = turn.text[:LONGEST_NOTE] if turn.intent == "outage_report" else ""
        values: dict[str, Any] = {"note": told, "anyway": slots.field or ""}
        if slots.position:
            return {**values, "where": {"latitude": slots.position[0], "longitude": slots.position[1]}}
        if slots.customer_code or (slots.place and (slots.place.code or slots.place.choices)):
            return values
        try:
            account = turn.account(slots)
        except NeedsLink:
            return values
        except NeedsAccountChoice:
            options = [(account.label, f"link:{account.link_id}") for account in turn.caller.accounts]
            if turn.state.form:
                turn.state.form.values = values
            raise Invalid("outage.which_account", options=options) from None
        values |= {"link": account.link_id, "where": {"link": account.link_id}}
        _say_what_is_known(turn, values)
        return values

    @classmethod
    def filled(cls, turn: DeskTurn, field: str, values: dict[str, Any]) -> None:
        if field == "where":
            values["where"] = where_tapped(turn, values["where"])
            values["link"] = values["where"].get("link")
            _remember(values, turn.text)
            _say_what_is_known(turn, values)
        elif field == "scope" and values["scope"] == "only_me":
            values.pop("breaker", None)
        elif field == "scope":
            values["breaker"] = "not_needed"
        elif values["breaker"] == "fixed":
            raise Abandon("outage.breaker_fixed")

    def submit(self, turn: DeskTurn) -> None:
        account = turn.account(Slots(link=self.link)) if self.link is not None else None
        spot = _spot(turn, self.where, account)
        ticket, suspicion = _file(turn, spot, account, scope=self.scope, note=self.note)
        if suspicion:
            turn.say("outage.suspected", where=spot.called, suspicion=suspicion, ticket=ticket)
        else:
            turn.say("outage.reported", where=spot.called, ticket=ticket, only_me=self.scope == "only_me")


@registry.handles("outage.restored")
def power_is_back(turn: DeskTurn, _slots: Slots) -> None:
    """The customer says that power is back: their report ends."""
    if ticket := _end(turn):
        turn.say("outage.over", ticket=ticket)
    else:
        turn.say("outage.glad")


def says_it_is_over(turn: DeskTurn) -> bool:
    return option_meant(turn.desk.answers, "outage.over", turn.text) == "over"


def spot_of(turn: DeskTurn, place: Place | None, account: Account | None) -> Spot:
    """Where an account or a place is."""
    if account:
        customer = turn.desk.billing.customer(account.customer_code)
        return Spot(account.label, customer.place_code, is_cut=customer.status == "cut_for_debt")
    return Spot(called(turn, place, None), place.code) if place else Spot()


def cut_for_debt(turn: DeskTurn, account: Account) -> dict[str, Any]:
    """What `outage.cut_for_debt` needs: no fault of the grid, told without blame, and how it comes back."""
    debt = turn.desk.billing.debt(account.customer_code)
    return {"link": account.link_id, "account": account, "debt": debt, "value": NOT_SEEN}


def own_open_report(turn: DeskTurn, spot: Spot) -> Ticket | None:
    """The report that this contact made from there of late, if people are still at it."""
    own = turn.desk.grid.latest(turn.caller.contact_id, grid.OUTAGE, turn.now - turn.desk.company.told_again)
    if own is None or own.place_code != spot.code:
        return None
    ticket = turn.desk.service.ticket(own.ticket_code)
    return ticket if ticket.state in {"received", "in_progress"} else None


def suspicion_of(turn: DeskTurn, spot: Spot) -> Suspicion | None:
    """The outage that many reports make likely there."""
    return turn.desk.grid.suspected(spot.code, turn.now) if spot.code else None


def where_tapped(turn: DeskTurn, where: Any) -> dict[str, Any]:
    """What a tap on one of the places or accounts stands for."""
    if not isinstance(where, str):
        return dict(where)
    if where.startswith("link:"):
        return {"link": turn.account(Slots(link=int(where.removeprefix("link:")))).link_id}
    return {"code": where, "name": turn.desk.gazetteer.title(where)}


def _remember(values: dict[str, Any], told: str) -> None:
    """The customer's own words about the place go with the report: the hamlet, the street, the former name."""
    note = values.get("note", "")
    if told and told not in note and not told.startswith(PAYLOAD_PREFIX):
        values["note"] = f"{note}\n{told}".strip()[:LONGEST_NOTE]


def _spot(turn: DeskTurn, where: Mapping[str, Any], account: Account | None) -> Spot:
    if "latitude" in where:
        return Spot(position=(where["latitude"], where["longitude"]))
    return spot_of(turn, Place(code=where["code"], name=where["name"]) if "code" in where else None, account)


def _say_what_is_known(turn: DeskTurn, values: Mapping[str, Any]) -> None:
    """End the form with what the company knows of this place, the report joined to it. Raises Abandon if it does.

    In this order: the supply is cut for debt; an outage is known; this contact reported it of late; many report it.
    """
    where = values["where"]
    account = turn.account(Slots(link=where["link"])) if "link" in where else None
    spot = _spot(turn, where, account)
    if account and spot.is_cut:
        raise Abandon("outage.cut_for_debt", **cut_for_debt(turn, account))
    if spot.code is None:
        return
    place = None if account else Place(code=spot.code, name=spot.called)
    outage = None if values["anyway"] == ELSEWHERE else _running(turn, place, account)
    if outage:
        ticket, _ = _file(turn, spot, account, scope="unknown", note=values["note"])
        raise Abandon(
            "outage.joined", where=spot.called, outage=outage, ticket=ticket, place=place, field=place and ELSEWHERE
        )
    if values["anyway"]:
        return
    if own := own_open_report(turn, spot):
        raise Abandon("outage.told_already", where=spot.called, ticket=own, field=ANOTHER)
    if suspicion_of(turn, spot):
        ticket, suspicion = _file(turn, spot, account, scope="neighbours", note=values["note"])
        raise Abandon("outage.suspected", where=spot.called, suspicion=suspicion, ticket=ticket)


def _running(turn: DeskTurn, place: Place | None, account: Account | None) -> Outage | None:
    found = outages_at(turn, place, account, turn.now - NEXT_HOUR, turn.now + NEXT_HOUR)
    return next((outage for outage in found.items if outage.state == "active"), None)


def _file(
    turn: DeskTurn, spot: Spot, account: Account | None, *, scope: Any, note: str
) -> tuple[Ticket, Suspicion | None]:
    """Tell the utility, and count the report with those of the area."""
    latitude, longitude = spot.position or (None, None)
    report = OutageReport(
        customer_code=account.customer_code if account else None,
        place_code=None if account else spot.code,
        latitude=latitude,
        longitude=longitude,
        scope=scope,
        note=note,
    )
    ticket = turn.desk.service.report_outage(report, idempotency_key=turn.idempotency_key("outage"))
    suspicion = turn.desk.grid.add(
        Reported(
            contact_id=turn.caller.contact_id,
            event_id=turn.event_id,
            kind=grid.OUTAGE,
            ticket_code=ticket.code,
            at=turn.now,
            place_code=spot.code,
            feeder=ticket.feeder,
            only_me=scope == "only_me",
            outage_id=ticket.outage_id,
        )
    )
    if suspicion and suspicion.ticket_code is None:
        _tell_suspicion(turn, suspicion)
    attach(turn, ticket)
    return ticket, suspicion


def _tell_suspicion(turn: DeskTurn, suspicion: Suspicion) -> None:
    """Open the area's case; whoever comes next tries again if it cannot be opened now."""
    where = turn.desk.gazetteer.title(suspicion.place_code)
    rule = turn.desk.company.suspected_outage
    text, _ = turn.replies.render("case.suspected_outage", where=where, suspicion=suspicion, rule=rule)
    case = Case(kind="suspected_outage", text=text, place_code=suspicion.place_code)
    key = f"suspected-{suspicion.id}-{suspicion.since:%Y%m%d%H%M%S}"
    try:
        ticket = turn.desk.service.open_case(case, idempotency_key=key)
    except BackendError as error:
        log.error("suspected_outage_not_told", place_code=suspicion.place_code, error=type(error).__name__)
        return
    if turn.desk.grid.told(suspicion, ticket.code):
        SUSPECTED_OUTAGES.inc()
        log.error("suspected_outage", place_code=suspicion.place_code, ticket=ticket.code, urgent=True)


def _end(turn: DeskTurn) -> Ticket | None:
    """End the contact's own report, here and at the utility; None if there is none."""
    own = turn.desk.grid.latest(turn.caller.contact_id, grid.OUTAGE, turn.now - STILL_OPEN)
    if own is None:
        return None
    note = TicketNote(resolved=True)
    ticket = turn.desk.service.add_note(own.ticket_code, note, idempotency_key=turn.idempotency_key("over"))
    turn.change(lambda session: grid.end(session, own, turn.now))
    return ticket

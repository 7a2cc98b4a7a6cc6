"""Service requests that are filed: how they stand, papers that come later, withdrawing them.

Shown are the requests of this chat and of its linked accounts only. A code is looked for among these, so that no
answer tells whether any other code exists.
"""

from typing import Annotated, Any

from actions.answers import option_meant
from actions.backends.errors import NotFound
from actions.backends.models import ServiceRequest, Ticket
from actions.catalogue import catalogue
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.papers import attach
from actions.service_fields import PapersField
from actions.service_forms import LIFETIME, contact_of
from bot.dialogue import filling
from bot.dialogue.commands import Command, Slots
from bot.dialogue.forms import Ask, Form
from bot.dialogue.state import FormState

CLOSED = frozenset({"done", "cancelled"})
SHOWN = 5
PAPERS = PapersField(kind="papers", label="", ask="")


@registry.handles("service_status")
def service_status(turn: DeskTurn, slots: Slots) -> None:
    """A request or report by its code, or the requests of this chat and its accounts."""
    own = own_requests(turn)
    if slots.request_code:
        found = _named(own, slots.request_code)
        cancelling = option_meant(turn.desk.answers, "service.request", turn.text) == "cancel"
        if found is None:
            _say_ticket(turn, slots.request_code)
        elif cancelling and found.state not in CLOSED:
            _ask_to_cancel(turn, found)
        else:
            _say_request(turn, found)
        return
    recent = [*(r for r in own if r.state not in CLOSED), *(r for r in own if r.state in CLOSED)][:SHOWN]
    match recent:
        case []:
            turn.say("service.no_requests", linked=bool(turn.caller.accounts))
        case [only]:
            _say_request(turn, only)
        case several:
            options = [
                (request.code, Command(name="service_status", slots=Slots(request_code=request.code)))
                for request in several
            ]
            turn.offer("service.requests", options, requests=_titled(several), as_of=several[0].as_of)


@registry.handles("service.cancel_ask")
def ask_to_cancel(turn: DeskTurn, slots: Slots) -> None:
    """Nothing is withdrawn before the customer has said so twice."""
    if request := _open_request(turn, slots.request_code):
        _ask_to_cancel(turn, request)


@registry.handles("service.cancel")
def cancel_request(turn: DeskTurn, slots: Slots) -> None:
    request = _open_request(turn, slots.request_code)
    if request is None:
        return
    cancelled = turn.desk.service.cancel_request(request.code, idempotency_key=turn.idempotency_key("cancel"))
    turn.say("service.cancelled", filed=cancelled, title=catalogue().title_of(cancelled.service))


@registry.form("service.papers")
class MorePapers(Form):
    """Papers for a request that is filed; each that comes is handed over at once, until the customer says it is all."""

    intents = frozenset({"service_status"})
    lifetime = LIFETIME

    request_code: str
    papers: Annotated[
        list[dict[str, Any]],
        Ask("service.send_papers", read=lambda turn: PAPERS.read(turn, asked=True, known=None)),
    ]

    @classmethod
    def prefill(cls, _turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        return {"request_code": slots.request_code or ""}

    @classmethod
    def filled(cls, turn: DeskTurn, _field: str, values: dict[str, Any]) -> None:
        values["papers"] = PAPERS.check(turn, values["papers"])

    def submit(self, turn: DeskTurn) -> None:
        request = _open_request(turn, self.request_code)
        if request is None:
            return
        lost = attach(turn, request.code, self.papers)
        turn.say("service.papers_kept", kept=len(self.papers) - lost, lost=lost, filed=request)
        turn.state.form = FormState(
            name="service.papers",
            values={"request_code": request.code},
            asking="papers",
            touched_at=turn.now,
            lifetime=LIFETIME,
        )


@registry.handles("service.papers_add")
def add_papers(turn: DeskTurn, slots: Slots) -> None:
    """Ask for the papers of a request of this chat's or its accounts'."""
    if request := _open_request(turn, slots.request_code):
        filling.start(registry, turn, MorePapers, slots=Slots(request_code=request.code))


@registry.handles("service.papers_done")
def papers_done(turn: DeskTurn, _slots: Slots) -> None:
    """All papers are sent."""
    form = turn.state.form
    if form is None or form.name != "service.papers":
        turn.say("button.stale")
        return
    request = _own(turn, form.values["request_code"])
    turn.state.form = None
    if request is None:
        turn.say("service.not_found")
    else:
        _say_request(turn, request)


def own_requests(turn: DeskTurn) -> list[ServiceRequest]:
    """The requests of this chat and of its linked accounts, newest first."""
    found = {request.code: request for request in turn.desk.service.contact_requests(contact_of(turn)).items}
    for account in turn.caller.accounts:
        requests = turn.desk.service.customer_requests(account.customer_code).items
        found.update((request.code, request) for request in requests)
    return sorted(found.values(), key=lambda request: (request.filed_at, request.code), reverse=True)


def _own(turn: DeskTurn, code: str | None) -> ServiceRequest | None:
    return _named(own_requests(turn), code or "")


def _open_request(turn: DeskTurn, code: str | None) -> ServiceRequest | None:
    """The request, if it is open; None after saying that there is none, or how it ended."""
    request = _own(turn, code)
    if request is None:
        turn.say("service.not_found")
    elif request.state in CLOSED:
        _say_request(turn, request)
    else:
        return request
    return None


def _ask_to_cancel(turn: DeskTurn, request: ServiceRequest) -> None:
    title = catalogue().title_of(request.service)
    turn.say("service.confirm_cancel", filed=request, title=title, request_code=request.code)
    cancel = Command(name="service.cancel", slots=Slots(request_code=request.code))
    turn.ask_yes_no(yes=cancel, no=Command(name="deny"))


def _named(requests: list[ServiceRequest], code: str) -> ServiceRequest | None:
    return next((request for request in requests if _bare(request.code) == _bare(code)), None)


def _bare(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())


def _titled(requests: list[ServiceRequest]) -> list[tuple[str, ServiceRequest]]:
    return [(catalogue().title_of(request.service), request) for request in requests]


def _say_request(turn: DeskTurn, request: ServiceRequest) -> None:
    turn.say(
        "service.request",
        filed=request,
        title=catalogue().title_of(request.service),
        request_code=request.code,
        is_open=request.state not in CLOSED,
        lacks_papers=request.state == "need_papers",
    )


def _say_ticket(turn: DeskTurn, code: str) -> None:
    """A report or case by its code. What the utility wrote on it is shown only where it is about a known outage."""
    try:
        ticket: Ticket = turn.desk.service.ticket(code)
    except NotFound:
        turn.say("service.not_found")
        return
    turn.say("service.state", ticket=ticket, message=ticket.message if ticket.outage_id else None)

"""The *service* contract over the world."""

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, request
from pydantic import BaseModel

from actions.backends.models import Case, OutageReport, TicketNote
from sandbox.backends.contract import IdempotencyStore, answer, body, contract_blueprint, instant_parameter
from sandbox.backends.faults import Faults
from sandbox.world import Refused, World

_LONGEST_SPAN: Final = timedelta(days=62)
_LONGEST_SMS: Final = 480
_LONGEST_TEXT: Final = 2_000


class _Sms(BaseModel):
    text: str


def service_blueprint(world: World, token: str, faults: Faults) -> Blueprint:
    """Mount at the base URL of service."""
    blueprint = contract_blueprint("service", token, faults)
    store = IdempotencyStore()

    @blueprint.post("/v1/customers/<code>/sms")
    def send_sms(code: str) -> Response:
        def perform() -> Response:
            text = _text(body(_Sms).text, _LONGEST_SMS)
            world.send_sms(code, text)
            return Response(status=202)

        return store.once(perform)

    @blueprint.get("/v1/customers/<code>/contract")
    def get_contract(code: str) -> Response:
        return answer(world.contract(code))

    @blueprint.get("/v1/outages")
    def list_outages() -> Response:
        first, last = instant_parameter("first"), instant_parameter("last")
        if not timedelta() <= last - first <= _LONGEST_SPAN:
            raise Refused("bad_span", f"0 to {_LONGEST_SPAN.days} days")
        return answer(world.outages(first, last, request.args.get("customer_code"), request.args.get("place_code")))

    @blueprint.post("/v1/outage-reports")
    def report_outage() -> Response:
        def perform() -> Response:
            report = body(OutageReport)
            if len(report.note) > _LONGEST_TEXT:
                raise Refused("bad_text", f"At most {_LONGEST_TEXT} characters")
            return answer(world.report_outage(report), 201)

        return store.once(perform)

    @blueprint.post("/v1/cases")
    def open_case() -> Response:
        def perform() -> Response:
            case = body(Case)
            _text(case.text, _LONGEST_TEXT)
            return answer(world.open_case(case), 201)

        return store.once(perform)

    @blueprint.get("/v1/tickets/<code>")
    def get_ticket(code: str) -> Response:
        return answer(world.ticket(code))

    @blueprint.post("/v1/tickets/<code>/notes")
    def add_note(code: str) -> Response:
        def perform() -> Response:
            note = body(TicketNote)
            if note.text is not None:
                _text(note.text, _LONGEST_TEXT)
            return answer(world.add_note(code, note), 201)

        return store.once(perform)

    @blueprint.get("/v1/offices")
    def list_offices() -> Response:
        return answer(world.offices(request.args.get("place_code")))

    return blueprint


def _text(text: str, longest: int) -> str:
    if not text.strip() or len(text) > longest:
        raise Refused("bad_text", f"1 to {longest} characters")
    return text

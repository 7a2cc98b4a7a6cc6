"""The *service* contract over the world."""

import base64
from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, request
from pydantic import BaseModel

from actions.backends.models import Case, NewServiceRequest, OutageReport, Paper, TicketNote
from sandbox.backends.contract import (
    IdempotencyStore,
    answer,
    body,
    contract_blueprint,
    instant_parameter,
    number_parameter,
    one_filter,
    text_parameter,
)
from sandbox.backends.faults import Faults
from sandbox.world import Refused, World

_LONGEST_SPAN: Final = timedelta(days=62)
_LONGEST_SMS: Final = 480
_LONGEST_TEXT: Final = 2_000
_MOST_DETAILS: Final = 30
_MOST_CHANGES: Final = 500
_MOST_CODES: Final = 1_000
_LARGEST_PAPER: Final = 5 * 1024 * 1024
_BEGINNINGS: Final = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG",
    "image/webp": b"RIFF",
    "application/pdf": b"%PDF",
}


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

    @blueprint.get("/v1/customers/<code>/phone-ref")
    def get_phone_ref(code: str) -> Response:
        return answer(world.phone_ref(code))

    @blueprint.get("/v1/customers/<code>/contract")
    def get_contract(code: str) -> Response:
        return answer(world.contract(code))

    @blueprint.get("/v1/customers/<code>/contract/file")
    def get_contract_file(code: str) -> Response:
        return Response(world.contract_file(code), content_type="application/pdf")

    @blueprint.get("/v1/outages")
    def list_outages() -> Response:
        first, last = instant_parameter("first"), instant_parameter("last")
        if not timedelta() <= last - first <= _LONGEST_SPAN:
            raise Refused("bad_span", f"0 to {_LONGEST_SPAN.days} days")
        return answer(world.outages(first, last, request.args.get("customer_code"), request.args.get("place_code")))

    @blueprint.get("/v1/outages/<outage_id>")
    def get_outage(outage_id: str) -> Response:
        return answer(world.outage(outage_id))

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

    @blueprint.post("/v1/service-requests")
    def file_request() -> Response:
        def perform() -> Response:
            request_made = body(NewServiceRequest)
            if not request_made.contact or len(request_made.details) > _MOST_DETAILS:
                raise Refused("bad_body", f"A contact, and at most {_MOST_DETAILS} details")
            for detail in request_made.details:
                _text(detail.value, _LONGEST_TEXT)
            return answer(world.file_request(request_made), 201)

        return store.once(perform)

    @blueprint.get("/v1/service-requests")
    def list_contact_requests() -> Response:
        return answer(world.contact_requests(text_parameter("contact")))

    @blueprint.get("/v1/customers/<code>/requests")
    def list_customer_requests(code: str) -> Response:
        return answer(world.customer_requests(code))

    @blueprint.post("/v1/service-requests/<code>/papers")
    def add_paper(code: str) -> Response:
        return store.once(lambda: answer(world.add_paper(code, _paper(body(Paper))), 201))

    @blueprint.post("/v1/service-requests/<code>/cancel")
    def cancel_request(code: str) -> Response:
        return store.once(lambda: answer(world.cancel_request(code), 201))

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

    @blueprint.get("/v1/changes")
    def list_changes() -> Response:
        limit = number_parameter("limit", 1, _MOST_CHANGES)
        return answer(world.changes("service", request.args.get("after"), limit))

    @blueprint.get("/v1/customer-codes")
    def list_customer_codes() -> Response:
        chosen = one_filter("outage_id", "place_code", "feeder")
        limit = number_parameter("limit", 1, _MOST_CODES)
        lists = {
            "outage_id": world.codes_of_outage,
            "place_code": world.codes_of_place,
            "feeder": world.codes_of_feeder,
        }
        return answer(lists[chosen](request.args[chosen], request.args.get("after"), limit))

    return blueprint


def _text(text: str, longest: int) -> str:
    if not text.strip() or len(text) > longest:
        raise Refused("bad_text", f"1 to {longest} characters")
    return text


def _paper(paper: Paper) -> bytes:
    """Raises Refused `bad_paper`."""
    try:
        content = base64.b64decode(paper.content, validate=True)
    except ValueError:
        raise Refused("bad_paper", "Not base64") from None
    if len(content) > _LARGEST_PAPER or not content.startswith(_BEGINNINGS[paper.content_type]):
        raise Refused("bad_paper", f"At most {_LARGEST_PAPER} bytes, of its own type")
    return content

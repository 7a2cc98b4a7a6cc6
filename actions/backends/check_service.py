"""The checks of the *service* contract."""

from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import quote
from uuid import uuid4

from actions.backends.check_feeds import CODES, codes_checks, codes_refusals, feed_checks
from actions.backends.probe import (
    NO_SUCH_CUSTOMER,
    NOTE,
    Check,
    CheckResult,
    System,
    idempotency_checks,
    newest_first,
    oldest_first,
    own_path,
)


def reading_checks(today: date) -> list[Check]:
    """Checks that change nothing."""
    return [
        _contract,
        _contract_file,
        _phone_ref,
        _outages(today),
        _one_outage(today),
        _offices,
        _no_ticket,
        _requests,
        feed_checks,
    ]


def writing_checks() -> list[Check]:
    """Checks that send a text, and open a ticket, a case and a service request, which they withdraw."""
    return [_sms, _report, _case, _service_request]


def _contract(system: System, code: str) -> Iterator[CheckResult]:
    yield system.result("getContract answers the contract", system.get(own_path(system, code)).fits(200, "Contract"))
    unknown = system.get(own_path(system, NO_SUCH_CUSTOMER))
    yield system.result("an unknown customer is not found", unknown.refuses(404))


def _phone_ref(system: System, code: str) -> Iterator[CheckResult]:
    answers = {
        whose: system.get(f"/v1/customers/{quote(whose, safe='')}/phone-ref")
        for whose in (code, NO_SUCH_CUSTOMER, f"{NO_SUCH_CUSTOMER[:-1]}8")
    }
    for whose, answer in answers.items():
        name = "the test customer" if whose == code else "an unknown customer"
        yield system.result(f"getPhoneRef of {name} answers the contract", answer.fits(200, "PhoneRef"))
    if all(answer.fits(200, "PhoneRef") is None for answer in answers.values()):
        refs = {answer.content["phone_ref"] for answer in answers.values()}
        problem = None if len(refs) == len(answers) else "unknown customers share one"
        yield system.result("getPhoneRef tells codes apart, known or not", problem)


def _contract_file(system: System, code: str) -> Iterator[CheckResult]:
    file = system.get(f"{own_path(system, code)}/file")
    yield system.result("getContractFile answers a file", file.is_file("application/pdf", b"%PDF-"))
    unknown = system.get(f"{own_path(system, NO_SUCH_CUSTOMER)}/file")
    yield system.result("the contract file of an unknown customer is not found", unknown.refuses(404))


def _instant(day: date) -> str:
    return f"{day}T00:00:00Z"


def _one_outage(today: date) -> Check:
    """An outage by its id, and the customers whom it reaches."""

    def check(system: System, _code: str) -> Iterator[CheckResult]:
        span = {"first": _instant(today - timedelta(days=20)), "last": _instant(today + timedelta(days=20))}
        known = system.get("/v1/outages", **span)
        outages = [] if known.fits(200, "OutageList") else known.content["items"]
        if outages:
            outage = outages[-1]
            answer = system.get(f"/v1/outages/{quote(outage['id'], safe='')}")
            problem = answer.fits(200, "OutageAnswer") or (
                None if answer.content["id"] == outage["id"] else "another outage came back"
            )
            yield system.result("getOutage answers the contract", problem)
            yield from codes_checks(system, "of an outage", outage_id=outage["id"])
            yield from codes_checks(system, "of a place", place_code=outage["place_codes"][0])
            if outage["feeder"]:
                yield from codes_checks(system, "of a feeder", feeder=outage["feeder"])
        else:
            yield system.not_tried("getOutage answers the contract", "no outage is known")
        unknown = system.get("/v1/outages/KHONG-CO")
        yield system.result("an unknown outage is not found", unknown.refuses(404))
        nobody = system.get(CODES, outage_id="KHONG-CO", limit="1")
        yield system.result("the customers of an unknown outage are not found", nobody.refuses(404))
        yield from codes_refusals(system)

    return check


def _outages(today: date) -> Check:
    def instant(days: int) -> str:
        return _instant(today + timedelta(days=days))

    def check(system: System, code: str) -> Iterator[CheckResult]:
        for name, filters in (
            ("listOutages", {}),
            ("listOutages of a customer", {"customer_code": code}),
            ("listOutages of a place", {"place_code": "00000"}),
        ):
            answer = system.get("/v1/outages", first=instant(-20), last=instant(20), **filters)
            problem = answer.fits(200, "OutageList") or oldest_first("start")(answer.content["items"])
            yield system.result(f"{name} answers the contract", problem)
        unknown = system.get("/v1/outages", first=instant(0), last=instant(1), customer_code=NO_SUCH_CUSTOMER)
        yield system.result("outages of an unknown customer are not found", unknown.refuses(404))
        for name, first, last in (("that ends before it begins", 1, 0), ("too long", 0, 90)):
            refused = system.get("/v1/outages", first=instant(first), last=instant(last))
            yield system.result(f"listOutages refuses a span {name}", refused.refuses(422))

    return check


def _offices(system: System, _code: str) -> Iterator[CheckResult]:
    every = system.get("/v1/offices")
    problem = every.fits(200, "OfficeList")
    yield system.result("listOffices answers the contract", problem)
    served = [] if problem else [place for office in every.content["items"] for place in office["place_codes"]]
    if served:
        near = system.get("/v1/offices", place_code=served[0])
        lost = near.fits(200, "OfficeList") or (
            None if all(served[0] in office["place_codes"] for office in near.content["items"]) else "other offices too"
        )
        yield system.result("listOffices of a place has only those that serve it", lost)


def _no_ticket(system: System, _code: str) -> Iterator[CheckResult]:
    yield system.result("an unknown ticket is not found", system.get("/v1/tickets/KHONG-CO").refuses(404))


def _requests(system: System, code: str) -> Iterator[CheckResult]:
    own = system.get(f"/v1/customers/{quote(code, safe='')}/requests")
    problem = own.fits(200, "ServiceRequestList") or newest_first("filed_at")(own.content["items"])
    yield system.result("listCustomerRequests answers the contract", problem)
    unknown = system.get(f"/v1/customers/{NO_SUCH_CUSTOMER}/requests")
    yield system.result("requests of an unknown customer are not found", unknown.refuses(404))
    nobody = system.get("/v1/service-requests", contact=f"check-{uuid4()}")
    problem = nobody.fits(200, "ServiceRequestList") or ("some of another contact" if nobody.content["items"] else None)
    yield system.result("a contact that filed nothing has no requests", problem)


def _sms(system: System, code: str) -> Iterator[CheckResult]:
    for name, whose in (("the test customer", code), ("an unknown customer", NO_SUCH_CUSTOMER)):
        answer = system.post(f"/v1/customers/{quote(whose, safe='')}/sms", {"text": NOTE}, f"check-{uuid4()}")
        problem = None if answer.status == 202 else answer.problem or f"status {answer.status} instead of 202"
        yield system.result(f"sendSms to {name} is accepted", problem)
    path = f"/v1/customers/{quote(code, safe='')}/sms"
    yield system.result("sendSms without a key is refused", system.post(path, {"text": NOTE}, None).refuses(422))
    empty = system.post(path, {"text": ""}, f"check-{uuid4()}")
    yield system.result("sendSms without a text is refused", empty.refuses(422))


def _report(system: System, code: str) -> Iterator[CheckResult]:
    report = {"customer_code": code, "scope": "unknown", "note": NOTE}
    other = {**report, "scope": "neighbours"}
    yield from idempotency_checks(
        system, "reportOutage", "/v1/outage-reports", body=report, other=other, schema="Ticket", name="code"
    )
    nowhere = system.post("/v1/outage-reports", {"scope": "unknown"}, f"check-{uuid4()}")
    yield system.result("a report without a place is refused", nowhere.refuses(422))


def _case(system: System, code: str) -> Iterator[CheckResult]:
    case = {"kind": "complaint", "customer_code": code, "text": NOTE}
    other = {**case, "kind": "voltage"}
    key = f"check-{uuid4()}"
    yield from idempotency_checks(system, "openCase", "/v1/cases", body=case, other=other, schema="Ticket", name="code")
    opened = system.post("/v1/cases", case, key)
    if opened.fits(201, "Ticket") is None:
        ticket = system.get(f"/v1/tickets/{quote(opened.content['code'], safe='')}")
        problem = ticket.fits(200, "Ticket") or (
            None if ticket.content["code"] == opened.content["code"] else "another ticket came back"
        )
        yield system.result("getTicket answers the contract", problem)
        yield from _notes(system, f"/v1/tickets/{quote(opened.content['code'], safe='')}/notes")


def _service_request(system: System, code: str) -> Iterator[CheckResult]:
    contact = f"check-{uuid4()}"
    details = [{"label": "Ghi chú", "value": NOTE}]
    wanted = {"service": "info_change", "contact": contact, "customer_code": code, "details": details}
    yield from idempotency_checks(
        system,
        "fileRequest",
        "/v1/service-requests",
        body=wanted,
        other={**wanted, "service": "renew"},
        schema="ServiceRequest",
        name="code",
    )
    stranger = system.post("/v1/service-requests", {**wanted, "customer_code": NO_SUCH_CUSTOMER}, f"check-{uuid4()}")
    yield system.result("a request for an unknown customer is refused", stranger.refuses(422))
    filed = system.get("/v1/service-requests", contact=contact)
    problem = filed.fits(200, "ServiceRequestList") or (None if filed.content["items"] else "the request is not listed")
    yield system.result("listContactRequests has what the contact filed", problem)
    if problem:
        return
    own = f"/v1/service-requests/{quote(filed.content['items'][0]['code'], safe='')}"
    yield from _papers(system, own)
    cancelled = system.post(f"{own}/cancel", {}, f"check-{uuid4()}")
    problem = cancelled.fits(201, "ServiceRequest") or (
        None if cancelled.content["state"] == "cancelled" else "it is not cancelled"
    )
    yield system.result("cancelRequest answers the contract", problem)
    again = system.post(f"{own}/cancel", {}, f"check-{uuid4()}")
    yield system.result("a cancelled request cannot be cancelled", again.refuses(409))


def _papers(system: System, own: str) -> Iterator[CheckResult]:
    paper = {"name": "kiem-tra.pdf", "content_type": "application/pdf", "content": "JVBERi0xLjQKJSVFT0YK"}
    kept = system.post(f"{own}/papers", paper, f"check-{uuid4()}")
    problem = kept.fits(201, "ServiceRequest") or (None if kept.content["papers"] == 1 else "the paper is not counted")
    yield system.result("addPaper answers the contract", problem)
    wrong = system.post(f"{own}/papers", {**paper, "content": "?"}, f"check-{uuid4()}")
    yield system.result("addPaper refuses what is no paper", wrong.refuses(422))
    lost = system.post("/v1/service-requests/KHONG-CO/papers", paper, f"check-{uuid4()}")
    yield system.result("a paper for an unknown request is not found", lost.refuses(404))


def _notes(system: System, path: str) -> Iterator[CheckResult]:
    note, other = {"text": NOTE}, {"text": NOTE, "resolved": True}
    yield from idempotency_checks(system, "addNote", path, body=note, other=other, schema="Ticket", name="code")
    empty = system.post(path, {}, f"check-{uuid4()}")
    yield system.result("a note that says nothing is refused", empty.refuses(422))
    lost = system.post("/v1/tickets/KHONG-CO/notes", note, f"check-{uuid4()}")
    yield system.result("a note to an unknown ticket is not found", lost.refuses(404))

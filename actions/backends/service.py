"""Client of the *service* system: contracts, outages, tickets, offices, and texts to the phone on the contract."""

from datetime import UTC, datetime
from typing import Final

from actions.backends.http import PAGE_SECONDS, BackendFile, BackendHttp, path
from actions.backends.models import (
    Case,
    ChangeList,
    CodeList,
    Contract,
    NewServiceRequest,
    OfficeList,
    OutageAnswer,
    OutageList,
    OutageReport,
    Paper,
    PhoneRef,
    ServiceRequest,
    ServiceRequestList,
    Ticket,
    TicketNote,
)

PDF: Final = frozenset({"application/pdf"})
UPLOAD_SECONDS = 15.0
"""Papers are large; nobody waits for a figure meanwhile."""


class ServiceClient:
    """One call per operation of the contract; every one may raise the errors of `actions.backends.errors`."""

    def __init__(self, base_url: str, token: str, *, timeout: float = 3.0) -> None:
        self._http = BackendHttp(base_url, token, timeout=timeout)
        self._uploads = BackendHttp(base_url, token, timeout=UPLOAD_SECONDS)
        self._pages = BackendHttp(base_url, token, timeout=PAGE_SECONDS)

    def send_sms(self, code: str, text: str, *, idempotency_key: str) -> None:
        """Text the phone on the contract. Accepted whether or not the code exists, so nobody learns which do."""
        self._http.tell("sendSms", path("customers", code, "sms"), body={"text": text}, idempotency_key=idempotency_key)

    def phone_ref(self, code: str) -> str:
        """A pseudonym of the phone on the contract; of a code that does not exist, one of the code."""
        return self._http.get("getPhoneRef", path("customers", code, "phone-ref"), PhoneRef).phone_ref

    def contract(self, code: str) -> Contract:
        """The contract of a customer. Raises NotFound."""
        return self._http.get("getContract", path("customers", code, "contract"), Contract)

    def contract_file(self, code: str) -> BackendFile:
        """The contract as the customer signed it, a PDF. Raises NotFound."""
        return self._http.file("getContractFile", path("customers", code, "contract", "file"), PDF)

    def outages(
        self, *, customer_code: str | None = None, place_code: str | None = None, first: datetime, last: datetime
    ) -> OutageList:
        """Outages that touch the span `first` to `last` (aware), of a customer, of a place, or all; by start."""
        query = {
            "customer_code": customer_code,
            "place_code": place_code,
            "first": _instant(first),
            "last": _instant(last),
        }
        return self._http.get("listOutages", path("outages"), OutageList, query)

    def outage(self, outage_id: str) -> OutageAnswer:
        """An outage as it stands. Raises NotFound."""
        return self._http.get("getOutage", path("outages", outage_id), OutageAnswer)

    def report_outage(self, report: OutageReport, *, idempotency_key: str) -> Ticket:
        """Report that there is no power. Raises Rejected: `place_missing`, `unknown_customer`, `unknown_place`."""
        return self._http.post(
            "reportOutage", path("outage-reports"), Ticket, body=report, idempotency_key=idempotency_key
        )

    def open_case(self, case: Case, *, idempotency_key: str) -> Ticket:
        """Open a case for people: hazard, payment problem, complaint, voltage."""
        return self._http.post("openCase", path("cases"), Ticket, body=case, idempotency_key=idempotency_key)

    def ticket(self, code: str) -> Ticket:
        """A ticket as it stands. Raises NotFound."""
        return self._http.get("getTicket", path("tickets", code), Ticket)

    def file_request(self, request: NewServiceRequest, *, idempotency_key: str) -> ServiceRequest:
        """Ask for a service. Raises Rejected: `unknown_customer`, `unknown_place`."""
        return self._http.post(
            "fileRequest", path("service-requests"), ServiceRequest, body=request, idempotency_key=idempotency_key
        )

    def customer_requests(self, code: str) -> ServiceRequestList:
        """A customer's service requests, however they were filed. Raises NotFound."""
        return self._http.get("listCustomerRequests", path("customers", code, "requests"), ServiceRequestList)

    def contact_requests(self, contact: str) -> ServiceRequestList:
        """The service requests that one of our contacts filed; none for a contact that filed none."""
        return self._http.get("listContactRequests", path("service-requests"), ServiceRequestList, {"contact": contact})

    def add_paper(self, request_code: str, paper: Paper, *, idempotency_key: str) -> ServiceRequest:
        """Attach a paper. Raises NotFound; Rejected: `closed`, `bad_paper`."""
        return self._uploads.post(
            "addPaper",
            path("service-requests", request_code, "papers"),
            ServiceRequest,
            body=paper,
            idempotency_key=idempotency_key,
        )

    def cancel_request(self, request_code: str, *, idempotency_key: str) -> ServiceRequest:
        """Withdraw a request that is still open. Raises NotFound; Rejected: `closed`."""
        return self._http.post(
            "cancelRequest",
            path("service-requests", request_code, "cancel"),
            ServiceRequest,
            body={},
            idempotency_key=idempotency_key,
        )

    def add_note(self, code: str, note: TicketNote, *, idempotency_key: str) -> Ticket:
        """Tell more about a ticket: where it is, a photo, that it is over. Raises NotFound, Rejected (`note_empty`)."""
        return self._http.post(
            "addNote", path("tickets", code, "notes"), Ticket, body=note, idempotency_key=idempotency_key
        )

    def offices(self, *, place_code: str | None = None) -> OfficeList:
        """All offices, or those that serve a place."""
        return self._http.get("listOffices", path("offices"), OfficeList, {"place_code": place_code})

    def changes(self, after: str | None, limit: int) -> ChangeList:
        """What happened after the cursor, at most `limit` (500); from the oldest kept without one.

        Raises Rejected `cursor_gone` when there is a gap after the cursor.
        """
        return self._pages.get("listChanges", path("changes"), ChangeList, {"after": after, "limit": str(limit)})

    def codes_of_outage(self, outage_id: str, *, after: str | None = None, limit: int = 1_000) -> CodeList:
        """Customers that an outage reaches, by code. Raises NotFound."""
        query = {"outage_id": outage_id, "after": after, "limit": str(limit)}
        return self._pages.get("listCustomerCodes", path("customer-codes"), CodeList, query)

    def codes_of_place(self, place_code: str, *, after: str | None = None, limit: int = 1_000) -> CodeList:
        """Customers of a commune or ward, by code; none for one that nobody knows."""
        query = {"place_code": place_code, "after": after, "limit": str(limit)}
        return self._pages.get("listCustomerCodes", path("customer-codes"), CodeList, query)

    def codes_of_feeder(self, feeder: str, *, after: str | None = None, limit: int = 1_000) -> CodeList:
        """Customers on a line of the grid, by code; none for one that nobody knows."""
        query = {"feeder": feeder, "after": after, "limit": str(limit)}
        return self._pages.get("listCustomerCodes", path("customer-codes"), CodeList, query)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

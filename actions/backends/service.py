"""Client of the *service* system: contracts, outages, tickets, offices, and texts to the phone on the contract."""

from datetime import UTC, datetime

from actions.backends.http import BackendHttp, path
from actions.backends.models import Case, Contract, OfficeList, OutageList, OutageReport, Ticket, TicketNote


class ServiceClient:
    """One call per operation of the contract; every one may raise the errors of `actions.backends.errors`."""

    def __init__(self, base_url: str, token: str, *, timeout: float = 3.0) -> None:
        self._http = BackendHttp(base_url, token, timeout=timeout)

    def send_sms(self, code: str, text: str, *, idempotency_key: str) -> None:
        """Text the phone on the contract. Accepted whether or not the code exists, so nobody learns which do."""
        self._http.tell("sendSms", path("customers", code, "sms"), body={"text": text}, idempotency_key=idempotency_key)

    def contract(self, code: str) -> Contract:
        """The contract of a customer. Raises NotFound."""
        return self._http.get("getContract", path("customers", code, "contract"), Contract)

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

    def add_note(self, code: str, note: TicketNote, *, idempotency_key: str) -> Ticket:
        """Tell more about a ticket: where it is, a photo, that it is over. Raises NotFound, Rejected (`note_empty`)."""
        return self._http.post(
            "addNote", path("tickets", code, "notes"), Ticket, body=note, idempotency_key=idempotency_key
        )

    def offices(self, *, place_code: str | None = None) -> OfficeList:
        """All offices, or those that serve a place."""
        return self._http.get("listOffices", path("offices"), OfficeList, {"place_code": place_code})


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

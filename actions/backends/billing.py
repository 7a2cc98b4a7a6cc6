"""Client of the *billing* system: customers, invoices, debt, payments, daily readings."""

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

from actions.backends.http import PAGE_SECONDS, BackendFile, BackendHttp, path
from actions.backends.models import (
    ChangeList,
    CodeList,
    Customer,
    Debt,
    InvoiceList,
    PaymentList,
    PaymentRequest,
    ReadingList,
)

INVOICE_FILES: Final = {
    "pdf": frozenset({"application/pdf"}),
    "xml": frozenset({"application/xml", "text/xml"}),
}


class BillingClient:
    """One call per operation of the contract; every one may raise the errors of `actions.backends.errors`."""

    def __init__(self, base_url: str, token: str, *, timeout: float = 3.0) -> None:
        self._http = BackendHttp(base_url, token, timeout=timeout)
        self._pages = BackendHttp(base_url, token, timeout=PAGE_SECONDS)

    def customer(self, code: str) -> Customer:
        """The place of use and its contract holder. Raises NotFound."""
        return self._http.get("getCustomer", path("customers", code), Customer)

    def invoices(self, code: str, *, first: date, last: date) -> InvoiceList:
        """Invoices of the months `first` to `last` (each a month's first day, both included), newest first."""
        query = {"first": f"{first:%Y-%m}", "last": f"{last:%Y-%m}"}
        return self._http.get("listInvoices", path("customers", code, "invoices"), InvoiceList, query)

    def invoice_file(self, code: str, invoice_id: str, form: Literal["pdf", "xml"]) -> BackendFile:
        """The e-invoice as signed by the utility. Raises NotFound."""
        address = path("customers", code, "invoices", invoice_id, "file")
        return self._http.file("getInvoiceFile", address, INVOICE_FILES[form], {"format": form})

    def debt(self, code: str) -> Debt:
        """What is owed now."""
        return self._http.get("getDebt", path("customers", code, "debt"), Debt)

    def payments(self, code: str, *, first: date, last: date) -> PaymentList:
        """Payments received on the days `first` to `last`, newest first."""
        query = {"first": first.isoformat(), "last": last.isoformat()}
        return self._http.get("listPayments", path("customers", code, "payments"), PaymentList, query)

    def readings(self, code: str, *, first: date, last: date) -> ReadingList:
        """Daily readings of the days `first` to `last`, oldest first; a day that was not read is absent."""
        query = {"first": first.isoformat(), "last": last.isoformat()}
        return self._http.get("listReadings", path("customers", code, "readings"), ReadingList, query)

    def payment_request(self, code: str, invoice_ids: Sequence[str], *, idempotency_key: str) -> PaymentRequest:
        """Open a request to pay these invoices. Raises Rejected: `already_paid`, `unknown_invoice`."""
        return self._http.post(
            "createPaymentRequest",
            path("customers", code, "payment-requests"),
            PaymentRequest,
            body={"invoice_ids": list(invoice_ids)},
            idempotency_key=idempotency_key,
        )

    def changes(self, after: str | None, limit: int) -> ChangeList:
        """What happened after the cursor, at most `limit` (500); from the oldest kept without one.

        Raises Rejected `cursor_gone` when there is a gap after the cursor.
        """
        return self._pages.get("listChanges", path("changes"), ChangeList, {"after": after, "limit": str(limit)})

    def codes_owing(self, days: int, *, after: str | None = None, limit: int = 1_000) -> CodeList:
        """Customers whose oldest unpaid bill is `days` or more past due, by code."""
        query = {"owing_days": str(days), "after": after, "limit": str(limit)}
        return self._pages.get("listCustomerCodes", path("customer-codes"), CodeList, query)

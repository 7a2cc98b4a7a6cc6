"""The checks of the *billing* contract."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from actions.backends.check_feeds import codes_checks, codes_refusals, feed_checks
from actions.backends.probe import (
    NO_SUCH_CUSTOMER,
    Answer,
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
    return [_customer, _spans(today), _files(today), _debt, feed_checks, _codes]


def writing_checks() -> list[Check]:
    """Checks that open a payment request."""
    return [_payment_request]


def _customer(system: System, code: str) -> Iterator[CheckResult]:
    path = own_path(system, code)
    yield system.result("getCustomer answers the contract", system.get(path).fits(200, "Customer"))
    unknown = system.get(own_path(system, NO_SUCH_CUSTOMER))
    yield system.result("an unknown customer is not found", unknown.refuses(404))


def _spans(today: date) -> Check:
    lists = [
        ("listInvoices", "invoices", "InvoiceList", "%Y-%m", 365, 37 * 31, newest_first("month")),
        ("listPayments", "payments", "PaymentList", "%Y-%m-%d", 365, 1_200, newest_first("paid_at")),
        ("listReadings", "readings", "ReadingList", "%Y-%m-%d", 60, 450, oldest_first("day")),
    ]

    def check(system: System, code: str) -> Iterator[CheckResult]:
        for operation, name, schema, form, length, too_long, order in lists:
            path = f"/v1/customers/{quote(code, safe='')}/{name}"

            def span(days: int, path: str = path, form: str = form) -> Answer:
                first = today - timedelta(days=days)
                return system.get(path, first=first.strftime(form), last=today.strftime(form))

            answer = span(length)
            problem = answer.fits(200, schema) or order(answer.content["items"])
            yield system.result(f"{operation} answers the contract", problem)
            if operation == "listInvoices" and not problem:
                yield system.result("invoices add up", _adding_up(answer.content["items"]))
            yield system.result(f"{operation} refuses a span that ends before it begins", span(-62).refuses(422))
            yield system.result(f"{operation} refuses too long a span", span(too_long).refuses(422))

    return check


def _adding_up(invoices: list[Any]) -> str | None:
    for invoice in invoices:
        if invoice["amount"] + invoice["vat"] != invoice["total"]:
            return f"{invoice['month']}: amount + VAT is not the total"
        if abs(sum(line["kwh"] for line in invoice["lines"]) - invoice["kwh"]) > 0.01:
            return f"{invoice['month']}: the lines do not have the invoice's kWh"
    return None


def _files(today: date) -> Check:
    forms = {"pdf": ("application/pdf", b"%PDF-"), "xml": ("application/xml", b"<")}

    def check(system: System, code: str) -> Iterator[CheckResult]:
        path = f"/v1/customers/{quote(code, safe='')}/invoices"
        first = today - timedelta(days=365)
        answer = system.get(path, first=f"{first:%Y-%m}", last=f"{today:%Y-%m}")
        newest = answer.content["items"][:1] if answer.fits(200, "InvoiceList") is None else []
        for form, (content_type, begins) in forms.items():
            name = f"getInvoiceFile answers a file as {form}"
            if newest:
                file = system.get(f"{path}/{quote(newest[0]['id'], safe='')}/file", format=form)
                yield system.result(name, file.is_file(content_type, begins))
            else:
                yield system.not_tried(name, "the test customer has no invoice")
        unknown = system.get(f"{path}/no-such-invoice/file", format="pdf")
        yield system.result("the file of an unknown invoice is not found", unknown.refuses(404))

    return check


def _debt(system: System, code: str) -> Iterator[CheckResult]:
    answer = system.get(f"/v1/customers/{quote(code, safe='')}/debt")
    problem = answer.fits(200, "Debt")
    yield system.result("getDebt answers the contract", problem)
    if not problem:
        rest = sum(invoice["total"] - invoice["paid"] for invoice in answer.content["invoices"])
        off = None if rest == answer.content["total"] else "the total is not what remains of the invoices"
        yield system.result("the debt adds up", off)


def _codes(system: System, _code: str) -> Iterator[CheckResult]:
    yield from codes_checks(system, "by debt", owing_days="0")
    yield from codes_refusals(system)


def _payment_request(system: System, code: str) -> Iterator[CheckResult]:
    path = f"/v1/customers/{quote(code, safe='')}"
    answer = system.get(f"{path}/debt")
    owed = [] if answer.fits(200, "Debt") else [invoice["id"] for invoice in answer.content["invoices"]]
    wrong = {"invoice_ids": ["no-such-invoice"]}
    if owed:
        yield from idempotency_checks(
            system,
            "createPaymentRequest",
            f"{path}/payment-requests",
            body={"invoice_ids": owed[:1]},
            other=wrong,
            schema="PaymentRequest",
            name="id",
        )
    else:
        yield system.not_tried("createPaymentRequest answers the contract", "the test customer owes nothing")
    refusal = system.post(f"{path}/payment-requests", wrong, f"check-{uuid4()}")
    yield system.result("an unknown invoice is refused", refusal.refuses(422))

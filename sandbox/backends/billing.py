"""The *billing* contract over the world."""

from datetime import date
from typing import Final

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field

from sandbox.backends.contract import (
    IdempotencyStore,
    answer,
    body,
    contract_blueprint,
    day_parameter,
    month_parameter,
    number_parameter,
)
from sandbox.backends.faults import Faults
from sandbox.world import Refused, World

_MOST_MONTHS: Final = 36
_MOST_PAYMENT_DAYS: Final = 1_100
_MOST_READING_DAYS: Final = 400
_MOST_CHANGES: Final = 500
_MOST_CODES: Final = 1_000
_MOST_DAYS_PAST_DUE: Final = 3_650
_FILES: Final = {"pdf": "application/pdf", "xml": "application/xml"}


class _InvoiceIds(BaseModel):
    invoice_ids: list[str] = Field(max_length=36)


def billing_blueprint(world: World, token: str, faults: Faults) -> Blueprint:
    """Mount at the base URL of billing."""
    blueprint = contract_blueprint("billing", token, faults)
    store = IdempotencyStore()

    @blueprint.get("/v1/customers/<code>")
    def get_customer(code: str) -> Response:
        return answer(world.customer(code))

    @blueprint.get("/v1/customers/<code>/invoices")
    def list_invoices(code: str) -> Response:
        first, last = month_parameter("first"), month_parameter("last")
        length = (last.year - first.year) * 12 + last.month - first.month + 1
        if not 1 <= length <= _MOST_MONTHS:
            raise Refused("bad_span", f"1 to {_MOST_MONTHS} months")
        return answer(world.invoices(code, first, last))

    @blueprint.get("/v1/customers/<code>/invoices/<invoice_id>/file")
    def get_invoice_file(code: str, invoice_id: str) -> Response:
        form = request.args.get("format", "")
        if form not in _FILES:
            raise Refused("bad_parameter", "Missing or wrong: format")
        return Response(world.invoice_file(code, invoice_id, form), content_type=_FILES[form])

    @blueprint.get("/v1/customers/<code>/debt")
    def get_debt(code: str) -> Response:
        return answer(world.debt(code))

    @blueprint.get("/v1/customers/<code>/payments")
    def list_payments(code: str) -> Response:
        return answer(world.payments(code, *_days(_MOST_PAYMENT_DAYS)))

    @blueprint.get("/v1/customers/<code>/readings")
    def list_readings(code: str) -> Response:
        return answer(world.readings(code, *_days(_MOST_READING_DAYS)))

    @blueprint.post("/v1/customers/<code>/payment-requests")
    def create_payment_request(code: str) -> Response:
        def perform() -> Response:
            return answer(world.request_payment(code, body(_InvoiceIds).invoice_ids), 201)

        return store.once(perform)

    @blueprint.get("/v1/changes")
    def list_changes() -> Response:
        limit = number_parameter("limit", 1, _MOST_CHANGES)
        return answer(world.changes("billing", request.args.get("after"), limit))

    @blueprint.get("/v1/customer-codes")
    def list_customer_codes() -> Response:
        days = number_parameter("owing_days", 0, _MOST_DAYS_PAST_DUE)
        limit = number_parameter("limit", 1, _MOST_CODES)
        return answer(world.codes_owing(days, request.args.get("after"), limit))

    return blueprint


def _days(most: int) -> tuple[date, date]:
    first, last = day_parameter("first"), day_parameter("last")
    if not 1 <= (last - first).days + 1 <= most:
        raise Refused("bad_span", f"1 to {most} days")
    return first, last

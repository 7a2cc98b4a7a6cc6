"""What the backends say, as frozen pydantic models in the words of `openapi.yaml`.

Money is whole đồng, energy kWh, instants are aware UTC, days and months are those of Asia/Ho_Chi_Minh, text is NFC.
Fields that we do not know are ignored, so a backend may add some.
"""

import unicodedata
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)


def _month(value: Any) -> Any:
    if isinstance(value, str):
        return datetime.strptime(value, "%Y-%m").date()  # noqa: DTZ007 a month has no zone
    return value


def _first_of_month(value: date) -> date:
    if value.day != 1:
        raise ValueError("a month is its first day")
    return value


Instant = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
Month = Annotated[
    date,
    BeforeValidator(_month),
    AfterValidator(_first_of_month),
    PlainSerializer(lambda month: f"{month:%Y-%m}", when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$"}),
]
Clock = Annotated[
    time,
    PlainSerializer(lambda at: f"{at:%H:%M}", when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}),
]
Dong = Annotated[int, Field(ge=0, strict=True)]
Quantity = Annotated[
    Decimal, Field(ge=0, allow_inf_nan=False), PlainSerializer(float, when_used="json", return_type=float)
]
Text = Annotated[str, AfterValidator(lambda text: unicodedata.normalize("NFC", text))]

TariffGroup = Literal["residential", "business", "production", "hospital_school", "administration"]
CustomerStatus = Literal["active", "cut_for_debt", "ended"]
InvoiceStatus = Literal["unpaid", "partly_paid", "paid"]
OutageKind = Literal["planned", "unplanned"]
OutageState = Literal["planned", "active", "restored", "cancelled"]
OutageScope = Literal["only_me", "neighbours", "unknown"]
CaseKind = Literal["hazard", "payment_problem", "complaint", "voltage", "suspected_outage"]
TicketKind = Literal["outage", "hazard", "payment_problem", "complaint", "voltage", "suspected_outage"]
TicketState = Literal["received", "in_progress", "done", "cancelled"]
ServiceKind = Literal[
    "new_supply_low",
    "new_supply_medium",
    "capacity",
    "move_meter",
    "meter_check",
    "owner_change",
    "quota_change",
    "purpose_change",
    "info_change",
    "renew",
    "terminate",
    "reconnect",
    "pause",
]
RequestState = Literal[
    "received",
    "need_papers",
    "surveying",
    "not_enough_capacity",
    "quoted",
    "waiting_payment",
    "waiting_signature",
    "scheduled",
    "done",
    "cancelled",
]
PaperType = Literal["image/jpeg", "image/png", "image/webp", "application/pdf"]
UsageFlagKind = Literal["so_far", "tier", "unusual", "leak"]
MeterWorkKind = Literal["reading", "replacement"]
MeterWorkState = Literal["planned", "done", "cancelled"]
WarningState = Literal["planned", "cancelled"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Answer(_Model):
    as_of: Instant


class Customer(_Answer):
    """A place of use with its contract holder. `household_norms` is the number of định mức (¼ steps for tenants)."""

    code: str
    name: Text
    address: Text
    place_code: str
    place_name: Text
    phone_masked: str
    tariff_group: TariffGroup
    household_norms: Quantity
    status: CustomerStatus
    office_code: str


class InvoiceLine(_Model):
    """One priced part of an invoice; `amount` is rounded, so lines may differ from the invoice by a few đồng."""

    label: Text
    kwh: Quantity
    price: Dong
    amount: Dong


class Invoice(_Model):
    """One bill. `term` is the kỳ within the month.

    `kwh` is (`reading_new` - `reading_old`) x `multiplier`, plus what a meter replaced in the period had counted.
    """

    id: str
    customer_code: str
    month: Month
    term: int
    first_day: date
    last_day: date
    days: int
    meter_serial: str
    reading_old: Quantity
    reading_new: Quantity
    multiplier: int
    kwh: int
    lines: tuple[InvoiceLine, ...]
    amount: Dong
    vat_percent: Quantity
    vat: Dong
    total: Dong
    paid: Dong
    due_date: date
    issued_at: Instant
    status: InvoiceStatus


class InvoiceList(_Answer):
    """Invoices, newest first."""

    items: tuple[Invoice, ...]


class Debt(_Answer):
    """What is owed now: the sum, and the invoices that are not fully paid, oldest first."""

    total: Dong
    invoices: tuple[Invoice, ...]


class Payment(_Model):
    """Money received for one invoice."""

    id: str
    invoice_id: str
    month: Month
    amount: Dong
    paid_at: Instant
    channel: Text
    reference: str


class PaymentList(_Answer):
    """Payments, newest first."""

    items: tuple[Payment, ...]


class Reading(_Model):
    """A day's reading at midnight ending it, and the kWh used on it. A day that was not read is absent."""

    day: date
    reading: Quantity
    kwh: Quantity


class ReadingList(_Answer):
    """Daily readings, oldest first.

    `neighbour_median_kwh` is what similar customers nearby typically use a day in this span; never of fewer than five.
    """

    items: tuple[Reading, ...]
    neighbour_median_kwh: Quantity | None = None


class TransferAccount(_Model):
    """The utility's own collection account, and the text that a transfer must carry."""

    bank_bin: str
    bank_name: Text
    account_number: str
    account_name: Text
    content: Annotated[str, Field(pattern=r"^[A-Z0-9 ]{1,25}$")]


class PaymentRequest(_Answer):
    """An open request to pay: `url` leads to the payment page; `transfer` is None where no transfer is offered."""

    id: str
    amount: Dong
    invoice_ids: tuple[str, ...]
    url: str
    expires_at: Instant
    transfer: TransferAccount | None


class PhoneRef(_Answer):
    """A pseudonym of the phone on a contract, the same for all contracts that name it."""

    phone_ref: str


class Contract(_Answer):
    """The power purchase contract (hợp đồng mua bán điện)."""

    number: str
    customer_code: str
    signed_on: date
    capacity_kw: Quantity
    phases: Literal[1, 3]
    purpose: Text
    household_norms: Quantity
    meter_serial: str


class Outage(_Model):
    """A cut. A change of times or places raises `version`; `expected_end` is None while nobody knows."""

    id: str
    version: int
    kind: OutageKind
    state: OutageState
    start: Instant
    expected_end: Instant | None
    actual_end: Instant | None
    area_text: Text
    place_codes: tuple[str, ...]
    reason: Text
    feeder: Text | None
    published_at: Instant


class OutageAnswer(Outage, _Answer):
    """One outage as it stands."""


class OutageList(_Answer):
    """Outages that touch the span asked for, by start."""

    items: tuple[Outage, ...]


class OutageReport(_Model):
    """A customer's word that there is no power; one of code, place or position must be there."""

    customer_code: str | None = None
    place_code: str | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    scope: OutageScope = "unknown"
    note: Text = ""


class Case(_Model):
    """Something that people at the utility must look at."""

    kind: CaseKind
    text: Text
    customer_code: str | None = None
    place_code: str | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    amount: Dong | None = None
    reference: str | None = None


class TicketNote(_Model):
    """What is told afterwards about a ticket; at least one of the fields. `resolved`: the reporter says it is over."""

    text: Text | None = None
    place_code: str | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    attachments: tuple[str, ...] = ()
    resolved: bool = False


class Ticket(_Answer):
    """What the utility opened. `outage_id` names the known outage that explains a report, `feeder` its line."""

    code: str
    kind: TicketKind
    state: TicketState
    opened_at: Instant
    outage_id: str | None = None
    feeder: Text | None = None
    message: Text | None = None


class RequestDetail(_Model):
    """One answer of the customer's to a form's question, both in words that people read."""

    label: Text
    value: Text


class NewServiceRequest(_Model):
    """A service asked for. `contact` is our own reference of the chat that asks, and says nothing of the person."""

    service: ServiceKind
    contact: str
    customer_code: str | None = None
    place_code: str | None = None
    details: tuple[RequestDetail, ...] = ()


class Appointment(_Model):
    """When the utility's people come, and what for."""

    start: Instant
    end: Instant
    purpose: Text


class ServiceRequest(_Answer):
    """A service request as it stands (electricity.md §4.2). `papers` counts what was attached to it."""

    code: str
    service: ServiceKind
    state: RequestState
    filed_at: Instant
    customer_code: str | None = None
    expected_on: date | None = None
    appointment: Appointment | None = None
    message: Text | None = None
    papers: int = 0


class ServiceRequestList(_Answer):
    """Service requests of the last twelve months, newest first."""

    items: tuple[ServiceRequest, ...]


class Paper(_Model):
    """A photo or file of a paper; `content` is base64 of at most 5 MiB."""

    name: Text
    content_type: PaperType
    content: str


class OpenSpan(_Model):
    """Hours in which an office is open, local time, on these days of the week (Monday is 0)."""

    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...]
    opens: Clock
    closes: Clock


class Office(_Model):
    """A power team (đội quản lý điện lực khu vực) and the communes and wards that it serves.

    `open_spans` is `hours` for machines; a system that does not know it leaves it out.
    """

    code: str
    name: Text
    address: Text
    phone: str
    hours: Text
    open_spans: tuple[OpenSpan, ...] = ()
    place_codes: tuple[str, ...]
    as_of: Instant


class OfficeList(_Answer):
    """Offices."""

    items: tuple[Office, ...]


class CodeList(_Answer):
    """A page of customer codes in their order. `next` is what to ask after; None on the last page.

    A page may be shorter than asked for, even empty, and yet have a next one.
    """

    items: tuple[str, ...]
    next: str | None


class UsageFlag(_Model):
    """Something about a customer's use that they may want to know.

    `kwh` and `cost` (with VAT) are of the month until the end of `day`; `tier` is the price tier now reached.
    """

    customer_code: str
    flag: UsageFlagKind
    day: date
    kwh: Quantity
    cost: Dong | None = None
    tier: int | None = None
    message: Text | None = None


class MeterWork(_Model):
    """People come to read or replace a meter on a day, between `start` and `end` where that is known."""

    id: str
    customer_code: str
    work: MeterWorkKind
    day: date
    start: Instant | None = None
    end: Instant | None = None
    state: MeterWorkState


class CutWarning(_Model):
    """Notice before power is stopped for debt: for which invoices, what remains of them, and from when."""

    id: str
    customer_code: str
    invoice_ids: tuple[str, ...]
    total: Dong
    cut_from: Instant
    state: WarningState


class DangerWarning(_Model):
    """A danger from electricity in some communes and wards, such as a flood; over after `until`."""

    id: str
    place_codes: tuple[str, ...]
    text: Text
    until: Instant


class _Change(_Model):
    """Something that happened: `id` tells it from all others of its feed, `at` is when."""

    id: str
    at: Instant


class InvoiceIssued(_Change):
    """A bill is out."""

    kind: Literal["invoice_issued"] = "invoice_issued"
    invoice: Invoice


class PaymentReceived(_Change):
    """Money has come in for an invoice of this customer."""

    kind: Literal["payment_received"] = "payment_received"
    payment: Payment
    customer_code: str


class UsageFlagged(_Change):
    """A look at a customer's use found something."""

    kind: Literal["usage_flag"] = "usage_flag"
    usage: UsageFlag


class MeterWorkPlanned(_Change):
    """Work on a meter is planned, moved, done or cancelled, as its `state` says."""

    kind: Literal["meter_work"] = "meter_work"
    work: MeterWork


class CutWarned(_Change):
    """Power is to be stopped for debt, or no longer, as the warning's `state` says."""

    kind: Literal["cut_warned"] = "cut_warned"
    warning: CutWarning


class OutageKnown(_Change):
    """An outage is published, or what is known of it has changed: its version, its state, its end."""

    kind: Literal["outage"] = "outage"
    outage: Outage


class RequestMoved(_Change):
    """A service request has another state. `contact` is ours, with which it was filed; None if filed elsewhere."""

    kind: Literal["request_moved"] = "request_moved"
    request: ServiceRequest
    contact: str | None = None


class DangerWarned(_Change):
    """A danger is announced."""

    kind: Literal["danger"] = "danger"
    warning: DangerWarning


CHANGES = (
    InvoiceIssued,
    PaymentReceived,
    UsageFlagged,
    MeterWorkPlanned,
    CutWarned,
    OutageKnown,
    RequestMoved,
    DangerWarned,
)
CHANGE_KINDS: frozenset[str] = frozenset(change.model_fields["kind"].default for change in CHANGES)
Change = Annotated[
    InvoiceIssued
    | PaymentReceived
    | UsageFlagged
    | MeterWorkPlanned
    | CutWarned
    | OutageKnown
    | RequestMoved
    | DangerWarned,
    Field(discriminator="kind"),
]


def _of_known_kinds(items: Any) -> Any:
    if not isinstance(items, list):
        return items
    kinds = [item.get("kind") if isinstance(item, dict) else None for item in items]
    return [item for item, kind in zip(items, kinds, strict=True) if not isinstance(kind, str) or kind in CHANGE_KINDS]


class ChangeList(_Answer):
    """A page of what happened, in that order; kinds that we do not know are left out.

    `next` is the cursor to ask after, also when the page is empty; `more` says that the next page has something.
    """

    items: Annotated[tuple[Change, ...], BeforeValidator(_of_known_kinds)]
    next: str
    more: bool


class ErrorBody(_Model):
    """The form of every 4xx answer."""

    code: str
    message: str

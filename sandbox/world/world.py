"""The utility of the demonstration: everything that its two systems know and do, behind one lock.

Deterministic from a seed and the moment at which it was made. Answers are the contract's models.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from heapq import merge
from hmac import digest
from itertools import islice
from statistics import median
from threading import RLock
from typing import Any, Final, Literal

from actions.backends.models import (
    Case,
    Change,
    ChangeList,
    CodeList,
    Contract,
    Customer,
    CustomerStatus,
    CutWarning,
    DangerWarning,
    Debt,
    Invoice,
    InvoiceList,
    MeterWork,
    MeterWorkKind,
    MeterWorkState,
    NewServiceRequest,
    Office,
    OfficeList,
    Outage,
    OutageAnswer,
    OutageKind,
    OutageList,
    OutageReport,
    Payment,
    PaymentList,
    PaymentRequest,
    PhoneRef,
    Reading,
    ReadingList,
    RequestState,
    ServiceRequest,
    ServiceRequestList,
    Ticket,
    TicketNote,
    TicketState,
    TransferAccount,
    UsageFlag,
    UsageFlagKind,
)
from sandbox.world import documents
from sandbox.world.account import Account
from sandbox.world.changes import ChangeLog, CursorGone
from sandbox.world.dates import days, local_day
from sandbox.world.happenings import Happenings
from sandbox.world.outages import Cut, OutageBook, feeder_of
from sandbox.world.people import Record, people
from sandbox.world.places import offices, places, read_yaml
from sandbox.world.requests import CLOSED, Folder, RequestBook
from sandbox.world.sms import SmsInbox
from sandbox.world.tickets import Slip, TicketBook

_VOCABULARY: Final = read_yaml("vocabulary.yml")
_REQUEST_LASTS: Final = timedelta(hours=24)
_PHONE_KEY: Final = secrets.token_bytes(32)
_AREA_WIDE: Final = 3  # reports of one place within the hour that make an outage
_AREA_WINDOW: Final = timedelta(hours=1)
_NEIGHBOURS: Final = 15
_FEWEST_NEIGHBOURS: Final = 5
_ACCOUNTS_A_PAGE: Final = 50  # looked through at once: making one takes some milliseconds
_LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


Feed = Literal["billing", "service"]


class Unknown(LookupError):
    """No such customer, ticket, place, outage, warning … as the text says, in the contract's word."""


class Refused(Exception):
    """Not possible as things stand; `code` is the contract's."""

    def __init__(self, code: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class _Request:
    customer_code: str
    shown: PaymentRequest


class World:
    """The state of the utility. Every method may be called from any thread."""

    def __init__(self, seed: int, now: Callable[[], datetime], public_url: str, customers: int) -> None:
        self._clock = now
        self._ahead = timedelta()
        self._lock = RLock()
        self._seed = seed
        self._public_url = public_url.rstrip("/")
        made = self.now()
        self._made_on = local_day(made)
        records, self.personas = people(seed, self._made_on, customers)
        self._records = {record.code: record for record in records}
        self._accounts: dict[str, Account] = {}
        stories = frozenset(self._records[code].place.code for persona in self.personas for code in persona.codes)
        self._outages = OutageBook(seed, made, stories)
        self._tickets = TicketBook()
        self._folders = RequestBook(made)
        self._happenings = Happenings(made, self._accounts, self._outages, self._folders)
        self._requests: dict[str, _Request] = {}
        self.offers_transfer = True
        """Has the utility an account of its own to which transfers may go?"""
        self.sms = SmsInbox(self.now)

    def now(self) -> datetime:
        """The world's time, aware UTC: the clock given, plus what `advance` added."""
        return (self._clock() + self._ahead).astimezone(UTC)

    @property
    def codes(self) -> list[str]:
        """Every customer code, the personas' first."""
        return list(self._records)

    # --- Billing ---

    def customer(self, code: str) -> Customer:
        with self._lock:
            record, now = self._record(code), self.now()
            return Customer(
                code=record.code,
                name=record.name,
                address=record.address,
                place_code=record.place.code,
                place_name=record.place.full_name,
                phone_masked=record.phone_masked,
                tariff_group=record.group,
                household_norms=record.norms,
                status=self._status(record),
                office_code=record.office_code,
                as_of=now,
            )

    def invoices(self, code: str, first: date, last: date) -> InvoiceList:
        with self._lock:
            bills = self._account(code).invoices(self.now())
            return InvoiceList(
                items=tuple(bill for bill in reversed(bills) if first <= bill.month <= last), as_of=self.now()
            )

    def invoice_file(self, code: str, invoice_id: str, form: str) -> bytes:
        """Raises Unknown."""
        with self._lock:
            bill = next((bill for bill in self._account(code).invoices(self.now()) if bill.id == invoice_id), None)
            if bill is None:
                raise Unknown("invoice")
            draw = documents.invoice_xml if form == "xml" else documents.invoice_pdf
            return draw(bill, self._record(code))

    def debt(self, code: str) -> Debt:
        with self._lock:
            bills = self._account(code).unpaid(self.now())
            return Debt(total=sum(map(_rest, bills)), invoices=tuple(bills), as_of=self.now())

    def payments(self, code: str, first: date, last: date) -> PaymentList:
        with self._lock:
            received = self._account(code).payments(self.now())
            items = tuple(p for p in reversed(received) if first <= local_day(p.paid_at) <= last)
            return PaymentList(items=items, as_of=self.now())

    def readings(self, code: str, first: date, last: date) -> ReadingList:
        """Days that are over and were read."""
        with self._lock:
            account, now = self._account(code), self.now()
            span = days(max(first, account.meter.start), min(last, local_day(now) - timedelta(days=1)))
            uses = (account.meter.day(day) for day in span)
            items = tuple(Reading(day=use.day, reading=use.reading, kwh=use.kwh) for use in uses if use.arrived)
            typical = self._typical_nearby(self._record(code), items[0].day, items[-1].day) if items else None
            return ReadingList(items=items, neighbour_median_kwh=typical, as_of=now)

    def request_payment(self, code: str, invoice_ids: Sequence[str]) -> PaymentRequest:
        with self._lock:
            account, now = self._account(code), self.now()
            bills = {bill.id: bill for bill in account.invoices(now)}
            if not invoice_ids:
                raise Refused("invoices_missing", "At least one invoice")
            if any(each not in bills for each in invoice_ids):
                raise Refused("unknown_invoice", "Not an invoice of this customer")
            wanted = [bills[each] for each in dict.fromkeys(invoice_ids)]
            if any(_rest(bill) == 0 for bill in wanted):
                raise Refused("already_paid", "Nothing remains to be paid", status=409)
            token = "".join(secrets.choice(_LETTERS) for _ in range(10))
            shown = PaymentRequest(
                id=f"YCTT-{token}",
                amount=sum(map(_rest, wanted)),
                invoice_ids=tuple(bill.id for bill in wanted),
                url=f"{self._public_url}/pay/YCTT-{token}",
                expires_at=now + _REQUEST_LASTS,
                transfer=self._transfer(code, token) if self.offers_transfer else None,
                as_of=now,
            )
            self._requests[shown.id] = _Request(code, shown)
            return shown

    @staticmethod
    def _transfer(code: str, token: str) -> TransferAccount:
        return TransferAccount(content=f"{code} {token}", **_VOCABULARY["transfer"])

    def payment_request(self, request_id: str) -> tuple[PaymentRequest, list[Invoice]]:
        """A request and its invoices as they stand. Raises Unknown."""
        with self._lock:
            request = self._request(request_id)
            bills = self._account(request.customer_code).invoices(self.now())
            return request.shown, [bill for bill in bills if bill.id in request.shown.invoice_ids]

    def pay_request(self, request_id: str) -> list[Payment]:
        """The customer pays what remains of a request's invoices; paying again changes nothing."""
        with self._lock:
            request = self._request(request_id)
            if self.now() > request.shown.expires_at:
                raise Refused("expired", "The payment request has expired", status=409)
            account = self._account(request.customer_code)
            _, bills = self.payment_request(request_id)
            return self._receive(account, [(bill, _rest(bill)) for bill in bills if _rest(bill)])

    def codes_owing(self, days_past_due: int, after: str | None, limit: int) -> CodeList:
        """Customers whose oldest unpaid bill is so many days past due, or more."""
        with self._lock:
            now = self.now()
            due = local_day(now) - timedelta(days=days_past_due)
            return self._codes(lambda record: self._owes_since(record, due, now), after, limit, _ACCOUNTS_A_PAGE)

    # --- Feeds ---

    def changes(self, feed: Feed, after: str | None, limit: int) -> ChangeList:
        """What happened since the world was made. Raises Refused `cursor_gone`."""
        with self._lock:
            now = self._look(at_once=False)
            try:
                items, reached, more = self._log(feed).page(after, limit)
            except CursorGone:
                raise Refused("cursor_gone", "Begin anew without a cursor", status=410) from None
            return ChangeList(items=items, next=reached, more=more, as_of=now)

    def newest_changes(self, count: int) -> list[Change]:
        """The last changes of both feeds, newest first."""
        with self._lock:
            self._look(at_once=False)
            both = (self._log("billing").newest(count), self._log("service").newest(count))
            return list(islice(merge(*both, key=lambda change: change.at, reverse=True), count))

    # --- Service ---

    def phone_ref(self, code: str) -> PhoneRef:
        """A keyed hash of the phone on the contract, or of a code that does not exist: none tells from the other."""
        record = self._records.get(code)
        named = f"phone:{record.phone}" if record else f"code:{code}"
        return PhoneRef(phone_ref=digest(_PHONE_KEY, named.encode(), sha256).hex(), as_of=self.now())

    def send_sms(self, code: str, text: str) -> None:
        """To the phone on the contract; nothing happens for an unknown code."""
        record = self._records.get(code)
        if record is not None:
            self.sms.deliver(record.phone, text)

    def contract(self, code: str) -> Contract:
        with self._lock:
            record, now = self._record(code), self.now()
            return Contract(
                number=record.contract_number,
                customer_code=record.code,
                signed_on=record.signed_on,
                capacity_kw=record.capacity_kw,
                phases=record.phases,
                purpose=record.purpose,
                household_norms=record.norms,
                meter_serial=self._account(code).meter.serial_on(local_day(now)),
                as_of=now,
            )

    def contract_file(self, code: str) -> bytes:
        with self._lock:
            return documents.contract_pdf(self.contract(code), self._record(code))

    def outages(
        self, first: datetime, last: datetime, customer_code: str | None = None, place_code: str | None = None
    ) -> OutageList:
        with self._lock:
            record = self._record(customer_code) if customer_code is not None else None
            found = tuple(
                outage
                for cut, outage in self._outages.between(first, last, self.now())
                if (record is None or cut.reaches(record)) and (place_code is None or place_code in outage.place_codes)
            )
            return OutageList(items=found, as_of=self.now())

    def outage(self, outage_id: str) -> OutageAnswer:
        """Raises Unknown."""
        with self._lock:
            now = self.now()
            outage = self._outages.find(outage_id, now)
            if outage is None:
                raise Unknown("outage")
            return OutageAnswer(**dict(outage), as_of=now)

    def changeable_outages(self) -> list[Outage]:
        """Those that `change_outage` takes and that are not over, by start."""
        with self._lock:
            return self._outages.own(self.now())

    def codes_of_outage(self, outage_id: str, after: str | None, limit: int) -> CodeList:
        """Customers whom an outage reaches. Raises Unknown."""
        with self._lock:
            cut = self._outages.cut(outage_id, self.now())
            if cut is None or cut.known(self.now()) is None:
                raise Unknown("outage")
            return self._codes(cut.reaches, after, limit)

    def codes_of_place(self, place_code: str, after: str | None, limit: int) -> CodeList:
        """Customers of a place; none for one that nobody knows."""
        with self._lock:
            return self._codes(lambda record: record.place.code == place_code, after, limit)

    def codes_of_feeder(self, feeder: str, after: str | None, limit: int) -> CodeList:
        """Customers on a line; none for one that nobody knows."""
        with self._lock:
            return self._codes(lambda record: feeder_of(record.place) == feeder, after, limit)

    def report_outage(self, report: OutageReport) -> Ticket:
        """Open a report, or answer the one that this customer has open; join it to a known outage."""
        with self._lock:
            now = self.now()
            record = self._reporter(report)
            place_code = record.place.code if record else report.place_code
            open_already = self._tickets.open_report(report.customer_code, now)
            if open_already is not None:
                return open_already.shown(now).model_copy(
                    update={"message": _VOCABULARY["ticket_messages"]["repeated"]}
                )
            slip = self._tickets.open("outage", now, report.customer_code, place_code)
            slip.feeder = feeder_of(places()[place_code]) if place_code else None
            self._explain(slip, record, report.place_code)
            return slip.shown(now)

    def open_case(self, case: Case) -> Ticket:
        with self._lock:
            self._must_know(case.customer_code, case.place_code)
            now = self.now()
            slip = self._tickets.open(case.kind, now, case.customer_code, case.place_code)
            slip.case = case
            return slip.shown(now)

    def ticket(self, code: str) -> Ticket:
        """A ticket as it stands; a report is done when its outage is over."""
        with self._lock:
            slip, now = self._slip(code), self.now()
            outage = self._outages.find(slip.outage_id, now) if slip.outage_id else None
            if outage is not None and outage.state == "restored" and slip.state is None:
                slip.state = "done"
            return slip.shown(now)

    def file_request(self, request: NewServiceRequest) -> ServiceRequest:
        with self._lock:
            self._must_know(request.customer_code, request.place_code)
            now = self.now()
            return self._folders.file(request, now).shown(now)

    def customer_requests(self, code: str) -> ServiceRequestList:
        with self._lock:
            now = self.now()
            return ServiceRequestList(items=self._folders.of_customer(self._record(code).code, now), as_of=now)

    def contact_requests(self, contact: str) -> ServiceRequestList:
        with self._lock:
            now = self.now()
            return ServiceRequestList(items=self._folders.of_contact(contact, now), as_of=now)

    def add_paper(self, code: str, content: bytes) -> ServiceRequest:
        with self._lock:
            folder, now = self._open_folder(code), self._look()
            before = folder.shown(now).state
            folder.add_paper(content, now)
            if folder.shown(now).state != before:
                self._happenings.request(folder, now)
            return folder.shown(now)

    def cancel_request(self, code: str) -> ServiceRequest:
        with self._lock:
            folder, now = self._open_folder(code), self._look()
            folder.moved = ("cancelled", now)
            self._happenings.request(folder, now)
            return folder.shown(now)

    def add_note(self, code: str, note: TicketNote) -> Ticket:
        with self._lock:
            slip, now = self._slip(code), self.now()
            if note == TicketNote():
                raise Refused("note_empty", "A note says something")
            self._must_know(place_code=note.place_code)
            slip.notes.append(note)
            slip.place_code = note.place_code or slip.place_code
            if note.resolved and slip.kind == "outage":
                slip.state = "done"
            return slip.shown(now)

    def offices(self, place_code: str | None = None) -> OfficeList:
        now = self.now()
        wanted = [each for each in offices().values() if place_code is None or place_code in each.place_codes]
        items = tuple(
            Office(
                code=office.code,
                name=office.name,
                address=office.address,
                phone=office.phone,
                hours=office.hours,
                open_spans=office.open_spans,
                place_codes=office.place_codes,
                as_of=now,
            )
            for office in wanted
        )
        return OfficeList(items=items, as_of=now)

    # --- By hand ---

    def advance(self, span: timedelta) -> datetime:
        """Move the world's time forward; bills, payments and outages follow. Raises ValueError for going back."""
        if span < timedelta():
            raise ValueError("time does not go back")
        with self._lock:
            self._ahead += span
            return self.now()

    def pay(self, code: str, invoice_id: str | None = None, amount: int | None = None) -> list[Payment]:
        """Receive money for one invoice or for all that is owed; `amount` only with an invoice."""
        with self._lock:
            account, now = self._account(code), self.now()
            if invoice_id is None:
                return self._receive(account, [(bill, _rest(bill)) for bill in account.unpaid(now)])
            bill = next((bill for bill in account.invoices(now) if bill.id == invoice_id), None)
            if bill is None:
                raise Unknown("invoice")
            return self._receive(account, [(bill, _rest(bill) if amount is None else amount)])

    def issue(self, code: str, kwh: int | None = None) -> Invoice:
        """Issue the running month's bill now."""
        with self._lock:
            account, now = self._account(code), self._look()
            bill = account.issue(now, kwh)
            self._happenings.issued(bill, now)
            return bill

    def flag_usage(self, code: str, flag: UsageFlagKind, message: str | None = None) -> UsageFlag:
        """Tell something about a customer's use until yesterday."""
        with self._lock:
            return self._happenings.flag_usage(self._account(code), flag, message, self._look())

    def plan_meter_work(
        self, code: str, work: MeterWorkKind, day: date, span: tuple[datetime, datetime] | None = None
    ) -> MeterWork:
        """Plan a reading or a replacement; `span` is when on that day."""
        with self._lock:
            return self._happenings.plan_meter_work(self._record(code).code, work, day, span, self._look())

    def move_meter_work(self, work_id: str, state: MeterWorkState) -> MeterWork:
        """Raises Unknown."""
        with self._lock:
            try:
                return self._happenings.move_meter_work(work_id, state, self._look())
            except KeyError:
                raise Unknown("work") from None

    def warn_of_cut(self, code: str, cut_from: datetime) -> CutWarning:
        """Announce that power stops for all that is owed. Raises Refused `nothing_owed`."""
        with self._lock:
            account, now = self._account(code), self._look()
            bills = account.unpaid(now)
            if not bills:
                raise Refused("nothing_owed", "This customer owes nothing", status=409)
            return self._happenings.warn_of_cut(code, bills, cut_from, now)

    def call_off_cut(self, warning_id: str) -> CutWarning:
        """Raises Unknown."""
        with self._lock:
            try:
                return self._happenings.call_off_cut(warning_id, self._look())
            except KeyError:
                raise Unknown("warning") from None

    def warn_of_danger(self, place_codes: Sequence[str], text: str | None, until: datetime) -> DangerWarning:
        """Announce a danger. Raises Unknown for a place."""
        with self._lock:
            self._must_be_places(place_codes)
            told = text or _VOCABULARY["danger"]
            return self._happenings.warn_of_danger(tuple(place_codes), told, until, self._look())

    def create_outage(
        self,
        place_codes: Sequence[str],
        *,
        kind: OutageKind = "unplanned",
        start: datetime | None = None,
        expected_end: datetime | None = None,
        reason: str | None = None,
        hamlets: Sequence[str] = (),
    ) -> Outage:
        """Publish an outage now. Raises Unknown for a place."""
        with self._lock:
            self._must_be_places(place_codes)
            now = self._look()
            cut = Cut(
                id=f"{'KH' if kind == 'planned' else 'SC'}-{now:%Y-%m%d}-H{secrets.token_hex(3).upper()}",
                kind=kind,
                places=tuple(places()[code] for code in place_codes),
                hamlets=tuple(hamlets),
                start=start or now,
                end=expected_end,
                reason=reason or _VOCABULARY["reported_reason"],
                feeder=None,
                published_at=now,
            )
            self._outages.add(cut)
            return self._outage(cut, now)

    def change_outage(self, outage_id: str, **changes: Any) -> Outage:
        """Restore (`restored_at`), cancel (`cancelled_at`) or move (`start`, `end`) an outage. Raises Unknown."""
        with self._lock:
            now = self._look()
            try:
                return self._outage(self._outages.change(outage_id, **changes), now)
            except KeyError:
                raise Unknown("outage") from None

    def set_ticket(self, code: str, state: TicketState, message: str | None = None) -> Ticket:
        """Move a ticket. Raises Unknown."""
        with self._lock:
            self.ticket(code)
            slip = self._tickets.get(code)
            slip.state, slip.message = state, message or slip.message
            return slip.shown(self.now())

    def move_request(self, code: str, state: RequestState, message: str | None = None) -> ServiceRequest:
        """Move a service request to a state, in which it stays. Raises Unknown."""
        with self._lock:
            folder, now = self._folder(code), self._look()
            folder.moved, folder.message = (state, now), message
            self._happenings.request(folder, now)
            return folder.shown(now)

    def case(self, code: str) -> tuple[Case | None, list[TicketNote]]:
        """The case of a ticket (None of a report), and the notes on it, as people read them. Raises Unknown."""
        with self._lock:
            slip = self._slip(code)
            return slip.case, list(slip.notes)

    def papers(self, code: str) -> list[bytes]:
        """What was attached to a service request. Raises Unknown."""
        with self._lock:
            return list(self._folder(code).received)

    # --- Within ---

    def _look(self, *, at_once: bool = True) -> datetime:
        """The present moment, with all that came before it told."""
        now = self.now()
        self._happenings.catch_up(now, at_once=at_once)
        return now

    def _log(self, feed: Feed) -> ChangeLog:
        return self._happenings.billing if feed == "billing" else self._happenings.service

    def _codes(
        self, fits: Callable[[Record], bool], after: str | None, limit: int, looked_through: int | None = None
    ) -> CodeList:
        """A page of the customers who fit, by code; of no more than so many looked through."""
        later = [code for code in sorted(self._records) if after is None or code > after]
        found: list[str] = []
        reached = 0
        for code in later[:looked_through]:
            reached += 1
            found += [code] if fits(self._records[code]) else []
            if len(found) == limit:
                break
        following = later[reached - 1] if reached < len(later) else None
        return CodeList(items=tuple(found), next=following, as_of=self.now())

    def _owes_since(self, record: Record, due: date, now: datetime) -> bool:
        unpaid = self._account(record.code).unpaid(now)
        return bool(unpaid) and unpaid[0].due_date <= due

    def _receive(self, account: Account, sums: Iterable[tuple[Invoice, int]]) -> list[Payment]:
        """So much money for each of these bills."""
        now, channel = self._look(), _VOCABULARY["sandbox_channel"]
        received = [account.pay(bill.id, amount, channel, now) for bill, amount in sums]
        self._happenings.paid(account, received, now)
        return received

    def _record(self, code: str) -> Record:
        try:
            return self._records[code]
        except KeyError:
            raise Unknown("customer") from None

    def _account(self, code: str) -> Account:
        if code not in self._accounts:
            self._accounts[code] = Account(self._record(code), self._seed, self._made_on)
        return self._accounts[code]

    def _typical_nearby(self, record: Record, first: date, last: date) -> Decimal | None:
        """The median of what similar customers of the place use a day; None of fewer than five."""
        near = [
            each
            for each in self._records.values()
            if each.place == record.place and each.group == record.group and each.code != record.code
        ][:_NEIGHBOURS]
        averages = [
            sum((meter.day(day).kwh for day in days(first, last)), Decimal(0)) / ((last - first).days + 1)
            for meter in (self._account(each.code).meter for each in near)
            if meter.start <= first
        ]
        return median(averages).quantize(Decimal("0.1")) if len(averages) >= _FEWEST_NEIGHBOURS else None

    def _request(self, request_id: str) -> _Request:
        try:
            return self._requests[request_id]
        except KeyError:
            raise Unknown("payment_request") from None

    def _must_know(self, customer_code: str | None = None, place_code: str | None = None) -> None:
        """Raises Refused for a customer or place that a request names and nobody knows."""
        if customer_code is not None and customer_code not in self._records:
            raise Refused("unknown_customer", "No such customer")
        if place_code is not None and place_code not in places():
            raise Refused("unknown_place", "No such place")

    @staticmethod
    def _must_be_places(codes: Sequence[str]) -> None:
        """Raises Unknown."""
        if any(code not in places() for code in codes) or not codes:
            raise Unknown("place")

    def _slip(self, code: str) -> Slip:
        try:
            return self._tickets.get(code)
        except KeyError:
            raise Unknown("ticket") from None

    def _folder(self, code: str) -> Folder:
        try:
            return self._folders.get(code)
        except KeyError:
            raise Unknown("service_request") from None

    def _open_folder(self, code: str) -> Folder:
        folder = self._folder(code)
        if folder.shown(self.now()).state in CLOSED:
            raise Refused("closed", "Done or cancelled already", status=409)
        return folder

    def _status(self, record: Record) -> CustomerStatus:
        """Who was cut for debt has power again when nothing is owed."""
        if record.status == "cut_for_debt" and not self._account(record.code).unpaid(self.now()):
            return "active"
        return record.status

    def _reporter(self, report: OutageReport) -> Record | None:
        if report.customer_code is not None:
            self._must_know(report.customer_code)
            return self._records[report.customer_code]
        self._must_know(place_code=report.place_code)
        if report.place_code is None and (report.latitude is None or report.longitude is None):
            raise Refused("place_missing", "A customer code, a place or a position is needed")
        return None

    def _explain(self, slip: Slip, record: Record | None, place_code: str | None) -> None:
        """Tell a report what is known: a cut for debt, an outage, or that the whole area reports."""
        now, texts = self.now(), _VOCABULARY["ticket_messages"]
        if record is not None and self._status(record) == "cut_for_debt":
            slip.message = texts["cut_for_debt"]
            return
        for cut, outage in self._outages.between(now, now, now):
            if outage.state == "active" and (cut.reaches(record) if record else place_code in outage.place_codes):
                slip.outage_id, slip.message = outage.id, texts["outage_known"].format(reason=outage.reason)
                return
        near = self._tickets.reports_near(slip.place_code, now, _AREA_WINDOW) if slip.place_code else []
        if len(near) >= _AREA_WIDE and slip.place_code:
            outage = self.create_outage([slip.place_code])
            for each in near:
                each.outage_id, each.message = outage.id, texts["area_wide"]

    def _outage(self, cut: Cut, now: datetime) -> Outage:
        """Tell of a cut that was made or changed by hand."""
        outage = cut.known(now)
        assert outage is not None
        self._happenings.outage(outage, now)
        return outage


def build_world(
    seed: int = 1,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    public_url: str = "http://127.0.0.1:8100",
    customers: int = 2_000,
) -> World:
    """A world as of `now()`. `public_url` is where customers reach the sandbox; payment pages are at its `/pay/…`."""
    return World(seed, now, public_url, customers)


def _rest(bill: Invoice) -> int:
    return max(bill.total - bill.paid, 0)

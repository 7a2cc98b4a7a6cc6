"""One customer's bills and payments, as they stand at a moment.

Bills follow from the meter, planned payments from the holder's habit; what is done by hand (paying, issuing early) is
added to them. Asking at a later moment shows what has happened by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Final

from actions.backends.models import Invoice, InvoiceLine, InvoiceStatus, Payment
from actions.tariff import Band, Charge, non_residential_charge, residential_charge, tariffs
from sandbox.world.dates import add_months, last_day, local_day, local_instant, month_of, months
from sandbox.world.people import HISTORY_MONTHS, Habit, Record
from sandbox.world.places import read_yaml
from sandbox.world.usage import Meter, MonthUse

DUE_AFTER_DAYS: Final = 11
_VOCABULARY: Final = read_yaml("vocabulary.yml")
_PAID_WITHIN_MONTHS: Final = 3  # of its month, whatever the habit
_BANDS: Final[Mapping[Band, int]] = {"peak": 18, "off_peak": 22}  # percent of a three-price meter's kWh


@dataclass(frozen=True, slots=True)
class Issue:
    """A bill issued by hand: when, and with how many kWh (None: as metered)."""

    at: datetime
    kwh: int | None


class Account:
    """Bills and payments of one record. Not thread-safe: the world's lock is held by whoever asks."""

    def __init__(self, record: Record, seed: int, made_on: date) -> None:
        self.record = record
        self._seed = seed
        self._made_on = made_on
        begin = add_months(month_of(made_on), -HISTORY_MONTHS)
        start = max(begin, record.signed_on)
        self.meter = Meter(f"{seed}|{record.code}", record.profile, start, record.serial, record.reading)
        self._bills: dict[date, Invoice] = {}
        self._early: dict[date, Issue] = {}
        self._by_hand: list[Payment] = []
        self._numbers = count(1)

    # --- Reading ---

    def invoices(self, now: datetime) -> list[Invoice]:
        """Bills issued by now, oldest first, with what has been paid on them."""
        paid: dict[str, int] = {}
        for payment in self.payments(now):
            paid[payment.invoice_id] = paid.get(payment.invoice_id, 0) + payment.amount
        return [_with_payments(bill, paid.get(bill.id, 0)) for bill in self._issued(now)]

    def payments(self, now: datetime, first: date | None = None) -> list[Payment]:
        """Money received by now for bills of all months, or of those from `first` on; oldest first."""
        settled: dict[str, datetime] = {}
        for payment in self._by_hand:
            settled.setdefault(payment.invoice_id, payment.paid_at)
        planned = (
            payment
            for bill in self._issued(now, first)
            for payment in self._planned(bill)
            if payment.paid_at < settled.get(bill.id, payment.paid_at + timedelta(1))
        )
        received = [*planned, *self._by_hand]
        return sorted((p for p in received if p.paid_at <= now), key=lambda p: (p.paid_at, p.id))

    def unpaid(self, now: datetime) -> list[Invoice]:
        """Bills on which something is still owed, oldest first."""
        return [bill for bill in self.invoices(now) if bill.status != "paid"]

    def issued_between(self, since: datetime, until: datetime) -> list[Invoice]:
        """Bills issued after `since` and until `until`, oldest first, as they were then."""
        return [bill for bill in self._issued(until, _recent(since)) if since < bill.issued_at <= until]

    def received_between(self, since: datetime, until: datetime) -> list[Payment]:
        """Money received after `since` and until `until`, oldest first."""
        return [payment for payment in self.payments(until, _recent(since)) if since < payment.paid_at]

    def so_far(self, now: datetime) -> tuple[date, Decimal, int, int | None]:
        """Of the running month until the end of yesterday: that day, kWh, cost with VAT, tier (of homes) reached."""
        today = local_day(now)
        use = self.meter.month(month_of(today - timedelta(days=1)))
        kwh = use.used_before(today)
        charge = self._charge(int(kwh), use)
        tiers = len({line.label for line in charge.lines}) if self.record.group == "residential" else None
        return today - timedelta(days=1), kwh, charge.total, tiers

    # --- Changing ---

    def pay(self, invoice_id: str, amount: int, channel: str, at: datetime) -> Payment:
        """Receive money for a bill."""
        bill = next(bill for bill in self.invoices(at) if bill.id == invoice_id)
        number = next(self._numbers)
        payment = Payment(
            id=f"TT-{bill.month:%y%m}-{self.record.code[4:]}-H{number}",
            invoice_id=bill.id,
            month=bill.month,
            amount=amount,
            paid_at=at,
            channel=channel,
            reference=f"SB{at:%y%m%d}{number:06d}",
        )
        self._by_hand.append(payment)
        return payment

    def issue(self, at: datetime, kwh: int | None = None) -> Invoice:
        """Issue the running month's bill now, as if the month were over; doing it again replaces it."""
        month = month_of(local_day(at))
        self._bills.pop(month, None)
        self._early[month] = Issue(at, kwh)
        return next(bill for bill in self.invoices(at) if bill.month == month)

    # --- Bills ---

    def _issued(self, now: datetime, first: date | None = None) -> list[Invoice]:
        begin = max(self.meter.start, first or self.meter.start)
        return [self._bill(month) for month in months(begin, local_day(now)) if self._issued_at(month) <= now]

    def _issued_at(self, month: date) -> datetime:
        if month in self._early:
            return self._early[month].at
        minute = Random(f"{self._seed}|{self.record.code}|issue").randrange(240)
        return local_instant(add_months(month, 1), 1 + minute // 60, minute % 60)

    def _bill(self, month: date) -> Invoice:
        if month not in self._bills:
            self._bills[month] = self._make_bill(month)
        return self._bills[month]

    def _make_bill(self, month: date) -> Invoice:
        use, issued_at = self.meter.month(month), self._issued_at(month)
        early = self._early.get(month)
        kwh = use.billed if early is None or early.kwh is None else early.kwh
        reading_new = use.reading_new if kwh == use.billed else use.reading_old + kwh
        charge = self._charge(kwh, use)
        return Invoice(
            id=f"HD-{month:%Y%m}-{self.record.code[4:]}",
            customer_code=self.record.code,
            month=month,
            term=1,
            first_day=use.first_day,
            last_day=use.last_day,
            days=len(use.days),
            meter_serial=use.serial,
            reading_old=Decimal(use.reading_old),
            reading_new=Decimal(reading_new),
            multiplier=1,
            kwh=kwh,
            lines=tuple(
                InvoiceLine(label=line.label, kwh=line.kwh, price=line.price, amount=_whole(line.amount))
                for line in charge.lines
            ),
            amount=charge.amount,
            vat_percent=charge.vat_percent,
            vat=charge.vat,
            total=charge.total,
            paid=0,
            due_date=self._due_date(month, issued_at),
            issued_at=issued_at,
            status="unpaid",
        )

    def _charge(self, kwh: int, use: MonthUse) -> Charge:
        record = self.record
        if record.group != "residential":
            usage: dict[Band, int] = {}
            if record.three_price:
                usage = {band: kwh * percent // 100 for band, percent in _BANDS.items()}
            return non_residential_charge(
                {"normal": kwh - sum(usage.values()), **usage}, group=record.group, on=use.last_day
            )
        changes = [
            decision.in_force_from
            for decision in tariffs().residential
            if decision.in_force_from and use.first_day < decision.in_force_from <= use.last_day
        ]
        return residential_charge(
            kwh,
            first_day=use.first_day,
            last_day=use.last_day,
            norms=record.norms,
            scheme=record.scheme,
            used_before={change: _whole(use.used_before(change)) for change in changes},
            normal_days=last_day(use.first_day).day,
        )

    def _due_date(self, month: date, issued_at: datetime) -> date:
        newest = add_months(month_of(self._made_on), -1)
        if month == newest and self.record.due_in is not None:
            return self._made_on + timedelta(days=self.record.due_in)
        return local_day(issued_at) + timedelta(days=DUE_AFTER_DAYS)

    # --- Planned payments ---

    def _planned(self, bill: Invoice) -> list[Payment]:
        if bill.total == 0 or self._stays_unpaid(bill.month):
            return []
        random = Random(f"{self._seed}|{bill.id}")
        halves = _payments_of(self.record.habit, bill, random, self._is_newest(bill.month))
        channels = _VOCABULARY["payment_channels"]
        auto = self.record.habit == "auto"
        usual = channels[Random(self.record.code).randrange(len(channels))]
        return [
            Payment(
                id=f"TT-{bill.month:%y%m}-{self.record.code[4:]}-{number}",
                invoice_id=bill.id,
                month=bill.month,
                amount=amount,
                paid_at=at,
                channel=_VOCABULARY["auto_debit_channel"] if auto else usual if number == 1 else channels[0],
                reference=f"FT{at:%y%j}{random.randrange(1_000_000):06d}",
            )
            for number, (amount, at) in enumerate(halves, start=1)
        ]

    def _is_newest(self, month: date) -> bool:
        return month == add_months(month_of(self._made_on), -1)

    def _stays_unpaid(self, month: date) -> bool:
        newest = month_of(self._made_on)
        return add_months(newest, -self.record.owes) <= month < newest


def _payments_of(habit: Habit, bill: Invoice, random: Random, newest: bool) -> list[tuple[int, datetime]]:
    """(amount, instant) of each payment that this habit makes for a bill; a double payment happens once."""
    issued, due = local_day(bill.issued_at), bill.due_date

    def at(day: date) -> datetime:
        return local_instant(day, random.randrange(8, 21), random.randrange(60))

    if habit == "auto":
        return [(bill.total, at(issued + timedelta(days=1)))]
    if habit == "late":
        return [(bill.total, at(due + timedelta(days=random.randrange(1, 7))))]
    if habit == "partial":
        half = bill.total // 2
        return [
            (half, at(issued + timedelta(days=random.randrange(2, 8)))),
            (bill.total - half, at(due + timedelta(days=random.randrange(3, 12)))),
        ]
    paid = at(issued + timedelta(days=random.randrange(1, 9)))
    if habit == "double" and newest:
        return [(bill.total, paid), (bill.total, paid + timedelta(hours=5))]
    return [(bill.total, paid)]


def _recent(since: datetime) -> date:
    """The first month whose bill may be issued or paid after `since`."""
    return add_months(month_of(local_day(since)), -_PAID_WITHIN_MONTHS)


def _with_payments(bill: Invoice, paid: int) -> Invoice:
    status: InvoiceStatus = "paid" if paid >= bill.total else "partly_paid" if paid else "unpaid"
    return bill.model_copy(update={"paid": paid, "status": status})


def _whole(amount: Decimal) -> int:
    return int(amount + Decimal("0.5"))

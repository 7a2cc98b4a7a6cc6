"""Why one bill is higher than another: the difference as parts in whole đồng that add up to it exactly. Pure functions.

A household's bill is first reckoned anew (`reckoned`): kWh, days, norms, prices, VAT. Where that gives its own amount,
the way from the earlier bill to the later is gone in steps, each of which changes one thing (`steps`). Other bills, and
those whose amount comes out otherwise, are compared line by line (`by_line`), if their lines make up the amount at all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from math import floor
from typing import Final, Literal

from actions.backends.models import Invoice
from actions.tariff import Scheme, Tariffs, TariffUnknown, at_one_price, by_tier, tariffs
from actions.tariff_data import ResidentialDecision

Cause = Literal["days", "volume", "tiers", "norms", "price", "vat", "line", "rounding"]
_MOST_NORMS: Final = 12
_CLOSE: Final = 1
"""đ: bills that round each line, and not their sum, come out so near."""
_LINES_CLOSE: Final = 10


@dataclass(frozen=True, slots=True)
class Part:
    """`amount` đồng more (or less, below zero), VAT included, for one cause; `label` names the line of a `line`.

    `kwh` is what was used more or less where that is the cause.
    """

    cause: Cause
    amount: int
    label: str = ""
    kwh: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Prices:
    """A decision's share of a bill: of its days, and of its kWh."""

    decision: ResidentialDecision
    days: Fraction
    kwh: Fraction


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A household's bill as what makes up its amount. `scale` is days / regular days where tiers are scaled."""

    kwh: Fraction
    days: int
    scale: Fraction
    norms: Fraction
    scheme: Scheme
    prices: tuple[_Prices, ...]
    vat_percent: Fraction

    def amount(self, data: Tariffs) -> Fraction:
        """Before VAT, exactly."""
        return sum((kwh * price for _, _, kwh, price in self._priced(data)), Fraction(0))

    def _priced(self, data: Tariffs) -> Iterator[tuple[int | None, str, Fraction, int]]:
        for part in self.prices:
            energy = self.kwh * part.kwh
            if self.scheme == "tiers":
                yield from by_tier(part.decision, energy, self.norms, self.scale * part.days, data)
            else:
                yield at_one_price(part.decision, energy, self.scheme, data)


def reckoned(invoice: Invoice, norms: Iterable[Decimal | Fraction], data: Tariffs | None = None) -> Reckoned | None:
    """The bill reckoned anew with the first of these norms, or of any, that gives its amount and its tiers.

    None where nothing does: another price group, a correction, a price we do not know.
    """
    data = data or tariffs()
    try:
        prices = _prices_of(invoice, data)
    except TariffUnknown:
        return None
    scales = [Fraction(1), *(Fraction(invoice.days, days) for days in _regular_days(invoice) if days != invoice.days)]
    quarters = (Fraction(n, 4) for n in range(1, 4 * _MOST_NORMS + 1))
    base = Reckoned(
        kwh=Fraction(invoice.kwh),
        days=invoice.days,
        scale=Fraction(1),
        norms=Fraction(1),
        scheme="tiers",
        prices=prices,
        vat_percent=Fraction(invoice.vat_percent),
    )
    tried = chain(
        (replace(base, norms=Fraction(each), scale=scale) for each in norms if each > 0 for scale in scales),
        (replace(base, scheme=scheme) for scheme in ("undeclared", "prepaid")),
        (replace(base, norms=each, scale=scale) for each in quarters for scale in scales),
    )
    return next((bill for bill in tried if _gives(bill, invoice, data)), None)


def steps(before: Reckoned, after: Reckoned, data: Tariffs | None = None) -> list[tuple[Cause, Fraction]]:
    """What each cause adds, VAT included, exactly; the sum is the difference of the two amounts with their VAT.

    In this order: more days at the old daily use; more use at the old average price, and what of it falls into other
    tiers; other norms; other prices; another VAT rate.
    """
    data = data or tariffs()
    start = before.amount(data)
    more_days = replace(before, kwh=before.kwh * after.days / before.days, days=after.days, scale=after.scale)
    with_days = more_days.amount(data)
    more_used = replace(more_days, kwh=after.kwh)
    with_use = more_used.amount(data)
    other_norms = replace(more_used, norms=after.norms, scheme=after.scheme)
    with_norms = other_norms.amount(data)
    end = after.amount(data)
    average = start / before.kwh if before.kwh else _lowest_price(before, data)
    used = (after.kwh - more_days.kwh) * average
    taxed = 1 + before.vat_percent / 100
    return [
        ("days", (with_days - start) * taxed),
        ("volume", used * taxed),
        ("tiers", (with_use - with_days - used) * taxed),
        ("norms", (with_norms - with_use) * taxed),
        ("price", (end - with_norms) * taxed),
        ("vat", end * (after.vat_percent - before.vat_percent) / 100),
    ]


def difference(
    before: Invoice, after: Invoice, *, household: bool, norms: Decimal, data: Tariffs | None = None
) -> list[Part]:
    """Why `after` is not `before`, the largest part first; the parts add up to the difference of the totals.

    `norms` is what the contract says now. Empty where the lines of a bill do not make up its amount: there is something
    in it that nobody can tell from here.
    """
    data = data or tariffs()
    used = Decimal(after.kwh) - Decimal(before.kwh)
    if household:
        new = reckoned(after, [norms], data)
        old = reckoned(before, [new.norms, norms], data) if new else None
        if new and old:
            found = [(cause, "", amount) for cause, amount in steps(old, new, data)]
            return _whole(found, after.total - before.total, used)
    if not (_lines_make_up(before) and _lines_make_up(after)):
        return []
    return _whole(by_line(before, after), after.total - before.total, used)


def by_line(before: Invoice, after: Invoice) -> list[tuple[Cause, str, Fraction]]:
    """What more days add at the old daily use, then the kWh of each line (a band of the day, a tier), then other
    prices, then VAT; VAT included, exactly. A bill of one line has nothing to tell apart: its kWh are the volume.
    """
    taxed = 1 + Fraction(before.vat_percent) / 100
    longer = Fraction(after.days, before.days)
    old, new = _lines(before), _lines(after)
    labels = dict.fromkeys([*new, *old])
    found: list[tuple[Cause, str, Fraction]] = []
    days = price = Fraction(0)
    for label in labels:
        kwh_before, paid_before = old.get(label, (Fraction(0), Fraction(0)))
        kwh_after, paid_after = new.get(label, (Fraction(0), Fraction(0)))
        each = (paid_before / kwh_before) if kwh_before else (paid_after / kwh_after) if kwh_after else Fraction(0)
        days += kwh_before * (longer - 1) * each * taxed
        used = (kwh_after - kwh_before * longer) * each * taxed
        found.append(("line", label, used) if len(labels) > 1 else ("volume", "", used))
        price += (paid_after - kwh_after * each) * taxed
    end = sum((paid for _, paid in new.values()), Fraction(0))
    vat = end * (Fraction(after.vat_percent) - Fraction(before.vat_percent)) / 100
    return [("days", "", days), *found, ("price", "", price), ("vat", "", vat)]


def _whole(found: Sequence[tuple[Cause, str, Fraction]], wanted: int, used: Decimal) -> list[Part]:
    """Each part rounded, those of nothing left out, the largest first, and last what the rounding left."""
    parts = [
        Part(cause, _half_up(amount), label, used if cause == "volume" else None) for cause, label, amount in found
    ]
    parts = sorted((part for part in parts if part.amount), key=lambda part: -abs(part.amount))
    left = wanted - sum(part.amount for part in parts)
    return [*parts, Part("rounding", left)] if left else parts


def _gives(bill: Reckoned, invoice: Invoice, data: Tariffs) -> bool:
    try:
        lines = [(price, kwh) for _, _, kwh, price in bill._priced(data) if kwh]
        amount = bill.amount(data)
    except TariffUnknown:
        return False
    return (
        abs(_half_up(amount) - invoice.amount) <= _CLOSE
        and abs(_half_up(amount * (100 + bill.vat_percent) / 100) - invoice.total) <= _CLOSE
        and len(lines) == len(invoice.lines)
        and all(
            price == line.price and abs(kwh - Fraction(line.kwh)) < Fraction(1, 100)
            for (price, kwh), line in zip(lines, invoice.lines, strict=True)
        )
    )


def _prices_of(invoice: Invoice, data: Tariffs) -> tuple[_Prices, ...]:
    """The decisions in force in the bill's days; the kWh of each as its lines say, which name a price of it."""
    changes = sorted(
        decision.in_force_from
        for decision in data.residential
        if decision.in_force_from and invoice.first_day < decision.in_force_from <= invoice.last_day
    )
    starts = [invoice.first_day, *changes]
    decisions = [data.residential_on(start) for start in starts]
    if len(decisions) == 1:
        return (_Prices(decisions[0], Fraction(1), Fraction(1)),)
    ends = [*starts[1:], date.fromordinal(invoice.last_day.toordinal() + 1)]
    kwh = [Fraction(0)] * len(decisions)
    for line in invoice.lines:
        known = [n for n, each in enumerate(decisions) if line.price in {*(each.prices or ()), each.prepaid}]
        if not known:
            raise TariffUnknown("a price of no decision")
        kwh[known[0]] += Fraction(line.kwh)
    total = sum(kwh, Fraction(0))
    length = (ends[-1] - starts[0]).days
    return tuple(
        _Prices(decision, Fraction((end - start).days, length), each / total if total else Fraction(1, len(decisions)))
        for decision, start, end, each in zip(decisions, starts, ends, kwh, strict=True)
    )


def _regular_days(invoice: Invoice) -> list[int]:
    """How many days a regular period might have had: those of the month, or of the one before (§1.7)."""
    first = invoice.last_day.replace(day=1)
    before = date.fromordinal(first.toordinal() - 1)
    following = date.fromordinal(first.toordinal() + 32).replace(day=1)
    return [(following - first).days, before.day]


def _lowest_price(bill: Reckoned, data: Tariffs) -> Fraction:
    one = replace(bill, kwh=Fraction(1, 100))
    return one.amount(data) * 100


def _lines(invoice: Invoice) -> dict[str, tuple[Fraction, Fraction]]:
    """kWh and đồng before VAT by label."""
    found: dict[str, tuple[Fraction, Fraction]] = {}
    for line in invoice.lines:
        kwh, paid = found.get(line.label, (Fraction(0), Fraction(0)))
        found[line.label] = (kwh + Fraction(line.kwh), paid + Fraction(line.kwh) * line.price)
    return found


def _lines_make_up(invoice: Invoice) -> bool:
    made = sum((paid for _, paid in _lines(invoice).values()), Fraction(0))
    return (
        abs(made - invoice.amount) <= _LINES_CLOSE
        and abs(made * (100 + Fraction(invoice.vat_percent)) / 100 - invoice.total) <= _LINES_CLOSE
    )


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))

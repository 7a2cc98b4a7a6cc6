"""The arithmetic of a bill: what some kWh cost under the prices of data/tariffs.

Pure functions over immutable data. Energy is kWh, prices đ/kWh before VAT, amounts đồng. Inside, everything is an exact
fraction; a charge is rounded once, half up, at its end (electricity.md §1.8).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Final, Literal
from zoneinfo import ZoneInfo

from actions.tariff_data import Band, Group, ResidentialDecision, Rounding, Tariffs, TariffUnknown, tariffs

__all__ = [
    "Band",
    "Charge",
    "ChargeLine",
    "Group",
    "Scheme",
    "TariffUnknown",
    "Tariffs",
    "Tier",
    "at_one_price",
    "band_minutes",
    "by_tier",
    "consumption",
    "non_residential_charge",
    "residential_charge",
    "tariffs",
    "tiers",
    "time_band",
]

Scheme = Literal["tiers", "undeclared", "prepaid"]
_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """kWh at one price. `tier` counts from 1; None where there are no tiers."""

    label: str
    kwh: Decimal
    price: int
    amount: Decimal
    tier: int | None
    decision: str


@dataclass(frozen=True, slots=True)
class Charge:
    """A bill's arithmetic: `amount` before VAT + `vat` = `total`, in whole đồng."""

    lines: tuple[ChargeLine, ...]
    kwh: Decimal
    amount: int
    vat_percent: Decimal
    vat: int
    total: int


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier for a number of norms: above `lower` up to `upper` kWh a month (None: no end)."""

    number: int
    label: str
    lower: Decimal
    upper: Decimal | None
    price: int


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of a billing period under one decision."""

    decision: ResidentialDecision
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


Priced = tuple[int | None, str, Fraction, int]
"""Tier, label, kWh, price."""


def residential_charge(
    kwh: Decimal | int,
    *,
    first_day: date,
    last_day: date,
    norms: Decimal | int = 1,
    scheme: Scheme = "tiers",
    used_before: Mapping[date, Decimal | int] | None = None,
    normal_days: int | None = None,
    data: Tariffs | None = None,
) -> Charge:
    """What a household owes for `kwh` used from `first_day` to `last_day`, both included.

    `norms` is the number of household norms (¼ steps for tenants, §1.6). `scheme` is `undeclared` for tenants not fully
    declared, `prepaid` for card meters. Where prices change within the period (§1.7) the kWh of each part come from
    `used_before` (change day → kWh used since `first_day`, read by the meter) or, without it, by days; tier widths are
    scaled by each part's days. `normal_days` is the length of a regular period where this one is not regular (new
    supply, moved reading day, §1.6): widths are then scaled by days / normal_days. For the price of a month in general
    give the same day as first and last.

    Raises ValueError for negative kWh, norms not above zero or a period that ends before it begins; TariffUnknown where
    there is no price.
    """
    data = data or tariffs()
    energy, households = Fraction(kwh), Fraction(norms)
    if energy < 0 or households <= 0 or last_day < first_day:
        raise ValueError("kWh must not be negative, norms must be above zero, a period must not end before it begins")
    parts = _parts(first_day, last_day, data)
    shares = _shares(energy, parts, used_before or {}, data.rounding.kwh_share)
    regular = normal_days or (last_day - first_day).days + 1
    lines: list[tuple[ChargeLine, Fraction]] = []
    for number, (part, share) in enumerate(zip(parts, shares, strict=True)):
        if scheme == "tiers":
            scale = Fraction(part.days, regular)
            priced: Iterable[Priced] = by_tier(part.decision, share, households, scale, data)
        else:
            priced = [at_one_price(part.decision, share, scheme, data)]
        for tier, label, energy_in, price in priced:
            if energy_in:
                shown = _from_change(label, part.first, data) if number else label
                lines.append(_line(shown, energy_in, price, tier, part.decision.decision))
    return _charge(lines, energy, data.vat.percent_on(last_day))


def non_residential_charge(
    usage: Mapping[Band, Decimal | int],
    *,
    group: Group,
    on: date,
    voltage_kv: Decimal | str = "0.4",
    data: Tariffs | None = None,
) -> Charge:
    """What those who are not households owe for the kWh of each band at the prices of the day `on`.

    With one-price meters all of it is `normal`. Their meters are read on the day of a price change (§1.7), so each side
    of it is a charge of its own. Raises TariffUnknown where the group has no such price, ValueError for negative kWh.
    """
    data = data or tariffs()
    decision = data.non_residential_on(on)
    prices = decision.prices(group, Decimal(voltage_kv))
    one_price = set(usage) <= {"normal"}
    lines: list[tuple[ChargeLine, Fraction]] = []
    for band, kwh in usage.items():
        if kwh < 0:
            raise ValueError("kWh must not be negative")
        price: int | None = getattr(prices, band)
        if price is None:
            raise TariffUnknown(f"{group} has no {band} price")
        label = data.labels["one_price" if one_price else band]
        if kwh:
            lines.append(_line(label, Fraction(kwh), price, None, decision.decision))
    energy = sum((Fraction(kwh) for kwh in usage.values()), Fraction(0))
    return _charge(lines, energy, data.vat.percent_on(on))


def tiers(on: date, norms: Decimal | int = 1, data: Tariffs | None = None) -> tuple[Tier, ...]:
    """The residential tiers in force on a day, for a number of norms."""
    data = data or tariffs()
    decision = data.residential_on(on)
    limits = data.structure_of(decision).limits
    scaled = [None if limit is None else Decimal(limit) * Decimal(norms) for limit in limits]
    lowers = [Decimal(0), *(limit for limit in scaled if limit is not None)]
    return tuple(
        Tier(number, data.labels["tier"].format(tier=number), lower, upper, price)
        for number, (lower, upper, price) in enumerate(zip(lowers, scaled, _prices(decision), strict=True), start=1)
    )


def time_band(at: datetime, data: Tariffs | None = None) -> Band:
    """The band of an aware instant, by local time (§1.4)."""
    local = at.astimezone(_ZONE)
    schedule = (data or tariffs()).schedule_on(local.date())
    hours = schedule.sunday if local.weekday() == 6 else schedule.monday_to_saturday
    if _within(local.time(), hours.peak):
        return "peak"
    return "off_peak" if _within(local.time(), hours.off_peak) else "normal"


def band_minutes(on: date, data: Tariffs | None = None) -> dict[Band, int]:
    """How many minutes of a week each band has, by the hours in force on a day (§1.4)."""
    schedule = (data or tariffs()).schedule_on(on)
    peak, off_peak = (
        sum(
            count * (end - start)
            for count, hours in ((6, schedule.monday_to_saturday), (1, schedule.sunday))
            for start, end in map(_minutes, getattr(hours, band))
        )
        for band in ("peak", "off_peak")
    )
    return {"normal": 7 * 24 * 60 - peak - off_peak, "off_peak": off_peak, "peak": peak}


def consumption(old: int, new: int, *, digits: int = 5, multiplier: int = 1) -> int:
    """kWh between two readings of a register of so many digits, which may have rolled over."""
    capacity: int = 10**digits
    return (new - old) % capacity * multiplier


def _parts(first: date, last: date, data: Tariffs) -> list[_Part]:
    changes = sorted(d.in_force_from for d in data.residential if d.in_force_from and first < d.in_force_from <= last)
    edges = [first, *changes, last + timedelta(days=1)]
    return [_Part(data.residential_on(start), start, end - timedelta(days=1)) for start, end in pairwise(edges)]


def _shares(
    energy: Fraction, parts: list[_Part], used_before: Mapping[date, Decimal | int], rounding: Rounding
) -> list[Fraction]:
    """kWh of each part; they add up to `energy`."""
    total_days = sum(part.days for part in parts)
    marks = [Fraction(0)]
    days = 0
    for part, following in pairwise(parts):
        days += part.days
        read = used_before.get(following.first)
        mark = Fraction(read) if read is not None else _rounded(energy * days / total_days, rounding)
        marks.append(min(max(mark, marks[-1]), energy))
    marks.append(energy)
    return [after - before for before, after in pairwise(marks)]


def by_tier(
    decision: ResidentialDecision, energy: Fraction, norms: Fraction, scale: Fraction, data: Tariffs
) -> Iterable[Priced]:
    """kWh by tier; `scale` is the share of a regular month's tier widths that this energy has to itself."""
    rest = energy
    rows = zip(data.structure_of(decision).widths, _prices(decision), strict=True)
    for tier, (width, price) in enumerate(rows, start=1):
        inside = rest if width is None else min(rest, _width(width * norms, scale, data.rounding.scaled_width))
        rest -= inside
        yield tier, data.labels["tier"].format(tier=tier), inside, price


def at_one_price(decision: ResidentialDecision, energy: Fraction, scheme: Scheme, data: Tariffs) -> Priced:
    """All kWh of a card meter, or of tenants who are not fully declared."""
    if scheme == "prepaid":
        if decision.prepaid is None:
            raise TariffUnknown(f"{decision.decision}: no prepaid price")
        return None, data.labels["prepaid"], energy, decision.prepaid
    tier = data.structure_of(decision).undeclared_tier
    return tier, data.labels["undeclared"].format(tier=tier), energy, _prices(decision)[tier - 1]


def _width(full: Fraction, scale: Fraction, rounding: Rounding) -> Fraction:
    """A tier's width in a part of a month: only scaling by days rounds it."""
    return full if scale == 1 else _rounded(full * scale, rounding)


def _prices(decision: ResidentialDecision) -> tuple[int, ...]:
    if decision.prices is None:
        raise TariffUnknown(f"{decision.decision}: no prices yet")
    return decision.prices


def _charge(lines: list[tuple[ChargeLine, Fraction]], energy: Fraction, vat_percent: Decimal) -> Charge:
    exact = sum((amount for _, amount in lines), Fraction(0))
    amount = _half_up(exact)
    total = _half_up(exact * (100 + Fraction(vat_percent)) / 100)
    return Charge(tuple(line for line, _ in lines), _decimal(energy), amount, vat_percent, total - amount, total)


def _line(label: str, energy: Fraction, price: int, tier: int | None, decision: str) -> tuple[ChargeLine, Fraction]:
    amount = energy * price
    return ChargeLine(label, _decimal(energy), price, _decimal(amount), tier, decision), amount


def _from_change(label: str, day: date, data: Tariffs) -> str:
    return data.labels["from_change"].format(label=label, day=day.day, month=day.month, year=day.year)


def _rounded(value: Fraction, rounding: Rounding) -> Fraction:
    return Fraction(_half_up(value)) if rounding == "whole" else value


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))  # values are never negative


def _decimal(value: Fraction) -> Decimal:
    """To a millionth, without trailing zeros."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    shown = exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return Decimal(f"{shown:f}".rstrip("0").rstrip("."))


def _within(at: time, spans: Iterable[str]) -> bool:
    minute = at.hour * 60 + at.minute
    return any(start <= minute < end for start, end in map(_minutes, spans))


def _minutes(span: str) -> tuple[int, int]:
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in span.split("-"))
    return start, end

"""What readings and bills say about how much is used: what is usual, what is not, what is missing. Pure functions.

Energy is kWh, days and months are local.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

from actions.backends.models import Invoice, Reading
from actions.periods import shifted

TENTH = Decimal("0.1")
DAYS_TO_BE_USUAL = 7
"""From fewer readings nobody can tell what is usual."""
FEW = Decimal("0.25")
"""Of a usual day: below, hardly anything was used."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day; `kwh` is None where it was not read. `times` of a usual day where it is unusual."""

    day: date
    kwh: Decimal | None = None
    reading: Decimal | None = None
    times: Decimal | None = None


@dataclass(frozen=True)
class DailyUse:
    """Days in a row; `usual` is the median of the readings before and in them, None of too few."""

    days: tuple[Day, ...]
    usual: Decimal | None

    @property
    def first(self) -> date:
        return self.days[0].day

    @property
    def last(self) -> date:
        return self.days[-1].day

    @property
    def known(self) -> list[Day]:
        return [day for day in self.days if day.kwh is not None]

    @property
    def missing(self) -> int:
        return len(self.days) - len(self.known)

    @property
    def highest(self) -> Day:
        return max(self.known, key=lambda day: day.kwh or 0)

    @property
    def unusual(self) -> list[Day]:
        """The unusual days, the highest first."""
        return sorted((day for day in self.days if day.times), key=lambda day: day.kwh or 0, reverse=True)

    @property
    def total(self) -> Decimal:
        return sum((day.kwh or Decimal(0) for day in self.days), Decimal(0))

    @property
    def lately(self) -> Decimal | None:
        """The average of the last days, where there are enough of them."""
        last = [day.kwh for day in self.days[-DAYS_TO_BE_USUAL:] if day.kwh is not None]
        return tenth(sum(last, Decimal(0)) / len(last)) if len(last) > DAYS_TO_BE_USUAL // 2 else None

    @property
    def trend(self) -> int | None:
        """By how many percent the last days are above (or below) the usual."""
        return percent(self.usual, self.lately) if self.usual is not None and self.lately is not None else None

    def on(self, day: date) -> Day | None:
        """That day if it was read."""
        return next((known for known in self.known if known.day == day), None)


def daily_use(readings: Iterable[Reading], first: date, last: date, *, times: Decimal, kwh: Decimal) -> DailyUse:
    """The days `first` to `last` against all readings given.

    Unusual is a day of at least `times` the usual and `kwh` above it, or of hardly anything where more is usual.
    """
    by_day = {reading.day: reading for reading in readings}
    usual = None
    if len(by_day) >= DAYS_TO_BE_USUAL:
        usual = tenth(Decimal(median(reading.kwh for reading in by_day.values())))

    def shown(day: date) -> Day:
        reading = by_day.get(day)
        if reading is None:
            return Day(day)
        odd = None
        if usual and (reading.kwh >= max(usual * times, usual + kwh) or _hardly(reading.kwh, usual, kwh)):
            odd = tenth(reading.kwh / usual)
        return Day(day, reading.kwh, reading.reading, odd)

    return DailyUse(tuple(shown(first + timedelta(days=n)) for n in range((last - first).days + 1)), usual)


def _hardly(used: Decimal, usual: Decimal, kwh: Decimal) -> bool:
    return usual > kwh and used <= usual * FEW


@dataclass(frozen=True, slots=True)
class Month:
    """One billing month; `kwh` is None where there is no bill. `change` is whole percent against the month before."""

    month: date
    kwh: int | None = None
    days: int = 0
    change: int | None = None


def monthly_use(invoices: Sequence[Invoice], first: date, last: date) -> list[Month]:
    """The months from the first with a bill, `first` at the earliest, to the last with one; terms of a month added."""
    used: dict[date, tuple[int, int]] = {}
    for invoice in invoices:
        kwh, days = used.get(invoice.month, (0, 0))
        used[invoice.month] = (kwh + invoice.kwh, days + invoice.days)
    inside = [month for month in used if first <= month <= last]
    found: list[Month] = []
    month = min(inside, default=last)
    while inside and month <= max(inside):
        if month in used:
            kwh, days = used[month]
            before = used.get(shifted(month, -1))
            found.append(Month(month, kwh, days, percent(before[0], kwh) if before else None))
        else:
            found.append(Month(month))
        month = shifted(month, 1)
    return found


def percent(before: int | Decimal, after: int | Decimal) -> int | None:
    """The change in whole percent; None from nothing."""
    if before == 0:
        return None
    return int((Decimal(100 * (after - before)) / before).quantize(Decimal(1), ROUND_HALF_UP))


def tenth(value: Decimal) -> Decimal:
    return value.quantize(TENTH, ROUND_HALF_UP)

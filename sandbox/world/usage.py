"""How much a place uses: months with seasons and oddities, and the daily readings that add up to them.

Everything follows from the seed and the customer code, so nothing is stored and the same day always reads the same.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Final, Literal

from sandbox.world.dates import add_months, days, last_day, month_of

OddityKind = Literal["leak", "empty", "meter_swap", "dead_meter"]

_COOLING: Final = {5: 0.3, 6: 0.8, 7: 1.0, 8: 0.8, 9: 0.4}
_HEATING: Final = {12: 0.6, 1: 1.0, 2: 0.7}
_ODD_DAY: Final = 14  # days of the month before a leak begins, a meter stops or is swapped


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something unusual for some months: a leak to earth, an empty house, a meter swapped, a meter that stopped."""

    kind: OddityKind
    first: date
    months: int = 1

    def covers(self, month: date) -> bool:
        return self.first <= month < add_months(self.first, self.months)


@dataclass(frozen=True, slots=True)
class Profile:
    """Average kWh a day, and what summer and winter add at their peak, as a share of it.

    `missed` is the share of days on which the remote reading does not come through.
    """

    daily: float
    cooling: float
    heating: float
    oddity: Oddity | None = None
    missed: float = 0.0


@dataclass(frozen=True, slots=True)
class DayUse:
    """Reading at the midnight that ends the day, and the kWh of the day, to a tenth."""

    day: date
    reading: Decimal
    kwh: Decimal
    arrived: bool


@dataclass(frozen=True, slots=True)
class MonthUse:
    """A month of one meter; `billed` differs from what the meter counted only where the meter stood still."""

    first_day: date
    last_day: date
    serial: str
    reading_old: int
    reading_new: int
    billed: int
    days: tuple[DayUse, ...]

    def used_before(self, day: date) -> Decimal:
        """kWh from the first day to the midnight that begins `day`."""
        return sum((use.kwh for use in self.days if use.day < day), Decimal(0))


class Meter:
    """The history of one place of use, from the day its contract or the world began."""

    def __init__(self, key: str, profile: Profile, start: date, serial: str, reading: int) -> None:
        self._key = key
        self._profile = profile
        self._start = start
        self._months: list[MonthUse] = []
        self._serial = serial
        self._reading = reading
        self._replace_next = False

    @property
    def start(self) -> date:
        return self._start

    def month(self, month: date) -> MonthUse:
        """The month that begins with `month`; not before the start."""
        wanted = (month.year - self._start.year) * 12 + month.month - self._start.month
        while len(self._months) <= wanted:
            self._months.append(self._next())
        return self._months[wanted]

    def day(self, day: date) -> DayUse:
        """A day's use; not before the start."""
        use = self.month(month_of(day))
        return use.days[(day - use.first_day).days]

    def serial_on(self, day: date) -> str:
        return self.month(month_of(day)).serial

    def _next(self) -> MonthUse:
        month = add_months(month_of(self._start), len(self._months))
        first = max(month, self._start)
        random = Random(f"{self._key}|{month}")
        span = list(days(first, last_day(month)))
        weights = [random.uniform(0.75, 1.25) * (1.15 if day.weekday() >= 5 else 1.0) for day in span]
        used = self._profile.daily * len(span) * _season(self._profile, month) * random.uniform(0.88, 1.12)
        oddity = self._profile.oddity if self._profile.oddity and self._profile.oddity.covers(month) else None
        if self._replace_next:
            self._new_meter(random)
            self._replace_next = False
        if oddity is None:
            return self._counted(span, weights, round(used), random)
        if oddity.kind == "empty":
            return self._counted(span, weights, round(used * 0.02), random)
        late = [day for day in span if day.day > _ODD_DAY]
        if oddity.kind == "leak":
            if month == oddity.first:
                weights = [w * (2.6 if day in late else 1.0) for day, w in zip(span, weights, strict=True)]
                return self._counted(span, weights, round(used * 1.8), random)
            return self._counted(span, weights, round(used * 2.6), random)
        if oddity.kind == "meter_swap":
            return self._swapped(span, weights, round(used), random)
        self._replace_next = True
        weights = [0.0 if day in late else w for day, w in zip(span, weights, strict=True)]
        counted = round(used * (len(span) - len(late)) / len(span))
        return self._counted(span, weights, counted, random, billed=self._average(len(span)))

    def _average(self, length: int) -> int:
        """What a stopped meter is billed: the daily average of the three periods before (electricity.md §2.2)."""
        before = self._months[-3:]
        total_days = sum(len(use.days) for use in before)
        return round(sum(use.billed for use in before) * length / total_days) if total_days else 0

    def _counted(
        self, span: list[date], weights: list[float], kwh: int, random: Random, billed: int | None = None
    ) -> MonthUse:
        old = self._reading
        marks = _marks(weights, kwh)
        uses = self._day_uses(span, marks, old, random)
        self._reading = old + kwh
        return MonthUse(span[0], span[-1], self._serial, old, self._reading, kwh if billed is None else billed, uses)

    def _swapped(self, span: list[date], weights: list[float], kwh: int, random: Random) -> MonthUse:
        """The old meter goes on the evening of day 14; the bill shows the new one's last reading."""
        old = self._reading
        marks = _marks(weights, kwh)
        swap = sum(day.day <= _ODD_DAY for day in span)
        if swap:  # meters come and go at whole kWh
            whole = -(-marks[swap - 1] // 10) * 10
            marks = [*marks[: swap - 1], whole, *(max(mark, whole) for mark in marks[swap:])]
        uses = self._day_uses(span, marks, old, random)
        gone = uses[swap - 1].reading if swap else Decimal(old)
        self._new_meter(random)
        uses = tuple(
            use if use.day.day <= _ODD_DAY else DayUse(use.day, use.reading - gone, use.kwh, use.arrived)
            for use in uses
        )
        self._reading = int(uses[-1].reading)
        return MonthUse(span[0], span[-1], self._serial, old, self._reading, kwh, uses)

    def _day_uses(self, span: list[date], marks: list[int], reading: int, random: Random) -> tuple[DayUse, ...]:
        before = 0
        uses: list[DayUse] = []
        for day, mark in zip(span, marks, strict=True):
            total = Decimal(reading * 10 + mark) / 10
            uses.append(DayUse(day, total, Decimal(mark - before) / 10, random.random() >= self._profile.missed))
            before = mark
        return tuple(uses)

    def _new_meter(self, random: Random) -> None:
        self._serial = f"{random.randint(24_000_000, 26_999_999)}"
        self._reading = 0


def _season(profile: Profile, month: date) -> float:
    return 1 + profile.cooling * _COOLING.get(month.month, 0.0) + profile.heating * _HEATING.get(month.month, 0.0)


def _marks(weights: list[float], kwh: int) -> list[int]:
    """Tenths of a kWh used by the end of each day; the last is all of it."""
    sums = list(accumulate(weights))
    marks = [int(kwh * 10 * done / sums[-1]) for done in sums] if sums[-1] else [0 for _ in sums]
    marks[-1] = kwh * 10
    return marks

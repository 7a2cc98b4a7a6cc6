"""The month so far and how it is likely to end, from daily readings (F8). Pure functions.

Energy is kWh, days are local.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil, sqrt
from statistics import NormalDist, fmean

from actions.backends.models import Reading
from actions.consumption import tenth
from actions.periods import month_of, shifted

DAY = timedelta(days=1)
WEEK = 7
FEWEST_DAYS = 5
"""From fewer days of a month, or a week, nobody can tell how it goes on."""
FEWEST_TRIALS = 7
SURE = 0.8
"""How likely the month ends within the range."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The whole month: likely `kwh`, between `low` and `high`, at `daily` kWh a day."""

    kwh: Decimal
    low: Decimal
    high: Decimal
    daily: Decimal


@dataclass(frozen=True, slots=True)
class MonthSoFar:
    """kWh read from the first of the month to `until`; `unread` days among them are not in it.

    `outlook` is None where there are too few readings.
    """

    used: Decimal
    until: date
    unread: int
    outlook: Outlook | None = None

    @property
    def days(self) -> int:
        return self.until.day - self.unread

    @property
    def last(self) -> date:
        """The month's last day."""
        return shifted(month_of(self.until), 1) - DAY

    def day_at(self, kwh: Decimal) -> date | None:
        """When the month's use will pass `kwh` at the pace of late; None if not in this month, or nobody can tell."""
        if self.outlook is None or self.until == self.last or not self.used < kwh < self.outlook.kwh:
            return None
        daily = self.outlook.daily
        days = ceil((kwh - self.used - self.unread * daily) / daily)
        return min(self.until + max(days, 1) * DAY, self.last)


def month_so_far(readings: Iterable[Reading], month: date) -> MonthSoFar | None:
    """The month that begins with `month`, by readings of it and of the weeks before; None without one in it.

    The outlook takes the days to come, and those that were not read, to be like the last week. The range is how far
    that has been off before: the same forecast, for as many days, is tried on every day of the readings given, and the
    root of the mean square of its errors is taken as the standard deviation of a normal distribution, whose middle SURE
    is the range. So it is wide for a house whose weeks differ, and narrows towards the end of the month.
    """
    used = {reading.day: float(reading.kwh) for reading in readings if reading.day < shifted(month, 1)}
    of_month = [day for day in used if day >= month]
    if not of_month:
        return None
    until = max(of_month)
    total = sum(used[day] for day in of_month)
    so_far = MonthSoFar(tenth(Decimal(total)), until, until.day - len(of_month))
    to_come = (so_far.last - until).days + so_far.unread
    daily = _daily(used, until - (WEEK - 1) * DAY, until)
    errors = list(_errors(used, until, to_come)) if to_come else [0.0] * FEWEST_TRIALS
    if daily is None or len(of_month) < FEWEST_DAYS or len(errors) < FEWEST_TRIALS:
        return so_far
    off = NormalDist().inv_cdf((1 + SURE) / 2) * sqrt(fmean(error**2 for error in errors))
    low, likely, high = (tenth(Decimal(total + to_come * max(each, 0))) for each in (daily - off, daily, daily + off))
    return MonthSoFar(so_far.used, until, so_far.unread, Outlook(likely, low, high, Decimal(daily)))


def _errors(used: Mapping[date, float], until: date, days: int) -> Iterator[float]:
    """By how many kWh a day the `days` after each past week were above or below that week."""
    end = min(used) + (WEEK - 1) * DAY
    while end + days * DAY <= until:
        before, after = _daily(used, end - (WEEK - 1) * DAY, end), _daily(used, end + DAY, end + days * DAY)
        if before is not None and after is not None:
            yield after - before
        end += DAY


def _daily(used: Mapping[date, float], first: date, last: date) -> float | None:
    """kWh a day on average; None of a week with too few readings, or of no reading at all."""
    length = (last - first).days + 1
    known = [used[day] for day in (first + n * DAY for n in range(length)) if day in used]
    return fmean(known) if len(known) >= min(FEWEST_DAYS, length) else None

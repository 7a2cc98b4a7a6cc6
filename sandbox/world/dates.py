"""Days and months of Asia/Ho_Chi_Minh."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")


def local_day(at: datetime) -> date:
    """The local day of an aware instant."""
    return at.astimezone(ZONE).date()


def local_instant(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """A local wall-clock time as aware UTC."""
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def add_months(month: date, count: int) -> date:
    """The month so many months later, as its first day."""
    years, index = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(years, index + 1, 1)


def last_day(month: date) -> date:
    """The last day of a month."""
    return add_months(month, 1) - timedelta(days=1)


def months(first: date, last: date) -> Iterator[date]:
    """Months from `first` to `last`, both included."""
    month = month_of(first)
    while month <= last:
        yield month
        month = add_months(month, 1)


def days(first: date, last: date) -> Iterator[date]:
    """Days from `first` to `last`, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)

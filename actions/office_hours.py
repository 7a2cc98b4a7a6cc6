"""When people answer: opening hours, weekends, public holidays and the company's own days off and on."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
from pydantic import BaseModel, ConfigDict

LOOK_AHEAD_DAYS = 60
"""Longer than any stretch of days off; Tết takes two weeks at most."""


class StaffData(BaseModel):
    """`staff` of data/company.yml; `weekdays` counts from Monday = 0.

    `closed_on` and `open_on` are the company's own days, and go before weekends and public holidays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    opens: time
    closes: time
    weekdays: tuple[int, ...]
    hand_back_after_hours: int
    closed_on: tuple[date, ...]
    open_on: tuple[date, ...]


@cache
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("VN", years=year))


class OfficeHours:
    """The calendar of one company in its time zone. Raises ValueError when it never opens."""

    def __init__(self, staff: StaffData, zone: ZoneInfo) -> None:
        self._staff = staff
        self._zone = zone

    def is_working_day(self, day: date) -> bool:
        if day in self._staff.open_on or day in self._staff.closed_on:
            return day in self._staff.open_on
        return day.weekday() in self._staff.weekdays and day not in _public_holidays(day.year)

    def is_day_off(self, day: date) -> bool:
        """Is it a public holiday or a day off of the company's own, for every office?"""
        return day not in self._staff.open_on and (day in self._staff.closed_on or day in _public_holidays(day.year))

    def is_open(self, now: datetime) -> bool:
        local = now.astimezone(self._zone)
        return self.is_working_day(local.date()) and self._staff.opens <= local.time() < self._staff.closes

    def next_opening(self, now: datetime) -> datetime:
        """`now` itself within office hours, else when they next begin (aware)."""
        if self.is_open(now):
            return now
        local = now.astimezone(self._zone)
        first = local.date() if local.time() < self._staff.opens else local.date() + timedelta(days=1)
        return datetime.combine(next(self._working_days(first)), self._staff.opens, self._zone)

    def add_working_days(self, now: datetime, count: int) -> datetime:
        """The end of office hours on the `count`-th working day after today (aware)."""
        days = self._working_days(now.astimezone(self._zone).date() + timedelta(days=1))
        last = [next(days) for _ in range(count)][-1]
        return datetime.combine(last, self._staff.closes, self._zone)

    def _working_days(self, first: date) -> Iterator[date]:
        day, idle = first, 0
        while idle < LOOK_AHEAD_DAYS:
            if self.is_working_day(day):
                idle = 0
                yield day
            idle += 1
            day += timedelta(days=1)
        raise ValueError("staff: no working day in two months")

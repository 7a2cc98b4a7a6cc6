"""The figures of one month, from what is counted of its days (F28, docs/figures.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy.orm import Session

from bot.store import figures
from bot.store.figures import CLASSES_MS, LONGER, Name, Tally
from bot.store.models import Figure, Lane

FLOWS: Final = tuple(name for name in Name if name is not Name.LINKED)
MONTHS_SHOWN: Final = 12
MOST_SHOWN: Final = 15
"""Intents and wordings that were not understood."""


@dataclass(frozen=True, order=True)
class Month:
    """A month of the local calendar."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    @classmethod
    def read(cls, written: str) -> "Month | None":
        """From `2026-11`; None for what is no month of this millennium."""
        try:
            month = cls.of(date.fromisoformat(f"{written}-01"))
        except ValueError:
            return None
        return month if written.startswith("2") else None

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        return self.back(-1).first - timedelta(days=1)

    def back(self, months: int) -> "Month":
        year, number = divmod(self.year * 12 + self.number - 1 - months, 12)
        return Month(year, number + 1)

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"


@dataclass(frozen=True)
class View:
    """What is looked at; None for all. An empty area is that of those who linked nothing."""

    month: Month
    area: str | None = None
    channel: str | None = None


@dataclass(frozen=True)
class Totals:
    """Of one month. `times` counts first replies by the end of their class in ms, the last by LONGER."""

    linked: int | None
    new_links: int
    served: Tally
    understood: Tally
    in_time: Mapping[str, Tally]
    times: Mapping[str, int]
    unanswered: Mapping[str, int]
    failed: Mapping[str, int]

    def reply_seconds(self, share: float) -> float | None:
        """Within so many seconds this share of first replies went out; None where there were none."""
        return _quantile(self.times, share)


@dataclass(frozen=True)
class Area:
    """A local unit in the month; `code` is empty for who linked nothing."""

    code: str
    linked: int
    served: Tally
    understood: Tally


@dataclass(frozen=True)
class Report:
    view: View
    now: Totals
    before: Totals
    days: Mapping[date, tuple[Tally, Tally]]
    """Served and understood on each day that was counted."""
    months: Mapping[Month, int]
    """Linked customers at the end of each month, or so far."""
    areas: tuple[Area, ...]
    wordings: tuple[tuple[str, int], ...]

    @property
    def is_empty(self) -> bool:
        return not (self.now.linked or self.now.served.whole or any(each.whole for each in self.now.in_time.values()))

    @property
    def asked(self) -> list[tuple[str, int, int]]:
        """Intents of what was not answered: how often it was not understood, and how often the answer failed."""
        every = self.now.unanswered.keys() | self.now.failed.keys()
        rows = [(each, self.now.unanswered.get(each, 0), self.now.failed.get(each, 0)) for each in every]
        return sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))[:MOST_SHOWN]


def read(session: Session, view: View) -> Report:
    """Everything that the page shows, from the rollup alone."""
    month, where = view.month, {"area": view.area, "channel": view.channel}
    ends = figures.last_day_of_each_month(session, month.back(MONTHS_SHOWN - 1).first, month.last)
    linked = figures.linked(session, ends, **where)
    months = {Month.of(end): sum(count for (day, _), count in linked.items() if day == end) for end in ends}
    by_day = figures.sums(
        session, (Name.SERVED, Name.UNDERSTOOD), month.first, month.last, by=(Figure.day, Figure.name), **where
    )
    by_area = figures.sums(
        session, (Name.SERVED, Name.UNDERSTOOD), month.first, month.last, by=(Figure.area, Figure.name), **where
    )
    here = {area: count for (day, area), count in linked.items() if Month.of(day) == month}
    areas = [
        Area(code, here.get(code, 0), _tally(by_area, (code, Name.SERVED)), _tally(by_area, (code, Name.UNDERSTOOD)))
        for code in {*here, *(code for code, _ in by_area)}
    ]
    return Report(
        view=view,
        now=_totals(session, view, months),
        before=_totals(session, View(month.back(1), **where), months),
        days={
            day: (_tally(by_day, (day, Name.SERVED)), _tally(by_day, (day, Name.UNDERSTOOD)))
            for day in sorted({day for day, _ in by_day})
        },
        months=months,
        areas=tuple(sorted(areas, key=lambda area: (not area.code, -area.linked, area.code))),
        wordings=tuple(figures.wordings(session, month.first, month.last, limit=MOST_SHOWN, **where)),
    )


def rows(session: Session, view: View) -> list[tuple[str, str, str, str, int, int | None]]:
    """All that is counted in the month: figure, area, channel, bucket, part, whole; the linked as of its last day."""
    by = (Figure.name, Figure.area, Figure.channel, Figure.bucket)
    where = {"area": view.area, "channel": view.channel}
    counted = figures.sums(session, FLOWS, view.month.first, view.month.last, by=by, **where)
    ends = figures.last_day_of_each_month(session, view.month.first, view.month.last)
    linked = {
        (Name.LINKED, area, view.channel or "", ""): Tally(count, None)
        for (_, area), count in figures.linked(session, ends, **where).items()
    }
    order = list(Name)
    found = sorted({**linked, **counted}.items(), key=lambda item: (order.index(item[0][0]), item[0]))
    return [(*key, tally.part, tally.whole) for key, tally in found]


def _totals(session: Session, view: View, months: Mapping[Month, int]) -> Totals:
    found = figures.sums(
        session,
        FLOWS,
        view.month.first,
        view.month.last,
        by=(Figure.name, Figure.bucket),
        area=view.area,
        channel=view.channel,
    )

    def of(name: Name) -> dict[str, Tally]:
        return {bucket: tally for (each, bucket), tally in found.items() if each == name}

    lanes, times = of(Name.IN_TIME), of(Name.REPLY_TIME)
    return Totals(
        linked=months.get(view.month),
        new_links=_tally(found, (Name.NEW_LINKS, "")).part,
        served=_tally(found, (Name.SERVED, "")),
        understood=_tally(found, (Name.UNDERSTOOD, "")),
        in_time={lane: lanes.get(lane, Tally(0, 0)) for lane in Lane},
        times={end: times[end].part if end in times else 0 for end in [*map(str, CLASSES_MS), LONGER]},
        unanswered={bucket: tally.part for bucket, tally in of(Name.UNANSWERED).items()},
        failed={bucket: tally.part for bucket, tally in of(Name.FAILED).items()},
    )


def _tally(found: Mapping[tuple[object, ...], Tally], key: tuple[object, ...]) -> Tally:
    return found.get(key, Tally(0, 0))


def _quantile(times: Mapping[str, int], share: float) -> float | None:
    """Even within a class; what is in the one without an end took at least as long as where it begins."""
    left = share * sum(times.values())
    if not left:
        return None
    begin = 0
    for end in CLASSES_MS:
        count = times[str(end)]
        if count and left <= count:
            return (begin + (end - begin) * left / count) / 1000
        left -= count
        begin = end
    return begin / 1000

"""Reports of the grid, and the outages suspected from them. Each call commits at once: reports of many contacts are
counted against each other while their turns still run, and a turn that fails later does not unsay what was told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Update, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.store.database import Database
from bot.store.limits import hold
from bot.store.models import GridReport, SuspectedOutage

OUTAGE, HAZARD = "outage", "hazard"


@dataclass(frozen=True)
class Rule:
    """When an outage of a whole area is suspected: so many different contacts `within` this; how long it `lasts`."""

    reporters: int
    within: timedelta
    lasts: timedelta


@dataclass(frozen=True)
class Reported:
    """A report as it is kept; see `bot.store.models.GridReport`."""

    contact_id: int
    event_id: int
    kind: str
    ticket_code: str
    at: datetime
    place_code: str | None = None
    feeder: str | None = None
    only_me: bool = False
    outage_id: str | None = None


@dataclass(frozen=True)
class Suspicion:
    """A suspected outage; `reporters` contacts told of it of late. `ticket_code` is None while nobody was told."""

    id: int
    place_code: str
    since: datetime
    reporters: int
    ticket_code: str | None = None


class GridReports:
    """What contacts reported; safe for any number of threads and processes."""

    def __init__(self, database: Database, rule: Rule) -> None:
        self._database = database
        self._rule = rule

    def add(self, report: Reported) -> Suspicion | None:
        """Keep a report. The outage suspected of its area, whether by this report or an earlier one.

        Reports of one area are counted one after the other (an advisory lock), so that exactly one of them makes the
        suspicion, however many come at once. Those of a single house, and those of a known outage, do not count.
        """
        with self._database.begin() as session:
            areas = sorted(_areas(report.place_code, report.feeder))
            hold(session, *areas)
            session.execute(insert(GridReport).values(**asdict(report)).on_conflict_do_nothing())
            if report.kind != OUTAGE or report.only_me or report.outage_id or report.place_code is None:
                return None
            known = self._live(session, areas, report.at)
            return known or self._suspicion(session, areas, report.place_code, report.at)

    def suspected(self, place_code: str, now: datetime) -> Suspicion | None:
        """The outage that is suspected in a place now."""
        with self._database.begin() as session:
            feeders = session.scalars(
                select(GridReport.feeder)
                .where(GridReport.place_code == place_code, GridReport.at > now - self._rule.lasts)
                .where(GridReport.feeder.is_not(None))
                .distinct()
            )
            areas = [f"place:{place_code}", *(f"feeder:{feeder}" for feeder in feeders)]
            return self._live(session, areas, now)

    def told(self, suspicion: Suspicion, ticket_code: str) -> bool:
        """The utility knows of it under this ticket. True for the first to say so."""
        with self._database.begin() as session:
            first = session.scalar(
                update(SuspectedOutage)
                .where(SuspectedOutage.id == suspicion.id, SuspectedOutage.ticket_code.is_(None))
                .values(ticket_code=ticket_code)
                .returning(SuspectedOutage.id)
            )
        return first is not None

    def latest(self, contact_id: int, kind: str, since: datetime) -> Reported | None:
        """The contact's newest report of a kind that is not over."""
        with self._database.begin() as session:
            row = session.scalars(
                select(GridReport)
                .where(GridReport.contact_id == contact_id, GridReport.kind == kind)
                .where(GridReport.at > since, GridReport.over_at.is_(None))
                .order_by(GridReport.at.desc(), GridReport.id.desc())
                .limit(1)
            ).one_or_none()
            return _reported(row) if row else None

    def _suspicion(self, session: Session, areas: Sequence[str], place_code: str, now: datetime) -> Suspicion | None:
        """A new one, of the first area from which enough contacts reported."""
        for area in areas:
            reporters = self._reporters(session, area, now)
            if reporters >= self._rule.reporters:
                row = SuspectedOutage(area=area, place_code=place_code, since=now)
                session.add(row)
                session.flush()
                return Suspicion(row.id, place_code, now, reporters)
        return None

    def _live(self, session: Session, areas: Sequence[str], now: datetime) -> Suspicion | None:
        row = session.scalars(
            select(SuspectedOutage)
            .where(SuspectedOutage.area.in_(areas), SuspectedOutage.since > now - self._rule.lasts)
            .order_by(SuspectedOutage.id.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            return None
        return Suspicion(row.id, row.place_code, row.since, self._reporters(session, row.area, now), row.ticket_code)

    def _reporters(self, session: Session, area: str, now: datetime) -> int:
        counted = (
            select(func.count(GridReport.contact_id.distinct()))
            .where(GridReport.kind == OUTAGE, ~GridReport.only_me, GridReport.outage_id.is_(None))
            .where(GridReport.over_at.is_(None), GridReport.at > now - self._rule.within, _within(area))
        )
        return session.scalar(counted) or 0


def complete(session: Session, report: Reported, *, place_code: str) -> None:
    """Say afterwards where a report is, in the transaction of the turn."""
    session.execute(_row(report).values(place_code=place_code))


def end(session: Session, report: Reported, at: datetime) -> None:
    """The contact said that it is over, in the transaction of the turn."""
    session.execute(_row(report).values(over_at=at))


def _row(report: Reported) -> Update:
    return update(GridReport).where(GridReport.event_id == report.event_id, GridReport.kind == report.kind)


def _areas(place_code: str | None, feeder: str | None) -> Iterator[str]:
    if place_code:
        yield f"place:{place_code}"
    if feeder:
        yield f"feeder:{feeder}"


def _within(area: str) -> ColumnElement[bool]:
    kind, _, name = area.partition(":")
    return GridReport.place_code == name if kind == "place" else GridReport.feeder == name


def _reported(row: GridReport) -> Reported:
    return Reported(**{name: getattr(row, name) for name in Reported.__dataclass_fields__})

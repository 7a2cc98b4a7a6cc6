"""Reports of the grid: counted by contact and place, and many at once make one suspected outage."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from bot.store import grid
from bot.store.database import Database
from bot.store.grid import GridReports, Reported, Rule, Suspicion
from bot.store.models import Contact, SuspectedOutage

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
RULE = Rule(reporters=5, within=timedelta(minutes=30), lasts=timedelta(hours=3))
PLACE, OTHER_PLACE = "05587", "05716"


@pytest.fixture
def reports(database: Database) -> GridReports:
    return GridReports(database, RULE)


@pytest.fixture
def contacts(database: Database) -> list[int]:
    with database.begin() as session:
        people = [Contact(channel="zalo", channel_user_id=str(number)) for number in range(12)]
        session.add_all(people)
        session.flush()
        return [person.id for person in people]


@pytest.fixture
def events() -> Iterator[int]:
    return count(1)


def told(contact_id: int, event_id: int, **changes: Any) -> Reported:
    report = Reported(contact_id, event_id, grid.OUTAGE, f"YC{event_id}", NOW, place_code=PLACE)
    return replace(report, **changes)


def suspicions(database: Database) -> list[SuspectedOutage]:
    with database.begin() as session:
        return list(session.scalars(select(SuspectedOutage)))


def test_the_fifth_contact_makes_the_suspicion(
    reports: GridReports, database: Database, contacts: list[int], events: Iterator[int]
) -> None:
    first = [reports.add(told(contact, next(events))) for contact in contacts[:4]]
    assert first == [None] * 4
    assert reports.suspected(PLACE, NOW) is None
    fifth = reports.add(told(contacts[4], next(events)))
    assert fifth is not None
    assert (fifth.reporters, fifth.ticket_code) == (5, None)
    assert reports.told(fifth, "YC9")
    assert not reports.told(fifth, "YC9")
    known = reports.suspected(PLACE, NOW)
    assert known == Suspicion(fifth.id, PLACE, NOW, 5, "YC9")
    assert reports.add(told(contacts[5], next(events))) == replace(known, reporters=6)
    assert len(suspicions(database)) == 1


def test_many_at_once_make_one(database: Database, contacts: list[int], events: Iterator[int]) -> None:
    """All start together; whichever order they are counted in, none from the fifth on goes without the suspicion."""
    reports, start = GridReports(database, RULE), Barrier(len(contacts))

    def report(contact_id: int, event_id: int) -> Suspicion | None:
        start.wait()
        return reports.add(told(contact_id, event_id, feeder=None if event_id % 2 else "471E6.22"))

    with ThreadPoolExecutor(len(contacts)) as pool:
        answers = list(pool.map(report, contacts, events))
    assert answers.count(None) == RULE.reporters - 1
    assert len({answer.id for answer in answers if answer}) == len(suspicions(database)) == 1


def test_a_replayed_event_counts_once(reports: GridReports, contacts: list[int]) -> None:
    assert [reports.add(told(contacts[0], 7)) for _ in range(6)] == [None] * 6
    assert [reports.add(told(contacts[0], event)) for event in range(8, 14)] == [None] * 6


@pytest.mark.parametrize(
    "changes",
    [
        {"only_me": True},
        {"outage_id": "SC-1"},
        {"kind": grid.HAZARD},
        {"place_code": None},
        {"at": NOW - timedelta(minutes=31)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_says_nothing_of_the_area_does_not_count(
    reports: GridReports, contacts: list[int], events: Iterator[int], changes: dict[str, Any]
) -> None:
    for contact in contacts[:4]:
        reports.add(told(contact, next(events), **changes))
    last = [reports.add(told(contact, next(events))) for contact in contacts[4:8]]
    assert last == ([None] * 4)


def test_other_places_are_others_unless_on_one_feeder(
    reports: GridReports, contacts: list[int], events: Iterator[int]
) -> None:
    places = [PLACE, OTHER_PLACE] * 2
    for contact, place in zip(contacts, places, strict=False):
        assert reports.add(told(contact, next(events), place_code=place, feeder="471E6.22")) is None
    assert reports.add(told(contacts[4], next(events), place_code=OTHER_PLACE)) is None
    suspicion = reports.add(told(contacts[5], next(events), feeder="471E6.22"))
    assert suspicion is not None
    assert {reports.suspected(place, NOW) for place in (PLACE, OTHER_PLACE)} == {suspicion}
    assert reports.suspected("05443", NOW) is None


def test_a_suspicion_ends_by_itself(reports: GridReports, contacts: list[int], events: Iterator[int]) -> None:
    for contact in contacts[:5]:
        reports.add(told(contact, next(events)))
    later = NOW + RULE.lasts + timedelta(seconds=1)
    assert reports.suspected(PLACE, later - timedelta(minutes=1)) is not None
    assert reports.suspected(PLACE, later) is None
    assert reports.add(told(contacts[6], next(events), at=later)) is None


def test_what_is_over_is_not_counted_and_not_the_latest(
    reports: GridReports, database: Database, contacts: list[int], events: Iterator[int]
) -> None:
    mine = [told(contact, next(events)) for contact in contacts[:4]]
    for report in mine:
        reports.add(report)
    assert reports.latest(contacts[0], grid.OUTAGE, NOW - timedelta(hours=1)) == mine[0]
    assert reports.latest(contacts[0], grid.HAZARD, NOW - timedelta(hours=1)) is None
    assert reports.latest(contacts[0], grid.OUTAGE, NOW) is None
    with database.begin() as session:
        grid.end(session, mine[0], NOW)
        grid.complete(session, mine[1], place_code=OTHER_PLACE)
    assert reports.latest(contacts[0], grid.OUTAGE, NOW - timedelta(hours=1)) is None
    assert reports.add(told(contacts[4], next(events))) is None
    assert reports.add(told(contacts[5], next(events))) is None
    assert reports.add(told(contacts[6], next(events))) is not None

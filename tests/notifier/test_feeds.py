"""Reading the utility's feeds: nothing is lost, nothing has its effect twice, whatever happens in between."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from feed_of_lists import DOWN, NOW, Book, ListedFeed, danger
from prometheus_client import REGISTRY
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from actions.backends.errors import BackendWrong
from actions.backends.models import Change, ChangeList
from bot.store.database import Database
from bot.store.models import FeedCursor
from notifier.feeds import FeedPoller

FEED = "billing"
ROOT = Path(__file__).parents[2]


def figure(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"feed": FEED}) or 0.0


def keys(*numbers: int) -> list[str]:
    return [f"NH-{number}" for number in numbers]


@dataclass
class Reading:
    """A poller over a listed feed and a book, and a clock that stands."""

    database: Database
    feed: ListedFeed
    book: Book
    now: datetime = NOW

    def poller(self) -> FeedPoller:
        return FeedPoller(self.database, {FEED: self.feed}, self.book.take, lambda: self.now)

    def row(self) -> FeedCursor:
        with self.database.begin() as session:
            row = session.get(FeedCursor, FEED)
        assert row is not None
        return row


@pytest.fixture
def reading(database: Database) -> Reading:
    return Reading(database, ListedFeed(5), Book(database))


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with capture_logs() as entries:
        yield entries


def test_page_by_page_until_nothing_is_left(reading: Reading) -> None:
    poller = reading.poller()
    assert [poller.poll(FEED) for _ in range(4)] == [True, True, False, False]
    assert reading.feed.asked == [None, "2", "4", "5"]
    assert reading.book.taken() == keys(1, 2, 3, 4, 5)
    assert (reading.row().cursor, reading.row().polled_at) == ("5", NOW)
    assert len(reading.book.pages) == 3, "an empty page is nothing to take"


def test_another_poller_goes_on_where_the_first_ended(reading: Reading) -> None:
    reading.poller().poll(FEED)
    reading.poller().drain(FEED)
    assert reading.feed.asked == [None, "2", "4"]
    assert reading.book.taken() == keys(1, 2, 3, 4, 5)


def test_draining_ends_when_its_time_is_over(reading: Reading) -> None:
    reading.poller().drain(FEED, seconds=0)
    assert reading.book.taken() == keys(1, 2)


def test_what_is_taken_and_the_cursor_are_one(reading: Reading, logs: list[Any]) -> None:
    """A crash between the two leaves neither: the page comes again, whole."""
    poller = reading.poller()
    poller.poll(FEED)
    reading.book.failure = RuntimeError("the machine dies")
    assert poller.poll(FEED) is False
    assert reading.book.taken() == keys(1, 2)
    assert reading.row().cursor == "2"
    assert reading.row().failed_since == NOW
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["feed_page_not_taken"]
    reading.book.failure = None
    poller.drain(FEED)
    assert reading.book.pages[1:3] == [["c3", "c4"], ["c3", "c4"]]
    assert reading.book.taken() == keys(1, 2, 3, 4, 5)
    assert reading.row().failed_since is None


KILLED_WHILE_TAKING = """
import os, signal, sys
from feed_of_lists import NOW, ListedFeed, store
from bot.store.database import Database
from notifier.feeds import FeedPoller

def take(session, changes, now):
    store(session, changes)
    os.kill(os.getpid(), signal.SIGKILL)

FeedPoller(Database(sys.argv[1]), {"billing": ListedFeed(5)}, take, lambda: NOW).poll("billing")
"""


def test_a_poller_killed_with_a_page_in_hand_leaves_nothing_behind(reading: Reading) -> None:
    command = [sys.executable, "-c", KILLED_WHILE_TAKING, reading.database.url]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, Path(__file__).parent)))}
    killed = subprocess.run(command, env=environment, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while not reading.book.taken() and time.monotonic() < deadline:
        reading.poller().drain(FEED)  # until the server has noticed, the row stays locked
    assert reading.feed.asked[0] is None
    assert reading.book.taken() == keys(1, 2, 3, 4, 5)


def test_a_page_that_comes_again_has_no_further_effect(reading: Reading) -> None:
    poller = reading.poller()
    poller.drain(FEED)
    with reading.database.begin() as session:
        row = session.get(FeedCursor, FEED)
        assert row is not None
        row.cursor = "2"
    poller.drain(FEED)
    assert len(reading.book.pages) == 5
    assert reading.book.taken() == keys(1, 2, 3, 4, 5)


def test_pages_that_overlap_have_no_further_effect(reading: Reading) -> None:
    reading.feed.overlap = 2
    reading.poller().drain(FEED)
    assert reading.book.pages == [["c1", "c2"], ["c1", "c2", "c3", "c4"], ["c3", "c4", "c5"]]
    assert reading.book.taken() == keys(1, 2, 3, 4, 5)


def test_after_a_gap_it_begins_with_the_oldest_that_is_kept(reading: Reading, logs: list[Any]) -> None:
    poller, gaps = reading.poller(), figure("feed_gaps_total")
    poller.poll(FEED)
    reading.feed.count, reading.feed.oldest = 9, 5
    poller.drain(FEED)
    assert reading.feed.asked == [None, "2", None, "6", "8"]
    assert reading.book.taken() == keys(1, 2, 5, 6, 7, 8, 9)
    assert figure("feed_gaps_total") == gaps + 1
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["feed_gap"]


def test_two_pollers_at_once_do_not_take_the_same_page(reading: Reading) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(after: str | None, limit: int) -> ChangeList:
        begun.set()
        assert go_on.wait(10)
        return reading.feed(after, limit)

    first = FeedPoller(reading.database, {FEED: slow}, reading.book.take, lambda: NOW)
    one = threading.Thread(target=first.poll, args=(FEED,))
    one.start()
    assert begun.wait(10)
    assert reading.poller().poll(FEED) is False
    go_on.set()
    one.join(10)
    assert reading.feed.asked == [None]
    assert reading.book.taken() == keys(1, 2)
    assert reading.row().failed_since is None, "to find it taken is no failure"


def test_many_pollers_at_once_take_each_change_once(reading: Reading) -> None:
    reading.feed.count = 40
    threads = [threading.Thread(target=reading.poller().drain, args=(FEED,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    reading.poller().drain(FEED)
    assert reading.book.taken() == keys(*range(1, 41))
    assert sum(map(len, reading.book.pages)) == 40


def test_a_backend_that_is_down_is_noted_once_and_then_forgotten(reading: Reading, logs: list[Any]) -> None:
    poller = reading.poller()
    poller.poll(FEED)
    reading.feed.failure = DOWN
    assert poller.poll(FEED) is False
    reading.now += timedelta(minutes=3)
    assert poller.poll(FEED) is False
    assert (reading.row().cursor, reading.row().failed_since, reading.row().polled_at) == ("2", NOW, reading.now)
    assert figure("feed_failing") == 1
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["feed_fails"]
    reading.feed.failure = None
    poller.drain(FEED)
    assert reading.book.taken() == keys(1, 2, 3, 4, 5)
    assert (reading.row().failed_since, figure("feed_failing")) == (None, 0)
    assert "feed_works_again" in [entry["event"] for entry in logs]


def test_a_backend_that_is_down_from_the_start(reading: Reading) -> None:
    reading.feed.failure = DOWN
    assert reading.poller().poll(FEED) is False
    assert (reading.row().cursor, reading.row().failed_since) == (None, NOW)


@pytest.mark.parametrize("failure", [BackendWrong("listChanges", "items.0: missing")], ids=["broken"])
def test_a_page_outside_the_contract_is_not_passed_over(reading: Reading, failure: BackendWrong) -> None:
    poller = reading.poller()
    poller.poll(FEED)
    reading.feed.failure = failure
    assert poller.poll(FEED) is False
    assert reading.row().cursor == "2"


def test_a_cursor_that_does_not_move_is_a_failure_and_no_endless_loop(database: Database) -> None:
    book = Book(database)

    def stuck(after: str | None, limit: int) -> ChangeList:
        return ChangeList(items=(danger(1),), next="1", more=True, as_of=NOW)

    FeedPoller(database, {FEED: stuck}, book.take, lambda: NOW).drain(FEED)
    assert book.taken() == keys(1)
    with database.begin() as session:
        row = session.get(FeedCursor, FEED)
    assert row is not None
    assert row.failed_since == NOW


def test_feeds_do_not_wait_for_each_other(reading: Reading) -> None:
    taken: list[str] = []

    def take(session: Session, changes: Sequence[Change], now: datetime) -> None:
        other = FeedPoller(reading.database, {"service": ListedFeed(1)}, reading.book.take, lambda: NOW)
        other.drain("service")
        taken.extend(change.id for change in changes)

    FeedPoller(reading.database, {FEED: ListedFeed(1)}, take, lambda: NOW).drain(FEED)
    assert taken == ["c1"]
    assert reading.book.taken() == keys(1)

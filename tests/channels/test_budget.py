"""Never more than the rate allows, and always something left for replies: on a real PostgreSQL."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import StoppedClock

from bot.channels.budget import Bucket, Budget, Granted, Wait, buckets
from bot.messages import ChannelName
from bot.settings import Settings
from bot.store.database import Database
from bot.store.models import Lane, RateBudget

ZALO = ChannelName.ZALO
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def taken(answer: Granted | Wait) -> int:
    return answer.count if isinstance(answer, Granted) else 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate=st.floats(0.5, 60),
    burst=st.floats(1, 50),
    steps=st.lists(
        st.tuples(st.sampled_from(Lane), st.integers(1, 30), st.floats(-0.5, 3), st.sampled_from([0, 1])),
        min_size=1,
        max_size=25,
    ),
)
def test_no_stretch_of_time_gets_more_than_its_share(
    database: Database, rate: float, burst: float, steps: list[tuple[Lane, int, float, int]]
) -> None:
    """Two processes with clocks that jump, even backwards: over every stretch, at most rate·t + burst."""
    clock = StoppedClock(START)
    with database.begin() as session:
        session.query(RateBudget).delete()
    processes = [Budget(database, {ZALO: Bucket(rate, burst)}, clock=clock) for _ in range(2)]
    latest, granted = datetime.min.replace(tzinfo=UTC), []
    for lane, n, seconds, process in steps:
        clock.forward(seconds=seconds)
        latest = max(latest, clock.now)
        answer = processes[process].acquire(ZALO, lane, n)
        assert isinstance(answer, Wait) or 1 <= answer.count <= n
        granted.append((latest, taken(answer)))
    for first in range(len(granted)):
        for last in range(first, len(granted)):
            stretch = (granted[last][0] - granted[first][0]).total_seconds()
            assert sum(count for _, count in granted[first : last + 1]) <= rate * stretch + burst + 1e-6


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    burst=st.floats(1, 80),
    lane=st.sampled_from(Lane),
    rate=st.floats(0.5, 60),
    spent=st.integers(0, 80),
)
def test_who_waits_as_told_gets_something(
    database: Database, burst: float, lane: Lane, rate: float, spent: int
) -> None:
    clock = StoppedClock(START)
    with database.begin() as session:
        session.query(RateBudget).delete()
    budget = Budget(database, {ZALO: Bucket(rate, burst)}, clock=clock)
    if spent:
        budget.acquire(ZALO, Lane.REPLY, spent)
    answer = budget.acquire(ZALO, lane)
    if isinstance(answer, Wait):
        clock.forward(seconds=answer.seconds + 0.001)
        answer = budget.acquire(ZALO, lane)
    assert answer == Granted(1)


def test_lower_lanes_leave_room_for_higher_ones(database: Database) -> None:
    budget = Budget(database, {ZALO: Bucket(rate=10, burst=100)}, clock=StoppedClock(START))
    assert budget.acquire(ZALO, Lane.BULK, 500) == Granted(40)
    assert isinstance(budget.acquire(ZALO, Lane.BULK), Wait)
    assert budget.acquire(ZALO, Lane.NOTICE, 500) == Granted(20)
    assert isinstance(budget.acquire(ZALO, Lane.NOTICE), Wait)
    assert budget.acquire(ZALO, Lane.URGENT, 500) == Granted(20)
    assert isinstance(budget.acquire(ZALO, Lane.URGENT), Wait)
    assert budget.acquire(ZALO, Lane.REPLY, 500) == Granted(20)
    assert budget.acquire(ZALO, Lane.REPLY) == Wait(pytest.approx(0.1))
    assert budget.acquire(ZALO, Lane.BULK) == Wait(pytest.approx(6.1))


def test_buckets_of_providers_are_their_own(database: Database) -> None:
    one = Bucket(rate=1, burst=1)
    budget = Budget(database, {ZALO: one, ChannelName.MESSENGER: one}, clock=StoppedClock(START))
    assert budget.acquire(ZALO, Lane.REPLY) == Granted(1)
    assert budget.acquire(ChannelName.MESSENGER, Lane.REPLY) == Granted(1)
    assert isinstance(budget.acquire(ZALO, Lane.REPLY), Wait)


def test_slowing_down_stops_all_lanes_for_the_time(database: Database) -> None:
    clock = StoppedClock(START)
    budget = Budget(database, {ZALO: Bucket(rate=10, burst=10)}, clock=clock)
    budget.slow_down(ZALO, timedelta(seconds=30))
    budget.slow_down(ZALO, timedelta(seconds=5))
    assert budget.acquire(ZALO, Lane.REPLY) == Wait(pytest.approx(30))
    clock.forward(seconds=30)
    assert budget.acquire(ZALO, Lane.REPLY) == Granted(1)


def test_waiting_ends_with_leave_or_at_the_deadline(database: Database) -> None:
    clock = StoppedClock(START)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.forward(seconds=seconds)

    budget = Budget(database, {ZALO: Bucket(rate=2, burst=1)}, clock=clock, sleep=sleep)
    assert budget.acquire_within(ZALO, Lane.REPLY, timedelta(seconds=1)) == Granted(1)
    assert budget.acquire_within(ZALO, Lane.REPLY, timedelta(seconds=1)) == Granted(1)
    assert sum(slept) == pytest.approx(0.5, abs=0.02)
    assert isinstance(budget.acquire_within(ZALO, Lane.REPLY, timedelta(seconds=0.1)), Wait)
    assert sum(slept) == pytest.approx(0.5, abs=0.02)


def test_many_at_once_share_one_bucket(database: Database) -> None:
    """The database's own clock, six workers on two budgets, no bucket yet: together no more than the share."""
    rate, burst, workers, tries = 5.0, 40.0, 6, 60
    budgets = [Budget(database, {ZALO: Bucket(rate, burst)}) for _ in range(2)]
    counts = [0] * workers
    start = threading.Barrier(workers)

    def work(number: int) -> None:
        start.wait()
        for _ in range(tries):
            counts[number] += taken(budgets[number % 2].acquire(ZALO, Lane.REPLY))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(workers)]
    began = datetime.now(UTC)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    seconds = (datetime.now(UTC) - began).total_seconds()
    assert burst <= sum(counts) <= burst + rate * seconds
    with database.begin() as session:
        assert session.get_one(RateBudget, ZALO.value).available >= 0


def test_sizes_keep_zalos_minute_and_metas_second(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APP_ID", "APP_SECRET", "OA_SECRET_KEY", "OA_ID"):
        monkeypatch.setenv(f"ZALO_{name}", "x")
    for name in ("APP_SECRET", "VERIFY_TOKEN", "PAGE_ID", "PAGE_TOKEN"):
        monkeypatch.setenv(f"MESSENGER_{name}", "x")
    found = buckets(
        Settings(
            _env_file=None,
            secret_key="s" * 16,
            billing_url="http://127.0.0.1:1",
            service_url="http://127.0.0.1:1",
            backend_token="x",
        )
    )
    assert found[ZALO].burst + 60 * found[ZALO].rate == pytest.approx(3980)
    assert found[ChannelName.MESSENGER] == Bucket(rate=30, burst=30)


def test_a_clock_that_goes_back_and_forth_refills_nothing_twice(database: Database) -> None:
    clock = StoppedClock(START)
    budget = Budget(database, {ZALO: Bucket(rate=1, burst=5)}, clock=clock)
    assert budget.acquire(ZALO, Lane.REPLY, 5) == Granted(5)
    clock.forward(seconds=-10)
    assert isinstance(budget.acquire(ZALO, Lane.REPLY), Wait)
    clock.forward(seconds=10)
    assert isinstance(budget.acquire(ZALO, Lane.REPLY), Wait)


def test_what_is_worth_it_is_waited_for(database: Database) -> None:
    clock = StoppedClock(START)
    budget = Budget(database, {ZALO: Bucket(rate=10, burst=100)}, clock=clock)
    assert budget.acquire(ZALO, Lane.BULK, n=60, at_least=8) == Granted(40)
    assert budget.acquire(ZALO, Lane.BULK, n=60, at_least=8) == Wait(pytest.approx(0.8))
    clock.forward(seconds=0.7)
    assert budget.acquire(ZALO, Lane.BULK, n=60, at_least=8) == Wait(pytest.approx(0.1))
    clock.forward(seconds=0.1)
    assert budget.acquire(ZALO, Lane.BULK, n=60, at_least=8) == Granted(8)
    assert budget.acquire(ZALO, Lane.BULK, n=3, at_least=8) == Wait(pytest.approx(0.3))


def test_no_more_is_waited_for_than_the_lane_ever_gets(database: Database) -> None:
    budget = Budget(database, {ZALO: Bucket(rate=1, burst=5)}, clock=StoppedClock(START))
    assert budget.acquire(ZALO, Lane.BULK, n=60, at_least=8) == Granted(2)

"""How fast we may send: one token bucket per provider, shared by all processes through PostgreSQL.

A bucket fills at `rate` tokens a second up to `burst`; a call to the provider takes one. In any stretch of t seconds
no more than `rate · t + burst` are given out. Lanes share it in order: a lane may take only what lies above the part
of the burst kept for the lanes before it, so a reply finds tokens while a million notices wait.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from sqlalchemy import text

from bot.clock import Clock
from bot.messages import ChannelName
from bot.settings import Settings
from bot.store.database import Database
from bot.store.models import Lane

_SHORTEST_WAIT = 0.005

_TAKE = text(
    """
    WITH clock AS (
        SELECT coalesce(cast(:now AS timestamptz), clock_timestamp()) AS now,
               set_config('synchronous_commit', 'off', true)
    ), bucket AS (
        SELECT key, blocked_until, refilled_at, available FROM rate_budget WHERE key = :key FOR UPDATE
    ), filled AS (
        SELECT key, greatest(now, refilled_at) AS at,
               least(:burst, available + :rate * greatest(0, extract(epoch FROM now - refilled_at))) AS level,
               greatest(0, extract(epoch FROM blocked_until - now)) AS blocked
        FROM bucket, clock
    ), taken AS (
        SELECT key, at, level, coalesce(blocked, 0) AS blocked,
               CASE WHEN blocked > 0 OR floor(level - :reserve) < :at_least THEN 0
                    ELSE least(:n, floor(level - :reserve)) END AS count
        FROM filled
    )
    UPDATE rate_budget SET available = level - count, refilled_at = at
    FROM taken WHERE rate_budget.key = taken.key
    RETURNING cast(count AS integer), cast(level AS float8), cast(blocked AS float8)
    """
)
"""The clock is read before the row is locked, so it may lie before `refilled_at`: then nothing is refilled.

The commit does not wait for the disk, with the row locked: a server that crashes forgets a few tokens that were taken.
"""

_CREATE = text(
    """
    INSERT INTO rate_budget (key, available, refilled_at)
    VALUES (:key, :burst, coalesce(cast(:now AS timestamptz), clock_timestamp())) ON CONFLICT (key) DO NOTHING
    """
)

_BLOCK = text(
    """
    UPDATE rate_budget SET blocked_until = greatest(
        blocked_until, coalesce(cast(:now AS timestamptz), clock_timestamp()) + cast(:after AS interval)
    ) WHERE key = :key
    """
)


@dataclass(frozen=True)
class Granted:
    """Leave for `count` calls to the provider."""

    count: int


@dataclass(frozen=True)
class Wait:
    """Nothing to take now; worth asking again in `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Bucket:
    """`rate` in calls a second, `burst` in calls."""

    rate: float
    burst: float

    RESERVES: ClassVar[dict[Lane, float]] = {Lane.REPLY: 0, Lane.URGENT: 0.2, Lane.NOTICE: 0.4, Lane.BULK: 0.6}
    """Share of the burst that a lane leaves to those before it."""

    def reserve(self, lane: Lane) -> float:
        """Tokens the lane must leave; always less than burst - 1, so that every lane can go on."""
        return max(0.0, min(self.burst * self.RESERVES[lane], self.burst - 1))


class Budget:
    """The buckets of all providers. The database's clock counts, unless a clock is given (for tests)."""

    def __init__(
        self,
        database: Database,
        buckets: Mapping[ChannelName, Bucket],
        *,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._buckets = buckets
        self._clock = clock
        self._sleep = sleep

    def acquire(self, key: ChannelName, lane: Lane, n: int = 1, *, at_least: int = 1) -> Granted | Wait:
        """Leave for up to `n` calls at once, or how long to wait for `at_least` so many (or all that the lane ever
        gets at once). Never blocks on the budget itself.
        """
        bucket = self._buckets[key]
        at_least = max(1, min(at_least, n, int(bucket.burst - bucket.reserve(lane))))
        parameters = {
            "key": key.value,
            "now": self._clock() if self._clock else None,
            "rate": bucket.rate,
            "burst": bucket.burst,
            "reserve": bucket.reserve(lane),
            "n": n,
            "at_least": at_least,
        }
        with self._database.by_statement() as connection:
            row = connection.execute(_TAKE, parameters).one_or_none()
            if row is None:
                connection.execute(_CREATE, parameters)
                row = connection.execute(_TAKE, parameters).one()
        count, level, blocked = row
        if count:
            return Granted(count)
        missing = at_least + bucket.reserve(lane) - level
        return Wait(max(blocked, missing / bucket.rate, _SHORTEST_WAIT))

    def acquire_within(
        self, key: ChannelName, lane: Lane, timeout: timedelta, n: int = 1, *, at_least: int = 1
    ) -> Granted | Wait:
        """Like `acquire`, waiting up to `timeout`. A wait that is longer is not begun."""
        left = timeout.total_seconds()
        while True:
            answer = self.acquire(key, lane, n, at_least=at_least)
            if isinstance(answer, Granted) or answer.seconds > left:
                return answer
            self._sleep(answer.seconds)
            left -= answer.seconds

    def slow_down(self, key: ChannelName, after: timedelta) -> None:
        """Give out nothing for `after`: the provider said so. A longer pause already set stays."""
        bucket = self._buckets[key]
        now = self._clock() if self._clock else None
        with self._database.begin() as session:
            session.execute(_CREATE, {"key": key.value, "burst": bucket.burst, "now": now})
            session.execute(_BLOCK, {"key": key.value, "after": after, "now": now})


def buckets(settings: Settings) -> dict[ChannelName, Bucket]:
    """The bucket of every channel that is set up.

    Zalo counts requests a minute: a burst and a minute's refill together stay below its limit. Meta counts by seconds.
    """
    found = {}
    if settings.zalo:
        per_minute = settings.zalo.rate_per_minute
        found[ChannelName.ZALO] = Bucket(rate=0.975 * per_minute / 60, burst=max(1.0, 0.02 * per_minute))
    if settings.messenger:
        per_second = settings.messenger.rate_per_second
        found[ChannelName.MESSENGER] = Bucket(rate=per_second, burst=per_second)
    return found


def build_budget(settings: Settings, database: Database) -> Budget:
    return Budget(database, buckets(settings))

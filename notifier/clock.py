"""The clock: APScheduler ticks and enqueues, and never does the work itself.

Two clocks at once do no harm: a tick's job carries a queueing lock, so a second one of the same kind is refused, and
every job is written to be run twice.
"""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import FrameType
from typing import Any

from apscheduler.schedulers.blocking import BlockingScheduler
from procrastinate.exceptions import AlreadyEnqueued

from bot.logs import configure_logs, get_logger
from bot.messages import ChannelName
from bot.settings import Settings
from bot.store.database import Database
from bot.store.feeds import FEEDS
from bot.store.models import NOTICE_LANES
from bot.store.queue import enqueue

log = get_logger(__name__)


@dataclass(frozen=True)
class Tick:
    """A job of the workers and how often it is due."""

    task: str
    every: timedelta
    queue: str = "upkeep"
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of which only one waits at a time."""
        return ":".join([self.task, *self.arguments.values()])


TICKS = (
    Tick("rescue_stalled_jobs", timedelta(seconds=10)),
    Tick("rescue_lost_replies", timedelta(seconds=15)),
    Tick("park_forsaken_events", timedelta(minutes=1)),
    Tick("renew_tokens", timedelta(minutes=5)),
    Tick("return_quiet_conversations", timedelta(minutes=10)),
    Tick("watch_promises", timedelta(minutes=30)),
    Tick("queue_reviews", timedelta(minutes=1)),
    Tick("forget_old_data", timedelta(hours=1)),
    Tick("count_figures", timedelta(minutes=5)),
    *(Tick("poll_feed", timedelta(seconds=5), arguments={"feed": feed}) for feed in FEEDS),
    Tick("plan_notices", timedelta(seconds=2)),
    *(
        Tick("dispatch_notices", timedelta(seconds=2), queue=lane, arguments={"channel": channel, "lane": lane})
        for channel in ChannelName
        for lane in NOTICE_LANES
    ),
)


def run_notifier(settings: Settings, database_url: str) -> None:
    """Tick until SIGTERM or SIGINT."""
    configure_logs(settings.log_level, "notifier")
    database = Database(database_url, pool_size=2)
    scheduler = build_scheduler(database)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    scheduler.start()
    database.close()


def build_scheduler(database: Database) -> BlockingScheduler:
    scheduler = BlockingScheduler(timezone="UTC")
    for tick in TICKS:
        scheduler.add_job(
            _enqueuer(database, tick),
            "interval",
            seconds=tick.every.total_seconds(),
            id=tick.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    return scheduler


def _enqueuer(database: Database, tick: Tick) -> Callable[[], None]:
    def enqueue_tick() -> None:
        try:
            with database.begin() as session:
                enqueue(session, tick.task, queue=tick.queue, queueing_lock=tick.name, **tick.arguments)
        except AlreadyEnqueued:
            log.debug("tick_still_waiting", task=tick.name)
        except Exception:
            log.exception("tick_failed", task=tick.name)

    return enqueue_tick

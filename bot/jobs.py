"""The jobs that workers run (Procrastinate). Each is a few lines: load, call, say when to try again."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from bot.console import counting
from bot.dialogue.understanding import NluUnavailable
from bot.logs import configure_logs, get_logger
from bot.messages import ChannelName
from bot.metrics import NLU_FAILURES, PARKED_EVENTS
from bot.pipeline import doubts, promises
from bot.pipeline.assembly import Product, assemble
from bot.pipeline.stored import NothingToHandle, understand
from bot.pipeline.turns import Conflict, Event, enqueue_sending
from bot.settings import Settings
from bot.store import deliveries, events, handovers, ledger, retention
from bot.store.database import Database
from bot.store.models import NOTICE_LANES, EventStatus, InboundEvent, Lane
from bot.store.queue import enqueue

QUEUES = ("reply", *NOTICE_LANES, "upkeep")
EVENT_PAUSES = (1, 2, 4, 8, 15)
"""Seconds before each new try of an event. All later events of the same conversation wait meanwhile."""
POLL_SECONDS = 0.05
"""Workers look for jobs themselves: a notification with each job would make commits wait for each other (0003)."""
LOOK_SECONDS = 0.25
"""Between two looks for events without a job (bot/pipeline/waiting.py), when there are few."""
STALLED_AFTER_SECONDS = 30
KEEP_FINISHED_JOBS_HOURS = 24
MAX_RESCUED_ATTEMPTS = 8
"""A job that was under way when so many workers died is likely what kills them."""
LOST_AFTER = timedelta(seconds=60)
MOST_SLICES = 100
FORSAKEN_AFTER = timedelta(minutes=3)
"""Longer than all retries of an event."""

log = get_logger(__name__)


class BriefRetries(BaseRetryStrategy):
    """A bounded number of tries within seconds; Conflict is tried again at once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts >= len(EVENT_PAUSES):
            return None
        pause = 0 if isinstance(exception, Conflict) else EVENT_PAUSES[job.attempts]
        return RetryDecision(retry_in={"seconds": pause})


RETRIES = BriefRetries()


def build_worker_app(product: Product) -> App:
    """The Procrastinate app with all tasks bound to `product`."""
    app = App(
        connector=PsycopgConnector(
            conninfo=product.database.url, min_size=1, max_size=product.settings.worker_concurrency + 2
        )
    )

    @app.task(name="handle_event", retry=RETRIES, pass_context=True)
    def handle_event(context: JobContext, event_id: int) -> None:
        _handle_event(product, event_id, attempts=context.job.attempts)

    @app.task(name="send_replies", retry=RETRIES)
    def send_replies(contact_id: int) -> None:
        product.sender.send_all(contact_id)

    @app.task(name="rescue_stalled_jobs")
    async def rescue_stalled_jobs() -> None:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
            await _rescue(app.job_manager, job)
        await app.job_manager.prune_stalled_workers(STALLED_AFTER_SECONDS)

    @app.task(name="rescue_lost_replies")
    def rescue_lost_replies() -> None:
        now = product.clock()
        with product.database.begin() as session:
            ledger.expire(session, now)
            freed = deliveries.expire_leases(session, now)
            waiting = deliveries.contacts_with_due_replies(session, now, older_than=now - LOST_AFTER, limit=500)
            for contact_id in {*freed, *waiting}:
                enqueue_sending(session, contact_id)

    @app.task(name="park_forsaken_events")
    def park_forsaken_events() -> None:
        with product.database.begin() as session:
            parked = events.park_forsaken(session, received_before=product.clock() - FORSAKEN_AFTER)
        for event_id, channel in parked:
            log.error("event_parked", event_id=event_id, channel=channel, error="no job left")
            PARKED_EVENTS.labels(channel).inc()

    @app.task(name="renew_tokens")
    def renew_tokens() -> None:
        for channel in product.channels.values():
            channel.keep_credentials()

    @app.task(name="return_quiet_conversations")
    def return_quiet_conversations() -> None:
        now = product.clock()
        quiet_since = now - timedelta(hours=product.company.staff.hand_back_after_hours)
        with product.database.begin() as session:
            handovers.return_quiet(session, quiet_since=quiet_since, at=now)

    @app.task(name="watch_promises")
    def watch_promises() -> None:
        promises.watch(product.database, product.hours, product.deadlines, product.clock())

    @app.task(name="count_figures")
    def count_figures() -> None:
        kept = timedelta(days=product.company.retention.message_days)
        counting.count_due(product.database, product.settings.zone, product.clock(), words_kept=kept)
        counting.name_areas(product.database, product.service)

    @app.task(name="queue_reviews")
    def queue_reviews() -> None:
        doubts.queue_reviews(product.database, product.company.understanding, product.clock())

    @app.task(name="forget_old_data")
    async def forget_old_data() -> None:
        await app.job_manager.delete_old_jobs(
            nb_hours=KEEP_FINISHED_JOBS_HOURS, include_failed=False, include_cancelled=True, include_aborted=True
        )
        now = product.clock()
        await asyncio.to_thread(_forget, product, now)

    _add_notice_tasks(app, product)
    return app


async def _rescue(jobs: JobManager, job: Job) -> None:
    """Put back a job whose worker died; one of which its like waits already is over, and one that kills is given up."""
    if job.attempts >= MAX_RESCUED_ATTEMPTS:
        log.error("job_given_up", job=job.id, task=job.task_name)
        await jobs.finish_job(job, Status.FAILED, delete_job=False)
        return
    log.warning("job_rescued", job=job.id, task=job.task_name)
    try:
        await jobs.retry_job(job, retry_at=datetime.now(UTC))
    except UniqueViolation:
        await jobs.finish_job(job, Status.FAILED, delete_job=True)


def _add_notice_tasks(app: App, product: Product) -> None:
    """What the company writes first: read, planned, sent."""

    @app.task(name="poll_feed")
    def poll_feed(feed: str) -> None:
        product.feeds.drain(feed)
        plan_notices()

    @app.task(name="plan_notices")
    def plan_notices() -> None:
        for notice_id, lane in product.planner.audiences_due():
            lock = f"plan_audience:{notice_id}"
            with suppress(AlreadyEnqueued), product.database.begin() as session:
                enqueue(session, "plan_audience", queue=lane, lock=lock, queueing_lock=lock, notice_id=notice_id)
        product.planner.plan_accounts_due()

    @app.task(name="plan_audience", retry=RETRIES)
    def plan_audience(notice_id: int) -> None:
        product.planner.plan_audience(notice_id)

    @app.task(name="dispatch_notices")
    def dispatch_notices(channel: str, lane: str) -> None:
        if ChannelName(channel) in product.channels and product.dispatcher.send_due(ChannelName(channel), Lane(lane)):
            name = f"dispatch_notices:{channel}:{lane}"
            with suppress(AlreadyEnqueued), product.database.begin() as session:
                enqueue(session, "dispatch_notices", queue=lane, queueing_lock=name, channel=channel, lane=lane)


async def work(product: Product) -> None:
    """Run jobs, and handle events that have none, until SIGTERM or SIGINT, or until cancelled.

    Those under way are finished first.
    """
    app = build_worker_app(product)
    async with app.open_async(), _looking_for_events(product):
        await app.run_worker_async(
            queues=list(QUEUES),
            concurrency=product.settings.worker_concurrency,
            delete_jobs="successful",
            fetch_job_polling_interval=POLL_SECONDS,
            listen_notify=False,
            shutdown_graceful_timeout=8.0,
            update_heartbeat_interval=5.0,
            stalled_worker_timeout=float(STALLED_AFTER_SECONDS),
        )


@asynccontextmanager
async def _looking_for_events(product: Product) -> AsyncIterator[None]:
    """Meanwhile, in a thread of its own that no job takes away."""
    ending = asyncio.Event()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="events") as thread:
        looking = asyncio.create_task(_look_for_events(product, ending, thread))
        try:
            yield
        finally:
            ending.set()
            await looking


async def _look_for_events(product: Product, ending: asyncio.Event, thread: ThreadPoolExecutor) -> None:
    """A failure, such as of the database, is logged and tried again."""
    loop = asyncio.get_running_loop()
    while not ending.is_set():
        more = False
        try:
            more = await loop.run_in_executor(thread, product.waiting.handle_due)
        except Exception as error:
            log.exception("events_not_handled", error=type(error).__name__)
        if not more:
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), LOOK_SECONDS)


def run_worker(settings: Settings, database_url: str) -> None:
    """The worker as a process."""
    configure_logs(settings.log_level, "worker")
    database = Database(database_url, pool_size=settings.worker_concurrency + 3)
    asyncio.run(work(assemble(settings, database)))


def _handle_event(product: Product, event_id: int, *, attempts: int) -> None:
    event = _load_event(product, event_id)
    if event is None:
        return
    try:
        product.turns.handle(event)
    except Exception as error:
        if isinstance(error, NluUnavailable):
            NLU_FAILURES.inc()
            if attempts == 0:
                product.turns.ask_for_patience(event)
        if attempts < len(EVENT_PAUSES):
            raise
        product.turns.give_up(event, type(error).__name__)
        _note_parked(event, error)


def _forget(product: Product, now: datetime) -> None:
    kept = product.company.retention
    with product.database.begin() as session:
        retention.forget(session, now=now, events_before=now - timedelta(days=kept.inbound_event_days))
    for days, parts in (
        (kept.attachment_days, retention.WITH_ATTACHMENTS),
        (kept.message_days, retention.WITH_MESSAGES),
    ):
        for forget_part in parts:
            _forget_in_slices(product.database, forget_part, now - timedelta(days=days))


def _forget_in_slices(database: Database, forget_part: retention.Forget, before: datetime) -> None:
    """A bounded number of short transactions; the next hour goes on."""
    for _ in range(MOST_SLICES):
        with database.begin() as session:
            if not forget_part(session, before):
                return


def _note_parked(event: Event, error: Exception) -> None:
    """The event is given up and kept for people to look at."""
    log.error("event_parked", event_id=event.id, channel=event.channel, error=type(error).__name__, exc_info=error)
    PARKED_EVENTS.labels(event.channel).inc()


def _load_event(product: Product, event_id: int) -> Event | None:
    """The event, unless it is finished."""
    with product.database.begin() as session:
        row = session.get(InboundEvent, event_id)
    if row is None or row.status != EventStatus.RECEIVED:
        return None
    try:
        return understand(row, product.settings, product.channels)
    except NothingToHandle as why:
        with product.database.begin() as session:
            events.finish(session, event_id, EventStatus.IGNORED, error=str(why))
        return None

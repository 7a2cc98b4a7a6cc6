"""Notices at scale: planning an audience of a million, the engine alone, the urgent lane, the provider's own limit.

Each part has a database of its own on the bench's server; nothing of the rest of the product runs meanwhile.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import make_url, text

from bot.channels.budget import Budget, Granted, build_budget
from bot.messages import OutMessage
from bot.settings import load_settings
from bot.store import ledger
from bot.store.database import Database
from bot.store.embedded import create_database
from bot.store.migrate import migrate
from bot.store.models import Lane
from tests.load import audience, engine
from tests.load.report import Report, Row, percentile, spread
from tests.load.stack import Stack

PLANNING = "Notices: planning one for an audience (people known, one link each)"
ENGINE = "Notices: the engine alone, to a provider that takes all at once, no limit"
URGENT = "Notices: urgent ones to the same provider"
LIMIT_PER_MINUTE = 4_000
LIMIT = f"Notices: bulk at Zalo's limit of {LIMIT_PER_MINUTE:,} calls a minute, through the sandbox's Zalo"
CLAIM = "Notices: claiming 200 that are due among many that are over"

BAR_RSS_BYTES = 250 * 10**6
BAR_MILLION_SECONDS = 120.0
BAR_PER_SECOND = 800.0
BAR_FLAT = 1.5
URGENT_COUNT = 5_000
URGENT_SECONDS = 10
BAR_URGENT = 0.95
BAR_SHARE = 0.97
BAR_REPLY_SECONDS = 2.0
REPLIES_PER_SECOND = 1
WARM_UP_SECONDS = 3
CLAIM_LIMIT = 200
BAR_PAGES = 5


def measure_planning(stack: Stack, report: Report, sizes: tuple[int, ...]) -> None:
    """The same notice to ever more people; the cost of a row must not rise with their number."""
    with own_database(stack, "planning") as database:
        known, first = 0, 0.0
        for number, size in enumerate(sizes, start=1):
            audience.bring_in(database, known + 1, size)
            known = size
            notice_id = audience.publish(database, audience.cut(number))
            done = engine.Planned(**engine.run("plan", database.url, notice_id, size))
            planned = _count(database, f"notice_id = {notice_id}")
            cost = done.seconds / size
            first = first or cost
            rise = cost / first
            name = f"{size:,} people"
            million = size >= 1_000_000
            report.add(
                PLANNING,
                Row(
                    name,
                    f"{done.seconds:.1f} s, {size / done.seconds:,.0f} rows/s",
                    f"≤ {BAR_MILLION_SECONDS:.0f} s" if million else "",
                    done.seconds <= BAR_MILLION_SECONDS if million else None,
                ),
                Row("  planned, each once", f"{planned:,}", "all", planned == size),
                Row("  a row against one of the smallest", f"{rise:.2f} ×", f"≤ {BAR_FLAT} ×", rise <= BAR_FLAT),
                Row(
                    "  memory of the process at most",
                    f"{done.rss_bytes / 10**6:.0f} MB",
                    f"≤ {BAR_RSS_BYTES / 10**6:.0f} MB",
                    done.rss_bytes <= BAR_RSS_BYTES,
                ),
            )


def measure_engine(stack: Stack, report: Report, *, count: int) -> None:
    """Claim, decide, word, mark, hand over, settle: by one process."""
    with own_database(stack, "engine") as database:
        _plan(database, count)
        before = stack.cpu_seconds()["postgresql"]
        done = engine.Handed(**engine.run("send", database.url, Lane.NOTICE, 600))
        server = stack.cpu_seconds()["postgresql"] - before
        pace = done.count / done.seconds
        sent = _count(database, "status = 'sent'")
        whole = done.count == sent == count
    report.add(
        ENGINE,
        Row("deliveries a second of one process", f"{pace:,.0f}", f"≥ {BAR_PER_SECOND:.0f}", pace >= BAR_PER_SECOND),
        Row("handed over and written down, each once", f"{done.count:,} and {sent:,}", f"{count:,}", whole),
        Row("CPU of a delivery: the process", f"{1000 * done.cpu_seconds / done.count:.2f} ms"),
        Row("CPU of a delivery: PostgreSQL", f"{1000 * server / done.count:.2f} ms"),
    )


def measure_urgent(stack: Stack, report: Report) -> None:
    """From planned to handed over, by one process."""
    with own_database(stack, "urgent") as database:
        _plan(database, URGENT_COUNT, kind="outage_changed")
        done = engine.Handed(**engine.run("send", database.url, Lane.URGENT, 60))
    share = sum(done.within[:URGENT_SECONDS]) / URGENT_COUNT
    report.add(
        URGENT,
        Row(
            f"of {URGENT_COUNT:,}, handed over within {URGENT_SECONDS} s",
            f"{share:.1%}",
            f"≥ {BAR_URGENT:.0%}",
            share >= BAR_URGENT,
        ),
        Row("all handed over after", f"{done.seconds:.1f} s"),
    )


def measure_limit(stack: Stack, report: Report, *, seconds: int) -> None:
    """Bulk by one process as fast as the provider allows, and a chat reply a second beside it."""
    people = LIMIT_PER_MINUTE * (seconds + 20) // 60
    with own_database(stack, "limit") as database, _limited_to(LIMIT_PER_MINUTE):
        _plan(database, people)
        with database.begin() as session:
            session.execute(text("UPDATE delivery SET lane = 'bulk'"))
        stack.start_crowd(people)
        settings = load_settings()
        channel, budget = engine.Watched(settings, database), build_budget(settings, database)
        channel.check()
        with ThreadPoolExecutor(1) as thread:
            bulk = thread.submit(engine.run, "limited", database.url, Lane.BULK, seconds + WARM_UP_SECONDS + 1)
            waits = _replies(channel, budget, until=bulk.done)
            done = engine.Handed(**bulk.result())
        stack.stop("crowd")
    began = WARM_UP_SECONDS
    used = (sum(done.within[began : began + seconds]) + seconds * REPLIES_PER_SECOND) * 60
    share, refused, p95 = used / (LIMIT_PER_MINUTE * seconds), done.refused + channel.refused, percentile(waits, 0.95)
    report.add(
        LIMIT,
        Row(f"of the limit, used in {seconds} s", f"{share:.1%}", f"≥ {BAR_SHARE:.0%}", share >= BAR_SHARE),
        Row("answers that it was too much", str(refused), "0", refused == 0),
        Row(
            f"a chat reply meanwhile ({REPLIES_PER_SECOND}/s): p50 / p95 / p99 / max",
            spread(waits),
            f"p95 ≤ {BAR_REPLY_SECONDS:.0f} s",
            p95 <= BAR_REPLY_SECONDS,
        ),
        Row("  of the process: one core", f"{done.cpu_seconds / done.seconds:.0%}"),
    )


def _replies(channel: engine.Watched, budget: Budget, *, until: Callable[[], bool]) -> list[float]:
    """Seconds from when each was due to when the provider had taken it."""
    waits: list[float] = []
    start = time.monotonic()
    while not until():
        due = start + len(waits) / REPLIES_PER_SECOND
        time.sleep(max(0.0, due - time.monotonic()))
        leave = budget.acquire_within(channel.name, Lane.REPLY, timedelta(seconds=30))
        assert isinstance(leave, Granted)
        message = OutMessage(text="Dạ, em nghe.")
        channel.send(audience.user_of(1), message, delivery_key=f"reply-{len(waits)}", picture=None)
        waits.append(time.monotonic() - due)
    return waits


@contextmanager
def _limited_to(per_minute: int) -> Iterator[None]:
    """The settings say so, here and in processes that are started."""
    before = os.environ["ZALO_RATE_PER_MINUTE"]
    os.environ["ZALO_RATE_PER_MINUTE"] = str(per_minute)
    try:
        yield
    finally:
        os.environ["ZALO_RATE_PER_MINUTE"] = before


def measure_claim(stack: Stack, report: Report, *, finished: int, due: int) -> None:
    """The plan of the claim's query as PostgreSQL carries it out, among `finished` deliveries and `due` others."""
    with own_database(stack, "claim") as database:
        audience.bring_in(database, 1, due)
        notice_id = audience.publish(database, audience.cut(1))
        with database.begin() as session:
            for status, count in (("sent", finished), ("pending", due)):
                session.execute(text(_ROWS), {"notice": notice_id, "status": status, "count": count, "people": due})
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE) delivery")
        with database.begin() as session:
            now = datetime.now(UTC)
            given = {"channel": "zalo", "lane": Lane.NOTICE, "now": now, "lease": now, "limit": CLAIM_LIMIT}
            explain = text(f"EXPLAIN (ANALYZE, BUFFERS) {ledger._CLAIM.text}")
            plan = "\n".join(session.scalars(explain, given))
    by_index = "Index Scan using ix_delivery_due" in plan and "Seq Scan" not in plan
    seconds = float(re.findall(r"Execution Time: ([\d.]+)", plan)[0])
    read = int(re.findall(r"LockRows .*?\n\s+Buffers: shared hit=(\d+)", plan, re.DOTALL)[0])
    touched = read / CLAIM_LIMIT
    report.add(
        CLAIM,
        Row(f"{finished:,} over, {due:,} due", f"{seconds:.1f} ms"),
        Row("by the index of what is due, up to the limit", "yes" if by_index else "no", "yes", by_index),
        Row("pages touched to find and lock one", f"{touched:.1f}", f"≤ {BAR_PAGES}", touched <= BAR_PAGES),
    )
    report.note(CLAIM, plan)


_ROWS = """
    INSERT INTO delivery (key, channel, contact_id, notice_id, lane, content, status, not_before, sent_at)
    SELECT 'bench-' || CAST(:status AS text) || n, 'zalo', 1 + n % :people, :notice, 'notice', '{}', :status,
           now() - interval '1 hour', CASE WHEN :status = 'sent' THEN now() - interval '2 days' END
    FROM generate_series(1, CAST(:count AS bigint)) AS n
"""


@contextmanager
def own_database(stack: Stack, name: str) -> Iterator[Database]:
    """An empty database of the bench's server, dropped at the end."""
    server = make_url(stack.database_url)
    admin = server.set(database="postgres").render_as_string(hide_password=False)
    create_database(admin, f"notices_{name}")
    database = Database(server.set(database=f"notices_{name}").render_as_string(hide_password=False))
    migrate(database)
    try:
        yield database
    finally:
        database.close()
        with stack.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"DROP DATABASE notices_{name} WITH (FORCE)")


def _plan(database: Database, count: int, kind: str = "outage_planned") -> int:
    audience.bring_in(database, 1, count)
    notice_id = audience.publish(database, audience.cut(1))
    with database.begin() as session:
        session.execute(text("UPDATE notice SET kind = :kind"), {"kind": kind})
    engine.run("plan", database.url, notice_id, count)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE) delivery")
    return notice_id


def _count(database: Database, where: str) -> int:
    with database.begin() as session:
        return session.scalar(text(f"SELECT count(*) FROM delivery WHERE {where}")) or 0

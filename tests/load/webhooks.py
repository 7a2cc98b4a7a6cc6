"""The gateway under 200 events a second, beside what the same machine does at the same rate without us.

Latency counts from the moment at which a request was due, so a server that stalls does not hide behind a client that
waits for it.
"""

import time
from collections.abc import Iterator, Sequence

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import func, select, text

from bot.store.models import InboundEvent
from tests.load import client
from tests.load.customers import send_before
from tests.load.report import Report, Row, percentile, shares, spread
from tests.load.stack import Stack
from tests.load.traffic import People, Platforms, Traffic, get

RATE = 200.0
BAR_P99_SECONDS = 0.1
SECTION = f"Webhooks, {RATE:.0f} events/s in open loop (p50 / p95 / p99 / max)"
PLACES = "/healthz", "bare INSERT + commit"


def measure_baselines(stack: Stack, report: Report, *, seconds: float) -> float:
    """The same rate of /healthz, then of bare inserts. Returns the sum of both p99 in seconds."""
    due = [number / RATE for number in range(int(RATE * seconds))]
    health = _run(stack, [get(f"{stack.settings.host}:{stack.settings.port}", "/healthz")] * len(due), due)
    inserts = _insert(stack, due)
    report.add(
        SECTION,
        Row("baseline: /healthz of the same server", spread(health.seconds)),
        Row("baseline: a bare INSERT and commit each", spread(inserts)),
    )
    return percentile(health.seconds, 0.99) + percentile(inserts, 0.99)


def measure(
    stack: Stack,
    report: Report,
    people: People,
    texts: Iterator[str],
    *,
    name: str,
    seconds: float,
    baseline: float,
    barred: bool,
) -> None:
    """`barred`: the bar on p99 holds for this run."""
    sent = send_before(stack, name, int(RATE * seconds * 0.3))
    platforms = Platforms(stack.settings, name, int(time.time() * 1000))
    traffic = platforms.mixed(rate=RATE, seconds=seconds, people=people, sent=sent, texts=texts)
    before = stack.cpu_seconds()
    log = _run(stack, traffic.requests, traffic.due)
    after = stack.cpu_seconds()
    stored = _stored(stack, traffic)
    p99 = percentile(log.seconds, 0.99)
    report.add(
        SECTION,
        Row(name, spread(log.seconds), "p99 ≤ 100 ms" if barred else "", p99 <= BAR_P99_SECONDS if barred else None),
        Row("  p99 against both baselines together", f"{p99 / baseline:.1f} ×"),
        Row(
            "  stored, of events sent (repeats not counted)",
            f"{stored} of {len(traffic.keys)}",
            "all, once",
            stored == len(traffic.keys),
        ),
        Row("  answers other than 200", str(log.refused or 0), "0", not log.refused),
        Row("  jobs left for the workers", str(_waiting(stack))),
        Row("  of one core", shares(before, after, log.took_seconds)),
        Row("  the client itself", f"{100 * log.cpu_seconds / log.took_seconds:.0f} % of one core"),
    )


def forget_jobs(stack: Stack) -> None:
    """Leave the workers nothing of a run in which there were none."""
    with stack.database.begin() as session:
        session.execute(text("TRUNCATE procrastinate_jobs CASCADE"))
        session.execute(text("UPDATE inbound_event SET handle_from = NULL WHERE status = 'received'"))


def _run(stack: Stack, requests: Sequence[bytes], due: Sequence[float]) -> client.Log:
    return client.run(stack.settings.host, stack.settings.port, client.Order(requests, due))


def _insert(stack: Stack, due: Sequence[float]) -> list[float]:
    """One connection, one row and one commit at a time, each when it is due."""
    took = []
    payload = Jsonb({"event_name": "user_send_text", "message": {"text": "tiền điện tháng này " * 15}})
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_event (LIKE inbound_event INCLUDING ALL)")
        start = time.monotonic() + 0.1
        for number, offset in enumerate(due):
            if (wait := start + offset - time.monotonic()) > 0:
                time.sleep(wait)
            connection.execute(
                "INSERT INTO bench_event (channel, key, name, payload) VALUES ('zalo', %s, 'user_send_text', %s)",
                (str(number), payload),
            )
            took.append(time.monotonic() - start - offset)
        connection.execute("DROP TABLE bench_event")
    return took


def _stored(stack: Stack, traffic: Traffic) -> int:
    with stack.database.begin() as session:
        keys = select(func.count()).select_from(InboundEvent).where(InboundEvent.key.in_(sorted(traffic.keys)))
        return session.scalar(keys) or 0


def _waiting(stack: Stack) -> int:
    with stack.database.begin() as session:
        return session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")) or 0

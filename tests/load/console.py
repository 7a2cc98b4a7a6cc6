"""The pages of the staff over millions of messages: how long each takes, how large it is, what the search's plan is."""

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random

from flask.testing import FlaskClient
from sqlalchemy import text

from bot.app import create_app
from bot.console.factors import hash_password
from bot.console.paging import PAGE
from bot.store import staff
from bot.store.database import Database
from bot.store.models import Role
from bot.store.threads import Wanted, lines_wanted
from nlu.corpus import read
from tests.load.notices import own_database
from tests.load.report import Report, Row, ms, percentile, spread
from tests.load.stack import Stack

SECTION = "The console"
BAR_SECONDS = 0.3
BAR_BYTES = 150 * 1024
LINES_OF_ONE = 25
"""Messages of a conversation, on average."""
TEXTS = 4_000
AT_A_TIME = 500_000
ROUNDS = 4
PASSWORD = "mot-con-duong-qua-doi-che"

_PEOPLE = """
    INSERT INTO contact (channel, channel_user_id, display_name)
    SELECT CASE WHEN n % 4 = 0 THEN 'messenger' ELSE 'zalo' END, n::text, 'Khách ' || n
    FROM generate_series(1, CAST(:people AS bigint)) AS n
"""
_CONVERSATIONS = """
    INSERT INTO conversation (contact_id, last_message_at, owner)
    SELECT id, now() - (id % 300) * interval '1 day' - id * interval '1 second',
        CASE WHEN id % 1000 = 0 THEN 'waiting' ELSE 'bot' END FROM contact
"""
_LINES = """
    INSERT INTO message (conversation_id, sender, kind, text, intent, confidence, handled_by, understanding, created_at)
    SELECT 1 + (n * 7919) % :people,
        CASE WHEN n % 2 = 0 THEN 'bot' ELSE 'customer' END, 'text',
        said.text || CASE WHEN n % 5 = 0 THEN ' PA04DH' || lpad((n * 31 % 10000000)::text, 7, '0') ELSE '' END,
        CASE WHEN n % 2 = 1 THEN said.intent END,
        CASE WHEN n % 2 = 1 THEN 0.2 + (n * 17 % 80) / 100.0 END,
        CASE WHEN n % 2 = 1 THEN CASE WHEN n % 61 = 0 THEN 'fallback' ELSE said.intent END END,
        CASE WHEN n % 2 = 1 THEN jsonb_build_object('entities', '[]'::jsonb) END,
        now() - (:messages - n) * interval '6 seconds'
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
    JOIN said ON said.id = 1 + (n * 104729) % :texts
"""


def measure(stack: Stack, report: Report, *, messages: int) -> None:
    """Through the whole page, as it is rendered, in one process and without a network."""
    with own_database(stack, "console") as database:
        seconds = _fill(database, messages)
        client = _signed_in(stack, database)
        report.add(
            SECTION,
            Row(f"{messages:,} messages brought in, with their search; then its index", f"{seconds:.0f} s"),
            Row("size of the messages; of the index", _sizes(database)),
        )
        for name, paths in _pages(database, Random(7)).items():
            _measure_pages(report, client, name, paths)
        report.note(SECTION, _plans(database))


def _measure_pages(report: Report, client: FlaskClient, name: str, paths: Sequence[str]) -> None:
    took, sizes = [], []
    client.get(paths[0])
    for path in [*paths] * ROUNDS:
        began = time.monotonic()
        answer = client.get(path)
        took.append(time.monotonic() - began)
        sizes.append(len(answer.data))
        assert answer.status_code == 200, (path, answer.status_code)
    p95 = percentile(took, 0.95)
    report.add(
        SECTION,
        Row(
            f"{name}: p50 / p95 / p99 / max of {len(took)}",
            spread(took),
            f"p95 ≤ {ms(BAR_SECONDS)}",
            p95 <= BAR_SECONDS,
        ),
        Row("  largest page", f"{max(sizes) / 1024:.0f} KB", "≤ 150 KB", max(sizes) <= BAR_BYTES),
    )


def _pages(database: Database, random: Random) -> dict[str, list[str]]:
    """Words that nearly everybody says, that few say, that nobody says, together and with each filter."""
    common = ["tien dien", "mất điện", "dien", "bao nhieu", "hoa don thang nay", "cho hoi"]
    rare = [f"PA04DH{random.randrange(10**7):07d}" for _ in range(4)] + ["khong-co-tu-nay", "bien ap no", "vietqr"]
    mixed = ["tien bien ap", "dien -mat", '"cat dien"', "trung the", "cong to chay nhanh"]
    filters = [
        "intent=outage_report",
        "intent=service_move_meter",
        "fallback=1",
        "unsure=1",
        "sender=customer&q=dien",
        "channel=messenger&q=tien",
        "q=dien&since=2026-02-01&until=2026-03-01",
        "intent=bill_lookup&unsure=1&q=thang",
    ]
    with database.begin() as session:
        newest = session.scalar(text("SELECT max(id) FROM message")) or 0
    deep = [f"q=tien+dien&before={newest // part}" for part in (2, 10, 100)]
    queries = [f"q={word.replace(' ', '+')}" for word in [*common, *rare, *mixed]] + filters + deep
    return {
        "search": [f"/console/log?{query}" for query in queries],
        "conversations": ["/console/log", "/console/log?owner=waiting", "/console/log?channel=messenger"],
        "one conversation": [f"/console/log/{number}" for number in (1, 77, 4_001, 6_000)],
        "who waits; the audit": ["/console/waiting", "/console/audit"],
    }


def _fill(database: Database, messages: int) -> float:
    """Seconds it took."""
    people, began = messages // LINES_OF_ONE, time.monotonic()
    with database.begin() as session:
        session.execute(text("DROP INDEX ix_message_search"))
        session.execute(text("CREATE TABLE said (id bigint PRIMARY KEY, text text, intent text)"))
        rows = [{"id": number, "text": said, "intent": intent} for number, (said, intent) in enumerate(_said(), 1)]
        session.execute(text("INSERT INTO said VALUES (:id, :text, :intent)"), rows)
        session.execute(text(_PEOPLE), {"people": people})
        session.execute(text(_CONVERSATIONS))
    for first in range(1, messages + 1, AT_A_TIME):
        with database.begin() as session:
            last = min(first + AT_A_TIME - 1, messages)
            given = {"first": first, "last": last, "people": people, "texts": TEXTS, "messages": messages}
            session.execute(text(_LINES), given)
    with database.begin() as session:
        session.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        session.execute(text("CREATE INDEX ix_message_search ON message USING gin (search)"))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE) message, contact, conversation")
    return time.monotonic() - began


def _said() -> Iterator[tuple[str, str]]:
    """What people say, of all kinds."""
    for example in Random(3).sample(list(read()), TEXTS):
        yield example.text, example.intent


def _signed_in(stack: Stack, database: Database) -> FlaskClient:
    with database.begin() as session:
        member = staff.add(
            session,
            login="bench",
            name="Bench",
            roles=list(Role),
            password_hash=hash_password(PASSWORD),
            by="bench",
            at=datetime.now(UTC),
        )
        member.must_change_password = False
    client = create_app(stack.settings, database).test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/console/sign-in").text)
    assert token
    form = {"login": "bench", "password": PASSWORD, "csrf_token": token[1]}
    assert client.post("/console/sign-in", data=form).status_code == 302
    return client


def _sizes(database: Database) -> str:
    with database.begin() as session:
        sizes = session.execute(
            text(
                "SELECT pg_size_pretty(pg_table_size('message')), pg_size_pretty(pg_relation_size('ix_message_search'))"
            )
        ).one()
    return "; ".join(sizes)


def _plans(database: Database) -> str:
    """Of a rare word and of a common one."""
    lines = []
    for words in ("PA04DH0000031", "tien dien"):
        with database.begin() as session:
            query = lines_wanted(session, Wanted(words=words), before=None, limit=PAGE + 1)
            plain = query.compile(database.engine)
            plan = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {plain}", plain.params)
            lines += [f"{words}:", *plan.scalars()]
    return "\n".join(lines)

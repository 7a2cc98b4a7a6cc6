"""A million people for the bench of notices: contacts, conversations, links and consents made by SQL alone, and one
notice of a planned cut that reaches all of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from actions.backends.models import Debt, Outage, OutageKnown
from bot.notice_kinds import load_notice_kinds
from bot.store.database import Database
from bot.store.models import Notice
from notifier.changes import Intake
from notifier.drafts import Drafting, LeadTimes
from notifier.planner import Page

DATA = Path(__file__).parents[2] / "data"
KINDS = load_notice_kinds(DATA / "notices.yml")
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
_PEOPLE = (
    """
    INSERT INTO contact (channel, channel_user_id, last_inbound_at)
    SELECT :channel, (3000000000000000000 + n)::text, now() FROM generate_series(CAST(:first AS bigint), :last) AS n
    """,
    "INSERT INTO conversation (contact_id) SELECT id FROM contact WHERE id > :known",
    """
    INSERT INTO link (contact_id, customer_code, method, verified_at)
    SELECT id, 'PB' || lpad((channel_user_id::bigint - 3000000000000000000)::text, 9, '0'), 'otp', now()
    FROM contact WHERE id > :known
    """,
    """
    INSERT INTO consent (contact_id, purpose, granted, text_version, at)
    SELECT id, 'account', true, 'bench', now() FROM contact WHERE id > :known
    """,
)
_LEFT = timedelta(days=3)
_NO_LEAD = LeadTimes((), (), ())


def bring_in(database: Database, first: int, last: int, *, channel: str = "zalo") -> None:
    """People number `first` to `last`, each with one linked code: `code_of` their number."""
    with database.begin() as session:
        known = session.scalar(text("SELECT coalesce(max(id), 0) FROM contact"))
        for statement in _PEOPLE:
            session.execute(text(statement), {"first": first, "last": last, "known": known, "channel": channel})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE) contact, conversation, link, consent")


def code_of(number: int) -> str:
    return f"PB{number:09d}"


def user_of(number: int) -> str:
    """The id at the platform of the person of this number."""
    return str(3_000_000_000_000_000_000 + number)


class Pages:
    """The codes of people 1 to `last`, page by page, as a backend would give them."""

    def __init__(self, last: int) -> None:
        self._last = last

    def __call__(self, query: Mapping[str, Any], after: str | None, limit: int) -> Page:
        begin = int(after[2:]) + 1 if after else 1
        end = min(begin + limit - 1, self._last)
        return Page([code_of(number) for number in range(begin, end + 1)], code_of(end) if end < self._last else None)


def cut(number: int) -> Outage:
    now = datetime.now(UTC).replace(microsecond=0)
    return Outage(
        id=f"KH-{number}",
        version=1,
        kind="planned",
        state="planned",
        start=now + _LEFT,
        expected_end=now + _LEFT + timedelta(hours=4),
        actual_end=None,
        area_text="Phường Phan Đình Phùng: tổ 1 đến tổ 24; phường Gia Sàng: tổ 3, tổ 5",
        place_codes=("05443",),
        reason="Thay máy biến áp",
        feeder=None,
        published_at=now,
    )


def publish(database: Database, outage: Outage) -> int:
    """The utility tells of a cut: the id of its notice."""
    intake = Intake(Drafting(KINDS, _NO_LEAD, VIETNAM))
    now = datetime.now(UTC)
    change = OutageKnown(id=f"o-{outage.id}-{outage.version}", at=now, outage=outage)
    with database.begin() as session:
        intake.take(session, [change], now)
        return session.scalars(select(Notice.id).where(Notice.subject == f"outage:{outage.id}")).one()


class Utility:
    """Both systems of the utility: every cut is as it was published, nothing is owed."""

    def __init__(self, *cuts: Outage) -> None:
        self._cuts = {each.id: each for each in cuts}

    def outage(self, outage_id: str, /) -> Outage:
        return self._cuts[outage_id]

    def debt(self, _code: str, /) -> Debt:
        return Debt(as_of=datetime.now(UTC), total=0, invoices=())

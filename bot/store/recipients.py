"""Who gets a notice and who got it: whom an audience reaches, and the ledger of a notice as staff read it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, true, tuple_
from sqlalchemy.orm import Session

from bot.notice_kinds import NoticeKind
from bot.store import preferences
from bot.store.campaigns import KEY
from bot.store.models import (
    ACCEPTED,
    Contact,
    Conversation,
    Delivery,
    DeliveryStatus,
    Link,
    Notice,
    NoticeLimits,
    NoticeStatus,
)

NOT_SENT = (DeliveryStatus.SKIPPED, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN, DeliveryStatus.CANCELLED)
WAITING = (DeliveryStatus.PENDING, DeliveryStatus.CLAIMED, DeliveryStatus.SENDING)


# --- Before it is sent ---


@dataclass(frozen=True)
class Reached:
    """A chat that a notice would go to, with what can be told beforehand of whether it gets there."""

    contact_id: int
    channel: str
    last_inbound_at: datetime | None
    unreachable: bool
    conversation_id: int | None
    quiet_from: time | None
    quiet_until: time | None
    most_per_day: int | None
    customer_code: str | None
    wanted: bool
    agreed: bool


def linked_codes(session: Session, after: str | None, limit: int) -> Sequence[str]:
    """All customer codes that some chat has linked, in order."""
    query = select(Link.customer_code).where(Link.ended_at.is_(None)).distinct().order_by(Link.customer_code)
    if after is not None:
        query = query.where(Link.customer_code > after)
    return session.scalars(query.limit(limit)).all()


def linked_of(session: Session, codes: Sequence[str]) -> Sequence[str]:
    """Those of the customer codes that some chat has linked, in order."""
    query = select(Link.customer_code).where(Link.customer_code.in_(codes), Link.ended_at.is_(None))
    return session.scalars(query.distinct().order_by(Link.customer_code)).all()


def reached_by_codes(session: Session, kind: NoticeKind, codes: Sequence[str]) -> Sequence[Reached]:
    """The chats that linked one of the codes, each once (as `bot.store.notices.plan_for_codes` would plan them)."""
    on = preferences.is_on(kind, Link.contact_id, Link.id)
    rows = (
        select(
            Link.contact_id,
            func.coalesce(func.min(Link.id).filter(on), func.min(Link.id)).label("link_id"),
            func.bool_or(on).label("wanted"),
        )
        .where(Link.customer_code.in_(codes), Link.ended_at.is_(None), true() if kind.unasked else on)
        .group_by(Link.contact_id)
        .subquery()
    )
    query = (
        _reached(Link.customer_code, rows.c.wanted, preferences.agreed(Contact.id))
        .join(rows, rows.c.contact_id == Contact.id)
        .join(Link, Link.id == rows.c.link_id)
    )
    return [Reached(*row) for row in session.execute(query)]


def reached_by_places(session: Session, kind: NoticeKind, places: Sequence[str]) -> Sequence[Reached]:
    """The chats that follow one of the places, each once."""
    followers = preferences.followers(kind, places).subquery()
    query = _reached(literal(None), true(), true()).join(followers, followers.c[0] == Contact.id)
    return [Reached(*row) for row in session.execute(query)]


def _reached(code: Any, wanted: ColumnElement[bool], agreed: ColumnElement[bool]) -> Any:
    return (
        select(
            Contact.id,
            Contact.channel,
            Contact.last_inbound_at,
            Contact.unreachable_since.is_not(None),
            Conversation.id,
            NoticeLimits.quiet_from,
            NoticeLimits.quiet_until,
            NoticeLimits.most_per_day,
            code,
            wanted,
            agreed,
        )
        .select_from(Contact)
        .outerjoin(Conversation, Conversation.contact_id == Contact.id)
        .outerjoin(NoticeLimits, NoticeLimits.contact_id == Contact.id)
        .order_by(Contact.id)
    )


# --- While and after it is sent ---


@dataclass(frozen=True)
class Progress:
    """How many deliveries of a notice are in which status."""

    counts: Mapping[str, int]

    def of(self, *statuses: str) -> int:
        return sum(self.counts.get(status, 0) for status in statuses)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def sent(self) -> int:
        return self.of(*ACCEPTED)

    @property
    def not_sent(self) -> int:
        return self.of(*NOT_SENT)

    @property
    def waiting(self) -> int:
        return self.of(*WAITING)

    @property
    def paused(self) -> int:
        return self.of(DeliveryStatus.PAUSED)

    @property
    def failed(self) -> int:
        return self.of(DeliveryStatus.FAILED)


def progress(session: Session, notice_ids: Sequence[int]) -> Mapping[int, Progress]:
    """Of each of the notices."""
    rows = session.execute(
        select(Delivery.notice_id, Delivery.status, func.count())
        .where(Delivery.notice_id.in_(notice_ids))
        .group_by(Delivery.notice_id, Delivery.status)
    )
    counts: defaultdict[int | None, dict[str, int]] = defaultdict(dict)
    for notice_id, status, count in rows:
        counts[notice_id][status] = count
    return {notice_id: Progress(counts[notice_id]) for notice_id in notice_ids}


def reasons(session: Session, notice_id: int) -> Sequence[tuple[str, str | None, int]]:
    """Status, outcome and how many, of what was not sent, the most frequent first."""
    rows = session.execute(
        select(Delivery.status, Delivery.outcome, func.count())
        .where(Delivery.notice_id == notice_id, Delivery.status.in_(NOT_SENT))
        .group_by(Delivery.status, Delivery.outcome)
        .order_by(func.count().desc(), Delivery.status, Delivery.outcome)
    )
    return [(status, outcome, count) for status, outcome, count in rows]


@dataclass(frozen=True)
class Line:
    """One recipient in the ledger. `customer_code` is None for who follows a place, or has erased the link since."""

    id: int
    channel: str
    customer_code: str | None
    status: str
    outcome: str | None
    provider_code: str | None
    route: str | None
    not_before: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    seen_at: datetime | None

    @property
    def key(self) -> str:
        """Where the next page begins."""
        return f"{self.status}:{self.id}"


def lines(
    session: Session, notice_id: int, *, status: str | None, outcome: str | None, after: str | None, limit: int
) -> Sequence[Line]:
    """By status, then in the order of planning: as the index has them, so that a page costs the same anywhere.

    `after` is the `key` of the last line of the page before. Raises ValueError for one that is none.
    """
    query = (
        select(
            Delivery.id,
            Delivery.channel,
            Link.customer_code,
            Delivery.status,
            Delivery.outcome,
            Delivery.provider_code,
            Delivery.route,
            Delivery.not_before,
            Delivery.sent_at,
            Delivery.delivered_at,
            Delivery.seen_at,
        )
        .outerjoin(Link, Link.id == Delivery.link_id)
        .where(Delivery.notice_id == notice_id)
        .order_by(Delivery.status, Delivery.id)
        .limit(limit)
    )
    if status:
        query = query.where(Delivery.status == status)
    if outcome:
        query = query.where(Delivery.outcome == outcome)
    if after:
        last_status, _, last_id = after.partition(":")
        query = query.where(tuple_(Delivery.status, Delivery.id) > tuple_(literal(last_status), literal(int(last_id))))
    return [Line(*row) for row in session.execute(query)]


def to_many(session: Session, *, status: NoticeStatus | None, before: int | None, limit: int) -> Sequence[Notice]:
    """Notices to an audience that nobody wrote by hand, the newest first."""
    query = select(Notice).where(*_brought_about()).order_by(Notice.id.desc()).limit(limit)
    if status:
        query = query.where(Notice.status == status)
    if before is not None:
        query = query.where(Notice.id < before)
    return session.scalars(query).all()


def stopped(session: Session) -> int:
    """How many notices that nobody wrote by hand are paused: somebody must look at them."""
    query = (
        select(func.count()).select_from(Notice).where(*_brought_about()).where(Notice.status == NoticeStatus.PAUSED)
    )
    return session.scalars(query).one()


def _brought_about() -> tuple[ColumnElement[bool], ...]:
    """To many, and written by nobody."""
    return Notice.audience.is_not(None), ~Notice.key.startswith(KEY)

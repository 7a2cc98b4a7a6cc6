"""The ledger of notices from planned to sent: claimed with a lease, marked before each send, settled in batches."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from bot.notice_kinds import NoticeKinds
from bot.store import preferences
from bot.store.models import (
    TOLD,
    Contact,
    Conversation,
    Delivery,
    DeliveryStatus,
    Lane,
    Link,
    Notice,
    NoticeLimits,
    UsageAlert,
)

LEASE = timedelta(seconds=90)
"""Longer than it takes to decide on a batch and to send it."""

_CLAIM = text(
    """
    WITH due AS (
        SELECT id FROM delivery
        WHERE channel = :channel AND lane = :lane AND status = 'pending' AND notice_id IS NOT NULL
          AND not_before <= :now
        ORDER BY not_before, id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE delivery SET status = 'claimed', lease_until = :lease FROM due WHERE delivery.id = due.id
    RETURNING delivery.id, delivery.contact_id
    """
)
_CLAIM_SIBLINGS = text(
    """
    WITH due AS (
        SELECT id FROM delivery
        WHERE contact_id = ANY(:contacts) AND status = 'pending'
          AND notice_id IS NOT NULL AND lane = :lane AND not_before <= :now
        FOR UPDATE SKIP LOCKED
    )
    UPDATE delivery SET status = 'claimed', lease_until = :lease FROM due WHERE delivery.id = due.id
    RETURNING delivery.id
    """
)
_BEGIN = text(
    """
    UPDATE delivery SET status = 'sending', attempts = attempts + 1, lease_until = :lease,
        route = given.route, content = given.content
    FROM jsonb_to_recordset(CAST(:given AS jsonb)) AS given (id bigint, route text, content jsonb), notice
    WHERE delivery.id = given.id AND delivery.status = 'claimed' AND delivery.lease_until = :held
      AND notice.id = delivery.notice_id AND notice.status = 'running'
    RETURNING delivery.id
    """
)
_SETTLE = text(
    """
    UPDATE delivery SET
        status = given.status, outcome = coalesce(given.outcome, delivery.outcome), provider_code = given.code,
        provider_message_id = coalesce(delivery.provider_message_id, given.message_id),
        not_before = coalesce(given.not_before, delivery.not_before), lease_until = NULL,
        attempts = delivery.attempts - CASE WHEN given.counts THEN 0 ELSE 1 END,
        sent_at = CASE WHEN given.status = 'sent' THEN :now ELSE delivery.sent_at END
    FROM jsonb_to_recordset(CAST(:given AS jsonb)) AS given (
        id bigint, status text, outcome text, code text, message_id text, not_before timestamptz, counts boolean)
    WHERE delivery.id = given.id
      AND (delivery.status IN ('claimed', 'sending') AND delivery.lease_until = :held
        OR delivery.status = 'unknown' AND delivery.outcome = 'worker_died' AND given.status = 'sent')
    """
)
"""What was taken for dead may still tell that it sent something."""
_RECORD = text(
    """
    WITH given AS (
        SELECT nextval(pg_get_serial_sequence('message', 'id')) AS line, line_of.*
        FROM jsonb_to_recordset(CAST(:given AS jsonb))
            AS line_of (delivery bigint, conversation bigint, words text, content jsonb)
    ), written AS (
        INSERT INTO message (id, conversation_id, sender, kind, text, content, created_at) OVERRIDING SYSTEM VALUE
        SELECT line, conversation, 'bot', 'notice', words, content, :now FROM given
    )
    UPDATE delivery SET message_id = given.line FROM given WHERE delivery.id = given.delivery
    """
)


@dataclass(frozen=True)
class Claimed:
    """A claimed delivery with all that is decided by; `campaign`: it goes to an audience."""

    id: int
    notice_id: int
    kind: str
    notice_status: str
    facts: Mapping[str, Any]
    valid_until: datetime
    contact_id: int
    channel_user_id: str
    conversation_id: int | None
    last_inbound_at: datetime | None
    unreachable: bool
    link_id: int | None
    link_lives: bool
    customer_code: str | None
    nickname: str | None
    quiet_from: time | None
    quiet_until: time | None
    most_per_day: int | None
    told_today: int
    told_already: bool
    level_kwh: int | None
    level_dong: int | None
    wanted: bool
    agreed: bool
    attempts: int
    created_at: datetime
    key: str
    campaign: bool
    last_route: str | None
    last_outcome: str | None
    as_of: datetime | None = None


@dataclass(frozen=True)
class Result:
    """What becomes of a claimed delivery. `counts`: the try counts against its attempts."""

    id: int
    status: DeliveryStatus
    outcome: str | None
    code: str | None = None
    provider_message_id: str | None = None
    not_before: datetime | None = None
    counts: bool = True


def lease(now: datetime) -> datetime:
    """How long a worker may hold deliveries. No two leases are the same, so each tells whose they are."""
    return now + LEASE + timedelta(microseconds=random.randrange(1_000_000))  # noqa: S311


def claim(session: Session, channel: str, lane: Lane, limit: int, *, now: datetime, until: datetime) -> list[int]:
    """Lease what is due until `until`, the oldest first, and what else of the lane is due to the same contacts.

    Returns ids.
    """
    given = {"channel": channel, "lane": lane, "now": now, "lease": until}
    rows = session.execute(_CLAIM, {**given, "limit": limit}).all()
    if not rows:
        return []
    contacts = sorted({row.contact_id for row in rows})
    more = session.execute(_CLAIM_SIBLINGS, {**given, "contacts": contacts}).all()
    return [row.id for row in (*rows, *more)]


def read(session: Session, ids: Sequence[int], kinds: NoticeKinds, *, midnight: datetime) -> list[Claimed]:
    """The claimed deliveries, by id. `midnight`: since when the local day lasts."""
    other, about = aliased(Delivery), aliased(Notice)
    waits = [kind.key for kind in kinds.kinds if not kind.sent.is_urgent and not kind.always]
    repeated = [kind.key for kind in kinds.kinds if kind.sent.repeated]
    told_today = (
        select(func.count())
        .select_from(other)
        .join(about, about.id == other.notice_id)
        .where(other.contact_id == Delivery.contact_id, other.sent_at >= midnight, about.kind.in_(waits))
        .correlate(Delivery)
        .scalar_subquery()
    )
    told_already = exists(
        select(other.id)
        .join(about, about.id == other.notice_id)
        .where(other.contact_id == Delivery.contact_id, other.id != Delivery.id, other.status.in_(TOLD))
        .where(about.subject == Notice.subject, about.kind == Notice.kind, about.version == Notice.version)
        .where(about.customer_code.is_not_distinct_from(Notice.customer_code), Notice.kind.not_in(repeated))
        .correlate(Delivery, Notice)
    )
    columns = {
        "id": Delivery.id,
        "notice_id": Notice.id,
        "kind": Notice.kind,
        "notice_status": Notice.status,
        "valid_until": Notice.valid_until,
        "contact_id": Contact.id,
        "channel_user_id": Contact.channel_user_id,
        "conversation_id": Conversation.id,
        "last_inbound_at": Contact.last_inbound_at,
        "unreachable": Contact.unreachable_since.is_not(None),
        "link_id": Delivery.link_id,
        "link_lives": and_(Link.id.is_not(None), Link.ended_at.is_(None)),
        "customer_code": Link.customer_code,
        "nickname": Link.nickname,
        "quiet_from": NoticeLimits.quiet_from,
        "quiet_until": NoticeLimits.quiet_until,
        "most_per_day": NoticeLimits.most_per_day,
        "told_today": told_today,
        "told_already": told_already,
        "level_kwh": UsageAlert.kwh,
        "level_dong": UsageAlert.dong,
        "wanted": _wanted(kinds),
        "agreed": or_(Delivery.link_id.is_(None), preferences.agreed(Delivery.contact_id)),
        "attempts": Delivery.attempts,
        "created_at": Delivery.created_at,
        "key": Delivery.key,
        "campaign": Notice.audience.is_not(None),
        "last_route": Delivery.route,
        "last_outcome": Delivery.outcome,
    }
    rows = session.execute(
        select(*(column.label(name) for name, column in columns.items()))
        .join(Notice, Notice.id == Delivery.notice_id)
        .join(Contact, Contact.id == Delivery.contact_id)
        .outerjoin(Conversation, Conversation.contact_id == Contact.id)
        .outerjoin(Link, Link.id == Delivery.link_id)
        .outerjoin(NoticeLimits, NoticeLimits.contact_id == Contact.id)
        .outerjoin(UsageAlert, UsageAlert.link_id == Delivery.link_id)
        .where(Delivery.id.in_(ids))
        .order_by(Delivery.id)
    )
    claimed = rows.mappings().all()
    facts = _facts(session, {row["notice_id"] for row in claimed})
    return [Claimed(facts=facts[row["notice_id"]], **row) for row in claimed]


def _facts(session: Session, notice_ids: set[int]) -> dict[int, Mapping[str, Any]]:
    """Of each notice once: all its deliveries share them."""
    rows = session.execute(select(Notice.id, Notice.facts).where(Notice.id.in_(notice_ids)))
    return {row.id: row.facts for row in rows}


def _wanted(kinds: NoticeKinds) -> Any:
    """Is the kind on for the contact and its link? Who follows a place was asked when it was planned."""
    optional = [
        (Notice.kind == kind.key, preferences.is_on(kind, Delivery.contact_id, Delivery.link_id))
        for kind in kinds.kinds
        if not kind.always
    ]
    return case((Delivery.link_id.is_(None), True), *optional, else_=True)


def begin(
    session: Session, given: Sequence[tuple[int, str, Mapping[str, Any]]], held: datetime, until: datetime
) -> set[int]:
    """Mark deliveries (id, route, content) held by the lease `held` as being sent, leased until `until`.

    Returns those that may be: not of one paused meanwhile, nor held by another by now.
    """
    rows = session.execute(
        _BEGIN,
        {
            "given": json.dumps([{"id": id_, "route": route, "content": content} for id_, route, content in given]),
            "held": held,
            "lease": until,
        },
    )
    return {row.id for row in rows}


def holds(session: Session, ids: Sequence[int], held: datetime) -> bool:
    """Is any of the deliveries still held by this lease?"""
    mine = select(Delivery.id).where(Delivery.id.in_(ids), Delivery.lease_until == held)
    return session.scalar(mine.limit(1)) is not None


def settle(session: Session, results: Sequence[Result], held: datetime, now: datetime) -> None:
    """Write down what became of deliveries held by the lease `held`; those that another holds by now are left alone.

    What a receipt or an echo told first is not overwritten. A platform's id that another delivery has already is left
    out: it must not keep the others from being settled.
    """
    if not results:
        return
    try:
        with session.begin_nested():
            _settle(session, results, held, now)
    except IntegrityError:
        if len(results) == 1:
            _settle(session, [replace(results[0], provider_message_id=None)], held, now)
        for each in results if len(results) > 1 else ():
            settle(session, [each], held, now)


def _settle(session: Session, results: Sequence[Result], held: datetime, now: datetime) -> None:
    rows = [
        {
            "id": each.id,
            "status": each.status,
            "outcome": each.outcome,
            "code": each.code,
            "message_id": each.provider_message_id,
            "not_before": each.not_before.isoformat() if each.not_before else None,
            "counts": each.counts,
        }
        for each in results
    ]
    session.execute(_SETTLE, {"given": json.dumps(rows), "held": held, "now": now})


@dataclass(frozen=True)
class Line:
    """What was sent, for the thread of its conversation: text, and the rest of the message."""

    delivery_id: int
    conversation_id: int
    text: str
    content: Mapping[str, Any]


def record(session: Session, lines: Iterable[Line], now: datetime) -> None:
    """Write down what was sent as lines of the threads."""
    rows = [
        {
            "delivery": each.delivery_id,
            "conversation": each.conversation_id,
            "words": each.text,
            "content": each.content,
        }
        for each in lines
    ]
    if rows:
        session.execute(_RECORD, {"given": json.dumps(rows), "now": now})


@dataclass(frozen=True)
class LastTold:
    """The notice that was sent to a contact last; `several`: its message told of others, too."""

    kind: str
    facts: Mapping[str, Any]
    link_id: int | None
    sent_at: datetime
    several: bool


def last_told(session: Session, contact_id: int, since: datetime) -> LastTold | None:
    """None where none was sent after `since`."""
    row = session.execute(
        select(Notice.kind, Notice.facts, Delivery.link_id, Delivery.sent_at, Delivery.content.has_key("several"))
        .join(Notice, Notice.id == Delivery.notice_id)
        .where(Delivery.contact_id == contact_id, Delivery.sent_at > since)
        .order_by(Delivery.sent_at.desc())
        .limit(1)
    ).one_or_none()
    return LastTold(*row) if row else None


def expire(session: Session, now: datetime) -> None:
    """What a worker that died had claimed and not begun is due again."""
    session.execute(
        update(Delivery)
        .where(Delivery.status == DeliveryStatus.CLAIMED, Delivery.lease_until < now)
        .values(status=DeliveryStatus.PENDING, lease_until=None),
        execution_options={"synchronize_session": False},
    )

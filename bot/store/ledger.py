"""The ledger of notices from planned to sent: claimed with a lease, marked before each send, settled in batches."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from bot.notice_kinds import NoticeKinds
from bot.store import preferences
from bot.store.models import (
    ACCEPTED,
    Contact,
    Conversation,
    Delivery,
    DeliveryStatus,
    Lane,
    Link,
    Message,
    Notice,
    NoticeLimits,
    UsageAlert,
)

LEASE = timedelta(seconds=90)
"""Longer than it takes to decide on a batch and to send it."""
TOLD = (*ACCEPTED, DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN)

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
    FROM unnest(CAST(:ids AS bigint[]), CAST(:routes AS text[]), CAST(:contents AS jsonb[]))
        AS given (id, route, content), notice
    WHERE delivery.id = given.id AND delivery.status = 'claimed'
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
        sent_at = CASE WHEN given.status = 'sent' THEN :now ELSE delivery.sent_at END,
        message_id = coalesce(given.line, delivery.message_id)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[]), CAST(:outcomes AS text[]), CAST(:codes AS text[]),
        CAST(:message_ids AS text[]), CAST(:not_befores AS timestamptz[]), CAST(:counts AS boolean[]),
        CAST(:lines AS bigint[]))
        AS given (id, status, outcome, code, message_id, not_before, counts, line)
    WHERE delivery.id = given.id AND delivery.status IN ('claimed', 'sending')
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


@dataclass(frozen=True)
class Result:
    """What becomes of a claimed delivery. `counts`: the try counts against its attempts. `line`: of the thread."""

    id: int
    status: DeliveryStatus
    outcome: str | None
    code: str | None = None
    provider_message_id: str | None = None
    not_before: datetime | None = None
    counts: bool = True
    line: int | None = None


def claim(session: Session, channel: str, lane: Lane, now: datetime, limit: int) -> list[int]:
    """Lease what is due, the oldest first, and what else of the lane is due to the same contacts. Returns ids."""
    given = {"channel": channel, "lane": lane, "now": now, "lease": now + LEASE}
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
        .where(about.customer_code.is_not_distinct_from(Notice.customer_code), Notice.kind.not_in(_REPEATED))
        .correlate(Delivery, Notice)
    )
    columns = {
        "id": Delivery.id,
        "notice_id": Delivery.notice_id,
        "kind": Notice.kind,
        "notice_status": Notice.status,
        "facts": Notice.facts,
        "valid_until": Notice.valid_until,
        "contact_id": Contact.id,
        "channel_user_id": Contact.channel_user_id,
        "conversation_id": Conversation.id,
        "last_inbound_at": Contact.last_inbound_at,
        "unreachable": Contact.unreachable_since.is_not(None),
        "link_id": Delivery.link_id,
        "link_lives": Link.ended_at.is_(None),
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
    return [Claimed(**row) for row in rows.mappings()]


_REPEATED = ("payment_due", "payment_overdue", "outage_reminder")
"""Kinds of which several are told of one subject."""


def _wanted(kinds: NoticeKinds) -> Any:
    """Is the kind on for the contact and its link? Who follows a place was asked when it was planned."""
    optional = [
        (Notice.kind == kind.key, preferences.is_on(kind, Delivery.contact_id, Delivery.link_id))
        for kind in kinds.kinds
        if not kind.always
    ]
    return case((Delivery.link_id.is_(None), True), *optional, else_=True)


def begin(session: Session, given: Sequence[tuple[int, str, Mapping[str, Any]]], now: datetime) -> set[int]:
    """Mark deliveries (id, route, content) as being sent. Returns those that may be: not of one paused meanwhile."""
    rows = session.execute(
        _BEGIN,
        {
            "ids": [each[0] for each in given],
            "routes": [each[1] for each in given],
            "contents": [json.dumps(each[2]) for each in given],
            "lease": now + LEASE,
        },
    )
    return {row.id for row in rows}


def settle(session: Session, results: Sequence[Result], now: datetime) -> None:
    """Write down what became of claimed deliveries. What a receipt or an echo told first is not overwritten.

    A platform's id that another delivery has already is left out: it must not keep the others from being settled.
    """
    if not results:
        return
    try:
        with session.begin_nested():
            _settle(session, results, now)
    except IntegrityError:
        if len(results) == 1:
            _settle(session, [replace(results[0], provider_message_id=None)], now)
        for each in results if len(results) > 1 else ():
            settle(session, [each], now)


def _settle(session: Session, results: Sequence[Result], now: datetime) -> None:
    session.execute(
        _SETTLE,
        {
            "ids": [each.id for each in results],
            "statuses": [each.status for each in results],
            "outcomes": [each.outcome for each in results],
            "codes": [each.code for each in results],
            "message_ids": [each.provider_message_id for each in results],
            "not_befores": [each.not_before for each in results],
            "counts": [each.counts for each in results],
            "lines": [each.line for each in results],
            "now": now,
        },
    )


def record(session: Session, lines: Iterable[tuple[int, str, Mapping[str, Any]]], now: datetime) -> list[int]:
    """What was sent, as lines of the threads: conversation, text, and the rest of the message. Returns their ids."""
    rows = [
        {
            "conversation_id": conversation,
            "sender": "bot",
            "kind": "notice",
            "text": words,
            "content": dict(content),
            "created_at": now,
        }
        for conversation, words, content in lines
    ]
    if not rows:
        return []
    return list(session.scalars(insert(Message).returning(Message.id, sort_by_parameter_order=True), rows))


@dataclass(frozen=True)
class LastTold:
    """The notice that was sent to a contact last."""

    kind: str
    facts: Mapping[str, Any]
    link_id: int | None
    sent_at: datetime


def last_told(session: Session, contact_id: int, since: datetime) -> LastTold | None:
    """None where none was sent since `since`."""
    row = session.execute(
        select(Notice.kind, Notice.facts, Delivery.link_id, Delivery.sent_at)
        .join(Notice, Notice.id == Delivery.notice_id)
        .where(Delivery.contact_id == contact_id, Delivery.sent_at >= since)
        .order_by(Delivery.sent_at.desc())
        .limit(1)
    ).one_or_none()
    return LastTold(*row) if row else None


def expire(session: Session, now: datetime) -> None:
    """What a worker that died had claimed and not begun is due again."""
    session.execute(
        update(Delivery)
        .where(and_(Delivery.status == DeliveryStatus.CLAIMED, Delivery.lease_until < now))
        .values(status=DeliveryStatus.PENDING, lease_until=None),
        execution_options={"synchronize_session": False},
    )

"""Notices: written down once, planned into deliveries, paused, resumed, cancelled."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, func, literal, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, insert
from sqlalchemy.orm import Session, aliased

from bot.notice_kinds import NoticeKind
from bot.store import preferences
from bot.store.models import (
    TOLD,
    Contact,
    Delivery,
    DeliveryStatus,
    Link,
    Notice,
    NoticeStatus,
    UsageAlert,
)

GOING = (NoticeStatus.WAITING, NoticeStatus.RUNNING)
OPEN = (*GOING, NoticeStatus.PAUSED)


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write notices down; one whose key is known already is left as it is."""
    if rows:
        session.execute(insert(Notice).values(rows).on_conflict_do_nothing(index_elements=["key"]))


def supersede(session: Session, subject: str, *, below: int | None = None) -> None:
    """What is not yet told of a subject (of versions below `below`) is not told any more."""
    older = Notice.version < below if below is not None else true()
    session.execute(
        update(Notice)
        .where(Notice.subject == subject, Notice.status.in_(OPEN), older)
        .values(status=NoticeStatus.SUPERSEDED),
        execution_options={"synchronize_session": False},
    )


def with_levels(session: Session, codes: Iterable[str]) -> set[str]:
    """Those of the customer codes for which somebody set a level to be told of."""
    rows = session.scalars(
        select(Link.customer_code)
        .join(UsageAlert, UsageAlert.link_id == Link.id)
        .where(Link.customer_code.in_(list(codes)), Link.ended_at.is_(None))
    )
    return set(rows)


def take_due(session: Session, kind: str, now: datetime, limit: int) -> list[int]:
    """Notices to single accounts that are due, locked."""
    due = (
        select(Notice.id)
        .where(Notice.status == NoticeStatus.WAITING, Notice.kind == kind, Notice.audience.is_(None))
        .where(Notice.not_before <= now)
        .order_by(Notice.not_before, Notice.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(due))


def due_kinds(session: Session, now: datetime) -> list[str]:
    """Kinds of which a notice to a single account is due."""
    due = select(Notice.kind).where(
        Notice.status == NoticeStatus.WAITING, Notice.not_before <= now, Notice.audience.is_(None)
    )
    return list(session.scalars(due.distinct()))


def to_plan(session: Session, now: datetime) -> list[tuple[int, str]]:
    """Notices to an audience that are due and not yet planned to the end, with their kinds."""
    return list(
        session.execute(
            select(Notice.id, Notice.kind)
            .where(Notice.status.in_(GOING), Notice.audience.is_not(None))
            .where(Notice.not_before <= now, Notice.planned_at.is_(None))
            .order_by(Notice.id)
        ).all()
    )


def plan_for_accounts(session: Session, kind: NoticeKind, notice_ids: Sequence[int], now: datetime) -> None:
    """One delivery for each chat that linked the notice's account."""
    to = and_(Link.customer_code == Notice.customer_code, Link.ended_at.is_(None))
    _plan(session, kind, Notice.id.in_(notice_ids), to, now)
    session.execute(
        update(Notice).where(Notice.id.in_(notice_ids)).values(status=NoticeStatus.RUNNING, planned_at=now),
        execution_options={"synchronize_session": False},
    )


def plan_for_codes(session: Session, kind: NoticeKind, notice_id: int, codes: Sequence[str], now: datetime) -> None:
    """One delivery for each chat that linked one of the customer codes, however many of them."""
    to = and_(Link.customer_code == func.any(bindparam("codes", list(codes), ARRAY(TEXT))), Link.ended_at.is_(None))
    _plan(session, kind, Notice.id == notice_id, to, now)


def plan_for_followers(
    session: Session, kind: NoticeKind, notice_id: int, places: Sequence[str], now: datetime
) -> None:
    """One delivery for each chat that follows one of the places."""
    followers = preferences.followers(kind, places).subquery()
    contact = followers.c[0]
    chosen = select(
        *_columns(kind, literal(notice_id), now),
        Contact.id,
        literal(None).cast(Link.id.type),
    ).join(followers, contact == Contact.id)
    _insert(session, chosen)


def plan_for_contact(session: Session, kind: NoticeKind, notice_id: int, contact_id: int, now: datetime) -> None:
    """One delivery for the chat itself, whatever it has linked."""
    columns = _columns(kind, literal(notice_id), now)
    _insert(session, select(*columns, Contact.id, literal(None).cast(Link.id.type)).where(Contact.id == contact_id))


def plan_for_told(session: Session, kind: NoticeKind, notice: Notice, now: datetime) -> None:
    """One delivery for each chat that was told something else of the same subject, and for no other."""
    earlier, about = aliased(Delivery), aliased(Notice)
    chosen = (
        select(*_columns(kind, literal(notice.id), now), Contact.id, func.min(earlier.link_id))
        .select_from(about)
        .join(earlier, earlier.notice_id == about.id)
        .join(Contact, Contact.id == earlier.contact_id)
        .where(about.subject == notice.subject, about.id != notice.id, earlier.status.in_(TOLD))
        .group_by(Contact.id)
    )
    _insert(session, chosen)


def _plan(session: Session, kind: NoticeKind, which: Any, to: Any, now: datetime) -> None:
    asked_for = true() if kind.unasked else preferences.is_on(kind, Link.contact_id, Link.id)
    chosen = (
        select(
            *_columns(kind, Notice.id, now),
            Contact.id,
            func.coalesce(
                func.min(Link.id).filter(preferences.is_on(kind, Link.contact_id, Link.id)), func.min(Link.id)
            ),
        )
        .select_from(Notice)
        .join(Link, to)
        .join(Contact, Contact.id == Link.contact_id)
        .where(which, asked_for)
        .group_by(Notice.id, Contact.id)
    )
    _insert(session, chosen)


def _columns(kind: NoticeKind, notice_id: Any, now: datetime) -> list[Any]:
    return [
        (literal("notice-") + func.cast(notice_id, TEXT) + "-" + func.cast(Contact.id, TEXT)),
        Contact.channel,
        notice_id,
        literal(kind.sent.lane),
        literal(now),
        literal(now),
        text("'{}'::jsonb"),
    ]


def _insert(session: Session, chosen: Any) -> None:
    names = ["key", "channel", "notice_id", "lane", "not_before", "created_at", "content", "contact_id", "link_id"]
    session.execute(insert(Delivery).from_select(names, chosen).on_conflict_do_nothing(index_elements=["key"]))


def pause(session: Session, notice_id: int, because: str) -> None:
    """Nothing of it is sent from now on: a worker that has claimed some of it looks again before it sends."""
    _move(session, notice_id, GOING, NoticeStatus.PAUSED, because)


def resume(session: Session, notice_id: int, now: datetime) -> None:
    """Go on exactly where it was paused."""
    begun = or_(Notice.planned_at.is_not(None), Notice.planned_up_to.is_not(None))
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.status == NoticeStatus.PAUSED)
        .values(status=case((begun, NoticeStatus.RUNNING), else_=NoticeStatus.WAITING), paused_because=None),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(Delivery)
        .where(Delivery.notice_id == notice_id, Delivery.status == DeliveryStatus.PAUSED)
        .values(status=DeliveryStatus.PENDING, outcome=None, not_before=now),
        execution_options={"synchronize_session": False},
    )


def cancel(session: Session, notice_id: int) -> None:
    """What is not yet sent never is."""
    _move(session, notice_id, OPEN, NoticeStatus.CANCELLED, None)
    waiting = (DeliveryStatus.PENDING, DeliveryStatus.PAUSED)
    session.execute(
        update(Delivery)
        .where(Delivery.notice_id == notice_id, Delivery.status.in_(waiting))
        .values(status=DeliveryStatus.CANCELLED, outcome="cancelled"),
        execution_options={"synchronize_session": False},
    )


def retry_failed(session: Session, notice_id: int, now: datetime) -> int:
    """Try again what failed, and only that; what is unknown may have arrived. Returns how many."""
    session.get(Notice, notice_id, with_for_update=True)
    rows = session.execute(
        update(Delivery)
        .where(Delivery.notice_id == notice_id, Delivery.status == DeliveryStatus.FAILED)
        .values(status=DeliveryStatus.PENDING, outcome=None, provider_code=None, attempts=0, not_before=now),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.status == NoticeStatus.DONE)
        .values(status=NoticeStatus.RUNNING),
        execution_options={"synchronize_session": False},
    )
    return int(rows.rowcount)  # type: ignore[attr-defined]


def close_finished(session: Session, limit: int) -> None:
    """Notices that are planned and of which nothing is left to send are done: so many of them at a time."""
    unfinished = (DeliveryStatus.PENDING, DeliveryStatus.CLAIMED, DeliveryStatus.SENDING, DeliveryStatus.PAUSED)
    left = exists(select(Delivery.id).where(Delivery.notice_id == Notice.id, Delivery.status.in_(unfinished)))
    over = (
        select(Notice.id)
        .where(Notice.status == NoticeStatus.RUNNING, Notice.planned_at.is_not(None), ~left)
        .limit(limit)
    )
    session.execute(
        update(Notice).where(Notice.id.in_(over)).values(status=NoticeStatus.DONE),
        execution_options={"synchronize_session": False},
    )


def _move(
    session: Session, notice_id: int, before: Sequence[NoticeStatus], after: NoticeStatus, because: str | None
) -> None:
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.status.in_(before))
        .values(status=after, paused_because=because),
        execution_options={"synchronize_session": False},
    )

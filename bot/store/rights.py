"""Requests about one's own data, with the law's deadlines (electricity.md §8.1). Rows stay: they are the proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.store.models import Conversation, RightKind, RightsRequest


@dataclass(frozen=True)
class Due:
    """When a request must be answered, and when it must be done."""

    answer: datetime
    done: datetime


@dataclass(frozen=True)
class Pressing:
    """A request that is due soon, or overdue, and the conversation it came from."""

    id: int
    kind: RightKind
    conversation_id: int
    is_overdue: bool


def add(
    session: Session, *, contact_id: int, kind: RightKind, event_id: int, received_at: datetime, due: Due, done: bool
) -> None:
    """A request as it came. `done`: it was done, and so answered, at once. A replay is a no-op."""
    session.execute(
        insert(RightsRequest)
        .values(
            contact_id=contact_id,
            kind=kind,
            event_id=event_id,
            received_at=received_at,
            answer_due=due.answer,
            done_due=due.done,
            answered_at=received_at if done else None,
            done_at=received_at if done else None,
        )
        .on_conflict_do_nothing()
    )


def answer(session: Session, contact_id: int, at: datetime) -> None:
    """A person has written to the contact, who had asked for something."""
    session.execute(
        update(RightsRequest)
        .where(RightsRequest.contact_id == contact_id, RightsRequest.answered_at.is_(None))
        .values(answered_at=at)
    )


def finish(session: Session, contact_id: int, at: datetime) -> None:
    """What the contact asked for is done."""
    session.execute(
        update(RightsRequest)
        .where(RightsRequest.contact_id == contact_id, RightsRequest.done_at.is_(None))
        .values(done_at=at, answered_at=func.coalesce(RightsRequest.answered_at, at))
    )


def erased_at(session: Session, contact_id: int) -> datetime | None:
    """When the contact's data was last erased."""
    return session.scalar(
        select(func.max(RightsRequest.done_at)).where(
            RightsRequest.contact_id == contact_id, RightsRequest.kind == RightKind.ERASE
        )
    )


def pressing(session: Session, *, now: datetime, until: datetime) -> Sequence[Pressing]:
    """Open requests that are to be answered or done until then."""
    unanswered = and_(RightsRequest.answered_at.is_(None), RightsRequest.answer_due <= until)
    rows = session.execute(
        select(RightsRequest, Conversation.id)
        .join(Conversation, Conversation.contact_id == RightsRequest.contact_id)
        .where(RightsRequest.done_at.is_(None))
        .where(or_(unanswered, RightsRequest.done_due <= until))
        .order_by(RightsRequest.done_due)
    )
    return [
        Pressing(row.id, RightKind(row.kind), conversation_id, is_overdue=_next_due(row) < now)
        for row, conversation_id in rows
    ]


def _next_due(request: RightsRequest) -> datetime:
    return request.done_due if request.answered_at else request.answer_due

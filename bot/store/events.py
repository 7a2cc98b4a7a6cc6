"""Inbound events after they were taken in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from bot.store.models import EventStatus, InboundEvent

_IS_RECEIVED = text("status = 'received'")
"""Written out, as the index of waiting events has it: a prepared statement with a parameter might not use it."""
_FINISH = text(
    """
    UPDATE inbound_event SET status = given.status, error = given.error, done_at = now()
    FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[]), CAST(:errors AS text[])) AS given (id, status, error)
    WHERE inbound_event.id = given.id AND inbound_event.status = 'received'
    """
)
_PUT_BACK = text(
    """
    UPDATE inbound_event SET handle_from = given.due
    FROM unnest(CAST(:ids AS bigint[]), CAST(:due AS timestamptz[])) AS given (id, due)
    WHERE inbound_event.id = given.id AND inbound_event.status = 'received'
    """
)


@dataclass(frozen=True)
class End:
    """How an event ends."""

    status: EventStatus
    error: str | None = None


def claim_waiting(session: Session, now: datetime, *, limit: int) -> Sequence[InboundEvent]:
    """Events without a job that are due, the oldest first, held until the transaction ends.

    Those that another worker holds are passed over.
    """
    return session.scalars(
        select(InboundEvent)
        .where(_IS_RECEIVED, InboundEvent.handle_from <= now)
        .order_by(InboundEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def put_back(session: Session, due: Mapping[int, datetime]) -> None:
    """Open events, by id, wait until then."""
    if due:
        session.execute(_PUT_BACK, {"ids": [*due], "due": [*due.values()]})


def finish_all(session: Session, ends: Mapping[int, End]) -> None:
    """Close open events, by id."""
    if ends:
        statuses = [str(end.status) for end in ends.values()]
        errors = [end.error for end in ends.values()]
        session.execute(_FINISH, {"ids": [*ends], "statuses": statuses, "errors": errors})


def finish(session: Session, event_id: int, status: EventStatus, error: str | None = None) -> bool:
    """Close an event. False when another run has closed it."""
    rows = session.execute(
        update(InboundEvent)
        .where(InboundEvent.id == event_id, InboundEvent.status == EventStatus.RECEIVED)
        .values(status=status, error=error, done_at=func.now())
        .returning(InboundEvent.id),
        execution_options={"synchronize_session": False},
    )
    return rows.first() is not None


def forget_payload(session: Session, event_id: int) -> None:
    """Keep that the event came, not what it said."""
    session.execute(
        update(InboundEvent).where(InboundEvent.id == event_id).values(payload={}),
        execution_options={"synchronize_session": False},
    )


def park_forsaken(session: Session, *, received_before: datetime) -> Sequence[tuple[int, str]]:
    """Park open events whose job is gone (it failed for good). Returns id and channel of each.

    Those that wait without a job are not meant.
    """
    live_job = (
        select(text("1"))
        .select_from(text("procrastinate_jobs"))
        .where(text("status IN ('todo', 'doing') AND (args ->> 'event_id')::bigint = inbound_event.id"))
    )
    rows = session.execute(
        update(InboundEvent)
        .where(InboundEvent.status == EventStatus.RECEIVED, InboundEvent.received_at < received_before)
        .where(InboundEvent.handle_from.is_(None), ~live_job.exists())
        .values(status=EventStatus.PARKED, error="no_job_left", done_at=func.now())
        .returning(InboundEvent.id, InboundEvent.channel)
    )
    return [(event_id, channel) for event_id, channel in rows]

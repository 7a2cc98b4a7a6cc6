"""Inbound events after they were taken in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from bot.store.models import EventStatus, InboundEvent


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
    """Park open events that no job will handle any more (it failed for good). Returns id and channel of each."""
    live_job = (
        select(text("1"))
        .select_from(text("procrastinate_jobs"))
        .where(text("status IN ('todo', 'doing') AND (args ->> 'event_id')::bigint = inbound_event.id"))
    )
    rows = session.execute(
        update(InboundEvent)
        .where(InboundEvent.status == EventStatus.RECEIVED, InboundEvent.received_at < received_before)
        .where(~live_job.exists())
        .values(status=EventStatus.PARKED, error="no_job_left", done_at=func.now())
        .returning(InboundEvent.id, InboundEvent.channel)
    )
    return [(event_id, channel) for event_id, channel in rows]

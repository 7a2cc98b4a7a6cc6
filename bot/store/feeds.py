"""The cursors of the utility's change feeds, and the job that reads on."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.store.models import FeedCursor
from bot.store.queue import enqueue

FEEDS: Final = ("billing", "service")


def enqueue_poll(session: Session, feed: str) -> None:
    """Have a feed read on. Raises procrastinate.exceptions.AlreadyEnqueued when a job for it waits already."""
    enqueue(session, "poll_feed", queue="upkeep", queueing_lock=f"poll_feed:{feed}", feed=feed)


def ensure(session: Session, feed: str) -> None:
    """Make the row of a feed that is read for the first time."""
    session.execute(insert(FeedCursor).values(feed=feed).on_conflict_do_nothing())


def claim(session: Session, feed: str) -> FeedCursor | None:
    """The row, ours until the transaction ends; None while another has it."""
    return session.scalars(select(FeedCursor).where(FeedCursor.feed == feed).with_for_update(skip_locked=True)).first()


def note_failure(session: Session, feed: str, at: datetime) -> bool:
    """The poll at `at` failed; since when polls do is kept. True when the one before had not."""
    since = session.scalar(
        update(FeedCursor)
        .where(FeedCursor.feed == feed)
        .values(polled_at=at, failed_since=func.coalesce(FeedCursor.failed_since, at))
        .returning(FeedCursor.failed_since)
    )
    return since == at

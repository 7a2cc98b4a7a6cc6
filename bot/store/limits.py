"""Limits that all processes keep together: so many in so long a time, counted under a lock."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Rate:
    """So many in so long a time."""

    count: int
    window: timedelta


def hold(session: Session, *names: str) -> None:
    """Locks until the transaction ends. Several are taken in one order, so that nobody waits in a ring."""
    for name in names:
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})

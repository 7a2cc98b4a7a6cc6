"""What is not needed any longer is deleted (electricity.md §8.1: keep only as long as the purpose needs)."""

from datetime import datetime, timedelta

from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from bot.store.models import EventStatus, InboundEvent, Media, OtpChallenge

OTP_KEPT = timedelta(days=2)
"""Longer than the longest window in which sends are counted."""


def forget(session: Session, *, now: datetime, payloads_before: datetime) -> None:
    """Drop expired pictures and one-time passwords, and empty the payloads of finished events of long ago."""
    session.execute(delete(Media).where(Media.expires_at < now))
    session.execute(delete(OtpChallenge).where(OtpChallenge.sent_at < now - OTP_KEPT))
    session.execute(
        update(InboundEvent)
        .where(InboundEvent.received_at < payloads_before, InboundEvent.status != EventStatus.PARKED)
        .where(InboundEvent.payload != text("'{}'::jsonb"))
        .values(payload={})
    )

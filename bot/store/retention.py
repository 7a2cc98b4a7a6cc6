"""What is not needed any longer is deleted (electricity.md §8.1: keep only as long as the purpose needs)."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.store.conversations import audit
from bot.store.models import (
    Contact,
    Conversation,
    Delivery,
    EventStatus,
    GridReport,
    InboundEvent,
    Link,
    Media,
    Message,
    NoticeLimits,
    NoticePreference,
    OtpChallenge,
    Owner,
)

OTP_KEPT = timedelta(days=2)
"""Longer than the longest window in which sends are counted."""

GRID_REPORTS_KEPT = timedelta(days=30)
"""As long as people may still come back to their report."""


def forget(session: Session, *, now: datetime, events_before: datetime) -> None:
    """Drop expired pictures and one-time passwords, and the finished events of long ago."""
    session.execute(delete(Media).where(Media.expires_at < now))
    session.execute(delete(OtpChallenge).where(OtpChallenge.sent_at < now - OTP_KEPT))
    session.execute(delete(GridReport).where(GridReport.at < now - GRID_REPORTS_KEPT))
    session.execute(
        delete(InboundEvent)
        .where(InboundEvent.received_at < events_before)
        .where(InboundEvent.status.in_([EventStatus.DONE, EventStatus.IGNORED]))
    )


def erase(session: Session, contact_id: int) -> None:
    """Everything said, sent and linked of a contact; the consents stay, as the proof that the law asks for."""
    contact = session.get_one(Contact, contact_id)
    conversation = select(Conversation.id).where(Conversation.contact_id == contact_id).scalar_subquery()
    session.execute(delete(Delivery).where(Delivery.contact_id == contact_id))
    session.execute(delete(Message).where(Message.conversation_id == conversation))
    session.execute(delete(Media).where(Media.contact_id == contact_id))
    session.execute(delete(OtpChallenge).where(OtpChallenge.contact_id == contact_id))
    session.execute(delete(GridReport).where(GridReport.contact_id == contact_id))
    session.execute(delete(NoticePreference).where(NoticePreference.contact_id == contact_id))
    session.execute(delete(NoticeLimits).where(NoticeLimits.contact_id == contact_id))
    session.execute(delete(Link).where(Link.contact_id == contact_id))
    session.execute(
        update(InboundEvent)
        .where(InboundEvent.channel == contact.channel, InboundEvent.user_id == contact.channel_user_id)
        .values(payload={})
    )
    session.execute(
        update(Conversation)
        .where(Conversation.contact_id == contact_id)
        .values(state={}, version=Conversation.version + 1, owner=Owner.BOT, waiting_since=None)
    )
    contact.display_name = None
    audit(session, actor="platform", action="data.erased", contact_id=contact_id)

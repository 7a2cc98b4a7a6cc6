"""What is not needed any longer is deleted (electricity.md §8.1: keep only as long as the purpose needs)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Result,
    Select,
    Text,
    and_,
    cast,
    delete,
    null,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array
from sqlalchemy.orm import Session

from bot.store.campaigns import EDITABLE
from bot.store.conversations import audit
from bot.store.models import (
    FINISHED,
    Campaign,
    Contact,
    Conversation,
    Delivery,
    EventStatus,
    GridReport,
    Handover,
    InboundEvent,
    Link,
    LinkCode,
    LinkCodeGuess,
    ListedCode,
    Media,
    Message,
    Note,
    Notice,
    NoticeLimits,
    NoticePreference,
    NoticeStatus,
    OtpChallenge,
    Owner,
    Review,
    RightsRequest,
)

OTP_KEPT = timedelta(days=2)
"""Longer than the longest window in which sends are counted."""

LINK_CODE_GUESSES_KEPT = timedelta(days=2)
"""Longer than the window in which wrong codes are counted."""

GRID_REPORTS_KEPT = timedelta(days=30)
"""As long as people may still come back to their report."""

SLICE: Final = 1_000
"""Rows that one transaction empties or deletes: nobody waits long for its locks."""

EMPTY: Final = cast({}, JSONB)
NOTHING_LOADED: Final = {"synchronize_session": False}
ENDED: Final = (NoticeStatus.DONE, NoticeStatus.SUPERSEDED, NoticeStatus.CANCELLED)
CAME_WITH: Final = ("attachments", "position", "info")
"""What is kept of a message besides its text (bot/pipeline/turns.py)."""


def forget(session: Session, *, now: datetime, events_before: datetime) -> None:
    """Drop expired pictures and one-time passwords, counted guesses, and the finished events of long ago."""
    session.execute(delete(Media).where(Media.expires_at < now))
    session.execute(delete(OtpChallenge).where(OtpChallenge.sent_at < now - OTP_KEPT))
    session.execute(delete(LinkCodeGuess).where(LinkCodeGuess.at < now - LINK_CODE_GUESSES_KEPT))
    session.execute(delete(GridReport).where(GridReport.at < now - GRID_REPORTS_KEPT))
    session.execute(
        delete(InboundEvent)
        .where(InboundEvent.received_at < events_before)
        .where(InboundEvent.status.in_([EventStatus.DONE, EventStatus.IGNORED]))
    )


def forget_attachments(session: Session, before: datetime) -> bool:
    """One slice of where pictures and files lie, of positions and shared phones. True if there may be more."""
    old = _old_messages(before, Message.content.has_any(array(CAME_WITH)))
    bare = Message.content.op("-")(cast(array(CAME_WITH), ARRAY(Text)))
    return _is_full(session.execute(update(Message).where(Message.id.in_(old)).values(content=bare), NOTHING_LOADED))


def forget_words(session: Session, before: datetime) -> bool:
    """One slice of what was said: the line stays for the figures, its text and values go. True if there may be more."""
    old = _old_messages(before, or_(Message.text != "", Message.content != EMPTY))
    emptied = update(Message).where(Message.id.in_(old)).values(text="", content={}, understanding=null())
    return _is_full(session.execute(emptied, NOTHING_LOADED))


def forget_unreviewed(session: Session, before: datetime) -> bool:
    """One slice of the messages that nobody judged while their words were there. True if there may be more."""
    old = select(Review.message_id).where(Review.verdict.is_(None), Review.said_at < before).limit(SLICE)
    return _is_full(session.execute(delete(Review).where(Review.message_id.in_(old)), NOTHING_LOADED))


def forget_sent(session: Session, before: datetime) -> bool:
    """One slice of what was sent: that it was sent, and how it went, stays. True if there may be more."""
    old = (
        select(Delivery.id)
        .join(Conversation, Conversation.contact_id == Delivery.contact_id)
        .where(Delivery.content != EMPTY, Delivery.created_at < before, Delivery.status.in_(FINISHED), _nobody_is_at())
        .order_by(Delivery.created_at)
        .limit(SLICE)
    )
    return _is_full(session.execute(update(Delivery).where(Delivery.id.in_(old)).values(content={}), NOTHING_LOADED))


def forget_facts(session: Session, before: datetime) -> bool:
    """One slice of what notices told: that they were sent, and how it went, stays. True if there may be more."""
    old = (
        select(Notice.id)
        .where(Notice.facts != EMPTY, Notice.created_at < before, Notice.status.in_(ENDED))
        .limit(SLICE)
    )
    emptied = update(Notice).where(Notice.id.in_(old)).values(facts={}, customer_code=null())
    return _is_full(session.execute(emptied, NOTHING_LOADED))


def forget_lists(session: Session, before: datetime) -> bool:
    """One slice of the lists of customer codes that no notice needs any more. True if there may be more."""
    open_ = or_(Campaign.status.in_(EDITABLE), Notice.status.not_in(ENDED))
    needed = (
        select(Campaign.id)
        .outerjoin(Notice, Notice.id == Campaign.notice_id)
        .where(Campaign.audience["list"].astext == ListedCode.list, or_(Campaign.edited_at >= before, open_))
        .exists()
    )
    old = select(ListedCode.list, ListedCode.customer_code).where(~needed).limit(SLICE)
    return _is_full(
        session.execute(delete(ListedCode).where(tuple_(ListedCode.list, ListedCode.customer_code).in_(old)))
    )


def forget_summaries(session: Session, before: datetime) -> bool:
    """One slice of hand-overs that ended. True if there may be more."""
    old = select(Handover.id).where(Handover.ended_at < before).limit(SLICE)
    return _is_full(session.execute(delete(Handover).where(Handover.id.in_(old)), NOTHING_LOADED))


def forget_dialogues(session: Session, before: datetime) -> bool:
    """One slice of what the bot remembers of those who have not come back. True if there may be more."""
    old = (
        select(Conversation.id)
        .where(Conversation.state != EMPTY, Conversation.last_message_at < before, _nobody_is_at())
        .limit(SLICE)
    )
    emptied = update(Conversation).where(Conversation.id.in_(old)).values(state={}, version=Conversation.version + 1)
    return _is_full(session.execute(emptied, NOTHING_LOADED))


def erase(session: Session, contact_id: int, *, actor: str, up_to_event: int | None = None) -> None:
    """Everything said, sent and linked of a contact; consents and requests stay, as the proof that the law asks for.

    What came after `up_to_event`, the request itself, was not meant by it and is answered as ever. Rows are locked in
    the order in which turns and receipts lock them: conversation, events, deliveries.
    """
    contact = session.get_one(Contact, contact_id)
    conversation = select(Conversation.id).where(Conversation.contact_id == contact_id).scalar_subquery()
    session.execute(
        update(Conversation)
        .where(Conversation.contact_id == contact_id)
        .values(state={}, version=Conversation.version + 1, owner=Owner.BOT, waiting_since=None, staff_id=None)
    )
    session.execute(
        update(InboundEvent)
        .where(InboundEvent.channel == contact.channel, InboundEvent.user_id == contact.channel_user_id)
        .where(true() if up_to_event is None else InboundEvent.id <= up_to_event)
        .values(payload={})
    )
    session.execute(delete(Delivery).where(Delivery.contact_id == contact_id))
    session.execute(delete(Message).where(Message.conversation_id == conversation))
    session.execute(delete(Handover).where(Handover.conversation_id == conversation))
    session.execute(delete(Note).where(Note.conversation_id == conversation))
    for table in (Media, OtpChallenge, GridReport, LinkCodeGuess, NoticePreference, NoticeLimits, Link):
        session.execute(delete(table).where(table.contact_id == contact_id))
    session.execute(update(LinkCode).where(LinkCode.used_by_contact_id == contact_id).values(used_by_contact_id=None))
    contact.display_name = None
    audit(session, actor=actor, action="data.erased", contact_id=contact_id)


def _old_messages(before: datetime, kept: ColumnElement[bool]) -> Select[int]:
    return (
        select(Message.id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(kept, Message.created_at < before, _nobody_is_at())
        .order_by(Message.created_at)
        .limit(SLICE)
    )


def _nobody_is_at() -> ColumnElement[bool]:
    """Does the conversation wait for nobody, and its contact for nothing? Open cases are left whole."""
    waits = select(Handover.id).where(Handover.conversation_id == Conversation.id, Handover.ended_at.is_(None))
    asked = select(RightsRequest.id).where(
        RightsRequest.contact_id == Conversation.contact_id, RightsRequest.done_at.is_(None)
    )
    return and_(Conversation.owner == Owner.BOT, ~waits.exists(), ~asked.exists())


def _is_full(done: Result[Any]) -> bool:
    assert isinstance(done, CursorResult)
    return done.rowcount == SLICE


Forget = Callable[[Session, datetime], bool]
WITH_ATTACHMENTS: Final[tuple[Forget, ...]] = (forget_attachments,)
WITH_MESSAGES: Final[tuple[Forget, ...]] = (
    forget_words,
    forget_unreviewed,
    forget_sent,
    forget_facts,
    forget_lists,
    forget_summaries,
    forget_dialogues,
)
"""What goes after `retention.attachment_days` and after `retention.message_days`."""

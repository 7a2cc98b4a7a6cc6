"""Conversations that wait for a person, or that one has (F14): at most one open row each, until the bot has it back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from bot.store.models import Contact, Conversation, Handover, HandoverReason, Message, Owner

GRAVITY: Final = tuple(HandoverReason)
LAST_MESSAGES: Final = 8
"""So many lines of the thread are in the summary: what happened just before, at a glance."""


class Mood(StrEnum):
    CALM = "calm"
    ANGRY = "angry"


@dataclass(frozen=True)
class Brief:
    """What the dialogue knows of a conversation that is handed over.

    `asked`: the intent last asked about; `account`: the customer code it is about, or the only one; `form`: the form
    that runs or waits.
    """

    asked: str | None = None
    account: str | None = None
    form: str | None = None
    mood: Mood = Mood.CALM


def open_of(session: Session, conversation_id: int) -> Handover | None:
    """The row that is not ended."""
    return session.scalars(
        select(Handover).where(Handover.conversation_id == conversation_id, Handover.ended_at.is_(None))
    ).one_or_none()


def ask(
    session: Session,
    *,
    conversation_id: int,
    reason: HandoverReason,
    brief: Brief,
    promised_at: datetime,
    now: datetime,
) -> None:
    """Put the conversation into the staff's queue; one that waits already keeps its promise and its graver reason."""
    conversation = session.scalars(
        select(Conversation).where(Conversation.id == conversation_id).with_for_update()
    ).one()
    if conversation.owner == Owner.BOT:
        conversation.owner, conversation.waiting_since = Owner.WAITING, now
        conversation.version += 1
    summary = {**asdict(brief), "last_messages": _last_messages(session, conversation_id)}
    row = open_of(session, conversation_id)
    if row is None:
        session.add(
            Handover(
                conversation_id=conversation_id,
                reason=reason,
                summary=summary,
                opened_at=now,
                promised_at=promised_at,
            )
        )
        return
    if row.summary["mood"] == Mood.ANGRY:
        summary["mood"] = Mood.ANGRY
    row.reason, row.summary = min(HandoverReason(row.reason), reason, key=GRAVITY.index), summary


class TakenByOther(Exception):
    """Somebody else of the staff has the conversation."""


def take(session: Session, conversation_id: int, *, staff_id: int, at: datetime, over: bool = False) -> None:
    """The member of staff has the conversation from now on, and the bot is silent in it.

    Raises TakenByOther, unless it is taken `over` from them.
    """
    conversation = session.scalars(
        select(Conversation).where(Conversation.id == conversation_id).with_for_update()
    ).one()
    if conversation.owner == Owner.STAFF and conversation.staff_id not in {None, staff_id} and not over:
        raise TakenByOther
    conversation.owner, conversation.staff_id = Owner.STAFF, staff_id
    conversation.version += 1
    row = open_of(session, conversation_id)
    if row is not None and row.taken_at is None:
        row.taken_at = at


def give_back(session: Session, conversation_id: int, *, by: str, at: datetime) -> None:
    """The bot has the conversation again: nobody waits any more."""
    session.execute(
        update(Conversation)
        .where(Conversation.id == conversation_id, Conversation.owner != Owner.BOT)
        .values(owner=Owner.BOT, version=Conversation.version + 1, waiting_since=None, staff_id=None)
    )
    session.execute(
        update(Handover)
        .where(Handover.conversation_id == conversation_id, Handover.ended_at.is_(None))
        .values(ended_at=at, ended_by=by)
    )


def return_quiet(session: Session, *, quiet_since: datetime, at: datetime) -> None:
    """Give back to the bot what staff took over and left without a word of theirs since `quiet_since`."""
    spoke = (
        select(Message.id)
        .where(Message.conversation_id == Conversation.id, Message.sender == "staff")
        .where(Message.created_at >= quiet_since)
    )
    quiet = select(Conversation.id).where(Conversation.owner == Owner.STAFF, ~spoke.exists())
    for conversation_id in session.scalars(quiet.with_for_update(skip_locked=True)).all():
        give_back(session, conversation_id, by="clock", at=at)


def waiting(session: Session) -> Mapping[str, int]:
    """How many wait for a person to take them, by reason."""
    rows = session.execute(
        select(Handover.reason, func.count())
        .join(Conversation, Conversation.id == Handover.conversation_id)
        .where(Handover.ended_at.is_(None), Conversation.owner == Owner.WAITING)
        .group_by(Handover.reason)
    )
    return dict(rows.all())


def _last_messages(session: Session, conversation_id: int) -> list[dict[str, Any]]:
    newest = session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.id.desc())
        .limit(LAST_MESSAGES)
    )
    return [
        {"sender": message.sender, "kind": message.kind, "text": message.text, "at": message.created_at.isoformat()}
        for message in reversed(newest.all())
    ]


@dataclass(frozen=True)
class Waiting:
    """A conversation that people must see to."""

    conversation: Conversation
    contact: Contact
    handover: Handover | None


def with_people(session: Session, *, limit: int) -> Sequence[Waiting]:
    """Those that wait, danger first and then by what was promised to them; after them those that somebody has."""
    rows = session.execute(
        select(Conversation, Contact, Handover)
        .join(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Handover, and_(Handover.conversation_id == Conversation.id, Handover.ended_at.is_(None)))
        .where(Conversation.owner != Owner.BOT)
        .order_by(
            Conversation.owner != Owner.WAITING,
            func.coalesce(Handover.reason != HandoverReason.DANGER, True),
            Handover.promised_at,
            Conversation.id,
        )
        .limit(limit)
    )
    return [Waiting(*row) for row in rows]


def count_waiting(session: Session) -> int:
    waiting_now = select(func.count()).select_from(Conversation).where(Conversation.owner == Owner.WAITING)
    return session.scalar(waiting_now) or 0

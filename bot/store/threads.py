"""The conversations as staff read them (F23): the newest first, what was said in them, what was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session, aliased

from bot.messages import ChannelName
from bot.store.models import Contact, Conversation, Delivery, Handover, Link, Message, Note, Owner

OUT_OF_ORDER = 1_000
"""So many lines may have an id that does not follow the time at which they came."""
SEARCH_PATIENCE_MS = 5_000
READ_BACKWARDS = 50_000
"""Lines, in some 30 ms."""


@dataclass(frozen=True)
class Wanted:
    """What staff look for. All that is given must hold; `since` and `until` are aware, `until` exclusive.

    `words` may have quotes around a phrase and a minus before what must not be there; tone marks do not count.
    `unsure_below` is a confidence; `fallback`: the bot did not know what to do.
    """

    words: str = ""
    channel: ChannelName | None = None
    owner: Owner | None = None
    staff_id: int | None = None
    sender: str | None = None
    intent: str | None = None
    unsure_below: float | None = None
    fallback: bool = False
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_of_messages(self) -> bool:
        """Can only single lines tell whether it holds?"""
        return bool(self.words or self.sender or self.intent or self.unsure_below is not None or self.fallback)


@dataclass(frozen=True)
class Thread:
    """A conversation in a list, with its last line and why it waits for people."""

    conversation: Conversation
    contact: Contact
    last: Message | None
    handover: Handover | None


@dataclass(frozen=True)
class Line:
    """A line of a conversation that was looked for."""

    message: Message
    conversation: Conversation
    contact: Contact


def latest(session: Session, wanted: Wanted, *, before: tuple[datetime, int] | None, limit: int) -> Sequence[Thread]:
    """Conversations by their last line, newest first, from after the key `before` on."""
    line = aliased(Message)
    last = select(line.id).where(line.conversation_id == Conversation.id).order_by(line.id.desc()).limit(1)
    query = (
        select(Conversation, Contact, Message, Handover)
        .join(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Message, Message.id == last.scalar_subquery())
        .outerjoin(Handover, and_(Handover.conversation_id == Conversation.id, Handover.ended_at.is_(None)))
        .where(Conversation.last_message_at.is_not(None), *_of_conversations(wanted))
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(Conversation.last_message_at, Conversation.id) < before)
    if wanted.since:
        query = query.where(Conversation.last_message_at >= wanted.since)
    if wanted.until:
        query = query.where(Conversation.last_message_at < wanted.until)
    return [Thread(*row) for row in session.execute(query)]


def find(session: Session, wanted: Wanted, *, before: int | None, limit: int) -> Sequence[Line]:
    """Lines, newest first; `before` is the id that the last page ended with.

    First the newest lines are read backwards: what is said often, alone or together, fills a page there. What does not
    is rare, and the index of words finds it; its planner sees the words at hand. Raises
    sqlalchemy.exc.OperationalError when it takes too long.
    """
    for setting in ("plan_cache_mode = force_custom_plan", "random_page_cost = 1.1", "enable_bitmapscan = off"):
        session.execute(sql(f"SET LOCAL {setting}"))
    session.execute(sql(f"SET LOCAL statement_timeout = {SEARCH_PATIENCE_MS}"))
    query = lines_wanted(session, wanted, before=before, limit=limit)
    top = before or newest_line(session) + 1
    if wanted.until:
        top = min(top, _id_at(session, wanted.until) + OUT_OF_ORDER)
    recent = session.execute(query.where(Message.id >= top - READ_BACKWARDS)).all()
    if len(recent) < limit:
        session.execute(sql("SET LOCAL enable_bitmapscan = on"))
        recent = session.execute(query).all()
    return [Line(*row) for row in recent]


def lines_wanted(
    session: Session, wanted: Wanted, *, before: int | None, limit: int
) -> Select[Message, Conversation, Contact]:
    """What `find` asks the database."""
    query = (
        select(Message, Conversation, Contact)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(*_of_conversations(wanted), *_of_lines(session, wanted))
        .order_by(Message.id.desc())
        .limit(limit)
    )
    return query if before is None else query.where(Message.id < before)


def with_code(session: Session, customer_code: str, *, limit: int) -> Sequence[Thread]:
    """The conversations of those who linked the code, ended links too."""
    linked = select(Link.contact_id).where(Link.customer_code == customer_code)
    query = (
        select(Conversation, Contact, Handover)
        .join(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Handover, and_(Handover.conversation_id == Conversation.id, Handover.ended_at.is_(None)))
        .where(Conversation.contact_id.in_(linked))
        .order_by(Conversation.id)
        .limit(limit)
    )
    return [Thread(conversation, contact, None, handover) for conversation, contact, handover in session.execute(query)]


@dataclass(frozen=True)
class Stretch:
    """A part of one conversation, oldest first: lines, and what staff noted meanwhile. `calls` are the send calls that
    each line took; `older`: there is more before it.
    """

    messages: Sequence[Message]
    calls: dict[int, list[Delivery]]
    notes: Sequence[Note]
    older: bool


def stretch(session: Session, conversation: Conversation, *, before: int | None, limit: int) -> Stretch:
    """The newest lines of a conversation, or those before the line `before`."""
    query = (
        select(Message).where(Message.conversation_id == conversation.id).order_by(Message.id.desc()).limit(limit + 1)
    )
    if before is not None:
        query = query.where(Message.id < before)
    found = session.scalars(query).all()
    messages, older = list(reversed(found[:limit])), len(found) > limit
    begins = messages[0].created_at if messages and older else None
    ends = messages[-1].created_at if messages and before is not None else None
    calls: dict[int, list[Delivery]] = {}
    said = [message.id for message in messages if message.sender != "customer"]
    for call in session.scalars(select(Delivery).where(Delivery.message_id.in_(said)).order_by(Delivery.id)):
        calls.setdefault(call.message_id or 0, []).append(call)
    notes = select(Note).where(Note.conversation_id == conversation.id)
    if begins:
        notes = notes.where(Note.at >= begins)
    if ends:
        notes = notes.where(Note.at < ends)
    return Stretch(
        messages=messages,
        calls=calls,
        notes=session.scalars(notes.order_by(Note.id)).all(),
        older=older,
    )


def newest_line(session: Session) -> int:
    return session.scalar(select(func.max(Message.id))) or 0


def _of_conversations(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.channel:
        conditions.append(Contact.channel == wanted.channel)
    if wanted.owner:
        conditions.append(Conversation.owner == wanted.owner)
    if wanted.staff_id is not None:
        conditions.append(Conversation.staff_id == wanted.staff_id)
    return conditions


def _of_lines(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    parts = [_mark(name, value) for name, value in (("sender", wanted.sender), ("intent", wanted.intent)) if value]
    if wanted.fallback:
        parts.append(_mark("by", "fallback"))
    if wanted.unsure_below is not None:
        tenths = " | ".join(f"'sure={tenth}'" for tenth in range(int(wanted.unsure_below * 10) + 1))
        parts.append(literal(tenths).cast(TSQUERY))
    if wanted.words:
        parts.append(func.websearch_to_tsquery("simple", func.folded(wanted.words), type_=TSQUERY))
    conditions: list[ColumnElement[bool]] = []
    if parts:
        query = parts[0]
        for part in parts[1:]:
            query = query.op("&&", return_type=TSQUERY())(part)
        conditions.append(Message.search.bool_op("@@")(query))
    if wanted.unsure_below is not None:
        conditions.append(Message.confidence < wanted.unsure_below)
    if wanted.since:
        conditions += [Message.id > _id_at(session, wanted.since) - OUT_OF_ORDER, Message.created_at >= wanted.since]
    if wanted.until:
        conditions += [Message.id < _id_at(session, wanted.until) + OUT_OF_ORDER, Message.created_at < wanted.until]
    return conditions


def _mark(name: str, value: str) -> ColumnElement[str]:
    quoted = value.replace("\\", "\\\\").replace("'", "''")
    return literal(f"'{name}={quoted}'").cast(TSQUERY)


def _id_at(session: Session, at: datetime) -> int:
    """The first line that came at a time or after it, by the index of lines that still have words."""
    kept = aliased(Message)
    has_words = or_(kept.text != "", kept.content != sql("'{}'::jsonb"))
    first = session.scalar(
        select(kept.id).where(has_words, kept.created_at >= at).order_by(kept.created_at, kept.id).limit(1)
    )
    return first if first is not None else newest_line(session) + 1

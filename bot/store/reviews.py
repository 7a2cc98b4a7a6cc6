"""What customers wrote, waiting for a reviewer, and what reviewers said of it (F24).

What waits is ordered by its value, the newest first among equals; a page of that order begins after a `Place`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import ColumnElement, Select, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.store.models import Contact, Conversation, Link, Message, Review, ReviewProgress, Verdict

MOST_COUNTED: Final = 1_000
"""More than so many are not counted: nobody works through them today."""
LINES_BEFORE: Final = 2


@dataclass(frozen=True)
class Place:
    """Where a message stands in what waits."""

    value: int
    message_id: int

    def __str__(self) -> str:
        return f"{self.value}-{self.message_id}"

    @classmethod
    def read(cls, written: str | None) -> Self | None:
        value, dash, message_id = (written or "").partition("-")
        return cls(int(value), int(message_id)) if dash and value.isdecimal() and message_id.isdecimal() else None


@dataclass(frozen=True)
class Case:
    """A customer's message that can be judged. `review` is None where nothing cast doubt on it."""

    message: Message
    contact: Contact
    review: Review | None

    @property
    def place(self) -> Place:
        return Place(self.review.value if self.review else 0, self.message.id)

    @property
    def signals(self) -> list[str]:
        return self.review.signals if self.review else []

    @property
    def verdict(self) -> Verdict | None:
        return Verdict(self.review.verdict) if self.review and self.review.verdict else None


@dataclass(frozen=True)
class Judgement:
    """What a reviewer says of a message; spans and parts as they are stored (bot/store/models.py, Review)."""

    verdict: Verdict
    intent: str | None
    entities: list[dict[str, Any]]
    parts: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Filter:
    """Of verdicts; None for all. `older_than`: only of messages that another model than this one understood."""

    verdict: str | None = None
    intent: str | None = None
    staff_id: int | None = None
    older_than: str | None = None


def following(session: Session, place: Place | None) -> int | None:
    """The message that comes after the place; the first of all without one."""
    query = _waiting().order_by(Review.value.desc(), Review.message_id.desc()).limit(1)
    return session.scalar(query.where(_place() < tuple_(place.value, place.message_id)) if place else query)


def preceding(session: Session, place: Place) -> int | None:
    """The message that comes just before the place."""
    query = _waiting().order_by(Review.value, Review.message_id).limit(1)
    return session.scalar(query.where(_place() > tuple_(place.value, place.message_id)))


def left(session: Session) -> int:
    """How many wait; one more than MOST_COUNTED for any number above it."""
    some = select(Review.message_id).where(Review.verdict.is_(None)).limit(MOST_COUNTED + 1).subquery()
    return session.scalars(select(func.count()).select_from(some)).one()


def find(session: Session, message_id: int) -> Case | None:
    """The message, if it is one that can be judged and its words are still kept."""
    found = session.execute(
        select(Message, Contact, Review)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Review, Review.message_id == Message.id)
        .where(Message.id == message_id, *_can_be_judged())
    ).one_or_none()
    return Case(*found) if found else None


def lines_before(session: Session, message: Message) -> Sequence[Message]:
    """What was said just before, the older first."""
    newest = session.scalars(
        select(Message)
        .where(Message.conversation_id == message.conversation_id, Message.id < message.id, Message.text != "")
        .order_by(Message.id.desc())
        .limit(LINES_BEFORE)
    )
    return newest.all()[::-1]


def is_linked(session: Session, customer_code: str) -> bool:
    """Is, or was, this code somebody's?"""
    return session.scalar(select(Link.id).where(Link.customer_code == customer_code).limit(1)) is not None


def judge(session: Session, message_id: int, judgement: Judgement, *, staff_id: int, at: datetime) -> bool:
    """Store a verdict. False, and nothing is changed, where there is one already or the message is gone."""
    message = session.scalar(
        select(Message).where(Message.id == message_id, *_can_be_judged()).with_for_update(read=True, key_share=True)
    )
    if message is None:
        return False
    said = {
        "verdict": judgement.verdict,
        "intent": judgement.intent,
        "entities": judgement.entities,
        "parts": judgement.parts,
        "staff_id": staff_id,
        "at": at,
    }
    stored = session.scalar(
        insert(Review)
        .values(**_row(message, value=0, signals=()), **said)
        .on_conflict_do_update(index_elements=["message_id"], set_=said, where=Review.verdict.is_(None))
        .returning(Review.message_id)
    )
    return stored is not None


def undo(session: Session, message_id: int) -> bool:
    """The message waits again. False where it does so already, or its verdict is in the training data."""
    undone = session.scalar(
        update(Review)
        .where(Review.message_id == message_id, Review.verdict.is_not(None), Review.applied_at.is_(None))
        .values(verdict=None, intent=None, entities=None, parts=None, staff_id=None, at=None)
        .returning(Review.message_id)
    )
    return undone is not None


def last_of(session: Session, staff_id: int) -> Review | None:
    """What this person said last that can be undone."""
    return session.scalar(
        select(Review)
        .where(Review.verdict.is_not(None), Review.applied_at.is_(None), Review.staff_id == staff_id)
        .order_by(Review.at.desc(), Review.message_id.desc())
        .limit(1)
    )


def verdicts(session: Session, wanted: Filter, *, before: int | None, limit: int) -> Sequence[Case]:
    """The newest first; `before` is the message that the last page ended with."""
    query = _judged().order_by(Review.at.desc(), Review.message_id.desc()).limit(limit)
    if before is not None:
        end = select(Review.at).where(Review.message_id == before).scalar_subquery()
        query = query.where(tuple_(Review.at, Review.message_id) < tuple_(end, before))
    if wanted.verdict:
        query = query.where(Review.verdict == wanted.verdict)
    if wanted.intent:
        query = query.where((Review.guessed == wanted.intent) | (Review.intent == wanted.intent))
    if wanted.staff_id is not None:
        query = query.where(Review.staff_id == wanted.staff_id)
    if wanted.older_than:
        query = query.where(Review.model.is_distinct_from(wanted.older_than))
    return [Case(*found) for found in session.execute(query)]


def confusions(session: Session, *, since: datetime, until: datetime) -> list[tuple[str, str, int]]:
    """Guessed intent, true intent and how often, of the verdicts given within the time, the most frequent first."""
    often = func.count()
    found = session.execute(
        select(Review.guessed, Review.intent, often)
        .where(Review.verdict.is_not(None), Review.intent.is_not(None), Review.at >= since, Review.at < until)
        .group_by(Review.guessed, Review.intent)
        .order_by(often.desc(), Review.guessed, Review.intent)
    )
    return [(guessed, true, count) for guessed, true, count in found if true is not None]


def pending(session: Session, *, after: int, limit: int) -> Sequence[Case]:
    """Verdicts that can teach something and are not in the training data yet, by message id."""
    found = session.execute(
        _judged()
        .where(Review.applied_at.is_(None), Review.verdict != Verdict.DISCARDED)
        .where(Review.message_id > after, Message.text != "")
        .order_by(Review.message_id)
        .limit(limit)
    )
    return [Case(*row) for row in found]


def mark_applied(session: Session, message_ids: Collection[int], at: datetime) -> None:
    session.execute(
        update(Review)
        .where(Review.message_id.in_(message_ids), Review.verdict.is_not(None), Review.applied_at.is_(None))
        .values(applied_at=at)
    )


def put_in_queue(session: Session, message: Message, *, value: int, signals: Collection[str]) -> None:
    """Have the message wait for a reviewer, unless it does or has been judged."""
    session.execute(insert(Review).values(**_row(message, value=value, signals=signals)).on_conflict_do_nothing())


def progress(session: Session) -> ReviewProgress:
    """The one row, held until the transaction ends."""
    session.execute(insert(ReviewProgress).values(id=1, up_to=0).on_conflict_do_nothing())
    return session.scalars(select(ReviewProgress).with_for_update()).one()


def present_model(session: Session) -> str | None:
    """The model that understood the newest of the messages that were looked at."""
    return session.scalar(select(ReviewProgress.model))


def _row(message: Message, *, value: int, signals: Collection[str]) -> dict[str, Any]:
    return {
        "message_id": message.id,
        "value": value,
        "signals": list(signals),
        "guessed": message.intent,
        "model": (message.understanding or {}).get("model"),
        "said_at": message.created_at,
    }


def _judged() -> Select[Message, Contact, Review]:
    return (
        select(Message, Contact, Review)
        .join(Review, Review.message_id == Message.id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(Review.verdict.is_not(None))
    )


def _waiting() -> Select[int]:
    return (
        select(Review.message_id)
        .join(Message, Message.id == Review.message_id)
        .where(Review.verdict.is_(None), Message.text != "")
    )


def _place() -> Any:
    return tuple_(Review.value, Review.message_id)


def _can_be_judged() -> tuple[ColumnElement[bool], ...]:
    return (Message.sender == "customer", Message.kind == "text", Message.intent.is_not(None), Message.text != "")

"""Which messages a reviewer should look at first: those that were perhaps not understood (F24).

It is told from what happened, some minutes later: what the customer did next is the best sign.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise, takewhile
from typing import Final

from rapidfuzz import fuzz
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.desk import UnderstandingData
from bot.store import reviews
from bot.store.database import Database
from bot.store.models import Handover, HandoverReason, Message
from bot.text import fold

RIGHT_AFTER: Final = timedelta(minutes=2)
"""Within this, what happens next is taken for an answer to the message."""
SETTLED_AFTER: Final = timedelta(minutes=3)
"""Then what was to happen right after has happened, and is stored."""
SIMILAR: Final = 60
"""Of 100: from here two messages, without tone marks, are the same request in other words."""
BAND: Final = 0.15
"""Of confidence, above the one from which the assistant acts: there it was nearly not sure enough."""
CLOSE: Final = 0.2
"""Of confidence, between the best two guesses."""
SLICE: Final = 1_000
MOST_SLICES: Final = 20
"""In one run: 20,000 lines a minute, far more than are said."""


class Signal(StrEnum):
    """Why there is doubt."""

    HANDED_OVER = "handed_over"
    REPHRASED = "rephrased"
    FALLBACK = "fallback"
    UNSURE = "unsure"
    CLOSE = "close"


WORTH: Final[Mapping[Signal, int]] = {
    Signal.HANDED_OVER: 40,
    Signal.REPHRASED: 30,
    Signal.FALLBACK: 20,
    Signal.UNSURE: 20,
    Signal.CLOSE: 10,
}
"""What a look at such a message is worth beside the others; several add up."""


def queue_reviews(database: Database, thresholds: UnderstandingData, now: datetime) -> None:
    """Look at what was said since the last run. May be run again at any time."""
    for _ in range(MOST_SLICES):
        with database.begin() as session:
            if not _queue_slice(session, thresholds, now):
                return


def signals_of(
    message: Message, following: Message | None, handovers: Sequence[Handover], thresholds: UnderstandingData
) -> frozenset[Signal]:
    """`following`: what the customer wrote next; `handovers`: of the conversation.

    A form takes an answer whatever intent it seems to have.
    """
    found = set()
    confidence = message.confidence or 0.0
    others = [sure for _name, sure in (message.understanding or {}).get("ranking", ())][1:]
    handled_by = (message.handled_by or "").split()
    in_form = bool(handled_by) and handled_by[0].startswith("form:")
    if "fallback" in handled_by:
        found.add(Signal.FALLBACK)
    if not in_form and thresholds.suggest <= confidence < thresholds.act + BAND:
        found.add(Signal.UNSURE)
    if not in_form and others and confidence - others[0] < CLOSE:
        found.add(Signal.CLOSE)
    if following and _is_rephrased(message, following):
        found.add(Signal.REPHRASED)
    if any(_led_to(message, following, handover) for handover in handovers):
        found.add(Signal.HANDED_OVER)
    return frozenset(found)


def _is_rephrased(message: Message, following: Message) -> bool:
    soon = following.created_at - message.created_at <= RIGHT_AFTER
    otherwise = following.intent is not None and following.intent != message.intent
    return soon and otherwise and fuzz.token_set_ratio(fold(message.text), fold(following.text)) >= SIMILAR


def _led_to(message: Message, following: Message | None, handover: Handover) -> bool:
    """Was this the last thing said before a person was asked for, or before the assistant gave up?

    The request for a person itself was understood.
    """
    if not message.created_at <= handover.opened_at <= message.created_at + RIGHT_AFTER:
        return False
    was_last = following is None or following.created_at > handover.opened_at
    if handover.reason == HandoverReason.MISUNDERSTANDING:
        return was_last
    return handover.reason in {HandoverReason.ASKED, HandoverReason.ANGER} and not was_last


def _queue_slice(session: Session, thresholds: UnderstandingData, now: datetime) -> bool:
    """True if there may be more."""
    progress = reviews.progress(session)
    newer = session.scalars(select(Message).where(Message.id > progress.up_to).order_by(Message.id).limit(SLICE)).all()
    settled = list(takewhile(lambda message: message.created_at <= now - SETTLED_AFTER, newer))
    if not settled:
        return False
    asked = [message for message in settled if _is_to_judge(message)]
    following, handovers = _what_followed(session, asked), _handovers(session, asked)
    for message in asked:
        found = signals_of(message, following.get(message.id), handovers[message.conversation_id], thresholds)
        if found:
            value = sum(WORTH[signal] for signal in found)
            reviews.put_in_queue(session, message, value=value, signals=sorted(found))
    progress.up_to = settled[-1].id
    progress.model = next(filter(None, map(_model, reversed(settled))), progress.model)
    return len(settled) == SLICE


def _is_to_judge(message: Message) -> bool:
    """Digits alone, and the dots in place of a secret, tell nothing of what was wanted."""
    understood = message.sender == "customer" and message.kind == "text" and message.intent is not None
    return understood and any(map(str.isalpha, message.text))


def _model(message: Message) -> str | None:
    return (message.understanding or {}).get("model")


def _what_followed(session: Session, asked: Sequence[Message]) -> dict[int, Message]:
    """By message: what the same customer wrote next."""
    if not asked:
        return {}
    written = session.scalars(
        select(Message)
        .where(Message.conversation_id.in_({message.conversation_id for message in asked}))
        .where(Message.sender == "customer", Message.id >= asked[0].id)
        .where(Message.created_at <= max(message.created_at for message in asked) + RIGHT_AFTER)
        .order_by(Message.conversation_id, Message.id)
    ).all()
    return {one.id: other for one, other in pairwise(written) if one.conversation_id == other.conversation_id}


def _handovers(session: Session, asked: Sequence[Message]) -> dict[int, list[Handover]]:
    """By conversation."""
    found: dict[int, list[Handover]] = defaultdict(list)
    if asked:
        opened = Handover.opened_at >= min(message.created_at for message in asked)
        conversations = {message.conversation_id for message in asked}
        for handover in session.scalars(select(Handover).where(Handover.conversation_id.in_(conversations), opened)):
            found[handover.conversation_id].append(handover)
    return found

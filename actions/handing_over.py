"""Handing a conversation to a person (F14): once, for the gravest reason, with a promise that office hours can keep."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from actions.answers import option_meant
from actions.desk import DeskTurn
from bot.store import handovers
from bot.store.handovers import Brief, Mood
from bot.store.models import HandoverReason, Owner

LONG_WAIT: Final = timedelta(hours=1)
"""After so long past the promise the customer is owed an apology."""


@dataclass(frozen=True)
class Promise:
    """When people read it: at once while they work (`is_open`), else `at`. `since`: it waits already since then."""

    at: datetime
    is_open: bool
    since: datetime | None = None
    is_late: bool = False


def hand_over(turn: DeskTurn, reason: HandoverReason) -> Promise:
    """Have the conversation wait for a person from this turn's commit on. Says nothing: the caller has the words."""
    promise = promise_of(turn)
    conversation_id, now, brief = turn.caller.conversation_id, turn.now, _brief(turn)
    turn.change(
        lambda session: handovers.ask(
            session, conversation_id=conversation_id, reason=reason, brief=brief, promised_at=promise.at, now=now
        )
    )
    return promise


def promise_of(turn: DeskTurn) -> Promise:
    """What a customer who asks for a person now is to be told."""
    opens, is_open = turn.desk.hours.next_opening(turn.now), turn.desk.hours.is_open(turn.now)
    if turn.caller.owner is not Owner.WAITING:
        return Promise(opens, is_open)
    with turn.desk.database.begin() as session:
        row = handovers.open_of(session, turn.caller.conversation_id)
    if row is None:
        return Promise(opens, is_open)
    return Promise(max(row.promised_at, opens), is_open, row.opened_at, turn.now - row.promised_at > LONG_WAIT)


def is_angry(turn: DeskTurn, told: str) -> bool:
    """Did the customer insult of late, or are these the words of anger?"""
    return turn.state.upset_at is not None or option_meant(turn.desk.answers, "person.mood", told) == Mood.ANGRY


def _brief(turn: DeskTurn) -> Brief:
    state = turn.state
    topic = state.topic.command if state.topic else None
    accounts = turn.caller.accounts
    about = [account for account in accounts if topic and account.link_id == topic.slots.link] or accounts
    form = state.form or (state.paused[-1] if state.paused else None)
    return Brief(
        asked=topic.name if topic else None,
        account=about[0].customer_code if len(about) == 1 else None,
        form=form.name if form else None,
        mood=Mood.ANGRY if is_angry(turn, turn.text) else Mood.CALM,
    )

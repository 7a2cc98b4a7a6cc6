"""The fallback ladder: suggest what was probably meant, then the menu, then offer a person, then fetch one."""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.dialogue.commands import Command, Slots
from bot.dialogue.turn import Turn
from bot.dialogue.understanding import Understanding
from bot.store.models import HandoverReason, Owner

MISSES_BEFORE_MENU = 2
MISSES_BEFORE_PERSON = 3
MISSES_BEFORE_HANDOVER = 4
SUGGESTIONS = 3
NOT_UNDERSTOOD = Slots(field=HandoverReason.MISUNDERSTANDING)
"""Why a person is asked for, where it was not the customer's own idea."""


class Certainty(StrEnum):
    """HIGH: act. MEDIUM: ask whether this is meant. LOW: not understood."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Thresholds:
    """Confidence from which to act, from which to suggest, and the smallest lead over the second intent."""

    act: float
    suggest: float
    lead: float


def certainty(understanding: Understanding, thresholds: Thresholds) -> Certainty:
    second = understanding.ranking[1][1] if len(understanding.ranking) > 1 else 0.0
    if understanding.intent == "out_of_scope":
        ours = understanding.slots.place or understanding.slots.customer_code or second >= thresholds.suggest
        return Certainty.LOW if understanding.confidence >= thresholds.suggest and not ours else Certainty.MEDIUM
    if understanding.confidence >= thresholds.act and understanding.confidence - second >= thresholds.lead:
        return Certainty.HIGH
    return Certainty.MEDIUM if understanding.confidence >= thresholds.suggest else Certainty.LOW


def suggest(turn: Turn[Any], understanding: Understanding, sure: Certainty, known: Set[str]) -> Command | None:
    """One rung per misunderstood message in a row. Returns what to do at the top of the ladder."""
    turn.state.misses += 1
    misses = turn.state.misses
    to_person = Command(name="human", slots=NOT_UNDERSTOOD)
    if misses >= MISSES_BEFORE_PERSON and turn.caller.owner is Owner.WAITING:
        turn.say("fallback.person_comes")
        return None
    if misses >= MISSES_BEFORE_HANDOVER:
        return to_person
    if misses >= MISSES_BEFORE_PERSON:
        turn.say("fallback.person", field=NOT_UNDERSTOOD.field)
        turn.ask_yes_no(yes=to_person, no=Command(name="help"))
        return None
    titled = {
        name: turn.replies.render(f"intent.{name}")[0]
        for name, _confidence in understanding.ranking
        if name in known and f"intent.{name}" in turn.replies.replies
    }
    if sure is Certainty.MEDIUM and titled and misses < MISSES_BEFORE_MENU:
        options = [(title, Command(name=name, slots=understanding.slots)) for name, title in titled.items()]
        turn.offer("fallback.suggest", options[:SUGGESTIONS])
        turn.ask_yes_no(yes=options[0][1], no=Command(name="help"))
    elif understanding.intent == "out_of_scope" and sure is Certainty.LOW and misses < MISSES_BEFORE_MENU:
        turn.say("fallback.out_of_scope")
    else:
        turn.say("fallback.menu")
    return None

"""The small talk that every conversation has."""

from collections.abc import Callable

from actions.desk import DeskTurn
from actions.handlers import registry
from bot.dialogue.commands import Slots

PLAIN = (
    "greet",
    "goodbye",
    "thank",
    "praise",
    "insult",
    "help",
    "bot_identity",
    "cancel",
    "affirm",
    "deny",
)
"""Intents answered with the reply of their own name, whoever asks."""


def _saying(reply: str) -> Callable[[DeskTurn, Slots], None]:
    def say(turn: DeskTurn, _slots: Slots) -> None:
        turn.say(reply, linked=bool(turn.caller.accounts))

    return say


for _intent in PLAIN:
    registry.handles(_intent)(_saying(f"talk.{_intent}"))


@registry.handles("inform")
def inform(turn: DeskTurn, slots: Slots) -> None:
    """Only a value was given, and nothing was asked: say what can be done with it."""
    if slots.customer_code:
        known = any(account.customer_code == slots.customer_code for account in turn.caller.accounts)
        turn.say("inform.known_code" if known else "inform.new_code", customer_code=slots.customer_code, account=slots)
    elif slots.place:
        turn.say("inform.place", place=slots.place if slots.place.code else None, name=slots.place.name)
    elif slots.period:
        turn.say("inform.period", period=slots.period)
    else:
        turn.say("inform.other")

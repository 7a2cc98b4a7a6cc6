"""Answers that are the same for everybody: safety, saving, scams, the app (F13)."""

from collections.abc import Callable

from actions.desk import DeskTurn
from actions.handlers import registry
from bot.dialogue.commands import Slots

PLAIN = ("safety_advice", "saving_advice", "scam_check", "app_help", "solar_ask")
"""Intents answered with the reply of their own name."""


def _saying(reply: str) -> Callable[[DeskTurn, Slots], None]:
    def say(turn: DeskTurn, _slots: Slots) -> None:
        turn.say(reply)

    return say


for _intent in PLAIN:
    registry.handles(_intent)(_saying(f"advice.{_intent}"))

"""The small talk that every conversation has."""

from collections.abc import Callable

from actions.desk import DeskTurn
from actions.handlers import registry
from actions.price_questions import bill_estimate, goes_on
from actions.service_requests import service_status
from bot.dialogue.commands import Command, Slots

PLAIN = (
    "greet",
    "goodbye",
    "thank",
    "praise",
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
    """Only a value was given, and nothing was asked: say what can be done with it, or what it costs."""
    if slots.customer_code:
        _about_code(turn, slots.customer_code)
    elif slots.request_code:
        service_status(turn, slots)
    elif slots.energy is not None:
        bill_estimate(turn, slots)
    elif asked := goes_on(turn):
        bill_estimate(turn, asked)
    elif slots.place:
        turn.say("inform.place", place=slots.place if slots.place.code else None, name=slots.place.name)
    elif slots.period:
        turn.say("inform.period", period=slots.period)
    else:
        turn.say("inform.other")


def _about_code(turn: DeskTurn, code: str) -> None:
    if any(account.customer_code == code for account in turn.caller.accounts):
        turn.say("inform.known_code", customer_code=code)
    elif other := turn.desk.company.other_company(code):
        turn.say("link.other_company", other=other, prefix=code[:4])
    else:
        turn.say("inform.new_code", customer_code=code)
        turn.ask_yes_no(yes=Command(name="link_account", slots=Slots(customer_code=code)), no=Command(name="deny"))

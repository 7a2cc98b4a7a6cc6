"""Where the company is reached: offices and the hotline."""

from actions.desk import DeskTurn
from actions.handlers import registry
from bot.dialogue.commands import Slots


@registry.handles("office_info")
def office_info(turn: DeskTurn, slots: Slots) -> None:
    """The team that serves the place named, or the linked account's; all of them by name otherwise."""
    place_code = slots.place.code if slots.place else None
    if place_code is None and len(turn.caller.accounts) == 1 and slots.place is None:
        place_code = turn.desk.billing.customer(turn.caller.accounts[0].customer_code).place_code
    offices = turn.desk.service.offices(place_code=place_code)
    turn.say("office.one" if place_code and offices.items else "office.all", offices=offices.items)


@registry.handles("hotline")
def hotline(turn: DeskTurn, _slots: Slots) -> None:
    turn.say("hotline")

"""Electricity services (F11, F12): the contract; what can be asked for; offices and the hotline."""

from actions.desk import DeskTurn
from actions.handlers import registry
from bot.dialogue.commands import Slots


@registry.handles("contract_info")
def contract_info(turn: DeskTurn, slots: Slots) -> None:
    account = turn.account(slots)
    contract = turn.desk.service.contract(account.customer_code)
    turn.say("contract.card", account=account, contract=contract)


@registry.handles("service_status")
def service_status(turn: DeskTurn, slots: Slots) -> None:
    """A case or report by its code."""
    if not slots.request_code:
        turn.say("service.which_request")
        return
    turn.say("service.state", ticket=turn.desk.service.ticket(slots.request_code))


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

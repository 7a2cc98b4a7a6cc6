"""The power purchase contract (F12)."""

from actions.desk import DeskTurn
from actions.documents import DocumentKind
from actions.handlers import registry
from bot.dialogue.commands import Slots


@registry.handles("contract_info")
def contract_info(turn: DeskTurn, slots: Slots) -> None:
    """The contract's main points, and the address of its electronic copy, good for minutes."""
    account = turn.account(slots)
    contract = turn.desk.service.contract(account.customer_code)
    documents = turn.desk.documents
    turn.say(
        "contract.card",
        link=account.link_id,
        account=account,
        contract=contract,
        pdf=documents.url(DocumentKind.CONTRACT_PDF, link_id=account.link_id, now=turn.now),
        minutes=documents.minutes,
    )

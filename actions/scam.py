"""Is this really the company (F13)? What a message or call holds, against what we send, and the debt it claims."""

from dataclasses import dataclass
from datetime import datetime

from actions.backends.errors import BackendError
from actions.backends.models import Debt
from actions.desk import DeskTurn
from actions.genuine import Evidence
from bot.dialogue.commands import Slots
from bot.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class Owed:
    """What a linked account really owes."""

    label: str
    debt: Debt

    def is_owed(self, amount: int) -> bool:
        """Is that the whole debt, or one invoice of it?"""
        return amount == self.debt.total or any(amount == i.total - i.paid for i in self.debt.invoices)


def evidence_in(turn: DeskTurn) -> Evidence:
    """What the message holds: its words, and addresses and names of what is attached."""
    attached = (part for a in turn.inbound.attachments for part in (a.url, a.name) if part)
    company = turn.desk.company
    text = " ".join([turn.text, *attached])
    return turn.desk.genuine.read(text, hotline=company.hotline, site=company.site, app=company.app)


def judge(turn: DeskTurn, slots: Slots, evidence: Evidence) -> None:
    """The verdict in plain words and what to do; then the debt that the system knows, where one is claimed."""
    asks_for_debt = evidence.owing or bool(evidence.never) or slots.money is not None
    may_link = asks_for_debt and not turn.caller.accounts
    if evidence.is_fake:
        turn.say("scam.fake", evidence=evidence, may_link=may_link)
    elif evidence.is_ours and not evidence.is_strange:
        turn.say("scam.ours", evidence=evidence, may_link=may_link)
    else:
        turn.say("scam.unknown", evidence=evidence, may_link=may_link)
    if asks_for_debt and turn.caller.accounts:
        _compare_debt(turn, slots.money)


def _compare_debt(turn: DeskTurn, claimed: int | None) -> None:
    """The debts of the linked accounts, whatever code was named; the advice stands though the system is away."""
    try:
        owed = [Owed(account.label, turn.desk.billing.debt(account.customer_code)) for account in turn.caller.accounts]
    except BackendError as error:
        log.warning("scam_debt_unknown", operation=error.operation)
        turn.say("scam.debt_unknown")
        return
    turn.say(
        "scam.debt",
        owed=owed,
        owes=any(each.debt.total for each in owed),
        claimed=claimed,
        fits=claimed is not None and any(each.is_owed(claimed) for each in owed),
        as_of=_oldest(owed),
    )


def _oldest(owed: list[Owed]) -> datetime:
    return min(each.debt.as_of for each in owed)

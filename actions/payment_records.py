"""What the billing system shows of an account at this moment: owed, received, paid in part, paid too much (F4)."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from actions.backends.models import Debt, Invoice, Payment
from actions.desk import DeskTurn
from actions.periods import last_months
from bot.dialogue.turn import Account

LOOKS_BACK: Final = timedelta(days=120)
"""A payment that went wrong is told of within some weeks; older ones would only hide it."""
MONTHS: Final = 5
JUST_PAID: Final = timedelta(days=45)


@dataclass(frozen=True)
class Overpaid:
    """A bill on which more was received than it comes to; amounts in đồng."""

    invoice: Invoice
    received: int

    @property
    def excess(self) -> int:
        return self.received - self.invoice.total


@dataclass(frozen=True)
class Records:
    """Answers of this turn about one account; `payments` newest first."""

    account: Account
    debt: Debt
    payments: tuple[Payment, ...]
    invoices: tuple[Invoice, ...]

    @property
    def as_of(self) -> datetime:
        return self.debt.as_of

    @property
    def partly_paid(self) -> list[Invoice]:
        return [invoice for invoice in self.debt.invoices if invoice.paid]

    @cached_property
    def overpaid(self) -> list[Overpaid]:
        """Newest first."""
        received: Counter[str] = Counter()
        for payment in self.payments:
            received[payment.invoice_id] += payment.amount
        return [Overpaid(bill, received[bill.id]) for bill in self.invoices if received[bill.id] > bill.total]

    def for_overpaid(self) -> list[Payment]:
        """The payments that make up what was paid too much."""
        bills = {each.invoice.id for each in self.overpaid}
        return [payment for payment in self.payments if payment.invoice_id in bills]

    def just_paid(self, now: datetime) -> list[Payment]:
        return [payment for payment in self.payments if now - payment.paid_at <= JUST_PAID]


def records_of(turn: DeskTurn, account: Account) -> Records:
    """Raises BackendError."""
    billing, today = turn.desk.billing, turn.desk.today(turn.now)
    span = last_months(today, MONTHS)
    return Records(
        account=account,
        debt=billing.debt(account.customer_code),
        payments=billing.payments(account.customer_code, first=today - LOOKS_BACK, last=today).items,
        invoices=billing.invoices(account.customer_code, first=span.first, last=span.last).items,
    )

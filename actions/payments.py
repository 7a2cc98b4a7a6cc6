"""Money owed and paid (F3, F4): debt, paying with a VietQR and a link, past payments, payments that went wrong."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from actions import vietqr
from actions.backends.models import Case, Debt, Invoice
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.photos import attach
from bot.dialogue.commands import Slots
from bot.dialogue.forms import Ask, Form
from bot.dialogue.turn import Turn

PAST_PAYMENTS = timedelta(days=370)


@registry.handles("debt_check")
def debt_check(turn: DeskTurn, slots: Slots) -> None:
    account = turn.account(slots)
    debt = turn.desk.billing.debt(account.customer_code)
    turn.say("debt.owed" if debt.total else "debt.none", link=account.link_id, account=account, debt=debt)


@registry.handles("pay_bill")
def pay_bill(turn: DeskTurn, slots: Slots) -> None:
    """A request to pay what is owed (of one month, if one was named): link, and QR where the company offers one."""
    account = turn.account(slots)
    debt = turn.desk.billing.debt(account.customer_code)
    invoices = _named(debt, slots)
    if not invoices:
        turn.say("debt.none", link=account.link_id, account=account, debt=debt)
        return
    request = turn.desk.billing.payment_request(
        account.customer_code,
        [invoice.id for invoice in invoices],
        idempotency_key=turn.idempotency_key(f"pay-{account.link_id}"),
    )
    transfer = request.transfer
    if transfer is None:
        turn.say("pay.link", link=account.link_id, account=account, request=request, invoices=invoices)
        return
    code = vietqr.payload(
        bank_bin=transfer.bank_bin,
        account=transfer.account_number,
        amount=request.amount,
        purpose=transfer.content,
    )
    turn.say(
        "pay.qr",
        picture=vietqr.picture(code),
        link=account.link_id,
        account=account,
        request=request,
        invoices=invoices,
    )


@registry.handles("payment_channels")
def payment_channels(turn: DeskTurn, _slots: Slots) -> None:
    turn.say("pay.channels")


@registry.handles("payment_history")
def payment_history(turn: DeskTurn, slots: Slots) -> None:
    account = turn.account(slots)
    today = turn.desk.today(turn.now)
    paid = turn.desk.billing.payments(account.customer_code, first=today - PAST_PAYMENTS, last=today)
    turn.say("pay.history", link=account.link_id, account=account, payments=paid.items[:12], as_of=paid.as_of)


def _named(debt: Debt, slots: Slots) -> Sequence[Invoice]:
    """The unpaid invoices of the period that was named; all of them if none was, or none of it is unpaid."""
    if slots.period is None:
        return debt.invoices
    span = slots.period
    return [i for i in debt.invoices if span.first <= i.month <= span.last] or debt.invoices


def _link(turn: Turn[Any]) -> int | None:
    return turn.account(turn.slots).link_id


@registry.form("payment_problem")
class PaymentProblem(Form):
    """A payment that went wrong: a case for the company's people, with its number."""

    intents = frozenset({"payment_problem", "debt_check", "payment_history"})
    review = "payment_problem.review"

    link: Annotated[int, Ask("payment_problem.ask_account", read=_link)]
    what: Annotated[str, Ask("payment_problem.ask_what", read=lambda _turn: None, free_text=True)]

    def submit(self, turn: DeskTurn) -> None:
        account = turn.account(Slots(link=self.link))
        case = Case(kind="payment_problem", customer_code=account.customer_code, text=self.what)
        ticket = turn.desk.service.open_case(case, idempotency_key=turn.idempotency_key("payment-problem"))
        turn.say("case.opened", ticket=ticket)
        attach(turn, ticket)

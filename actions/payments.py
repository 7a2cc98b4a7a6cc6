"""Money owed and paid (F3, F4): debt, paying with a VietQR and a link, the ways to pay, past payments."""

from collections.abc import Sequence
from datetime import timedelta

from actions import vietqr
from actions.answers import option_meant
from actions.backends.models import Debt, Invoice
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.payment_problems import NOT_SEEN
from bot.dialogue.commands import Command, Period, Slots
from bot.dialogue.turn import Account, NeedsAccountChoice

PAST_PAYMENTS = timedelta(days=370)
OLDEST_PAYMENTS = timedelta(days=1_095)
"""As far back as the contract of the billing system goes."""
SHOWN = 12
AUTO_DEBIT = "auto_debit"


@registry.handles("debt_check")
def debt_check(turn: DeskTurn, slots: Slots) -> None:
    """What is owed: of the account in question, or of each one where all are meant or none is chosen."""
    accounts = _accounts_meant(turn, slots)
    if len(accounts) > 1:
        _debts_of_all(turn, accounts)
        return
    account = accounts[0]
    debt = turn.desk.billing.debt(account.customer_code)
    if slots.period:
        _debt_of_months(turn, account, slots.period, debt)
        return
    turn.say(
        "debt.owed" if debt.total else "debt.none",
        link=account.link_id,
        value=NOT_SEEN,
        account=account,
        debt=debt,
    )


@registry.handles("pay_bill")
def pay_bill(turn: DeskTurn, slots: Slots) -> None:
    """A request to pay what is owed (of one month, if one was named): link, and QR where the company offers one.

    Who says in the same message that a payment went wrong has paid, and is not asked to pay again.
    """
    if turn.understanding and any(request.intent == "payment_problem" for request in turn.understanding.requests):
        return
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
def payment_channels(turn: DeskTurn, slots: Slots) -> None:
    """All ways to pay; what automatic debit is, where that is asked for."""
    asked = slots.value or option_meant(turn.desk.answers, "payment.channels", turn.text)
    turn.say("pay.auto_debit" if asked == AUTO_DEBIT else "pay.channels", value=AUTO_DEBIT)


@registry.handles("payment_history")
def payment_history(turn: DeskTurn, slots: Slots) -> None:
    """Payments received in the last year, or those for the bills of the months that were named."""
    account = turn.account(slots)
    today, months = turn.desk.today(turn.now), slots.period
    first = min(today - PAST_PAYMENTS, months.first) if months else today - PAST_PAYMENTS
    paid = turn.desk.billing.payments(account.customer_code, first=max(first, today - OLDEST_PAYMENTS), last=today)
    shown = [each for each in paid.items if months is None or months.first <= each.month <= months.last]
    turn.say(
        "pay.history",
        link=account.link_id,
        account=account,
        payments=shown[:SHOWN],
        asked=months.first if months and months.is_one_month else None,
        as_of=paid.as_of,
    )


def _named(debt: Debt, slots: Slots) -> Sequence[Invoice]:
    """The unpaid invoices of the period that was named; all of them if none was, or none of it is unpaid."""
    if slots.period is None:
        return debt.invoices
    span = slots.period
    return [i for i in debt.invoices if span.first <= i.month <= span.last] or debt.invoices


def _accounts_meant(turn: DeskTurn, slots: Slots) -> Sequence[Account]:
    """All accounts if they are said, or if there are several and none is named or in use; else the one in question."""
    accounts = turn.caller.accounts
    if len(accounts) > 1 and option_meant(turn.desk.answers, "account.all", turn.text):
        return accounts
    try:
        return [turn.account(slots)]
    except NeedsAccountChoice:
        return accounts


def _debt_of_months(turn: DeskTurn, account: Account, months: Period, debt: Debt) -> None:
    """Whether the bills of the months that were named are paid, and what is owed besides."""
    billed = turn.desk.billing.invoices(account.customer_code, first=months.first, last=months.last)
    turn.say(
        "debt.of_months",
        link=account.link_id,
        value=NOT_SEEN,
        account=account,
        period=months,
        asked=months.first,
        invoices=billed.items,
        debt=debt,
        owing=debt.total > 0,
    )


def _debts_of_all(turn: DeskTurn, accounts: Sequence[Account]) -> None:
    """Each account with its unpaid bills and their sum, and what all of them come to."""
    debts = [(account, turn.desk.billing.debt(account.customer_code)) for account in accounts]
    to_pay = [
        (
            turn.replies.render("debt.pay_title", account=account)[0],
            Command(name="pay_bill", slots=Slots(link=account.link_id)),
        )
        for account, debt in debts
        if debt.total
    ]
    turn.offer("debt.of_all", to_pay, debts=debts, total=sum(debt.total for _account, debt in debts))

"""Bills (F2, F5): the bill of a period, when it is due, its e-invoice."""

from datetime import datetime

from actions.backends.models import Invoice
from actions.desk import DeskTurn
from actions.documents import DocumentKind
from actions.handlers import registry
from actions.periods import last_months, month_of
from bot.dialogue.commands import Period, Slots
from bot.dialogue.turn import Account

SHOW_A_BILL = frozenset({"bill_lookup", "bill_explain", "einvoice_get"})
RECENT_MONTHS = 4
"""How far back the latest bill is looked for."""


@registry.handles("bill_lookup")
def bill_lookup(turn: DeskTurn, slots: Slots) -> None:
    """The bill of the period asked for, or the latest; several months as a list."""
    account = turn.account(slots)
    period = slots.period
    if period and not period.is_one_month:
        _list_bills(turn, account, period)
        return
    invoice, as_of = find(turn, account, period)
    if invoice is None:
        no_bill(turn, account, period)
        return
    _show(turn, account, invoice, as_of)


@registry.handles("due_date")
def due_date(turn: DeskTurn, slots: Slots) -> None:
    """Until when the unpaid bills must be paid; when the next is issued."""
    account = turn.account(slots)
    debt = turn.desk.billing.debt(account.customer_code)
    if debt.invoices:
        turn.say("bill.due", link=account.link_id, account=account, debt=debt)
        return
    invoice, as_of = find(turn, account, None)
    turn.say("bill.nothing_due", link=account.link_id, account=account, invoice=invoice, as_of=as_of)


@registry.handles("einvoice_get")
def einvoice_get(turn: DeskTurn, slots: Slots) -> None:
    """The e-invoice of the period that was named, or the latest: addresses of its PDF and XML, good for minutes."""
    slots = of_bill_shown(turn, slots)
    account = turn.account(slots)
    invoice, as_of = find(turn, account, slots.period)
    if invoice is None:
        latest = _latest_instead(turn, account, slots.period)
        if latest is None:
            return
        invoice, as_of = latest
    documents = turn.desk.documents

    def address(kind: DocumentKind, invoice_id: str) -> str:
        return documents.url(kind, link_id=account.link_id, document_id=invoice_id, now=turn.now)

    turn.say(
        "bill.einvoice",
        link=account.link_id,
        account=account,
        invoice=invoice,
        as_of=as_of,
        period=period_of(invoice),
        pdf=address(DocumentKind.INVOICE_PDF, invoice.id),
        xml=address(DocumentKind.INVOICE_XML, invoice.id),
        minutes=documents.minutes,
    )


def of_bill_shown(turn: DeskTurn, slots: Slots) -> Slots:
    """Right after a bill a question that names none is about that one: "sao cao thế?", "gửi hóa đơn đỏ luôn"."""
    topic = turn.state.topic
    names_another = slots.said() or turn.understanding is None or turn.named_account() is not None
    if names_another or topic is None or topic.command.name not in SHOW_A_BILL:
        return slots
    shown = topic.command.slots
    return Slots(link=shown.link, period=shown.period if shown.period and shown.period.is_one_month else None)


def find(turn: DeskTurn, account: Account, period: Period | None) -> tuple[Invoice | None, datetime]:
    """The invoice of a month, or the newest of the last months; and when the backend said so."""
    span = period or last_months(turn.desk.today(turn.now), RECENT_MONTHS)
    found = turn.desk.billing.invoices(account.customer_code, first=span.first, last=span.last)
    return (found.items[0] if found.items else None), found.as_of


def is_to_come(turn: DeskTurn, period: Period | None) -> bool:
    """A bill that cannot have been issued yet: of this month, or a later one."""
    return period is None or period.first >= month_of(turn.desk.today(turn.now))


def no_bill(turn: DeskTurn, account: Account, period: Period | None) -> None:
    """No bill for that month: say why if it can be said, and show the latest instead."""
    if latest := _latest_instead(turn, account, period):
        _show(turn, account, *latest)


def _latest_instead(turn: DeskTurn, account: Account, period: Period | None) -> tuple[Invoice, datetime] | None:
    """Say that there is no bill for that month; the newest one where that month's is still to come."""
    to_come = is_to_come(turn, period)
    asked = period.first if period else month_of(turn.desk.today(turn.now))
    turn.say("bill.none", link=account.link_id, account=account, asked=asked, not_yet=to_come, over=not to_come)
    if not to_come:
        return None
    latest, as_of = find(turn, account, None)
    return (latest, as_of) if latest else None


def _show(turn: DeskTurn, account: Account, invoice: Invoice, as_of: datetime) -> None:
    turn.say(
        "bill.card",
        link=account.link_id,
        account=account,
        invoice=invoice,
        as_of=as_of,
        period=period_of(invoice),
        unpaid=invoice.status != "paid",
    )


def _list_bills(turn: DeskTurn, account: Account, period: Period) -> None:
    found = turn.desk.billing.invoices(account.customer_code, first=period.first, last=period.last)
    if not found.items:
        no_bill(turn, account, period)
        return
    turn.say(
        "bill.list",
        link=account.link_id,
        account=account,
        invoices=found.items,
        total=sum(invoice.total for invoice in found.items),
        as_of=found.as_of,
    )


def period_of(invoice: Invoice) -> Period:
    return Period.of(invoice.month)

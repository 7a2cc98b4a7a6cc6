"""Why a bill is what it is (F7): against the month before and the same month last year, and how it was calculated."""

from datetime import date, datetime

from actions.answers import option_meant
from actions.backends.models import Customer, Invoice
from actions.bill_parts import Part, difference
from actions.bills import find, is_to_come, no_bill, of_bill_shown, period_of
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.periods import months_said, shifted
from bot.dialogue.commands import Period, Slots
from bot.dialogue.turn import Account


@registry.handles("bill_explain")
def bill_explain(turn: DeskTurn, slots: Slots) -> None:
    """What changed and by how much, the largest cause first; or how it was calculated, if that is asked."""
    slots = of_bill_shown(turn, slots)
    account = turn.account(slots)
    asked, as_of = _asked_for(turn, account, slots.period)
    if asked is None:
        return
    if option_meant(turn.desk.answers, "explain.about", turn.text) == "calculation":
        _say_calculation(turn, account, asked, as_of)
        return
    month, compared = _compared(asked.month, sorted(set(months_said(turn))))
    first = min(compared, shifted(month, -12))
    customer = turn.desk.billing.customer(account.customer_code)
    found = turn.desk.billing.invoices(account.customer_code, first=first, last=month)
    by_month = {other.month: other for other in found.items}
    invoice = by_month.get(month, asked)
    before = by_month.get(compared)
    last_year = by_month.get(shifted(month, -12)) if compared != shifted(month, -12) else None
    if before is None and last_year is None:
        _say_calculation(turn, account, asked, as_of)
        return
    turn.say(
        "bill.explained",
        link=account.link_id,
        account=account,
        invoice=invoice,
        before=before or last_year,
        parts=_parts(customer, before or last_year, invoice),
        last_year=last_year if before else None,
        year_parts=_parts(customer, last_year, invoice),
        as_of=found.as_of,
        period=period_of(invoice),
    )


@registry.handles("bill.calculation")
def bill_calculation(turn: DeskTurn, slots: Slots) -> None:
    """The bill's lines, VAT and sum."""
    account = turn.account(slots)
    asked, as_of = _asked_for(turn, account, slots.period)
    if asked:
        _say_calculation(turn, account, asked, as_of)


def _asked_for(turn: DeskTurn, account: Account, period: Period | None) -> tuple[Invoice | None, datetime]:
    """The bill that is asked about, or the newest where that one is still to come; None after saying there is none."""
    invoice, as_of = find(turn, account, period)
    if invoice is None and is_to_come(turn, period):
        invoice, as_of = find(turn, account, None)
    if invoice is None:
        no_bill(turn, account, period)
    return invoice, as_of


def _say_calculation(turn: DeskTurn, account: Account, invoice: Invoice, as_of: datetime) -> None:
    turn.say("bill.calculated", link=account.link_id, account=account, invoice=invoice, as_of=as_of)


def _compared(newest: date, named: list[date]) -> tuple[date, date]:
    """The month to explain and the one to hold it against: of two that were named, else `newest` and the one before.

    "Tháng này so với tháng trước" before this month's bill is there means the newest bill and the one before it.
    """
    if len(named) < 2:
        return newest, shifted(newest, -1)
    late = (named[-1].year - newest.year) * 12 + named[-1].month - newest.month
    earlier, later = (shifted(month, -max(late, 0)) for month in (named[0], named[-1]))
    return later, earlier


def _parts(customer: Customer, before: Invoice | None, invoice: Invoice) -> list[Part]:
    if before is None:
        return []
    household = customer.tariff_group == "residential"
    return difference(before, invoice, household=household, norms=customer.household_norms)

"""Energy used (F6): past months, daily readings, when the meter is read."""

from datetime import timedelta

from actions.desk import DeskTurn
from actions.handlers import registry
from actions.periods import last_months
from bot.dialogue.commands import Slots

MONTHS_SHOWN = 6
DAYS_SHOWN = 7


@registry.handles("usage_history")
def usage_history(turn: DeskTurn, slots: Slots) -> None:
    """kWh by month, from the bills."""
    account = turn.account(slots)
    period = slots.period
    if period is None or period.is_one_month:
        months = last_months(turn.desk.today(turn.now), MONTHS_SHOWN + 1)
        first = min(months.first, period.first) if period else months.first
        last = months.last
    else:
        first, last = period.first, period.last
    found = turn.desk.billing.invoices(account.customer_code, first=first, last=last)
    turn.say("usage.months", link=account.link_id, account=account, invoices=found.items, as_of=found.as_of)


@registry.handles("usage_daily")
def usage_daily(turn: DeskTurn, slots: Slots) -> None:
    """Daily readings of the last days, or of the days up to the one that was named."""
    account = turn.account(slots)
    yesterday = turn.desk.today(turn.now) - timedelta(days=1)
    last = min(slots.date, yesterday) if slots.date else yesterday
    found = turn.desk.billing.readings(account.customer_code, first=last - timedelta(days=DAYS_SHOWN - 1), last=last)
    turn.say("usage.days", link=account.link_id, account=account, readings=found.items, as_of=found.as_of)


@registry.handles("reading_schedule")
def reading_schedule(turn: DeskTurn, slots: Slots) -> None:
    """On which day the meter was read last; EVNNPC reads at the end of the month (electricity.md §2.2)."""
    if not turn.caller.accounts:
        turn.say("usage.reading_day")
        return
    account = turn.account(slots)
    months = last_months(turn.desk.today(turn.now), 3)
    found = turn.desk.billing.invoices(account.customer_code, first=months.first, last=months.last)
    turn.say("usage.reading_day_of", account=account, invoice=found.items[0] if found.items else None)

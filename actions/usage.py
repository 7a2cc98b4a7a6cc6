"""Energy used (F6): past months and daily readings, as a picture and in words; when the meter is read."""

from datetime import date, timedelta
from decimal import Decimal

from actions.charts import Bar, ChartTexts, Line, bar_chart
from actions.consumption import DailyUse, Month, daily_use, monthly_use, tenth
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.periods import last_months, month_of, months_said, shifted
from bot.dialogue.commands import Slots
from bot.dialogue.turn import Account

MONTHS_SHOWN = 13
"""With the same month of last year."""
MONTHS_TOLD = 6
MOST_MONTHS = 36
"""That the contract lists at a time."""
DAYS_SHOWN = 31
DAYS_LABELLED = 10
"""Up to so many days, each has its label; of more, every fifth."""


@registry.handles("usage_history")
def usage_history(turn: DeskTurn, slots: Slots) -> None:
    """kWh by month, from the bills: a picture, the month that was named, or the last ones; the change."""
    account = turn.account(slots)
    named = sorted({*months_said(turn), *([slots.period.first] if slots.period and slots.period.is_one_month else [])})
    newest = month_of(turn.desk.today(turn.now))
    first, last = shifted(newest, -MONTHS_SHOWN), newest
    if slots.period and not slots.period.is_one_month and not named:
        first, last = max(slots.period.first, shifted(slots.period.last, 1 - MONTHS_SHOWN)), slots.period.last
    elif named:
        first = min(first, shifted(named[0], -12))
        last = min(last, shifted(first, MOST_MONTHS - 1))
    found = turn.desk.billing.invoices(account.customer_code, first=first, last=last)
    months = monthly_use(found.items, first, last)
    known = {month.month: month for month in months if month.kwh is not None}
    picked = named[-1] if named else None
    compared = [named[0]] if len(named) > 1 else [shifted(picked, -1), shifted(picked, -12)] if picked else []
    shown = months[-MONTHS_SHOWN:]
    turn.say(
        "usage.months",
        picture=_months_picture(turn, account, shown) if len(known) > 1 else None,
        link=account.link_id,
        account=account,
        asked=picked,
        picked=known.get(picked) if picked else None,
        compared=[known[month] for month in compared if month in known],
        months=[month for month in reversed(shown) if month.kwh is not None][:MONTHS_TOLD],
        average=_average(shown),
        as_of=found.as_of,
    )


@registry.handles("usage_daily")
def usage_daily(turn: DeskTurn, slots: Slots) -> None:
    """Daily readings: a picture, the day that was named or the newest, and what was unusual."""
    account = turn.account(slots)
    today = turn.desk.today(turn.now)
    first, last = _days_asked(slots, today)
    rules = turn.desk.company.usage
    found = turn.desk.billing.readings(
        account.customer_code, first=first - timedelta(days=rules.baseline_days), last=last
    )
    use = daily_use(found.items, first, last, times=rules.unusual_day_times, kwh=rules.unusual_day_kwh)
    neighbours = found.neighbour_median_kwh
    turn.say(
        "usage.days",
        picture=_days_picture(turn, account, use, neighbours) if len(use.known) > 1 else None,
        link=account.link_id,
        account=account,
        use=use,
        asked=slots.date,
        picked=use.on(slots.date) if slots.date else None,
        not_yet=slots.date is not None and slots.date >= today,
        far=rules.unusual_month_percent,
        neighbours_kwh=tenth(neighbours) if neighbours is not None else None,
        as_of=found.as_of,
    )


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


def _days_asked(slots: Slots, today: date) -> tuple[date, date]:
    """The days of the month that was named, else the last days up to yesterday or to the day that was named."""
    yesterday = today - timedelta(days=1)
    if slots.period:
        first = slots.period.last
        last = min(shifted(first, 1) - timedelta(days=1), yesterday)
        if first <= last:
            return first, last
    last = yesterday
    if slots.date and slots.date <= yesterday - timedelta(days=DAYS_SHOWN):
        last = slots.date
    return last - timedelta(days=DAYS_SHOWN - 1), last


def _average(months: list[Month]) -> int | None:
    known = [month.kwh for month in months if month.kwh is not None]
    return round(sum(known) / len(known)) if len(known) > 1 else None


def _days_picture(turn: DeskTurn, account: Account, use: DailyUse, neighbours: Decimal | None) -> bytes:
    many = len(use.days) > DAYS_LABELLED
    bars = [
        Bar(
            label=f"{day.day.day}/{day.day.month}" if not many or number % 5 == 0 else "",
            kwh=float(day.kwh) if day.kwh is not None else None,
            unusual=day.times is not None,
        )
        for number, day in enumerate(use.days)
    ]
    lines = []
    if use.usual is not None:
        lines.append(Line(_word(turn, "chart.usual_day", usual=use.usual), float(use.usual)))
    if neighbours is not None:
        lines.append(Line(_word(turn, "chart.neighbours", neighbours_kwh=tenth(neighbours)), float(neighbours)))
    return bar_chart(
        bars,
        lines,
        ChartTexts(
            title=_word(turn, "chart.days"),
            subtitle=_word(turn, "chart.days_of", account=account, use=use),
            unusual=_word(turn, "chart.unusual"),
            unknown=_word(turn, "chart.unknown"),
        ),
    )


def _months_picture(turn: DeskTurn, account: Account, months: list[Month]) -> bytes:
    far = turn.desk.company.usage.unusual_month_percent
    bars = [
        Bar(
            label=_word(turn, "chart.month", asked=month.month),
            kwh=month.kwh,
            unusual=month.change is not None and abs(month.change) >= far,
        )
        for month in months
    ]
    average = _average(months)
    return bar_chart(
        bars,
        [Line(_word(turn, "chart.average", average=average), average)] if average is not None else [],
        ChartTexts(
            title=_word(turn, "chart.months"),
            subtitle=_word(turn, "chart.months_of", account=account, months=months),
            unusual=_word(turn, "chart.unusual_month", far=far),
            unknown=_word(turn, "chart.unknown"),
        ),
    )


def _word(turn: DeskTurn, key: str, **values: object) -> str:
    return turn.replies.render(key, **values)[0]

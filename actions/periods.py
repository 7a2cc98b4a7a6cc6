"""Months as billing counts them."""

from datetime import date

from actions.desk import DeskTurn
from bot.dialogue.commands import Period


def month_of(day: date) -> date:
    return day.replace(day=1)


def shifted(month: date, by: int) -> date:
    """The first of the month `by` months later (or earlier)."""
    index = month.year * 12 + month.month - 1 + by
    return date(index // 12, index % 12 + 1, 1)


def last_months(today: date, count: int) -> Period:
    """The `count` months up to and with the present one."""
    return Period(first=shifted(month_of(today), 1 - count), last=month_of(today))


def months_said(turn: DeskTurn) -> list[date]:
    """Every single month that the message names, in its order."""
    entities = turn.understanding.entities if turn.understanding else ()
    values = [entity["value"] for entity in entities if entity["entity"] == "period"]
    return [date.fromisoformat(f"{value['from']}-01") for value in values if value["from"] == value["to"]]

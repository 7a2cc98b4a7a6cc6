"""What many forms and addresses ask for, read in one way."""

from datetime import date, datetime, time
from typing import Final, TypeVar

from flask import abort, request
from sqlalchemy.orm import Session

from bot.console.office import office
from bot.store.models import Base
from bot.text import one_line

LONGEST_REASON: Final = 300
Row = TypeVar("Row", bound=Base)


def reason() -> str:
    """Why somebody does what they do, for the audit; empty if they did not say."""
    return one_line(request.form.get("reason", ""))[:LONGEST_REASON]


def row(transaction: Session, table: type[Row], row_id: int, *, hold: bool = False) -> Row:
    """The row of an address, if it is there; with `hold` it is locked. Else the page is not found."""
    found = transaction.get(table, row_id, with_for_update=hold or None)
    if found is None:
        abort(404)
    return found


def midnight(day: date) -> datetime:
    """At which a local day begins."""
    return datetime.combine(day, time(), office().settings.zone)

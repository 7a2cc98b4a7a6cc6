"""What reviewers have said: a list with undo, and what is taken for what (F24)."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bot.console import given
from bot.console.access import allowed
from bot.console.office import office
from bot.console.paging import PAGE, page_of
from bot.console.review import words_of
from bot.store import reviews, staff
from bot.store.models import Role
from bot.store.reviews import Filter

USUAL_DAYS: Final = 30
EARLIEST: Final = date(2026, 1, 1)
"""Nothing was judged before."""

pages = Blueprint("verdicts", __name__, url_prefix="/verdicts")


@dataclass
class Guesses:
    """Of one intent that was guessed: how often it was judged, how often right, and what it was instead."""

    total: int = 0
    right: int = 0
    instead: list[tuple[str, int]] = field(default_factory=list)

    @property
    def percent(self) -> int:
        return round(100 * self.right / self.total)


@pages.get("")
@allowed(Role.REVIEWER, Role.SUPERVISOR)
def show() -> str:
    asked = request.args
    with office().database.begin() as transaction:
        present = reviews.present_model(transaction)
        wanted = Filter(
            verdict=asked.get("verdict") or None,
            intent=asked.get("intent") or None,
            staff_id=asked.get("by", type=int),
            older_than=present if asked.get("older") else None,
        )
        rows = reviews.verdicts(transaction, wanted, before=asked.get("before", type=int), limit=PAGE + 1)
        return render_template(
            "verdicts/show.html",
            page=page_of(rows, lambda case: case.message.id),
            said={case.message.id: words_of(transaction, case.message, case.contact) for case in rows},
            names=staff.names(transaction),
            wanted=wanted,
            older=bool(asked.get("older")),
            present=present,
        )


@pages.post("/<int:message_id>/undo")
@allowed(Role.REVIEWER, Role.SUPERVISOR)
def undo(message_id: int) -> Response:
    with office().database.begin() as transaction:
        undone = reviews.undo(transaction, message_id)
    flash(office().words.says("review_undone" if undone else "nothing_to_undo"), "good" if undone else "warn")
    return redirect(url_for("console.verdicts.show"))


@pages.get("/confusions")
@allowed(Role.REVIEWER, Role.SUPERVISOR)
def confusions() -> str:
    """By default of the last thirty days, today's among them."""
    today = office().clock().astimezone(office().settings.zone).date()
    until = _day_asked("until", today, latest=today)
    since = _day_asked("since", until - timedelta(days=USUAL_DAYS - 1), latest=today)
    with office().database.begin() as transaction:
        begins, ends = given.midnight(since), given.midnight(until + timedelta(days=1))
        rows = reviews.confusions(transaction, since=begins, until=ends)
    table: dict[str, Guesses] = defaultdict(Guesses)
    for guessed, true, count in rows:
        table[guessed].total += count
        if guessed == true:
            table[guessed].right += count
        else:
            table[guessed].instead.append((true, count))
    worst_first = sorted(table.items(), key=lambda row: (row[1].right - row[1].total, row[0]))
    return render_template("verdicts/confusions.html", table=worst_first, since=since, until=until)


def _day_asked(name: str, usual: date, *, latest: date) -> date:
    asked = request.args.get(name, usual, type=date.fromisoformat)
    return min(max(asked, EARLIEST), latest)

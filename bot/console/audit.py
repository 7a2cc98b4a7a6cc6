"""The audit: who did what to whose data, and why. Read only; the database refuses changes."""

from flask import Blueprint, render_template, request

from bot.console.access import allowed
from bot.console.office import office
from bot.console.paging import PAGE, page_of
from bot.store import staff
from bot.store.models import Role

pages = Blueprint("audit", __name__, url_prefix="/audit")


@pages.get("")
@allowed(Role.SUPERVISOR, Role.ADMIN)
def show() -> str:
    before = request.args.get("before", type=int)
    by, action = request.args.get("by") or None, request.args.get("action") or None
    with office().database.begin() as transaction:
        rows = staff.trail(transaction, before=before, by=by, action=action, limit=PAGE + 1)
        names = staff.names(transaction)
    page = page_of(rows, lambda row: row.id)
    return render_template(
        "audit/show.html",
        page=page,
        names={staff.actor(staff_id): name for staff_id, name in names.items()},
        by=by,
        action=action,
        actions=office().words["audit"],
    )

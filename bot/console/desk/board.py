"""All notices that go to many: those that staff write, and those that the utility's changes brought about."""

from flask import Blueprint, render_template, request

from bot.console.access import allowed, signed_in
from bot.console.office import office
from bot.console.paging import page_of
from bot.store import campaigns, recipients, staff
from bot.store.models import CampaignStatus, NoticeStatus, Role

pages = Blueprint("desk", __name__, url_prefix="/notices")
WORKERS = (Role.PUBLISHER, Role.SUPERVISOR)
"""They see, approve, send, pause; only publishers write."""
ON_A_PAGE = 20
"""Of each the deliveries are counted, of which there may be hundreds of thousands."""
STEPS = tuple(step for step in CampaignStatus if step is not CampaignStatus.RELEASED)


@pages.get("")
@allowed(*WORKERS)
def show() -> str:
    """What staff write, the newest first."""
    before, asked = request.args.get("before", type=int), request.args.get("status", "")
    status = _status(asked)
    with office().database.begin() as transaction:
        rows = campaigns.page(transaction, status=status, before=before, limit=ON_A_PAGE + 1)
        page = page_of(rows, lambda row: row[0].id, ON_A_PAGE)
        progress = recipients.progress(transaction, [notice.id for _, notice in page.items if notice])
        names, waiting = staff.names(transaction), campaigns.waiting_for_approval(transaction, signed_in().id)
        stopped = recipients.stopped(transaction)
    return render_template(
        "desk/show.html",
        page=page,
        progress=progress,
        names=names,
        waiting=waiting,
        stopped=stopped,
        status=status,
        statuses=[*STEPS, *NoticeStatus],
        kinds=office().product.desk.notice_kinds,
        gazetteer=office().product.desk.gazetteer,
    )


@pages.get("/automatic")
@allowed(*WORKERS)
def automatic() -> str:
    """What goes to many without anybody having written it."""
    before, asked = request.args.get("before", type=int), request.args.get("status", "")
    status = NoticeStatus(asked) if asked in set(NoticeStatus) else None
    with office().database.begin() as transaction:
        rows = recipients.to_many(transaction, status=status, before=before, limit=ON_A_PAGE + 1)
        page = page_of(rows, lambda row: row.id, ON_A_PAGE)
        progress = recipients.progress(transaction, [notice.id for notice in page.items])
    return render_template(
        "desk/automatic.html",
        page=page,
        progress=progress,
        status=status,
        statuses=list(NoticeStatus),
        kinds=office().product.desk.notice_kinds,
        gazetteer=office().product.desk.gazetteer,
    )


def _status(asked: str) -> CampaignStatus | NoticeStatus | None:
    if asked in set(STEPS):
        return CampaignStatus(asked)
    return NoticeStatus(asked) if asked in set(NoticeStatus) else None

"""A notice that is sent: how far it has come, who got it and who did not and why; pausing, going on, cancelling."""

from collections.abc import Sequence
from typing import Final

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bot.console.access import allowed, signed_in
from bot.console.desk.board import WORKERS, pages
from bot.console.desk.catalog import composables, outcome_words
from bot.console.desk.form import shown
from bot.console.office import office
from bot.console.paging import PAGE, page_of
from bot.store import campaigns, notices, recipients, staff
from bot.store.conversations import audit
from bot.store.models import DeliveryStatus, Notice, NoticeStatus

BY_STAFF: Final = "staff"
"""As `paused_because` of a notice that somebody paused here."""
MAY_BE_TRIED_AGAIN: Final = (NoticeStatus.RUNNING, NoticeStatus.PAUSED, NoticeStatus.DONE)


@pages.get("/sent/<int:notice_id>")
@allowed(*WORKERS)
def ledger(notice_id: int) -> str:
    """`status` and `reason` filter; the page after is by key."""
    status, outcome = request.args.get("status") or None, request.args.get("reason") or None
    with office().database.begin() as transaction:
        notice = _notice(transaction, notice_id)
        campaign = campaigns.of_notice(transaction, notice_id)
        try:
            rows = recipients.lines(
                transaction,
                notice_id,
                status=status,
                outcome=outcome,
                after=request.args.get("before"),
                limit=PAGE + 1,
            )
        except ValueError:
            abort(400)
        names, reasons = staff.names(transaction), recipients.reasons(transaction, notice_id)
        progress = recipients.progress(transaction, [notice_id])[notice_id]
    return render_template(
        "desk/ledger.html",
        notice=notice,
        campaign=campaign,
        kind=office().product.desk.notice_kinds[notice.kind],
        written=shown(composables()[campaign.kind], campaign.given) if campaign else [],
        names=names,
        gazetteer=office().product.desk.gazetteer,
        page=page_of(rows, lambda row: row.key),
        progress=progress,
        reasons=reasons,
        status=status,
        outcome=outcome,
        outcomes=sorted({each for _, each, _ in reasons if each}),
        statuses=list(DeliveryStatus),
        outcome_words=outcome_words,
        pausable=notices.GOING,
        open=notices.OPEN,
        may_be_tried_again=notice.status in MAY_BE_TRIED_AGAIN and notice.valid_until > office().clock(),
    )


@pages.get("/sent/<int:notice_id>/progress")
@allowed(*WORKERS)
def progress(notice_id: int) -> str:
    """The part of the page above that is fetched anew while it is sent."""
    with office().database.begin() as transaction:
        notice = _notice(transaction, notice_id)
        found = recipients.progress(transaction, [notice_id])[notice_id]
        reasons = recipients.reasons(transaction, notice_id)
    return render_template(
        "desk/progress.html", notice=notice, progress=found, reasons=reasons, outcome_words=outcome_words
    )


@pages.post("/sent/<int:notice_id>/pause")
@allowed(*WORKERS)
def pause(notice_id: int) -> Response:
    with office().database.begin() as transaction:
        if _is(transaction, notice_id, notices.GOING):
            notices.pause(transaction, notice_id, BY_STAFF)
            _done(transaction, notice_id, "paused")
    return _back(notice_id)


@pages.post("/sent/<int:notice_id>/resume")
@allowed(*WORKERS)
def resume(notice_id: int) -> Response:
    with office().database.begin() as transaction:
        if _is(transaction, notice_id, (NoticeStatus.PAUSED,)):
            notices.resume(transaction, notice_id, office().clock())
            _done(transaction, notice_id, "resumed")
    return _back(notice_id)


@pages.post("/sent/<int:notice_id>/cancel")
@allowed(*WORKERS)
def cancel(notice_id: int) -> Response:
    with office().database.begin() as transaction:
        if _is(transaction, notice_id, notices.OPEN):
            notices.cancel(transaction, notice_id)
            _done(transaction, notice_id, "cancelled")
    return _back(notice_id)


@pages.post("/sent/<int:notice_id>/retry")
@allowed(*WORKERS)
def retry(notice_id: int) -> Response:
    """What failed, and nothing else."""
    now = office().clock()
    with office().database.begin() as transaction:
        if _is(transaction, notice_id, MAY_BE_TRIED_AGAIN):
            if _notice(transaction, notice_id).valid_until <= now:
                flash(office().words.says("notice_over"), "bad")
            elif count := notices.retry_failed(transaction, notice_id, now):
                _done(transaction, notice_id, "retried", count=count)
            else:
                flash(office().words.says("nothing_failed"), "bad")
    return _back(notice_id)


def _notice(transaction: Session, notice_id: int) -> Notice:
    """Of those that go to many: what one customer is told is not for the desk."""
    notice = transaction.get(Notice, notice_id)
    if notice is None or notice.audience is None:
        abort(404)
    return notice


def _is(transaction: Session, notice_id: int, statuses: Sequence[NoticeStatus]) -> bool:
    """Has the notice one of the statuses, until the transaction ends? Says so if not."""
    _notice(transaction, notice_id)
    notice = transaction.get_one(Notice, notice_id, with_for_update=True, populate_existing=True)
    if notice.status not in statuses:
        flash(office().words.says("notice_moved_on"), "bad")
        return False
    return True


def _done(transaction: Session, notice_id: int, action: str, **detail: int) -> None:
    audit(
        transaction,
        actor=signed_in().actor,
        action=f"notice.{action}",
        contact_id=None,
        notice=notice_id,
        **detail,
    )
    flash(office().words.says(f"notice_{action}", **detail), "good")


def _back(notice_id: int) -> Response:
    return redirect(url_for("console.desk.ledger", notice_id=notice_id))

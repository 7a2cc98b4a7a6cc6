"""The ledger of a notice as CSV, page by page, so that a million lines need no memory."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from flask import Response, abort, flash, redirect, stream_with_context, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.console import given
from bot.console.access import allowed, signed_in
from bot.console.desk.board import WORKERS, pages
from bot.console.desk.catalog import outcome_words
from bot.console.masking import cover_code
from bot.console.office import office
from bot.console.tables import BYTE_ORDER_MARK, guarded
from bot.store import recipients
from bot.store.conversations import audit
from bot.store.models import Notice
from bot.store.recipients import Line

ROWS_AT_ONCE: Final = 2_000


@pages.get("/sent/<int:notice_id>.csv")
@allowed(*WORKERS)
def export(notice_id: int) -> AnyResponse:
    """Customer codes are covered."""
    return _stream(notice_id, reason=None)


@pages.post("/sent/<int:notice_id>.csv")
@allowed(*WORKERS)
def export_open(notice_id: int) -> AnyResponse:
    """With customer codes, for a reason that the audit keeps."""
    reason = given.reason()
    if not reason:
        flash(office().words.says("why_missing"), "bad")
        return redirect(url_for("console.desk.ledger", notice_id=notice_id))
    return _stream(notice_id, reason=reason)


def _stream(notice_id: int, *, reason: str | None) -> AnyResponse:
    with office().database.begin() as transaction:
        notice = transaction.get(Notice, notice_id)
        if notice is None or notice.audience is None:
            abort(404)
        why = {"reason": reason} if reason else {}
        audit(
            transaction,
            actor=signed_in().actor,
            action="notice.exported",
            contact_id=None,
            notice=notice_id,
            masked=reason is None,
            **why,
        )
    name = f"thong-bao-{notice_id}.csv"
    return Response(
        stream_with_context(_written(notice_id, masked=reason is None)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _written(notice_id: int, *, masked: bool) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _row(office().words["desk"]["csv"])
    after: str | None = None
    while True:
        with office().database.begin() as transaction:
            lines = recipients.lines(transaction, notice_id, status=None, outcome=None, after=after, limit=ROWS_AT_ONCE)
        yield "".join(_row(_cells(line, masked=masked)) for line in lines)
        if len(lines) < ROWS_AT_ONCE:
            return
        after = lines[-1].key


def _cells(line: Line, *, masked: bool) -> list[str]:
    words, code = office().words["desk"], line.customer_code or ""
    return [
        cover_code(code) if masked and code else code,
        office().words["channels"].get(line.channel, line.channel),
        words["deliveries"][line.status],
        outcome_words(line.outcome),
        line.provider_code or "",
        words["routes"].get(line.route, ""),
        *map(_local, (line.sent_at, line.delivered_at, line.seen_at)),
    ]


def _row(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(map(guarded, cells))
    return written.getvalue()


def _local(at: datetime | None) -> str:
    return f"{at.astimezone(office().settings.zone):%Y-%m-%d %H:%M:%S}" if at else ""

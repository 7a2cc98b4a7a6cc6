"""Tables for Excel: CSV as it opens there in Vietnam, in which no cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable

from flask import Response

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""


def csv_response(name: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> Response:
    """A download. Excel in Vietnam divides at semicolons."""
    text = io.StringIO(BYTE_ORDER_MARK)
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, delimiter=";")
    writer.writerow([guarded(title) for title in header])
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return Response(
        text.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )


def guarded(cell: object) -> object:
    """Text that begins like a formula is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_BEGINS) else cell

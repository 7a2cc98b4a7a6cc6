"""What a system tells of its happenings: one feed, read page by page with cursors."""

import secrets
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from actions.backends.models import (
    Change,
    CutWarned,
    DangerWarned,
    InvoiceIssued,
    MeterWorkPlanned,
    OutageKnown,
    PaymentReceived,
    RequestMoved,
    UsageFlagged,
)

MOST_KEPT: Final = 100_000

ChangeKind = (
    type[InvoiceIssued]
    | type[PaymentReceived]
    | type[UsageFlagged]
    | type[MeterWorkPlanned]
    | type[CutWarned]
    | type[OutageKnown]
    | type[RequestMoved]
    | type[DangerWarned]
)


class CursorGone(LookupError):
    """Changes after the cursor are no longer kept, or the cursor is of another world."""


class ChangeLog:
    """Happenings in their order; the oldest make room for the newest. Not thread-safe.

    A cursor names the run of the world and how many changes it has behind it, so that one of an earlier run, whose
    changes nobody has any more, is a gap and not a place in this run.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._run = secrets.token_hex(4)
        self._kept: deque[Change] = deque(maxlen=most)
        self._count = 0

    def add(self, kind: ChangeKind, at: datetime, **what: Any) -> None:
        """Something happened. `what` is the payload of its kind."""
        self._count += 1
        self._kept.append(kind(id=self._cursor(self._count), at=at, **what))

    def page(self, after: str | None, limit: int) -> tuple[tuple[Change, ...], str, bool]:
        """Changes after a cursor, the cursor behind them, and whether there are more. Raises CursorGone."""
        oldest = self._count - len(self._kept)
        position = oldest if after is None else self._position(after)
        if not oldest <= position <= self._count:
            raise CursorGone
        items = tuple(islice(self._kept, position - oldest, position - oldest + limit))
        reached = position + len(items)
        return items, self._cursor(reached), reached < self._count

    def newest(self, count: int) -> Sequence[Change]:
        """The last changes, newest first."""
        return list(islice(reversed(self._kept), count))

    def _cursor(self, position: int) -> str:
        return f"{self._run}-{position}"

    def _position(self, cursor: str) -> int:
        run, _, position = cursor.partition("-")
        if run != self._run or not (position.isascii() and position.isdigit()):
            raise CursorGone
        return int(position)

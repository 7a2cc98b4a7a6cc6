"""A feed that a test writes itself, and something that takes its pages into a table."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from actions.backends.errors import BackendDown, BackendError, Rejected
from actions.backends.models import Change, ChangeList, DangerWarned, DangerWarning
from bot.store.database import Database

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
GONE = Rejected("listChanges", "cursor_gone", "Begin anew")
DOWN = BackendDown("listChanges", "no connection")


def danger(number: int) -> Change:
    """A change with a business key of its own, `NH-<number>`."""
    warning = DangerWarning(id=f"NH-{number}", place_codes=("05587",), text="Nước lên", until=NOW)
    return DangerWarned(id=f"c{number}", at=NOW, warning=warning)


class ListedFeed:
    """Changes 1 to `count`, in pages of `page`. A cursor is the number of the last change that was given.

    `overlap`: so many changes before the cursor come again with each page. `oldest`: the first that is kept.
    `failure`: raised instead of an answer.
    """

    def __init__(self, count: int, *, page: int = 2, overlap: int = 0, oldest: int = 1) -> None:
        self.count = count
        self.page = page
        self.overlap = overlap
        self.oldest = oldest
        self.failure: BackendError | None = None
        self.asked: list[str | None] = []

    def __call__(self, after: str | None, limit: int) -> ChangeList:
        self.asked.append(after)
        if self.failure is not None:
            raise self.failure
        if after is not None and int(after) < self.oldest - 1:
            raise GONE
        begin = self.oldest - 1 if after is None else int(after)
        end = min(begin + min(self.page, limit), self.count)
        numbers = range(max(begin - self.overlap, self.oldest - 1) + 1, end + 1)
        return ChangeList(items=tuple(map(danger, numbers)), next=str(end), more=end < self.count, as_of=NOW)


class Book:
    """Takes pages: every fact once, by its business key, in a table made for the test."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.pages: list[list[str]] = []
        self.failure: Exception | None = None
        with database.begin() as session:
            session.execute(text("CREATE TABLE taken (id serial PRIMARY KEY, key text UNIQUE)"))

    def take(self, session: Session, changes: Sequence[Change], now: datetime) -> None:
        self.pages.append([change.id for change in changes])
        store(session, changes)
        if self.failure is not None:
            raise self.failure

    def taken(self) -> list[str]:
        """Every fact that is stored, in order."""
        with self._database.begin() as session:
            return list(session.scalars(text("SELECT key FROM taken ORDER BY id")))


def store(session: Session, changes: Sequence[Change]) -> None:
    """Each fact, unless it is there already."""
    for change in changes:
        assert isinstance(change, DangerWarned)
        session.execute(
            text("INSERT INTO taken (key) VALUES (:key) ON CONFLICT DO NOTHING"), {"key": change.warning.id}
        )

"""Reads the utility's change feeds, page by page.

A page and the cursor behind it commit together: after a crash the same page comes again, and whatever takes it knows
each fact by its business key. So a change is taken at least once, and has its effect once.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from actions.backends.errors import BackendError, BackendWrong, Rejected
from actions.backends.models import Change, ChangeList
from bot.clock import Clock
from bot.logs import get_logger
from bot.metrics import FEED_CHANGES, FEED_FAILING, FEED_GAPS
from bot.store import feeds as cursors
from bot.store.database import Database

PAGE: Final = 200
DRAIN_SECONDS: Final = 20.0
"""How long one job reads on; the next tick has another."""

Feed = Callable[[str | None, int], ChangeList]
"""A client's `changes`: a cursor (None for the oldest that is kept) and the most changes to answer."""
Take = Callable[[Session, Sequence[Change], datetime], None]
"""Takes a page in the transaction of its cursor. It may be given a change that it has taken before."""

log = get_logger(__name__)


class FeedPoller:
    """Reads feeds by name. Any number of pollers may run: one feed is read by one at a time."""

    def __init__(self, database: Database, feeds: Mapping[str, Feed], take: Take, clock: Clock) -> None:
        self._database = database
        self._feeds = feeds
        self._take = take
        self._clock = clock

    def drain(self, name: str, seconds: float = DRAIN_SECONDS) -> None:
        """Read page after page until nothing is left, a page fails, or so long has passed."""
        until = time.monotonic() + seconds
        while self.poll(name) and time.monotonic() < until:
            pass

    def poll(self, name: str) -> bool:
        """Read one page; True when there is more. False also while another reads the feed, or when the page failed.

        A failure of the backend, or of what takes the page, is logged and shown by `feed_failing`; the cursor stays.
        """
        with self._database.begin() as session:
            cursors.ensure(session, name)
        try:
            more = self._read_on(name)
        except BackendError as error:
            self._note_failure(name, str(error))
        except Exception as error:
            log.exception("feed_page_not_taken", feed=name)
            self._note_failure(name, type(error).__name__)
        else:
            return more
        return False

    def _read_on(self, name: str) -> bool:
        with self._database.begin() as session:
            row = cursors.claim(session, name)
            if row is None:
                return False
            page = self._page(name, row.cursor)
            if page.more and page.next == row.cursor:
                raise BackendWrong("listChanges", "the cursor does not move")
            now = self._clock()
            if page.items:
                self._take(session, page.items, now)
            if row.failed_since is not None:
                log.info("feed_works_again", feed=name, failed_since=row.failed_since.isoformat())
            row.cursor, row.polled_at, row.failed_since = page.next, now, None
        FEED_FAILING.labels(name).set(0)
        FEED_CHANGES.labels(name).inc(len(page.items))
        return page.more

    def _page(self, name: str, cursor: str | None) -> ChangeList:
        """The page after a cursor, or the oldest one when what came after it is gone."""
        read = self._feeds[name]
        try:
            return read(cursor, PAGE)
        except Rejected as refusal:
            if refusal.code != "cursor_gone" or cursor is None:
                raise
        log.error("feed_gap", feed=name)
        FEED_GAPS.labels(name).inc()
        return read(None, PAGE)

    def _note_failure(self, name: str, error: str) -> None:
        FEED_FAILING.labels(name).set(1)
        with self._database.begin() as session:
            is_news = cursors.note_failure(session, name, self._clock())
        (log.warning if is_news else log.debug)("feed_fails", feed=name, error=error)

"""From notices that are due to their deliveries: set by set for single accounts, page by page for an audience."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from actions.backends.errors import BackendError
from bot.clock import Clock
from bot.logs import get_logger
from bot.notice_kinds import NoticeKinds, NoticeLane
from bot.store import notices
from bot.store.database import Database
from bot.store.models import Notice, NoticeStatus

ACCOUNTS_AT_ONCE: Final = 1_000
CODES_AT_ONCE: Final = 1_000
CLOSED_AT_ONCE: Final = 2_000
BUSY_SECONDS: Final = 20.0
"""So long a job goes on before it makes room for others."""

log = get_logger(__name__)


@dataclass(frozen=True)
class Page:
    """Customer codes in order, and where the next page begins; None after the last."""

    codes: Sequence[str]
    next: str | None


NOBODY: Final = Page((), None)
Audience = Callable[[Mapping[str, Any], str | None, int], Page]
"""The utility's customer codes for a query (`outage_id`, `place_codes`, `owing_days`, `codes`), after a code, so many.
Raises BackendError."""


class Planner:
    """Every step commits by itself and can be done twice: deliveries have unique keys."""

    def __init__(self, database: Database, audience: Audience, kinds: NoticeKinds, clock: Clock) -> None:
        self._database = database
        self._audience = audience
        self._kinds = kinds
        self._clock = clock

    def audiences_due(self) -> list[tuple[int, NoticeLane]]:
        """Notices to an audience that are due and not yet planned to the end, with their lanes."""
        with self._database.begin() as session:
            due = notices.to_plan(session, self._clock())
        return [(each, self._kinds[kind].sent.lane) for each, kind in due if kind in self._kinds]

    def plan_accounts_due(self) -> None:
        """Plan what is due to single accounts, kind by kind, for a while."""
        busy_until = monotonic() + BUSY_SECONDS
        with self._database.begin() as session:
            kinds = notices.due_kinds(session, self._clock())
        for kind in filter(self._kinds.__contains__, kinds):
            while self._plan_accounts(kind) and monotonic() < busy_until:
                pass
        with self._database.begin() as session:
            notices.close_finished(session, CLOSED_AT_ONCE)

    def _plan_accounts(self, kind: str) -> bool:
        """A set of a kind. True if there may be more."""
        now = self._clock()
        with self._database.begin() as session:
            ids = notices.take_due(session, kind, now, ACCOUNTS_AT_ONCE)
            if ids:
                notices.plan_for_accounts(session, self._kinds[kind], ids, now)
        return len(ids) == ACCOUNTS_AT_ONCE

    def plan_audience(self, notice_id: int) -> None:
        """Go on through the audience from where it was left; ends when it is done, stopped, or cannot be had now."""
        while self._plan_page(notice_id):
            pass

    def _plan_page(self, notice_id: int) -> bool:
        with self._database.begin() as session:
            notice = session.get_one(Notice, notice_id)
        if notice.status not in notices.GOING or notice.planned_at is not None:
            return False
        kind, query = self._kinds[notice.kind], notice.audience or {}
        try:
            named = kind.sent.only_if_told or "contact_id" in query
            page = NOBODY if named else self._audience(query, notice.planned_up_to, CODES_AT_ONCE)
        except BackendError as error:
            log.warning("audience_not_known", notice=notice_id, error=type(error).__name__)
            return False
        with self._database.begin() as session:
            held = session.get_one(Notice, notice_id, with_for_update=True)
            if held.planned_up_to != notice.planned_up_to or held.planned_at is not None:
                return True
            if held.status not in notices.GOING:
                return False
            now = self._clock()
            if page.codes:
                notices.plan_for_codes(session, kind, notice_id, page.codes, now)
            held.status, held.planned_up_to = NoticeStatus.RUNNING, page.next or held.planned_up_to
            if page.next is None:
                if kind.sent.only_if_told:
                    notices.plan_for_told(session, kind, held, now)
                elif contact_id := query.get("contact_id"):
                    notices.plan_for_contact(session, kind, notice_id, contact_id, now)
                elif "place" in kind.per and (places := query.get("place_codes")):
                    notices.plan_for_followers(session, kind, notice_id, places, now)
                held.planned_at = now
        return page.next is not None

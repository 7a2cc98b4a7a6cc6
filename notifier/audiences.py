"""Whom a notice goes to, as the utility's own systems, our links and lists of staff know them (architecture.md §4)."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from actions.backends.billing import BillingClient
from actions.backends.errors import NotFound
from actions.backends.models import CodeList
from actions.backends.service import ServiceClient
from bot.store import campaigns, recipients
from bot.store.database import Database
from notifier.planner import NOBODY, Page

DEBTS_AT_ONCE: Final = 8


class Audiences:
    """Pages of customer codes for the query of a notice. The first of these counts:

    `outage_id`, those that the outage reaches; `owing_days`, whose oldest bill is so long past due, and who owe at
    least `owing_dong` in at least `owing_bills` bills; `codes`, just these; `list`, those of a kept list; `linked`, all
    that somebody linked; `feeder`, those on the line; `place_codes`, all of the places.
    """

    def __init__(self, billing: BillingClient, service: ServiceClient, database: Database) -> None:
        self._billing = billing
        self._service = service
        self._database = database
        self._threads = ThreadPoolExecutor(max_workers=DEBTS_AT_ONCE, thread_name_prefix="debts")

    def page(self, query: Mapping[str, Any], after: str | None, limit: int) -> Page:
        """Raises BackendError."""
        if "outage_id" in query:
            try:
                return _page(self._service.codes_of_outage(query["outage_id"], after=after, limit=limit))
            except NotFound:
                return NOBODY
        if "owing_days" in query:
            found = self._billing.codes_owing(query["owing_days"], after=after, limit=limit)
            return Page(self._owing(found.items, query), found.next)
        if "codes" in query:
            return _of_list(sorted(query["codes"]), after, limit)
        if "list" in query:
            with self._database.begin() as session:
                return _cut(campaigns.codes_of_list(session, query["list"], after, limit + 1), limit)
        if "linked" in query:
            with self._database.begin() as session:
                return _cut(recipients.linked_codes(session, after, limit + 1), limit)
        if "feeder" in query:
            return _page(self._service.codes_of_feeder(query["feeder"], after=after, limit=limit))
        return self._of_places(query["place_codes"], after, limit)

    def _owing(self, codes: Sequence[str], query: Mapping[str, Any]) -> Sequence[str]:
        """Those that owe enough; only who has a chat with us is asked about."""
        dong, bills = query.get("owing_dong", 0), query.get("owing_bills", 1)
        if dong <= 1 and bills <= 1:
            return codes
        with self._database.begin() as session:
            linked = recipients.linked_of(session, codes)

        def owes_enough(code: str) -> bool:
            try:
                debt = self._billing.debt(code)
            except NotFound:
                return False
            return bool(debt.total >= dong and len(debt.invoices) >= bills)

        return [code for code, enough in zip(linked, self._threads.map(owes_enough, linked), strict=True) if enough]

    def _of_places(self, places: list[str], after: str | None, limit: int) -> Page:
        """One place after the other; `after` is the place and a code of it."""
        place, _, code = (after or "").partition("/")
        at = places.index(place) if place else 0
        found = self._service.codes_of_place(places[at], after=code or None, limit=limit)
        if found.next is not None:
            return Page(found.items, f"{places[at]}/{found.next}")
        return Page(found.items, f"{places[at + 1]}/" if at + 1 < len(places) else None)


def _page(found: CodeList) -> Page:
    return Page(found.items, found.next)


def _of_list(codes: list[str], after: str | None, limit: int) -> Page:
    return _cut([code for code in codes if after is None or code > after], limit)


def _cut(left: Sequence[str], limit: int) -> Page:
    """The first `limit` of codes, of which there may be more."""
    return Page(left[:limit], left[limit - 1] if len(left) > limit else None)

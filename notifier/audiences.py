"""Whom a notice goes to, as the utility's own systems know them (architecture.md §4)."""

from collections.abc import Mapping
from typing import Any

from actions.backends.billing import BillingClient
from actions.backends.errors import NotFound
from actions.backends.models import CodeList
from actions.backends.service import ServiceClient
from notifier.planner import NOBODY, Page


class Audiences:
    """Pages of customer codes for the query of a notice. The first of these counts: `outage_id`, those that the outage
    reaches; `owing_days`, whose oldest bill is so long past due; `codes`, just these; `place_codes`, all of the places.
    """

    def __init__(self, billing: BillingClient, service: ServiceClient) -> None:
        self._billing = billing
        self._service = service

    def page(self, query: Mapping[str, Any], after: str | None, limit: int) -> Page:
        """Raises BackendError."""
        if "outage_id" in query:
            try:
                return _page(self._service.codes_of_outage(query["outage_id"], after=after, limit=limit))
            except NotFound:
                return NOBODY
        if "owing_days" in query:
            return _page(self._billing.codes_owing(query["owing_days"], after=after, limit=limit))
        if "codes" in query:
            return _of_list(sorted(query["codes"]), after, limit)
        return self._of_places(query["place_codes"], after, limit)

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
    left = [code for code in codes if after is None or code > after]
    return Page(left[:limit], left[limit - 1] if len(left) > limit else None)

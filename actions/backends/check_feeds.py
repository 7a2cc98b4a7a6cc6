"""The checks that both contracts share of what happens and whom it is about: feed and lists of customer codes."""

from collections.abc import Iterator
from itertools import pairwise
from uuid import uuid4

from actions.backends.probe import Answer, CheckResult, System

FEED = "/v1/changes"
CODES = "/v1/customer-codes"
_FEW = 3


def feed_checks(system: System, _code: str) -> Iterator[CheckResult]:
    """The feed from its beginning, by small pages; nothing is assumed of what has happened."""
    first = system.get(FEED, limit=str(_FEW))
    problem = first.fits(200, "ChangeList") or _kept_to(first, _FEW)
    yield system.result("listChanges answers the contract", problem)
    if problem:
        return
    following = system.get(FEED, after=first.content["next"], limit=str(_FEW))
    problem = following.fits(200, "ChangeList") or _moves_on(first, following)
    yield system.result("listChanges goes on after a cursor", problem)
    again = system.get(FEED, limit=str(_FEW))
    yield system.result("listChanges gives a page again", again.fits(200, "ChangeList") or _repeats(first, again))
    for limit in ("0", "501"):
        refused = system.get(FEED, limit=limit).refuses(422)
        yield system.result(f"listChanges refuses a limit of {limit}", refused)
    stranger = system.get(FEED, after=f"check-{uuid4()}", limit=str(_FEW))
    yield system.result("a cursor that is not its own is refused", stranger.refuses(410))
    if stranger.refuses(410) is None:
        gone = None if stranger.content["code"] == "cursor_gone" else "the code is not cursor_gone"
        yield system.result("it is refused as gone", gone)


def codes_checks(system: System, name: str, **filters: str) -> Iterator[CheckResult]:
    """A list of codes by this filter, in two pages."""
    first = system.get(CODES, limit=str(_FEW), **filters)
    problem = first.fits(200, "CodeList") or _kept_to(first, _FEW) or _in_order(first.content["items"])
    yield system.result(f"listCustomerCodes {name} answers the contract", problem)
    if problem or first.content["next"] is None:
        return
    following = system.get(CODES, limit=str(_FEW), after=first.content["next"], **filters)
    problem = following.fits(200, "CodeList") or _in_order([*first.content["items"], *following.content["items"]])
    yield system.result(f"listCustomerCodes {name} goes on", problem)


def codes_refusals(system: System) -> Iterator[CheckResult]:
    """What neither system may answer."""
    yield system.result("codes by no filter are refused", system.get(CODES, limit="1").refuses(422))


def _kept_to(answer: Answer, limit: int) -> str | None:
    return None if len(answer.content["items"]) <= limit else "more than were asked for"


def _moves_on(first: Answer, following: Answer) -> str | None:
    if first.content["more"] and not following.content["items"]:
        return "the next page is empty although there was more"
    if first.content["more"] and following.content["next"] == first.content["next"]:
        return "the cursor does not move"
    return None


def _repeats(first: Answer, again: Answer) -> str | None:
    before, now = ([change["id"] for change in answer.content["items"]] for answer in (first, again))
    return None if now[: len(before)] == before else "another page for the same cursor"


def _in_order(codes: list[str]) -> str | None:
    return None if all(earlier < later for earlier, later in pairwise(codes)) else "not ordered by code"

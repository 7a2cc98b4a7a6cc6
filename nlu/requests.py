"""Two requests in one message: "con no bao nhieu va nop bang cach nao".

A message is cut where a sentence ends or a second request may begin (``data/nlu_lexicon/requests.yml``). It holds two
requests when the clauses on both sides of a cut are each understood for sure, mean different things, and each asks for
something; of several cuts the surest counts. A story before a request tells, it does not ask.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from nlu import lexicon
from nlu.text.align import AlignedText, align
from nlu.text.marks import fold
from nlu.text.views import normalise

SURE = 0.9
_MOST_CUTS = 5
_SHORTEST = 2
_SHORTEST_CLAUSE = 3
_STOP = re.compile(r"[.!?;,\n…]+")
_SENTENCE_END = re.compile(r"[.!?;\n…]+")

Guess = Callable[[str], "tuple[str, float]"]
"""The likeliest intent of a text, and its confidence."""


class Request(NamedTuple):
    """One of several requests: its intent, how sure that is, and the stretch ``[start, end)`` of the text as sent."""

    intent: str
    confidence: float
    start: int
    end: int


class _Words(NamedTuple):
    joints: "re.Pattern[str]"
    joints_by_folding: "dict[str, set[str]]"
    asking: "re.Pattern[str]"
    alone: "frozenset[str]"
    told: "frozenset[str]"
    first: "frozenset[str]"
    one: "frozenset[frozenset[str]]"


@lru_cache(maxsize=1)
def _words() -> _Words:
    table = lexicon.read("requests")
    by_folding: dict[str, set[str]] = {}
    for joint in table["joints"]:
        by_folding.setdefault(fold(joint), set()).add(joint)
    return _Words(
        _any_of(by_folding),
        by_folding,
        _any_of({fold(phrase): set() for phrase in table["asking"]}),
        frozenset(table["alone"]),
        frozenset(table["told"]),
        frozenset(table["first"]),
        frozenset(map(frozenset, table["one"])),
    )


def _any_of(phrases: "dict[str, set[str]]") -> "re.Pattern[str]":
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def requests(text: str, guess: Guess) -> "tuple[Request, ...]":
    """The two requests of a message in the order of their handling (danger first); empty when it holds one."""
    aligned, words, guess = align(text), _words(), cache(guess)  # a clause lies beside several cuts
    best: tuple[Request, Request] | None = None
    for cut in _cuts(aligned):
        pair = _pair(aligned, cut, guess)
        if pair and (best is None or _sureness(pair) > _sureness(best)):
            best = pair
    if best is None:
        return ()
    return tuple(sorted(best, key=lambda request: request.intent not in words.first))


def _sureness(pair: "tuple[Request, Request]") -> float:
    return min(pair[0].confidence, pair[1].confidence)


def _cuts(aligned: AlignedText) -> Iterator[int]:
    """Where a second request may begin, as offsets into the aligned text."""
    folded = aligned.folded
    found = {stop.end() for stop in _STOP.finditer(folded)}
    words = _words()
    for joint in words.joints.finditer(folded):
        if aligned.says(joint.start(), joint.end(), *words.joints_by_folding[joint[0]]):
            found.add(joint.start())
    inside = sorted(cut for cut in found if 0 < cut < len(folded))
    yield from inside[-_MOST_CUTS:]


def _pair(aligned: AlignedText, cut: int, guess: Guess) -> "tuple[Request, Request] | None":
    """The requests of the clauses around the cut, if they are two."""
    start, end = _around(aligned.folded, cut)
    sides = [(start, cut), (cut, end)]
    if any(len(aligned.folded[a:b].split()) < _SHORTEST for a, b in sides):
        return None
    asking = [_asks(aligned, a, b) for a, b in sides]
    if not any(asking):
        return None
    pair = []
    for (a, b), asks in zip(sides, asking, strict=True):
        request = _request(aligned, a, b, asks, guess)
        if request is None:
            return None
        pair.append(request)
    first, second = pair
    two = first.intent != second.intent and {first.intent, second.intent} not in _words().one
    return (first, second) if two else None


def _asks(aligned: AlignedText, start: int, end: int) -> bool:
    asking = _words().asking
    if asking.search(aligned.folded, start, end):
        return True
    raw_start, raw_end = aligned.span(start, end)
    return asking.search(normalise(aligned.raw[raw_start:raw_end]).folded) is not None


def _request(aligned: AlignedText, start: int, end: int, asks: bool, guess: Guess) -> "Request | None":
    """What a clause asks for; None where it does not ask, or not clearly."""
    words = _words()
    raw_start, raw_end = aligned.span(start, end)
    intent, confidence = guess(aligned.raw[raw_start:raw_end])
    if confidence < SURE or intent in words.alone or not (asks or intent in words.told):
        return None
    return Request(intent, confidence, raw_start, raw_end)


def _around(folded: str, cut: int) -> "tuple[int, int]":
    """The clause before the cut and the sentence after it; less than three words belong to their neighbour."""
    before = [s.end() for s in _STOP.finditer(folded, 0, cut) if len(folded[s.end() : cut].split()) >= _SHORTEST_CLAUSE]
    after = (
        s.start()
        for s in _SENTENCE_END.finditer(folded, cut)
        if len(folded[cut : s.start()].split()) >= _SHORTEST_CLAUSE
    )
    return (before[-1] if before else 0), next(after, len(folded))

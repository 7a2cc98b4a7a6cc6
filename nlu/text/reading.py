"""What the classifier reads of a message: its views, its values named by their kind, its last clause."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from nlu.text.views import LONGEST, Views, normalise

_CLAUSE_END = re.compile(r"[.!?\n;,]+")
_SHORTEST_CLAUSE = 3


class Mention(NamedTuple):
    """A value in the text: its kind and the stretch ``[start, end)`` of the text as sent."""

    kind: str
    start: int
    end: int


class Reading(NamedTuple):
    """``views`` of the whole text; ``masked``: its folded words with each mention's kind, in capitals, for its words;
    ``kinds`` of the mentions in their order; ``asked``: the folded words of the last clause."""

    views: Views
    masked: str
    kinds: "tuple[str, ...]"
    asked: str


def read(text: str, mentions: Sequence[Mention], views: "Views | None" = None) -> Reading:
    """The reading of any text.

    Args:
        text: the message as sent.
        mentions: its values, in the order of the text, without overlaps.
        views: the views of the text where they are known already.
    """
    whole = views or normalise(text)
    return Reading(whole, _masked(text, mentions, whole), tuple(m.kind for m in mentions), _asked(text, whole))


def _masked(text: str, mentions: Sequence[Mention], whole: Views) -> str:
    if not mentions:
        return whole.folded
    words: list[str] = []
    at = 0
    for mention in mentions:
        if mention.start >= LONGEST:
            break
        words += [normalise(text[at : mention.start]).folded, mention.kind.upper()]
        at = mention.end
    words.append(normalise(text[at:LONGEST]).folded)
    return " ".join(filter(None, words))


def _asked(text: str, whole: Views) -> str:
    """The last clause of three words or more: after a story comes what is wanted."""
    clauses = [clause for clause in _CLAUSE_END.split(text[:LONGEST]) if len(clause.split()) >= _SHORTEST_CLAUSE]
    return normalise(clauses[-1]).folded if len(clauses) > 1 else whole.folded

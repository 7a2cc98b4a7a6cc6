"""What a rule finds, and small helpers that the rules share."""

import re
from dataclasses import dataclass
from typing import Any

B = r"(?<![a-z0-9])"
"""Nothing of a word just before."""
E = r"(?![a-z0-9])"
"""Nothing of a word just after."""


@dataclass(frozen=True)
class Match:
    """A rule's find on an aligned text: the entity's name, the matched stretch ``[start, end)``, the value."""

    entity: str
    start: int
    end: int
    value: Any


def words(*alternatives: str) -> str:
    """A pattern for any of the phrases; words of a phrase may be joined."""
    ordered = sorted(alternatives, key=len, reverse=True)
    return "(?:" + "|".join(r"\s*".join(map(re.escape, phrase.split())) for phrase in ordered) + ")"


def before(text: str, start: int, size: int = 24) -> str:
    """The stretch of the text just before a match, without the spaces next to it."""
    return text[max(0, start - size) : start].rstrip()

"""Values marked in a message: as the understanding found them, and as a reviewer corrects them in a form."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

from werkzeug.datastructures import MultiDict

MOST: Final = 20
"""Values in one message."""


class BadMarks(Exception):
    """Spans that overlap, lie outside of the message or hold nothing, or a kind that there is not."""


@dataclass(frozen=True, order=True)
class Mark:
    """Characters `start` to `end` of a message are a value of the kind `entity`."""

    start: int
    end: int
    entity: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Piece:
    """A stretch of a message; `entity` is None between the values."""

    text: str
    entity: str | None = None


def understood(entities: Sequence[Mapping[str, Any]], text: str, kinds: Collection[str]) -> list[Mark]:
    """What the understanding found, as far as it can be marked."""
    found: list[Mark] = []
    for mark in sorted(Mark(each["start"], each["end"], each["entity"]) for each in entities):
        if mark.entity in kinds and _fits(mark, text) and (not found or found[-1].end <= mark.start):
            found.append(mark)
    return found


def given(form: MultiDict[str, str], text: str, kinds: Collection[str]) -> list[Mark]:
    """From the fields `start`, `end` and `entity`, as often as there are values; one without a kind was taken away.

    Raises BadMarks.
    """
    rows = list(zip(form.getlist("start"), form.getlist("end"), form.getlist("entity"), strict=False))
    try:
        found = sorted(Mark(int(start), int(end), entity) for start, end, entity in rows if entity)
    except ValueError as error:
        raise BadMarks from error
    apart = all(one.end <= other.start for one, other in pairwise(found))
    if len(found) > MOST or not apart or not all(mark.entity in kinds and _fits(mark, text) for mark in found):
        raise BadMarks
    return found


def pieces(text: str, marks: Sequence[Mark]) -> Iterator[Piece]:
    """The whole text, for showing."""
    at = 0
    for mark in marks:
        if at < mark.start:
            yield Piece(text[at : mark.start])
        yield Piece(text[mark.start : mark.end], mark.entity)
        at = mark.end
    if at < len(text):
        yield Piece(text[at:])


def _fits(mark: Mark, text: str) -> bool:
    return 0 <= mark.start < mark.end <= len(text) and not text[mark.start : mark.end].isspace()

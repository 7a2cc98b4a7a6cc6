"""A hamlet's list of customer codes as staff paste or upload it, a line for each customer."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.text import clean

MOST: Final = 500
"""Customers of one list: as many slips as somebody hands out in a few days."""
LONGEST_NOTE: Final = 40
"""Characters that a slip has room for."""
_APART: Final = re.compile(r"[ .\-]")


class Problem(StrEnum):
    """Why a list, or a line of it, is not taken; named in data/console/messages.yml."""

    NOT_OURS = "line_not_ours"
    TWICE = "line_twice"
    LONG_NOTE = "line_long_note"
    EMPTY = "list_empty"
    TOO_MANY = "list_too_many"


@dataclass(frozen=True)
class Entry:
    """One customer; `note` stands on the slip so that the right house gets it, and is not kept."""

    customer_code: str
    note: str


@dataclass(frozen=True)
class BadLine:
    """`number` counts from 1; 0 is the whole list."""

    number: int
    problem: Problem


def customer_code(written: str) -> str:
    """A customer code without what people put between its parts (electricity.md §2.1)."""
    return _APART.sub("", clean(written).strip()).upper()


def read_list(text: str, is_ours: Callable[[str], bool]) -> tuple[list[Entry], list[BadLine]]:
    """Each line is a code, then maybe `;`, a tab or a comma and a note. Empty lines are passed over."""
    entries: dict[str, Entry] = {}
    bad: list[BadLine] = []
    for number, line in enumerate(clean(text).splitlines(), start=1):
        if not line.strip():
            continue
        written, *notes = re.split(r"[;\t,]", line, maxsplit=1)
        code, note = customer_code(written), " ".join("".join(notes).split())
        if not is_ours(code):
            bad.append(BadLine(number, Problem.NOT_OURS))
        elif code in entries:
            bad.append(BadLine(number, Problem.TWICE))
        elif len(note) > LONGEST_NOTE:
            bad.append(BadLine(number, Problem.LONG_NOTE))
        else:
            entries[code] = Entry(code, note)
    if not entries and not bad:
        bad.append(BadLine(0, Problem.EMPTY))
    if len(entries) > MOST:
        bad.append(BadLine(0, Problem.TOO_MANY))
    return list(entries.values()), bad

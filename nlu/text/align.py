"""A message made easy to match, every character still tied to where it came from.

Rules match on ``folded`` (lower case, no marks, keyboard slips read as meant, joined words parted); ``accented`` has
the same length and keeps the marks, for words that only the marks tell apart.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from nlu.text.calendar import dated_as_meant
from nlu.text.marks import fold_chars, has_marks
from nlu.text.syllables import split_joined
from nlu.text.views import words_as_meant

_WORD = re.compile(r"[^\W_]+|[^\w\s]")


@dataclass(frozen=True, eq=False)
class AlignedText:
    """``raw`` as sent; ``accented`` and ``folded`` of equal length; ``starts``/``ends``: offsets into ``raw``."""

    raw: str
    accented: str
    folded: str
    starts: "tuple[int, ...]"
    ends: "tuple[int, ...]"

    def span(self, start: int, end: int) -> "tuple[int, int]":
        """The raw offsets of the non-empty matched stretch ``[start, end)``."""
        return self.starts[start], self.ends[end - 1]

    def says(self, start: int, end: int, *meant: str) -> bool:
        """Whether the stretch reads as one of the words: typed so, or typed without any mark."""
        written = self.accented[start:end]
        return written in meant or not has_marks(written)

    def marked(self, start: int, end: int) -> bool:
        """Whether the stretch carries marks."""
        return self.accented[start:end] != self.folded[start:end]


@lru_cache(maxsize=16)
def align(raw: str) -> AlignedText:
    """The aligned text of any string."""
    if all(map(_plain, raw)):
        return _as_meant(raw, "".join(map(_plain, raw)), [*range(len(raw))], [*range(1, len(raw) + 1)])
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(raw):
        end = at + 1
        while end < len(raw) and unicodedata.combining(raw[end]):
            end += 1
        for char in _lower(raw[at:end]):
            chars.append(char)
            starts.append(at)
            ends.append(end)
        at = end
    return _as_meant(raw, "".join(chars), starts, ends)


def _lower(cluster: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", cluster).lower())


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """The lower-case character where one stands for one whatever is beside it, else ""."""
    lower = _lower(char)
    return lower if len(lower) == 1 and not unicodedata.combining(char) else ""


def _as_meant(raw: str, text: str, starts: "list[int]", ends: "list[int]") -> AlignedText:
    """Replace slipped words by what they mean and part joined ones; a replaced word's letters share its whole span."""
    tokens = list(_WORD.finditer(text))
    out: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    at = 0

    def keep(until: int) -> None:
        out.append(text[at:until])
        new_starts.extend(starts[at:until])
        new_ends.extend(ends[at:until])

    for token, meant in zip(tokens, dated_as_meant(words_as_meant([token[0] for token in tokens])), strict=True):
        start, end = token.span()
        if meant == token[0]:
            pieces = split_joined(meant)
            for piece in pieces[:-1]:
                keep(start + len(piece))
                start = at = start + len(piece)
                out.append(" ")
                new_starts.append(starts[at])
                new_ends.append(starts[at])
            continue
        keep(start)
        out.append(meant)
        new_starts.extend([starts[start]] * len(meant))
        new_ends.extend([ends[end - 1]] * len(meant))
        at = end
    keep(len(text))
    accented = "".join(out)
    return AlignedText(raw, accented, fold_chars(accented), tuple(new_starts), tuple(new_ends))

"""Finding phrases in what was written, with tone marks or without.

Phrases are kept with their marks. A word that is written with marks must have the same ones ("chị" is not "chỉ"), one
without any is taken for each ("chi" may be both).
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from bot.text import clean, fold

WORD = re.compile(r"\d+|[^\W\d_]+|[,.;!?:]")
TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


@dataclass(frozen=True)
class Word:
    """A word in small letters, from `start` to `end` of the text; `spelled` with its tone mark at the end."""

    start: int
    end: int
    written: str
    spelled: str


@dataclass(frozen=True)
class Found:
    """A phrase as a run of words: from the one number `first` up to and without number `end`."""

    first: int
    end: int
    phrase: str


class Said:
    """A text as words."""

    def __init__(self, text: str) -> None:
        self.words = [Word(m.start(), m.end(), m[0], _spelled(m[0])) for m in WORD.finditer(clean(text).lower())]

    def has(self, phrases: Iterable[str]) -> bool:
        return bool(self.find(phrases))

    def find(self, phrases: Iterable[str], first: int = 0, end: int | None = None) -> list[Found]:
        """Where the phrases stand among the words `first` to `end`, the longest at each place, without overlaps."""
        last = len(self.words) if end is None else min(end, len(self.words))
        longest = sorted((WORD.findall(phrase.lower()) for phrase in phrases), key=len, reverse=True)
        found, at = [], first
        while at < last:
            fitting = next((p for p in longest if at + len(p) <= last and self._stands(p, at)), None)
            if fitting:
                found.append(Found(at, at + len(fitting), " ".join(fitting)))
            at += len(fitting) if fitting else 1
        return found

    def word_at(self, place: int) -> int:
        """The number of the first word that ends after a place in the text."""
        return next((number for number, word in enumerate(self.words) if word.end > place), len(self.words))

    def _stands(self, phrase: list[str], at: int) -> bool:
        return all(
            word.spelled in {_spelled(said), fold(said)}
            for word, said in zip(self.words[at : at + len(phrase)], phrase, strict=True)
        )


def _spelled(word: str) -> str:
    """With the tone mark at the end, so that "hoá" and "hóa" are one."""
    letters = unicodedata.normalize("NFD", word)
    tones = "".join(c for c in letters if c in TONES)
    return unicodedata.normalize("NFC", "".join(c for c in letters if c not in TONES)) + tones

"""Tone and letter marks of Vietnamese: taking them off, and putting the tone where it belongs.

A *tone* is one of the five combining marks of huyền, sắc, hỏi, ngã, nặng; a *letter mark* makes â ă ê ô ơ ư đ.
"""

import unicodedata
from functools import lru_cache

TONES = {"\u0300": "huyền", "\u0301": "sắc", "\u0309": "hỏi", "\u0303": "ngã", "\u0323": "nặng"}
VOWELS = frozenset("aăâeêioôơuưy")
_MARKED_VOWELS = frozenset("ăâêôơư")


def _fold_char(char: str) -> str:
    """One NFC character without any mark ("ệ" → "e", "đ" → "d"); other characters as they are."""
    if char in "đĐ":
        return "d" if char == "đ" else "D"
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else char


class _Folds(dict[int, str]):
    """For ``str.translate``: each character without its marks, worked out when first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _fold_char(chr(code))
        return self[code]


_FOLDS = _Folds()


def fold_chars(text: str) -> str:
    """Each character of the text without its marks, one for one."""
    return text.translate(_FOLDS)


def fold(text: str) -> str:
    """The text without tone and letter marks, one character for each character of its NFC form."""
    return text if text.isascii() else fold_chars(unicodedata.normalize("NFC", text))


def has_marks(text: str) -> bool:
    """Whether the text carries any Vietnamese mark."""
    return not text.isascii() and fold(text) != unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def _split_char(char: str) -> "tuple[str, str]":
    decomposed = unicodedata.normalize("NFD", char)
    if len(decomposed) == 1:
        return char, ""
    tone = "".join(mark for mark in decomposed if mark in TONES)
    bare = unicodedata.normalize("NFC", "".join(mark for mark in decomposed if mark not in TONES))
    return bare, tone


def split_tone(word: str) -> "tuple[str, str]":
    """The word without its tone, and the tone's combining mark ("" for the level tone).

    A word with several tone marks, which is no Vietnamese word, gives the last one.
    """
    bare, tone = [], ""
    for char in word:
        letter, mark = _split_char(char)
        bare.append(letter)
        tone = mark[-1:] or tone
    return "".join(bare), tone


def _nucleus(bare: str) -> "tuple[int, int]":
    """Start and end of the vowels that may carry the tone; the glide of "qu" and "gi" belongs to the onset."""
    start = 0
    while start < len(bare) and bare[start] not in VOWELS:
        start += 1
    if bare[:2] in ("qu", "gi") and len(bare) > 2 and bare[2] in VOWELS:
        start = 2
    end = start
    while end < len(bare) and bare[end] in VOWELS:
        end += 1
    return start, end


def place_tone(bare: str, tone: str) -> str:
    """The lower-case word ``bare`` with ``tone`` in the old placement ("hóa", "thúy", "toàn").

    A word with no vowel is returned without tone.
    """
    start, end = _nucleus(bare)
    if not tone or start == end:
        return bare
    at = next((i for i in range(end - 1, start - 1, -1) if bare[i] in _MARKED_VOWELS), -1)
    if at < 0:
        vowels, closed = end - start, end < len(bare)
        at = end - 1 if closed else start + 1 if vowels >= 3 else start
    return unicodedata.normalize("NFC", bare[: at + 1] + tone + bare[at + 1 :])


@lru_cache(maxsize=65536)
def unify_tone(word: str) -> str:
    """The lower-case word with its tone moved to the old placement ("hoá" → "hóa", "tòan" → "toàn")."""
    bare, tone = split_tone(word)
    return place_tone(bare, tone) if tone else word

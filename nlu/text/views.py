"""The normalised views of a message that the classifier reads.

* ``accented``: NFC, lower case, one tone placement, keyboard slips read as meant, shortenings written out,
  joined words parted, stretched letters shortened, every digit shown as 0.
* ``folded``: the same without any mark.

Offsets do not survive; what needs them works on :mod:`nlu.text.align`.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from nlu import lexicon
from nlu.text.keyboards import as_they_stand, decode_telex, decode_words
from nlu.text.marks import fold, place_tone, split_tone, unify_tone
from nlu.text.syllables import is_plain_syllable, is_syllable, split_joined

LONGEST = 2000
_WORD = re.compile(r"[^\W_]+|[^\w\s]")
_STRETCH = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLE = re.compile(r"([^\W\d_])\1")
_COUNTED = re.compile(r"([^\W\d_]+)(\d+)\Z")
_FIGURES = re.compile(r"(\d+)([a-z]{4,})\Z")
_DIGIT = re.compile(r"\d")


class Views(NamedTuple):
    """Two spellings of one message; words are separated by single spaces."""

    accented: str
    folded: str


@lru_cache(maxsize=1)
def _teencode() -> "dict[str, str]":
    return {
        unify_tone(unicodedata.normalize("NFC", short)): full
        for full, shorts in lexicon.read("teencode").items()
        for short in shorts
    }


class _Text(dict[int, str]):
    """For ``str.translate``: a space for each character that carries no text, found out when first met."""

    def __missing__(self, code: int) -> str:
        self[code] = " " if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Co", "Cn") else chr(code)
        return self[code]


_TEXT = _Text()


def clean(text: str) -> str:
    """NFC and lower case; characters that carry no text (controls, lone surrogates) become spaces."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).lower()).translate(_TEXT)


@lru_cache(maxsize=65536)
def _unstretch(word: str) -> str:
    """ "alooooo" → "alo", "điiện" → "điện"; a doubled letter is kept where the word needs it ("xoong")."""
    if word in as_they_stand() or not word.isalpha():
        return word
    word = _STRETCH.sub(r"\1", word)
    if _DOUBLE.search(word) and not is_syllable(word) and not is_plain_syllable(word):
        single = _DOUBLE.sub(r"\1", word)
        if is_syllable(single) or is_plain_syllable(single):
            return single
    return word


@lru_cache(maxsize=65536)
def _tidy(word: str) -> str:
    word = _unstretch(word)
    if is_syllable(word):
        return unify_tone(word)
    horned = _horned(word)
    return horned if is_syllable(horned) else word


def _horned(word: str) -> str:
    """The word with both horns of "ươ" where one of them was missed ("trứoc", "đuợc")."""
    bare, tone = split_tone(word)
    return place_tone(bare.replace("ưo", "ươ").replace("uơ", "ươ"), tone)


def words_as_meant(words: "list[str]") -> "list[str]":
    """The words of one message after keyboard slips, stretched letters and tone placement, one for one."""
    return [_tidy(_unit_as_meant(word)) for word in decode_words([*map(_shorter, words)])]


@lru_cache(maxsize=65536)
def _unit_as_meant(word: str) -> str:
    """Figures with a slipped unit joined to them: "730nghifn" → "730nghìn"; other words as they are."""
    figures = _FIGURES.match(word)
    return figures[1] + decode_telex(figures[2]) if figures else word


@lru_cache(maxsize=65536)
def _shorter(word: str) -> str:
    return word if word in as_they_stand() or not word.isalpha() else _STRETCH.sub(r"\1\1", word)


def normalise(text: str) -> Views:
    """The views of any text; never raises. Text after the first 2,000 characters is left out.

    The accented view is its own accented view.
    """
    words: list[str] = []
    for word in words_as_meant(_WORD.findall(clean(text[:LONGEST]))):
        words.extend(_written_out(word))
    accented = _DIGIT.sub("0", " ".join(words))
    return Views(accented, fold(accented))


@lru_cache(maxsize=65536)
def _written_out(word: str) -> "tuple[str, ...]":
    """The words that one word stands for: a shortening written out, or the parts of a joined word."""
    teencode = _teencode()
    full = teencode.get(word)
    if full is not None:
        return (full,)
    if word in as_they_stand():
        return (word,)
    counted = _COUNTED.match(word)
    if counted and is_plain_syllable(fold(counted[1])):
        return (*_written_out(counted[1]), counted[2])
    return tuple(teencode.get(piece, _tidy(piece)) for piece in split_joined(word))

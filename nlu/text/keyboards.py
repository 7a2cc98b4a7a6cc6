"""Slips of the two Vietnamese keyboards: a word typed with the keyboard off, read as it was meant.

Telex writes marks with letters (``tieenf ddieenj``), VNI with digits (``tie6n2 d9ie65n``).
"""

import re
import unicodedata
from functools import lru_cache

from nlu import lexicon
from nlu.text.marks import VOWELS, fold, place_tone, split_tone
from nlu.text.syllables import is_plain_syllable, is_syllable

_TELEX_TONES = {"s": "\u0301", "f": "\u0300", "r": "\u0309", "x": "\u0303", "j": "\u0323"}
_VNI_TONES = {"1": "\u0301", "2": "\u0300", "3": "\u0309", "4": "\u0303", "5": "\u0323"}
_CIRCUMFLEX = {"a": "â", "e": "ê", "o": "ô"}
_HORN = {"o": "ơ", "u": "ư"}
_SHORTEST_TONED = 4
_VNI_WORD = re.compile(r"[a-zđ]+[0-9][a-z0-9]*\Z")


@lru_cache(maxsize=1)
def as_they_stand() -> "frozenset[str]":
    """Words that are never read as a slip of the keyboard or of a finger."""
    return frozenset(lexicon.read("keyboard")["as_they_stand"])


@lru_cache(maxsize=1)
def _counted() -> "dict[str, str]":
    words = [unicodedata.normalize("NFC", word) for word in lexicon.read("keyboard")["counted"]]
    return {fold(word): word for word in words}


def _mark_last(letters: "list[str]", marks: "dict[str, str]") -> bool:
    """Mark the last letter that can take the mark; the pair "uo" takes the horn on both letters."""
    for i in range(len(letters) - 1, -1, -1):
        if letters[i] in marks:
            if marks is _HORN and letters[i] == "o" and i and letters[i - 1] == "u" and i + 1 < len(letters):
                letters[i - 1] = "ư"
            letters[i] = marks[letters[i]]
            return True
    return False


def _horn_pair(letters: "list[str]") -> bool:
    """Put the horn on both letters of a "uo" or "ưo" that stands before another letter or ends the word."""
    for i in range(len(letters) - 1):
        if letters[i] in "uư" and letters[i + 1] == "o" and (i == 0 or letters[i - 1] != "q"):
            letters[i], letters[i + 1] = "ư", "ơ"
            return True
    return False


@lru_cache(maxsize=65536)
def decode_telex(word: str) -> str:
    """The lower-case word as meant on a Telex keyboard, or the word itself if it is no Telex slip."""
    if not 2 <= len(word) <= 11 or not word.isalpha():
        return word
    if not word.isascii():
        return _toned_last(word)
    if word in as_they_stand() or is_plain_syllable(word):
        return word
    letters: list[str] = []
    tone = ""
    for char in word:
        has_vowel = any(letter in VOWELS for letter in letters)
        if char in _TELEX_TONES and has_vowel:
            tone = _TELEX_TONES[char]
        elif char == "w":
            if not (_horn_pair(letters) or _mark_last(letters, {"a": "ă", **_HORN})):
                letters.append("ư")
        elif char in _CIRCUMFLEX and char in letters:
            letters[len(letters) - 1 - letters[::-1].index(char)] = _CIRCUMFLEX[char]
        elif char == "d" and letters and letters[0] == "d":
            letters[0] = "đ"
        else:
            letters.append(char)
    meant = place_tone("".join(letters), tone)
    if meant != word and is_syllable(meant):
        return meant
    return "đ" + word[2:] if word.startswith("dd") else word


def _toned_last(word: str) -> str:
    """A word typed with its letter marks and then the key of its tone ("điênj"), as meant; other words as they are."""
    tone = _TELEX_TONES.get(word[-1])
    if tone is None or len(word) < _SHORTEST_TONED or is_syllable(word) or split_tone(word)[1]:
        return word
    meant = place_tone(word[:-1], tone)
    return meant if is_syllable(meant) else word


@lru_cache(maxsize=65536)
def decode_vni(word: str) -> str:  # noqa: PLR0912 - one branch per key
    """The lower-case word as meant on a VNI keyboard, or the word itself if it cannot be one."""
    if not 2 <= len(word) <= 11 or not _VNI_WORD.match(word):
        return word
    letters: list[str] = []
    tone = ""
    for char in word:
        if char in _VNI_TONES:
            if tone:
                return word
            tone = _VNI_TONES[char]
        elif char == "6":
            if not _mark_last(letters, _CIRCUMFLEX):
                return word
        elif char == "7":
            if not (_horn_pair(letters) or _mark_last(letters, _HORN)):
                return word
        elif char == "8":
            if not _mark_last(letters, {"a": "ă"}):
                return word
        elif char == "9":
            if letters[:1] != ["d"]:
                return word
            letters[0] = "đ"
        elif char == "0":
            return word
        else:
            letters.append(char)
    meant = place_tone("".join(letters), tone)
    return meant if is_syllable(meant) else word


def _speaks_vni(word: str) -> bool:
    """Whether the word can hardly be anything but VNI: a digit inside it, or two of them."""
    if decode_vni(word) == word:
        return False
    digits = [i for i, char in enumerate(word) if char.isdigit()]
    return len(digits) >= 2 or digits[0] < len(word) - 1


def decode_words(words: "list[str]") -> "list[str]":
    """Each lower-case word of a message as meant; the same number of words.

    A word with one final digit may be a count ("thang5"): it is read as VNI only in a message that shows VNI elsewhere.
    """
    vni = any(_speaks_vni(word) for word in words if not word.isalpha())
    meant = []
    for word in words:
        decoded = decode_telex(word)
        if vni and decoded == word and not word.isalpha():
            decoded = decode_vni(word)
            counted = _counted().get(word[:-1])
            if counted and decoded != counted:
                decoded = word
        meant.append(decoded)
    return meant

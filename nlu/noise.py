"""How people write: seeded ways of turning clean Vietnamese into what is typed on a phone.

Used to augment the training data and to measure robustness. Each habit is a pure function of the text and a
``random.Random``; :func:`rewrite` mixes them at the rates of real chat (intents.md, "How people write").
The same text and seed always give the same result. Only words outside ``keep`` spans are changed by
:func:`rewrite`'s habits that would damage a value (codes and numbers stay as typed).
"""

# ruff: noqa: ARG001 - every habit has the same signature

import random
import re
import unicodedata
import zlib
from collections.abc import Callable
from functools import lru_cache

from nlu import lexicon
from nlu.text.marks import fold, split_tone

Habit = Callable[[str, random.Random], str]

_WORD = re.compile(r"[^\W\d_]+")
_LETTERS_ONLY = re.compile(r"[^\W\d_]+\Z")
_TELEX_KEYS = {"\u0301": "s", "\u0300": "f", "\u0309": "r", "\u0303": "x", "\u0323": "j"}
_VNI_KEYS = {"\u0301": "1", "\u0300": "2", "\u0309": "3", "\u0303": "4", "\u0323": "5"}
_TELEX_LETTERS = {"ă": "aw", "â": "aa", "ê": "ee", "ô": "oo", "ơ": "ow", "ư": "uw", "đ": "dd"}
_VNI_LETTERS = {"ă": "a8", "â": "a6", "ê": "e6", "ô": "o6", "ơ": "o7", "ư": "u7", "đ": "d9"}
_REGIONAL = (
    ("l", "n"),
    ("n", "l"),
    ("ch", "tr"),
    ("tr", "ch"),
    ("s", "x"),
    ("x", "s"),
    ("d", "gi"),
    ("gi", "d"),
    ("r", "d"),
)
_NEIGHBOURS = {
    "a": "sq",
    "b": "vn",
    "c": "xv",
    "d": "sf",
    "e": "wr",
    "g": "fh",
    "h": "gj",
    "i": "uo",
    "k": "jl",
    "l": "k",
    "m": "n",
    "n": "bm",
    "o": "ip",
    "p": "o",
    "q": "wa",
    "r": "et",
    "s": "ad",
    "t": "ry",
    "u": "yi",
    "v": "cb",
    "x": "zc",
    "y": "tu",
}
_BEFORE = (
    "ad ơi",
    "alo",
    "dạ",
    "cho hỏi",
    "cho em hỏi",
    "ơi",
    "bạn ơi",
    "shop ơi",
    "điện lực ơi",
    "a lô",
    "cháu ơi",
    "em ơi",
    "à",
    "này",
)
_AFTER = ("ạ", "nhé", "với", "vậy", "ad", "nha", "giúp mình", "đi", "hả", "vậy ạ", "nhỉ", "hộ cái", "gấp")


def strip_marks(text: str, rng: random.Random) -> str:
    """No marks at all."""
    return fold(text)


def strip_some_marks(text: str, rng: random.Random) -> str:
    """Some words without marks, as when the phone guesses only part of them."""
    rate = rng.uniform(0.25, 0.75)
    return _WORD.sub(lambda match: fold(match[0]) if rng.random() < rate else match[0], text)


def confuse_tones(text: str, rng: random.Random) -> str:
    """Hỏi and ngã swapped, or a tone dropped while the letter marks stay."""

    def confuse(match: "re.Match[str]") -> str:
        bare, tone = split_tone(match[0])
        if not tone or rng.random() > 0.35:
            return match[0]
        swap = {"\u0309": "\u0303", "\u0303": "\u0309"}
        if tone in swap:
            return unicodedata.normalize("NFC", unicodedata.normalize("NFD", match[0]).replace(tone, swap[tone]))
        return bare

    return _WORD.sub(confuse, text)


@lru_cache(maxsize=1)
def _shortenings() -> "dict[str, tuple[str, ...]]":
    return {full: tuple(shorts) for full, shorts in lexicon.read("teencode").items()}


@lru_cache(maxsize=1)
def _shortened() -> "re.Pattern[str]":
    longest_first = sorted(_shortenings(), key=lambda full: (-len(full), full))
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)", re.IGNORECASE)


def shorten(text: str, rng: random.Random) -> str:
    """Teencode: words replaced by their shortenings."""
    rate = rng.uniform(0.3, 0.9)

    def short(match: "re.Match[str]") -> str:
        return rng.choice(_shortenings()[match[0].lower()]) if rng.random() < rate else match[0]

    return _shortened().sub(short, text)


def _keys(word: str, letters: "dict[str, str]", tones: "dict[str, str]", rng: random.Random) -> str:
    bare, tone = split_tone(word)
    typed = [letters.get(char, char) for char in bare.lower()]
    key = tones.get(tone, "")
    if key and rng.random() < 0.8:
        return "".join(typed) + key
    if key:
        _, at = max((char in "aăâeêioôơuưy", i) for i, char in enumerate(bare.lower()))
        typed[at] += key
    return "".join(typed)


def telex(text: str, rng: random.Random) -> str:
    """Typed in Telex with the keyboard off, throughout or here and there."""
    rate = rng.choice((0.3, 1.0, 1.0))
    return _WORD.sub(lambda m: _keys(m[0], _TELEX_LETTERS, _TELEX_KEYS, rng) if rng.random() < rate else m[0], text)


def vni(text: str, rng: random.Random) -> str:
    """Typed in VNI with the keyboard off."""
    return _WORD.sub(lambda m: _keys(m[0], _VNI_LETTERS, _VNI_KEYS, rng), text)


def regional(text: str, rng: random.Random) -> str:
    """Northern spellings: l/n, ch/tr, s/x, d/gi/r swapped at the beginning of some words."""
    start, other = rng.choice(_REGIONAL)
    rate = rng.uniform(0.4, 1.0)

    def swap(match: "re.Match[str]") -> str:
        word = match[0]
        if not word.lower().startswith(start) or rng.random() > rate:
            return word
        rest = word[len(start) :]
        if start in ("l", "n", "s", "x", "d", "r") and (
            not rest
            or rest[0].lower() not in "aăâeêioôơuưyàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
        ):
            return word
        return other + rest

    return _WORD.sub(swap, text)


def slip(text: str, rng: random.Random) -> str:
    """One to three slips of the finger: letters swapped, lost, doubled, or the neighbouring key."""
    chars = list(text)
    for _ in range(rng.randint(1, 1 + min(3, len(chars) // 20))):
        places = [i for i, char in enumerate(chars) if _LETTERS_ONLY.match(char)]
        if len(places) < 2:
            break
        at = rng.choice(places[1:])
        kind = rng.random()
        if kind < 0.3 and at + 1 < len(chars) and chars[at + 1].isalpha():
            chars[at], chars[at + 1] = chars[at + 1], chars[at]
        elif kind < 0.55:
            del chars[at]
        elif kind < 0.75:
            chars.insert(at, chars[at])
        else:
            near = _NEIGHBOURS.get(fold(chars[at]).lower())
            if near:
                chars[at] = rng.choice(near)
    return "".join(chars)


def join_words(text: str, rng: random.Random) -> str:
    """Spaces left out, here and there or everywhere."""
    rate = rng.choice((0.15, 0.15, 0.3, 0.8))
    return "".join("" if char == " " and rng.random() < rate else char for char in text)


def stretch(text: str, rng: random.Random) -> str:
    """The last letter of a word drawn out ("alooo", "rồiiii")."""
    words = text.split(" ")
    at = rng.randrange(len(words))
    if words[at] and words[at][-1].isalpha():
        words[at] += words[at][-1] * rng.randint(2, 5)
    return " ".join(words)


def capitals(text: str, rng: random.Random) -> str:
    """ALL CAPS."""
    return text.upper()


def no_punctuation(text: str, rng: random.Random) -> str:
    """Lower case and no punctuation, as when dictated or in a hurry."""
    return " ".join(re.sub(r"[,.;:?!…\"'()]+(?=\s|$)", " ", text.lower()).split())


def fillers(text: str, rng: random.Random) -> str:
    """Something said before or after."""
    if rng.random() < 0.5:
        return f"{rng.choice(_BEFORE)} {text}"
    return f"{text} {rng.choice(_AFTER)}"


def new_tone_placement(text: str, rng: random.Random) -> str:
    """Tone marks in the new placement ("hoá", "thuý")."""
    pairs = (
        ("òa", "oà"),
        ("óa", "oá"),
        ("ỏa", "oả"),
        ("ọa", "oạ"),
        ("ùy", "uỳ"),
        ("úy", "uý"),
        ("ủy", "uỷ"),
        ("ụy", "uỵ"),
        ("ỏe", "oẻ"),
    )
    for old, new in pairs:
        text = re.sub(old + r"(?!\w)", new, text)
    return text


def decomposed(text: str, rng: random.Random) -> str:
    """The same text in NFD, as some phones send it."""
    return unicodedata.normalize("NFD", text)


HABITS: "dict[str, Habit]" = {
    habit.__name__: habit
    for habit in (
        strip_marks,
        strip_some_marks,
        confuse_tones,
        shorten,
        telex,
        vni,
        regional,
        slip,
        join_words,
        stretch,
        capitals,
        no_punctuation,
        fillers,
        new_tone_placement,
        decomposed,
    )
}

# (chance of the habit in one rewritten message, habit), in the order in which they act on the text.
_RATES: "tuple[tuple[float, Habit], ...]" = (
    (0.30, fillers),
    (0.40, shorten),
    (0.20, regional),
    (0.50, no_punctuation),
    (0.12, confuse_tones),
    (0.06, telex),
    (0.04, vni),
    (0.15, strip_some_marks),
    (0.45, strip_marks),
    (0.35, slip),
    (0.12, join_words),
    (0.06, stretch),
    (0.05, capitals),
)


def generator(seed: int, text: str, copy: int = 0) -> random.Random:
    """A random generator that depends on nothing but its arguments."""
    return random.Random(zlib.crc32(f"{seed}|{copy}|{text}".encode("utf-8", "surrogatepass")))  # noqa: S311 - not for secrets


def rewrite(text: str, rng: random.Random) -> str:
    """The text as another customer might type it: each habit with its own chance."""
    for rate, habit in _RATES:
        if rng.random() < rate:
            text = habit(text, rng)
    return text

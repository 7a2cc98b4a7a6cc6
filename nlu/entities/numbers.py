"""Numbers as said: "hai trăm rưỡi" is 250, "một triệu hai" is 1,200,000, "1 triệu 250" is 1,250,000."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from nlu import lexicon
from nlu.text.align import AlignedText
from nlu.text.syllables import is_plain_syllable

DIGITS = {
    "khong": 0,
    "mot": 1,
    "mốt": 1,
    "hai": 2,
    "ba": 3,
    "bon": 4,
    "tu": 4,
    "nam": 5,
    "lam": 5,
    "nham": 5,
    "sau": 6,
    "bay": 7,
    "tam": 8,
    "chin": 9,
}
SCALES = {"nghin": 10**3, "ngan": 10**3, "k": 10**3, "trieu": 10**6, "cu": 10**6, "tr": 10**6, "ty": 10**9, "ti": 10**9}
_ACCENTS = {
    "khong": ("không",),
    "mot": ("một",),
    "hai": ("hai",),
    "ba": ("ba",),
    "bon": ("bốn",),
    "tu": ("tư",),
    "nam": ("năm",),
    "lam": ("lăm",),
    "nham": ("nhăm",),
    "sau": ("sáu",),
    "bay": ("bảy", "bẩy"),
    "tam": ("tám",),
    "chin": ("chín",),
    "muoi": ("mười", "mươi"),
    "chuc": ("chục",),
    "tram": ("trăm",),
    "linh": ("linh",),
    "le": ("lẻ", "lẽ"),
    "ruoi": ("rưỡi", "rưởi"),
    "nghin": ("nghìn",),
    "ngan": ("ngàn",),
    "trieu": ("triệu",),
    "cu": ("củ",),
    "ty": ("tỷ",),
    "ti": ("tỉ",),
    "nua": ("nửa",),
}
_NOT_A_REST = frozenset(  # after a number it counts these: "4 nghìn một số", "5 triệu hai năm nay"
    [
        "so",
        "kwh",
        "kw",
        "ky",
        "ki",
        "kg",
        "can",
        "thang",
        "nam",
        "lan",
        "ngay",
        "chu",
        "nguoi",
        "nha",
        "ho",
        "tieng",
        "xo",
        "cai",
        "lit",
        "met",
        "thung",
        "tan",
        "tuan",
        "hom",
        "gio",
    ]
)
_NOT_ALONE = frozenset(("tram", "chuc", "nghin", "ngan", "trieu", "ty", "ti"))
_FIRSTS = frozenset((*DIGITS, *_NOT_ALONE, "muoi", "nua")) - {"khong", "mốt", "ty", "ti"}
_VAGUE = frozenset(("ca", "may", "vai", "hang", "nhieu", "bao", "cong"))
_COUNTED = frozenset(
    ("thang", "thag", "thg", "th", "t", "ngay", "thu", "ky", "ki", "quy", "to", "xom", "so", "mung", "hom")
)
_LAST_DAY = 31
_TOKEN = re.compile(r"\d{1,3}(?:[.,]\d{3})+(?![\d])|\d+[.,]\d{1,2}(?!\d)|\d+|[a-z]+")

NO_NUMBER = "_"
"""The text of a token that is no number word here."""
Look = Callable[[int], str]
"""The text of a token, or "" where the run of adjacent tokens has ended."""


class Token(NamedTuple):
    """A word or a written number of the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Number:
    """A number found: its value, where it stands, and its largest scale (1 for a plain number)."""

    value: float
    start: int
    end: int
    scale: int
    spoken: bool


@lru_cache(maxsize=4)
def tokens_of(aligned: AlignedText) -> "tuple[Token, ...]":
    """Words and written numbers; a word whose marks make it another word than the number word loses its reading."""
    found: list[Token] = []
    for match in _TOKEN.finditer(aligned.folded):
        text = match[0]
        if text == "mot" and aligned.accented[match.start() : match.end()] == "mốt":
            text = "mốt"
        elif text == "cham" and aligned.says(match.start(), match.end(), "chăm"):
            text = "tram"
        elif text == "chieu" and aligned.accented[match.start() : match.end()] == "chiệu":
            text = "trieu"
        elif text == "cu" and found and found[-1].text == "ba" and not aligned.marked(match.start(), match.end()):
            text = NO_NUMBER  # "ba cu" is "bà cụ"
        elif (text == "k" and _is_not(found, aligned.folded, match.start())) or (
            text in _ACCENTS and not aligned.says(match.start(), match.end(), *_ACCENTS[text])
        ):
            text = NO_NUMBER
        found.append(Token(text, match.start(), match.end()))
    return tuple(found)


def _is_not(before: "Sequence[Token]", text: str, start: int) -> bool:
    """Whether "k" after a number is "không" and no thousand: "t9 k", "tháng 9 k"."""
    if not before or not before[-1].text.isdigit() or int(before[-1].text) > _LAST_DAY or text[start - 1] != " ":
        return False
    return len(before) > 1 and (
        before[-2].end == before[-1].start or (before[-2].text in _COUNTED and text[before[-1].start - 1] == " ")
    )


def written(text: str) -> float:
    """The value of a number in figures: dots or commas group thousands, or set off one or two decimals."""
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", text):
        return float(re.sub(r"[.,]", "", text))
    return float(text.replace(",", "."))


@lru_cache(maxsize=4)
def numbers(aligned: AlignedText) -> "tuple[Number, ...]":
    """All numbers of the text, each as long as it goes, from left to right."""
    tokens = tokens_of(aligned)
    found, i = [], 0
    while i < len(tokens):
        vague = i > 0 and tokens[i].text in _NOT_ALONE and tokens[i - 1].text in _VAGUE
        unsure = tokens[i].text == "tu" and not aligned.marked(tokens[i].start, tokens[i].end)
        begins = tokens[i].text in _FIRSTS or (tokens[i].text[0].isdigit() and not _of_a_name(aligned, tokens, i))
        number = _number(tokens, i, aligned.folded) if begins and not (vague or unsure) else None
        if number is None:
            i += 1
            continue
        found.append(number[0])
        i = number[1]
    return tuple(found)


def _of_a_name(aligned: AlignedText, tokens: "Sequence[Token]", i: int) -> bool:
    """Whether the figures are part of a name: "st120k", but not "hđ450k" or "hết450k"."""
    if i == 0 or tokens[i - 1].end != tokens[i].start:
        return False
    start, end = tokens[i - 1].start, tokens[i - 1].end
    return (
        end - start > 1
        and aligned.folded[start:end].isalpha()
        and not is_plain_syllable(aligned.folded[start:end])
        and aligned.accented[start:end] not in _shortenings()
    )


@lru_cache(maxsize=1)
def _shortenings() -> "frozenset[str]":
    return frozenset(short for row in lexicon.read("teencode").values() for short in row)


def _adjacent(tokens: "Sequence[Token]", i: int, text: str) -> bool:
    """Whether token ``i`` follows its predecessor with at most spaces between."""
    return i < len(tokens) and (i == 0 or not text[tokens[i - 1].end : tokens[i].start].strip())


def _number(tokens: "Sequence[Token]", i: int, text: str) -> "tuple[Number, int] | None":
    first, total, scale, largest = i, 0.0, 0, 1
    spoken = not tokens[i].text[0].isdigit()
    if tokens[i].text == "nua" and i + 1 < len(tokens) and tokens[i + 1].text in ("trieu", "nghin", "ty"):
        scale = SCALES[tokens[i + 1].text]
        return Number(scale / 2, tokens[i].start, tokens[i + 1].end, scale, True), i + 2
    while i < len(tokens) and (i == first or _adjacent(tokens, i, text)):
        chunk = _chunk(tokens, i, text)
        if scale and chunk and _is_apart(tokens, i, chunk, scale, text):
            break
        if chunk is None and not (i == first and tokens[i].text in ("trieu", "nghin", "ngan")):
            break
        value, after = chunk if chunk else (1.0, i)
        joined = after == first or _adjacent(tokens, after, text)
        following = tokens[after].text if after < len(tokens) and joined else ""
        if following in SCALES and (not scale or SCALES[following] < scale):
            if chunk is None and not _has_rest(tokens, after + 1, text):
                return None
            scale = SCALES[following]
            largest = max(largest, scale)
            total += value * scale
            i = after + 1
            if i < len(tokens) and _adjacent(tokens, i, text) and tokens[i].text == "ruoi":
                total += scale / 2
                i += 1
                break
            continue
        total += _short_rest(value, scale) if scale else value
        i = after
        break
    if i == first:
        return None
    return Number(total, tokens[first].start, tokens[i - 1].end, largest, spoken), i


def _is_apart(tokens: "Sequence[Token]", i: int, chunk: "tuple[float, int]", scale: int, text: str) -> bool:
    """Whether the number at ``i`` is no rest of the one before: "4k 2 số", "4 nghìn một số"."""
    if scale == SCALES["k"] and tokens[i - 1].text == "k":
        return True
    value, after = chunk
    counts = _adjacent(tokens, after, text) and tokens[after].text in _NOT_A_REST
    return counts and value < 10 and tokens[i].text != "mốt"


def _has_rest(tokens: "Sequence[Token]", i: int, text: str) -> bool:
    return _adjacent(tokens, i, text) and (tokens[i].text == "ruoi" or tokens[i].text in DIGITS)


def _short_rest(value: float, scale: int) -> float:
    """What a rest without its own scale adds: 200,000 in "triệu hai" and "triệu hai trăm", 200 in "nghìn hai"."""
    if value < 10:
        return value * scale / 10
    if scale >= 10**6:
        return value * scale / (100 if value < 100 else 1000)
    return value


def _chunk(tokens: "Sequence[Token]", i: int, text: str) -> "tuple[float, int] | None":
    """A number below the thousands, or one in figures."""

    def at(j: int) -> str:
        return tokens[j].text if j < len(tokens) and (j == i or _adjacent(tokens, j, text)) else ""

    word = at(i)
    if word == "khong":
        return _after_hundred(0.0, i + 2, at) if at(i + 1) == "tram" else None
    if word[:1].isdigit():
        value, j = written(word), i + 1
        if at(j) == "tram" and value < 10:
            return _after_hundred(value * 100, j + 1, at)
        if at(j) == "chuc" and value < 10:
            return value * 10, j + 1
        return value, j
    if word == "tram" and (at(i + 1) in ("ruoi",) or at(i + 1) in DIGITS or at(i + 1) in SCALES):
        return _after_hundred(100.0, i + 1, at)
    if word in DIGITS and at(i + 1) == "tram":
        return _after_hundred(DIGITS[word] * 100.0, i + 2, at)
    return _below_hundred(i, at)


def _after_hundred(value: float, j: int, at: Look) -> "tuple[float, int]":
    word = at(j)
    if word == "ruoi":
        return value + 50, j + 1
    if word in ("linh", "le") and at(j + 1) in DIGITS:
        return value + DIGITS[at(j + 1)], j + 2
    rest = _below_hundred(j, at)
    if rest is None or word == "khong":
        return value, j
    small, after = rest
    return value + (small * 10 if after == j + 1 and 0 < small < 10 else small), after


def _below_hundred(j: int, at: Look) -> "tuple[float, int] | None":
    word, following = at(j), at(j + 1)
    if word in DIGITS and following in ("muoi", "chuc"):
        value, j = DIGITS[word] * 10.0, j + 2
    elif word in ("muoi", "chuc"):
        value, j = 10.0, j + 1
    elif word in DIGITS:
        tens = DIGITS[word]
        if following in ("mot", "mốt", "lam", "tu", "nham") and tens >= 2 and at(j + 2) not in ("tram", "muoi"):
            return tens * 10.0 + DIGITS[following], j + 2
        return float(tens), j + 1
    else:
        return None
    if at(j) in DIGITS and at(j) != "khong" and at(j + 1) not in ("tram", "muoi"):
        return value + DIGITS[at(j)], j + 1
    if at(j) == "ruoi":
        return value + 5, j + 1
    return value, j

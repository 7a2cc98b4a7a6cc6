"""Personal data in what was written: found, and covered until somebody opens it with a reason (F23).

What the understanding found counts as well as what is written like a code, a number, an address or a name. Places stay:
an outage is about a place.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from phonenumbers import PhoneNumberMatcher

REGION: Final = "VN"
COVER: Final = "•••"


class Kind(StrEnum):
    CODE = "code"
    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"
    MONEY = "money"
    ENERGY = "energy"
    NUMBER = "number"


@dataclass(frozen=True, order=True)
class Span:
    """Characters `start` to `end` of a text are personal data."""

    start: int
    end: int
    kind: Kind


_OF_ENTITIES: Final = {
    "customer_code": Kind.CODE,
    "request_code": Kind.NUMBER,
    "meter_serial": Kind.NUMBER,
    "phone": Kind.PHONE,
    "money": Kind.MONEY,
    "energy": Kind.ENERGY,
}
_CAPITAL: Final = "".join(letter for letter in map(chr, range(0x41, 0x1F00)) if letter.isupper())
"""A to Ỹ: in Unicode capitals and small letters alternate, so that no range will do."""
_WRITTEN_LIKE: Final = (
    (Kind.CODE, re.compile(r"\bP[A-Z]\s?\d{2}\s?[A-Z0-9]{2}\s?\d{7}\b", re.IGNORECASE)),
    (Kind.EMAIL, re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (
        Kind.MONEY,
        re.compile(r"\b\d{1,3}(?:[.,]\d{3})+(?:\s?(?:đ|đồng|vnđ|vnd)\b)?|\b\d+\s?(?:đ|đồng|vnđ|vnd)\b", re.IGNORECASE),
    ),
    (Kind.ENERGY, re.compile(r"\b\d+(?:[.,]\d+)*\s?kwh\b", re.IGNORECASE)),
    (
        Kind.NAME,
        re.compile(
            r"(?:tên(?:\s(?:tôi|mình|em|cháu))?(?:\slà)?|chủ\shộ|[Ôô]ng|[Bb]à|[Aa]nh|[Cc]hị)"
            rf"\s+((?:[{_CAPITAL}]\w*[ ]?){{2,5}})(?<! )"
        ),
    ),
    (Kind.NUMBER, re.compile(r"\d(?:[ .-]?\d){4,}")),
)


def find_personal(
    text: str,
    *,
    entities: Sequence[Mapping[str, Any]] = (),
    names: Iterable[str | None] = (),
    public: Collection[str] = (),
) -> list[Span]:
    """Not overlapping, in their order. `names`: what this person is called; `entities`: of the understanding;
    `public`: numbers that everybody may know.
    """
    found = [Span(match.start, match.end, Kind.PHONE) for match in PhoneNumberMatcher(text, REGION)]
    found += [
        Span(entity["start"], entity["end"], kind)
        for entity in entities
        if (kind := _OF_ENTITIES.get(str(entity.get("entity")))) and 0 <= entity["start"] < entity["end"] <= len(text)
    ]
    for kind, pattern in _WRITTEN_LIKE:
        group = 1 if pattern.groups else 0
        found += [Span(*match.span(group), kind) for match in pattern.finditer(text)]
    for name in filter(None, names):
        found += [Span(*match.span(), Kind.NAME) for match in re.finditer(re.escape(name), text, re.IGNORECASE)]
    return _without_overlaps([span for span in found if text[span.start : span.end] not in public])


def cover(text: str, spans: Sequence[Span]) -> str:
    """The text with dots in place of what is personal."""
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], COVER]
        at = span.end
    return "".join([*parts, text[at:]])


def cover_code(code: str) -> str:
    """Enough of a customer code to tell two of one person apart."""
    return f"{code[:4]}{COVER}{code[-3:]}"


def cover_name(name: str) -> str:
    """The initials."""
    return " ".join(f"{part[0]}." for part in name.split())


def _without_overlaps(found: list[Span]) -> list[Span]:
    """The longest wins, and of one length the plainer kind: digits may be a phone."""
    kept: list[Span] = []
    plainest = tuple(Kind).index
    for span in sorted(set(found), key=lambda each: (each.start - each.end, each.start, plainest(each.kind))):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept)

"""Reading from the customer's words what kWh are used for; the words are in data/answers.yml under `use.`."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, cast, get_args

from actions.answers import Answers, option_meant
from actions.tariff_data import Band
from actions.use import WITH_THREE_PRICES, Count, Kind, Use
from bot.text import fold

MOST_COUNTED: Final = 500
"""Households or people; more are a slip."""
_TEN: Final = 10
_FIGURE: Final = re.compile(r"(?<![\w.,:/])(?:\d{1,3}(?:[.,]\d{3})+|\d+(?:[.,]\d{1,2})?)(?![\w:/]|[.,]\d)")
_KILOVOLTS: Final = re.compile(r"(?<![\w.,])(\d{1,3}(?:[.,]\d)?)\s?kv\b")

Entities = Sequence[Mapping[str, Any]]


def told(text: str, entities: Entities, answers: Answers, before: Use) -> Use:
    """What the message says, over what was known before; another kind of use begins anew."""
    kind = option_meant(answers, "use.kind", text)
    use = before if kind in {None, before.kind} else Use(kind=cast(Kind, kind))
    use = _with_counts(use, text, entities, answers)
    if use.kind == "household" and option_meant(answers, "use.prices", text) == "three":
        use = Use(kind="production")
    if kilovolts := _kilovolts(text, answers):
        use = use.model_copy(update={"kv": kilovolts})
    return use.model_copy(update=_prices(text, entities, answers)) if use.kind in WITH_THREE_PRICES else use


def bands_told(text: str, entities: Entities, answers: Answers) -> dict[Band, Decimal]:
    """The kWh of each band where the message gives them ("cao điểm 300, bình thường 1000"); else nothing."""
    said = fold(text)
    words = {band: _words(answers["use.band"][band]) for band in get_args(Band)}
    places = [(at.start(), band) for band, pattern in words.items() for at in re.finditer(pattern, said)]
    bands = list(dict.fromkeys(band for _, band in sorted(places)))
    amounts = [Decimal(str(entity["value"])) for entity in entities if entity["entity"] == "energy"]
    if len(amounts) != len(bands):
        amounts = figures(text)
    return dict(zip(bands, amounts, strict=True)) if 1 < len(bands) == len(amounts) else {}


def counted(text: str, entities: Entities, answers: Answers, what: Count) -> Decimal | None:
    """The number before what is counted: "3 hộ", "ba người", "mười hai sinh viên"; none that is a slip."""
    said = fold(_without(text, entities))
    number = rf"(?<![\w.,/])(\d{{1,3}}(?:[.,]\d{{1,2}})?|{_spoken(answers)})\s*"
    found = re.search(number + _words(answers["use.counted"][what]), said)
    return in_words(found[1], answers) if found else None


def in_words(words: str, answers: Answers) -> Decimal | None:
    """A number in figures, or below a hundred in words: "ba", "mười hai", "hai mươi". None for "hai ba"."""
    if words[0].isdigit():
        return _decimal(words)
    values = _number_words(answers)
    total = last = 0
    for value in (values[word] for word in words.split()):
        if value != _TEN and last:
            return None
        total, last = ((total or 1) * _TEN, 0) if value == _TEN else (total + value, value)
    return Decimal(total)


def lone_number(text: str, answers: Answers) -> Decimal | None:
    """The only number of the text, in figures or in words."""
    written = figures(text)
    if not written:
        written = [
            number
            for words in re.findall(rf"\b{_spoken(answers)}\b", fold(text))
            if (number := in_words(words, answers)) is not None
        ]
    return written[0] if len(written) == 1 else None


def figures(text: str) -> list[Decimal]:
    """All numbers written in figures: 1.500 is 1500, 1,5 is one and a half."""
    return [_decimal(figure) for figure in _FIGURE.findall(fold(text))]


def _with_counts(use: Use, text: str, entities: Entities, answers: Answers) -> Use:
    if option_meant(answers, "use.declared", text) == "not":
        return Use(kind="tenants", undeclared=True)
    norms, people = (counted(text, entities, answers, what) for what in ("households", "people"))
    if norms and 0 < norms <= MOST_COUNTED:
        if use.kind == "household" and norms != 1:
            return Use(kind="shared", norms=norms)
        return use.model_copy(update={"norms": norms, "people": None, "undeclared": False})
    if use.kind == "tenants" and people and 0 < people <= MOST_COUNTED:
        return use.model_copy(update={"norms": None, "people": int(people), "undeclared": False})
    return use


def _kilovolts(text: str, answers: Answers) -> Decimal | None:
    if found := _KILOVOLTS.search(fold(text)):
        return _decimal(found[1])
    named = option_meant(answers, "use.voltage", text)
    return Decimal(named) if named else None


def _prices(text: str, entities: Entities, answers: Answers) -> dict[str, Any]:
    if bands := bands_told(text, entities, answers):
        return {"split": bands, "evenly": False}
    prices = option_meant(answers, "use.prices", text)
    return {"split": None, "evenly": prices == "three"} if prices else {}


def _without(text: str, entities: Entities) -> str:
    """The text with what the understanding has read already (months, days, amounts) blotted out."""
    letters = list(text)
    for entity in entities:
        letters[entity["start"] : entity["end"]] = " " * (entity["end"] - entity["start"])
    return "".join(letters)


def _number_words(answers: Answers) -> dict[str, int]:
    return {word: int(value) for value, words in answers["service.number"].items() for word in words}


def _spoken(answers: Answers) -> str:
    """A pattern for a number in words."""
    words = "|".join(_number_words(answers))
    return rf"(?:(?:{words})\s)*(?:{words})"


def _words(phrases: Sequence[str]) -> str:
    """A pattern for any of them as whole words, the longest first."""
    return rf"\b(?:{'|'.join(sorted(phrases, key=len, reverse=True))})\b"


def _decimal(figure: str) -> Decimal:
    grouped = re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", figure)
    return Decimal(re.sub(r"[.,]", "", figure) if grouped else figure.replace(",", "."))

"""What a reply may say about customers: amounts that the utility's systems gave, codes that are the customer's own."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

import yaml

AMOUNT = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d{3})*) đ(?![\w/])")
PART = re.compile(r"^•.*: (tăng|giảm) (\d{1,3}(?:\.\d{3})*) đ$", re.MULTILINE)
CODE = re.compile(r"\bP[A-Z0-9]{3}[A-Z0-9]{2}\d{7}\b")
TYPED_CODE = re.compile(r"\bP[A-Z0-9]{3} ?[A-Z0-9]{2} ?\d{7}\b")
EXAMPLE_CODE = "PA04GT0012345"
"""The code that explains how codes look."""
TARIFFS = Path(__file__).resolve().parents[2] / "data" / "tariffs"


def amounts(text: str) -> list[int]:
    """Sums of money as replies write them; prices per kWh in a list of tiers (`đ/kWh`) are none."""
    return [int(found.replace(".", "")) for found in AMOUNT.findall(text)]


def codes(text: str) -> set[str]:
    return set(CODE.findall(text)) - {EXAMPLE_CODE}


def codes_typed(text: str) -> set[str]:
    """Codes in what a customer wrote, in small letters and with spaces, too."""
    return {re.sub(r"\W", "", found) for found in TYPED_CODE.findall(text.upper())}


def sayable(answers: Iterable[Any]) -> set[int]:
    """Amounts that follow from the answers: those in them, what is left of a bill, their sum, their differences."""
    answers = list(answers)
    found = {number for answer in answers for number in _numbers(answer)}
    bills = {bill["id"]: bill for answer in answers for bill in _bills(answer)}
    totals = [bill["total"] for bill in bills.values()]
    found |= {bill["total"] - bill["paid"] for bill in bills.values()}
    found |= {abs(one - other) for one in totals for other in totals}
    for answer in answers:
        found.add(sum(bill["total"] for bill in _bills(answer)))
    return found


def explained(text: str, allowed: set[int]) -> set[int]:
    """Parts of a difference (`tăng 3 đ`, `giảm 2 đ`), if they add up to one that may be said."""
    parts = [(word, int(amount.replace(".", ""))) for word, amount in PART.findall(text)]
    added = sum(amount if word == "tăng" else -amount for word, amount in parts)
    return {amount for _, amount in parts} if abs(added) in allowed else set()


@cache
def published() -> frozenset[int]:
    """Every whole number in the tariff data: prices per kWh."""
    texts = (file.read_text("utf-8") for file in TARIFFS.glob("*.yml"))
    return frozenset(number for text in texts for number in _numbers(yaml.safe_load(text)))


def _bills(answer: Any) -> Iterator[dict[str, Any]]:
    if isinstance(answer, dict):
        if {"id", "total", "paid"} <= answer.keys():
            yield answer
        for value in answer.values():
            yield from _bills(value)
    elif isinstance(answer, list):
        for item in answer:
            yield from _bills(item)


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return
        if number.is_finite():
            yield round(number)

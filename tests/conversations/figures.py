"""What a reply may say about customers: amounts, days, months and kWh that the utility's systems gave or the customer
said, or that follow from the tariffs; and codes that are the customer's own."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import accumulate, combinations
from pathlib import Path
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

import yaml

AMOUNT = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d{3})*) đ(?![\w/])")
TIER = re.compile(r"^• .+: (\S+ kWh) × ", re.MULTILINE)
PART = re.compile(r"^•.*: (tăng|giảm) (\d{1,3}(?:\.\d{3})*) đ$", re.MULTILINE)
CODE = re.compile(r"\bP[A-Z0-9]{3}[A-Z0-9]{2}\d{7}\b")
TYPED_CODE = re.compile(r"\bP[A-Z0-9]{3} ?[A-Z0-9]{2} ?\d{7}\b")
EXAMPLE_CODE = "PA04GT0012345"
"""The code that explains how codes look."""
DAY = re.compile(r"(?<![\d/.,])(\d{1,2})/(\d{1,2})(?:/(\d{4}))?(?![\d/])")
MONTH = re.compile(r"[Tt]háng (\d{1,2})/(\d{4})(?!\d)")
ALL_DAY = re.compile(r"\b24/7\b")
KWH = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))? kWh")
FIGURE = re.compile(r"(?<![\w.,/])\d+(?![\w.,/])")
ISO = re.compile(r"\b(\d{4})-(\d{2})(?:-(\d{2}))?\b")
DATA = Path(__file__).resolve().parents[2] / "data"
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

Day = tuple[int, int, int | None]
"""Day and month, and the year where it is said."""


def amounts(text: str) -> list[int]:
    """Sums of money as replies write them; prices per kWh in a list of tiers (`đ/kWh`) are none."""
    return [int(found.replace(".", "")) for found in AMOUNT.findall(text)]


def days(text: str) -> list[Day]:
    """`27/11` and `27/11/2026`; "24/7" is none."""
    found = DAY.findall(ALL_DAY.sub("", text))
    return [(int(day), int(month), int(year) if year else None) for day, month, year in found]


def months(text: str) -> list[tuple[int, int]]:
    """`tháng 10/2026`, as year and month."""
    return [(int(year), int(month)) for month, year in MONTH.findall(text)]


def energies(text: str) -> list[Decimal]:
    """`1.234,5 kWh`."""
    return [Decimal(f"{whole.replace('.', '')}.{part or 0}").normalize() for whole, part in KWH.findall(text)]


def codes(text: str) -> set[str]:
    return set(CODE.findall(text)) - {EXAMPLE_CODE}


def codes_typed(text: str) -> set[str]:
    """Codes in what a customer wrote, in small letters and with spaces, too."""
    return {re.sub(r"\W", "", found) for found in TYPED_CODE.findall(text.upper())}


@dataclass
class Known:
    """What may be said in one turn."""

    amounts: set[int] = field(default_factory=set)
    days: set[date] = field(default_factory=set)
    months: set[tuple[int, int]] = field(default_factory=set)
    energies: set[Decimal] = field(default_factory=set)
    examples: set[Day] = field(default_factory=set)

    def __or__(self, other: "Known") -> "Known":
        return Known(
            self.amounts | other.amounts,
            self.days | other.days,
            self.months | other.months,
            self.energies | other.energies,
            self.examples | other.examples,
        )

    def strange(self, text: str) -> list[str]:
        """The figures of a reply that nobody gave."""
        allowed = self.amounts | explained(text, self.amounts)
        used = self.energies | split_up(text, self.energies)
        in_year = {(day.day, day.month, year) for day in self.days for year in (day.year, None)} | self.examples
        its_months = self.months | {(day.year, day.month) for day in self.days}
        return [
            *(f"{amount} đ" for amount in amounts(text) if amount not in allowed),
            *(f"{day}/{month}" for day, month, year in days(text) if (day, month, year) not in in_year),
            *(f"tháng {month}/{year}" for year, month in months(text) if (year, month) not in its_months),
            *(f"{kwh:f} kWh" for kwh in energies(text) if kwh not in used),
        ]


def given(answers: Iterable[Any]) -> Known:
    """What follows from answers of the utility's systems."""
    answers = list(answers)
    dates, its_months = dates_in(answers)
    return Known(sayable(answers), dates, its_months, _energies_in(answers))


def said(values: Iterable[Any], texts: Iterable[str]) -> Known:
    """What the customer said: the values that the understanding found, and figures as they were typed."""
    values, texts = list(values), list(texts)
    dates, its_months = dates_in(values)
    typed = {date(year, month, day) for text in texts for day, month, year in days(text) if year}
    numbers = {number for value in values for number in _numbers(value)}
    numbers |= {Decimal(figure) for text in texts for figure in FIGURE.findall(text)}
    typed_amounts = {amount for text in texts for amount in amounts(text)}
    return Known({round(n) for n in numbers} | typed_amounts, dates | typed, its_months, numbers)


def sayable(answers: Iterable[Any]) -> set[int]:
    """Amounts that follow from the answers: those in them, what is left of a bill, their sum, their differences."""
    answers = list(answers)
    found = {round(number) for answer in answers for number in _numbers(answer)}
    bills = {bill["id"]: bill for answer in answers for bill in _found(answer, {"id", "total", "paid"})}
    totals = [bill["total"] for bill in bills.values()]
    found |= {abs(bill["total"] - bill["paid"]) for bill in bills.values()}
    found |= {abs(one - other) for one, other in combinations(totals, 2)} | {0}
    for answer in answers:
        found.add(sum(bill["total"] for bill in _found(answer, {"id", "total", "paid"})))
    debts = [
        answer["total"] for answer in answers if isinstance(answer, dict) and {"total", "invoices"} <= answer.keys()
    ]
    found.add(sum(debts))
    received: dict[str, int] = {}
    for payment in _found(answers, {"invoice_id", "amount"}):
        received[payment["invoice_id"]] = received.get(payment["invoice_id"], 0) + payment["amount"]
    return found | set(received.values()) | {sum_ - bills[i]["total"] for i, sum_ in received.items() if i in bills}


def explained(text: str, allowed: set[int]) -> set[int]:
    """Parts of a difference (`tăng 3 đ`, `giảm 2 đ`), if they add up to one that may be said."""
    parts = [(word, int(amount.replace(".", ""))) for word, amount in PART.findall(text)]
    added = sum(amount if word == "tăng" else -amount for word, amount in parts)
    return {amount for _, amount in parts} if abs(added) in allowed else set()


def split_up(text: str, allowed: set[Decimal]) -> set[Decimal]:
    """Parts of a use, each with its price (`Bậc 1: 50 kWh × 1.984 đ`), if they add up to one that may be said."""
    parts = [kwh for line in TIER.findall(text) for kwh in energies(line)]
    return set(parts) if sum(parts) in allowed else set()


@cache
def published() -> Known:
    """What the data files say to everybody: prices, tiers, days from which something holds, days as examples."""
    texts = [file.read_text("utf-8") for file in (*DATA.glob("*.yml"), *(DATA / "tariffs").glob("*.yml"), *_faq())]
    worded = [file.read_text("utf-8") for file in (*DATA.glob("*.yml"), *(DATA / "replies").glob("*.yml"), *_faq())]
    numbers = {
        number
        for file in (DATA / "tariffs").glob("*.yml")
        for number in _numbers(yaml.safe_load(file.read_text("utf-8")))
    }
    dates, its_months = dates_in(texts)
    return Known(
        {round(number) for number in numbers},
        dates,
        its_months,
        {number.normalize() for number in numbers},
        {day for text in worded for day in days(text)},
    )


def _faq() -> list[Path]:
    return list((DATA / "faq").glob("*.yml"))


def dates_in(value: Any) -> tuple[set[date], set[tuple[int, int]]]:
    """Days and months of every ISO date, instant (as in Vietnam) or month in a value, also within texts."""
    found: set[date] = set()
    its_months: set[tuple[int, int]] = set()
    for text in _texts(value):
        if (at := _instant(text)) is not None:
            found.add(at.astimezone(VIETNAM).date())
            continue
        for year, month, day in ISO.findall(text):
            its_months.add((int(year), int(month)))
            if day:
                found.add(date(int(year), int(month), int(day)))
    return found, its_months


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _energies_in(answers: list[Any]) -> set[Decimal]:
    """kWh in the answers; of bills their differences and mean; of a run of days their sum, mean and median."""
    found = {number.normalize() for answer in answers for number in _numbers(answer)}
    bills = [Decimal(bill["kwh"]) for bill in _found(answers, {"id", "kwh", "total"})]
    found |= {abs(one - other) for one, other in combinations(bills, 2)}
    found |= {_shown(mean(bills[first:])) for first in range(len(bills))}
    found |= {_shown(mean(bills[:last])) for last in range(1, len(bills))}
    for answer in answers:
        used = [Decimal(str(day["kwh"])) for day in _found(answer, {"day", "reading", "kwh"})]
        for first in range(len(used)):
            found |= set(accumulate(used[first:]))
        for length in (7, 30, 31, *range(max(0, len(used) - 40), len(used) + 1)):
            for run in (used[:length], used[-length:]):
                found |= {_shown(mean(run)), _shown(median(run))} if run else set()
    return {number.normalize() for number in found}


def _shown(value: Decimal) -> Decimal:
    return round(value, 1).normalize()


def _found(answer: Any, keys: set[str]) -> Iterator[dict[str, Any]]:
    """Every object in an answer that has these keys."""
    if isinstance(answer, dict):
        if keys <= answer.keys():
            yield answer
        for value in answer.values():
            yield from _found(value, keys)
    elif isinstance(answer, list):
        for item in answer:
            yield from _found(item, keys)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _numbers(value: Any) -> Iterator[Decimal]:
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
            yield number

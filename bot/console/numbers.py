"""Numbers as they are written in Vietnamese: 1.234 and 87,5."""

from collections.abc import Mapping
from typing import Any


def count(number: float) -> str:
    return f"{number:,.0f}".replace(",", ".")


def tenth(number: float) -> str:
    """With one digit after the comma."""
    return f"{number:,.1f}".translate(str.maketrans(",.", ".,"))


def brief(number: float) -> str:
    """With a digit after the comma only where there is something there."""
    return count(number) if number == int(number) else tenth(number)


def percent(share: float) -> str:
    return f"{tenth(100 * share)} %"


def lasting(seconds: float, words: Mapping[str, Any]) -> str:
    """`0,8 giây`, `2 phút`: in minutes where it is a whole number of them, from one."""
    if seconds >= 60 and seconds % 60 == 0:
        return str(words["minutes"]).format(count(seconds / 60))
    return str(words["seconds"]).format(brief(seconds))

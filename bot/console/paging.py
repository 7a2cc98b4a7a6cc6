"""Pages of a list by key, never by offset: the next page costs what the first did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
PAGE = 50


@dataclass(frozen=True)
class Page(Generic[T]):
    """`after`: the key for the next page, None on the last."""

    items: Sequence[T]
    after: str | None


def page_of(found: Sequence[T], key: Callable[[T], object], size: int = PAGE) -> Page[T]:
    """From `size` + 1 rows or fewer: the one too many tells that there is more."""
    items = found[:size]
    return Page(items, str(key(items[-1])) if len(found) > size else None)

"""Which operations of the backends a turn asked, for the people who read along: not what about, nor about whom."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

_WATCHED: Final[ContextVar[list[dict[str, Any]] | None]] = ContextVar("calls", default=None)


@contextmanager
def watched() -> Iterator[list[dict[str, Any]]]:
    """The calls made in this thread meanwhile: `operation`, whole `ms` with all tries, and the `error` if it failed."""
    calls: list[dict[str, Any]] = []
    token = _WATCHED.set(calls)
    try:
        yield calls
    finally:
        _WATCHED.reset(token)


@contextmanager
def noted(operation: str) -> Iterator[None]:
    """One call."""
    calls = _WATCHED.get()
    if calls is None:
        yield
        return
    call: dict[str, Any] = {"operation": operation}
    calls.append(call)
    began = time.monotonic()
    try:
        yield
    except Exception as error:
        call["error"] = type(error).__name__
        raise
    finally:
        call["ms"] = round((time.monotonic() - began) * 1000)

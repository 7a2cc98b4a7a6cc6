"""The one source of the current time. `TROLYDIEN_NOW` moves it in the sandbox; tests pass their own clock."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock(started_at: datetime | None = None) -> Clock:
    """A clock in aware UTC: the machine's, or one that shows `started_at` now and runs on from there."""
    if started_at is None:
        return lambda: datetime.now(UTC)
    offset = started_at - datetime.now(UTC)
    return lambda: datetime.now(UTC) + offset

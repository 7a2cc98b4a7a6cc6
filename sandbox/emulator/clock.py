"""The clock of an emulated platform: runs like the given one and can be moved ahead to close reply windows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7))


class MovableClock:
    """Aware UTC now, plus everything it was advanced by."""

    def __init__(self, base: Callable[[], datetime]) -> None:
        self._base = base
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._base().astimezone(UTC) + self._ahead

    def advance(self, by: timedelta) -> datetime:
        self._ahead += by
        return self.now()


def epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)

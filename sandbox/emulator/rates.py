"""Call limits as platforms count them: so many calls in a fixed window of time."""

import threading
from collections.abc import Callable
from datetime import datetime


class RateWindow:
    """Counts calls in windows of `seconds`; `limit` may be changed while it runs."""

    def __init__(self, now: Callable[[], datetime], *, limit: int, seconds: int) -> None:
        self._now = now
        self.limit = limit
        self._seconds = seconds
        self._window = 0
        self._used = 0
        self._lock = threading.Lock()

    def take(self) -> tuple[bool, int]:
        """Count one call: (within the limit, calls that remain in this window)."""
        window = int(self._now().timestamp()) // self._seconds
        with self._lock:
            if window != self._window:
                self._window, self._used = window, 0
            self._used += 1
            return self._used <= self.limit, max(0, self.limit - self._used)

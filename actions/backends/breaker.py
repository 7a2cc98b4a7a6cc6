"""A circuit breaker that lets calls run side by side.

pybreaker keeps the count and the states, but its `call` holds a lock while the guarded function runs, which would put
every worker thread behind one slow call; so the call runs outside and only its outcome is told to the breaker.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TypeVar

import pybreaker

from actions.backends.errors import BackendDown, BackendError, BackendWrong

T = TypeVar("T")


class Breaker:
    """Opens after `failures` failed calls in a row; after `reset_seconds` lets one call through to see."""

    def __init__(self, failures: int = 5, reset_seconds: float = 10.0) -> None:
        self._memory = pybreaker.CircuitMemoryStorage(pybreaker.STATE_CLOSED)
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=failures,
            reset_timeout=reset_seconds,
            state_storage=self._memory,
            throw_new_error_on_trip=False,
        )
        self._reset = timedelta(seconds=reset_seconds)
        self._trial = Lock()

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        return str(self._breaker.current_state)

    def call(self, operation: str, function: Callable[[], T]) -> T:
        """Run `function` unless the circuit is open. Raises BackendDown if it is, else what the function raises."""
        if self.state == pybreaker.STATE_CLOSED:
            return self._run(function)
        opened_at = self._memory.opened_at
        if opened_at is not None and datetime.now(UTC) < opened_at + self._reset:
            raise BackendDown(operation, "circuit open", transient=False)
        if not self._trial.acquire(blocking=False):
            raise BackendDown(operation, "circuit open, being tried", transient=False)
        try:
            return self._run(function)
        finally:
            self._trial.release()

    def _run(self, function: Callable[[], T]) -> T:
        try:
            result = function()
        except (BackendDown, BackendWrong) as error:
            self._tell(error)
            raise
        except BackendError:
            self._tell(None)
            raise
        self._tell(None)
        return result

    def _tell(self, failure: Exception | None) -> None:
        def outcome() -> None:
            if failure is not None:
                raise failure

        try:
            self._breaker.call(outcome)
        except (pybreaker.CircuitBreakerError, BackendDown, BackendWrong):
            return

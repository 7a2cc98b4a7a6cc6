"""Faults a test asks for: the next N calls of a kind answer an error, fail, hang, or are accepted and then hang."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flask import Response

FaultKind = Literal["error", "status", "empty", "hang", "accept_then_hang"]


@dataclass(frozen=True)
class Fault:
    """`error`: the platform's own error (`code`, `subcode`, `message`); `status`: that HTTP status with a body that is
    not JSON; `empty`: 200 without a body; `hang`: no effect and no answer for `seconds`; `accept_then_hang`: the call
    takes effect, the answer does not come."""

    kind: FaultKind
    code: int = 0
    subcode: int | None = None
    message: str = "Injected by the sandbox"
    status: int = 503
    seconds: float = 30.0


class FaultPlan:
    """Faults waiting per kind of call; `apply` wraps the handler of a call."""

    def __init__(self) -> None:
        self._planned: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._released = threading.Event()

    def plan(self, call: str, fault: Fault, count: int) -> None:
        with self._lock:
            self._planned[call].extend([fault] * count)

    def waiting(self) -> dict[str, int]:
        with self._lock:
            return {call: len(faults) for call, faults in self._planned.items() if faults}

    def clear(self) -> None:
        """Forget all planned faults and let hanging calls answer."""
        with self._lock:
            self._planned.clear()
            self._released.set()
            self._released = threading.Event()

    def apply(self, call: str, handler: Callable[[], Response], error: Callable[[Fault], Response]) -> Response:
        fault = self._take(call)
        if fault is None:
            return handler()
        if fault.kind == "error":
            return error(fault)
        if fault.kind == "status":
            return Response("<html>upstream error</html>", fault.status, content_type="text/html")
        if fault.kind == "empty":
            return Response("", 200, content_type="application/json")
        answer = handler() if fault.kind == "accept_then_hang" else Response("", 504)
        self._released.wait(fault.seconds)
        return answer

    def _take(self, call: str) -> Fault | None:
        with self._lock:
            waiting = self._planned.get(call)
            return waiting.popleft() if waiting else None

"""Ways in which the backends can be made to fail, for tests and demonstrations."""

from random import Random
from threading import Condition
from typing import Annotated, Any, Final

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

_LONGEST_HANG: Final = 30.0  # seconds


class FaultState(BaseModel):
    """What is wrong now.

    `latency_ms` before every answer; `error_rate` of answers are 500; `garbage` answers half a JSON object; `down`
    answers 503; `hang` holds every request until it is switched off, 30 s at most; `throttled` answers 429;
    `lose_answers`: so many unsafe calls are carried out but answered 503.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_ms: Annotated[int, Field(ge=0, le=30_000)] = 0
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    garbage: bool = False
    down: bool = False
    hang: bool = False
    throttled: bool = False
    lose_answers: Annotated[int, Field(ge=0)] = 0


class Faults:
    """The switch; requests waiting in a hang or a latency notice a change at once."""

    def __init__(self) -> None:
        self._state = FaultState()
        self._changed = Condition()
        self._random = Random(0)

    @property
    def state(self) -> FaultState:
        return self._state

    def set(self, **changes: Any) -> FaultState:
        """Change some faults, leaving the others. Raises pydantic.ValidationError."""
        with self._changed:
            self._state = FaultState.model_validate({**self._state.model_dump(), **changes})
            self._changed.notify_all()
            return self._state

    def reset(self) -> FaultState:
        """Everything works again."""
        return self.set(**FaultState().model_dump())

    def before(self) -> Response | None:
        """Called before a request is handled: delays it, or answers in its place."""
        with self._changed:
            if self._state.hang:
                self._changed.wait_for(lambda: not self._state.hang, _LONGEST_HANG)
            latency = self._state.latency_ms
            if latency:
                self._changed.wait_for(lambda: self._state.latency_ms != latency, latency / 1000)
            state, unlucky = self._state, self._random.random() < self._state.error_rate
        if state.down:
            return Response("down for maintenance", 503)
        if state.throttled:
            return Response("too many requests", 429, {"Retry-After": "1"})
        return Response("internal error", 500) if unlucky else None

    def after(self, response: Response) -> Response:
        """Called with the answer: loses or garbles it."""
        with self._changed:
            lost = request.method == "POST" and self._state.lose_answers > 0
            if lost:
                self._state = self._state.model_copy(update={"lose_answers": self._state.lose_answers - 1})
        if lost:
            return Response("answer lost", 503)
        if self._state.garbage:
            return Response('{"items": [{"id": 1', 200, content_type="application/json")
        return response

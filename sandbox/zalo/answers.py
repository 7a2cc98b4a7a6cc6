"""How the emulator answers a call that can be made slow or faulty."""

import time
from collections.abc import Callable

from flask import Response

from sandbox.zalo.errors import ZaloError, failure
from sandbox.zalo.state import ZaloState


def answer(state: ZaloState, call: str, handler: Callable[[], Response]) -> Response:
    """The handler's answer, after `answer_seconds` and with the fault planned for this kind of call, if any."""
    if state.options.answer_seconds:
        time.sleep(state.options.answer_seconds)
    return state.faults.apply(call, handler, lambda fault: failure(ZaloError(fault.code, fault.message)))

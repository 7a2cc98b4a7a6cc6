"""Taking in webhook events: stored and queued in one transaction, whose commit is the acknowledgement."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from bot.clock import Clock
from bot.messages import FROM_CUSTOMER, ChannelName, Inbound, InboundKind
from bot.metrics import UNKNOWN_EVENTS, WEBHOOK_DUPLICATES, WEBHOOK_EVENTS
from bot.store.database import Database
from bot.store.queue import Arrival, Intake

MAX_BODY_BYTES = 512 * 1024
MAX_DEPTH = 64
"""How deep a body may be nested; the platforms' own events go to about ten."""


class Malformed(Exception):
    """The body is not the JSON object that the protocol promises."""


@dataclass(frozen=True)
class Received:
    """An event as understood, and the JSON that is kept of it."""

    event: Inbound
    payload: dict[str, Any]


def read_json(body: bytes) -> dict[str, Any]:
    """The body as a JSON object that PostgreSQL can store. Raises Malformed."""
    try:
        value = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    if not isinstance(value, dict):
        raise Malformed
    storable: dict[str, Any] = _storable(value, MAX_DEPTH)
    return storable


def take_in(database: Database, clock: Clock, channel: ChannelName, received: Iterable[Received]) -> None:
    """Store each new event, a customer's with its job, all or none. Repeats are no-ops."""
    items = list(received)
    intake = Intake(channel, clock())
    for item in items:
        _enqueue(intake, channel, item)
    new = intake.commit(database)
    for event in (item.event for item in items):
        if event.key not in new:
            WEBHOOK_DUPLICATES.labels(channel).inc()
            continue
        new.remove(event.key)
        if event.kind is InboundKind.OTHER:
            UNKNOWN_EVENTS.labels(channel).inc()
        else:
            WEBHOOK_EVENTS.labels(channel, event.kind).inc()


def _enqueue(intake: Intake, channel: ChannelName, item: Received) -> None:
    """Customers' messages in their order, one at a time per person; workers take receipts and echoes by the batch."""
    event = item.event
    arrival = Arrival(event.key, event.name, event.user_id, item.payload)
    if event.kind in FROM_CUSTOMER and event.user_id:
        intake.enqueue(arrival, "handle_event", queue="reply", lock=f"{channel}:{event.user_id}")
    else:
        intake.leave(arrival)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(numeral: str) -> float:
    """Python reads 1e400 as infinity, which JSONB refuses."""
    number = float(numeral)
    return number if math.isfinite(number) else _refuse_constant(numeral)


def _storable(value: Any, depth: int) -> Any:
    """Without what JSONB refuses: NUL and lone surrogates. Raises Malformed for more than `depth` levels."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        raise Malformed
    if isinstance(value, dict):
        return {_storable(key, depth): _storable(item, depth - 1) for key, item in value.items()}
    return [_storable(item, depth - 1) for item in value]

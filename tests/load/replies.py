"""From a customer's message stored to the reply at the platform, through the whole stack, and what one message costs
as a conversation grows."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from bot.messages import ChannelName, Inbound, InboundKind
from bot.pipeline.assembly import Product, assemble
from bot.pipeline.turns import Event
from bot.store.models import Delivery, EventStatus, InboundEvent, Message
from tests.load import client
from tests.load.report import Report, Row, ms, percentile, shares, spread
from tests.load.stack import Stack
from tests.load.traffic import People, Platforms

BACKEND_MS = 30
RATE = 20.0
FLOOD_RATE = 60.0
BAR_P95_SECONDS = 0.4
BAR_GROWTH = 1.2
SECTION = f"Replies, backends at {BACKEND_MS} ms, questions of {RATE:.0f}/s in open loop (p50 / p95 / p99 / max)"
FLOOD = f"Replies, {FLOOD_RATE:.0f}/s: more than can be answered"
GROWTH = "Cost of one message as its conversation grows (turn and sending, one after the other)"
DRAINED_WITHIN_SECONDS = 10.0


def measure_pace(
    stack: Stack, report: Report, people: People, texts: Iterator[str], *, seconds: float, warm_up: float
) -> None:
    """Twenty questions a second."""
    stack.control("backends", latency_ms=BACKEND_MS)
    _send(stack, people, texts, "warm", RATE, warm_up)
    _drain(stack, "warm")
    before = stack.cpu_seconds()
    sent, took = _send(stack, people, texts, "pace", RATE, seconds)
    after = stack.cpu_seconds()
    _drain(stack, "pace")
    answers = _answers(stack, "pace")
    accepted = [answer.accepted for answer in answers]
    p95 = percentile(accepted, 0.95)
    report.add(
        SECTION,
        Row("stored → reply written, its sending queued", spread([answer.written for answer in answers])),
        Row("stored → first reply at the platform", spread(accepted), "p95 ≤ 400 ms", p95 <= BAR_P95_SECONDS),
        Row("answered", f"{len(answers)} of {sent}", "all", len(answers) == sent),
        Row("of one core", shares(before, after, took)),
    )


def measure_flood(stack: Stack, report: Report, people: People, texts: Iterator[str], *, seconds: float) -> None:
    """Sixty a second, to see how many are answered meanwhile."""
    before = stack.cpu_seconds()
    sent, took = _send(stack, people, texts, "flood", FLOOD_RATE, seconds)
    after = stack.cpu_seconds()
    answers = _answers(stack, "flood")
    report.add(
        FLOOD,
        Row("answered a second", f"{len(answers) / took:.1f}"),
        Row("answered while they came", f"{len(answers)} of {sent}"),
        Row("of one core", shares(before, after, took)),
    )


def measure_growth(
    stack: Stack, report: Report, people: People, texts: Iterator[str], *, lengths: tuple[int, ...], rounds: int
) -> None:
    """One conversation of each length, then a message to each in turn, so that all see the same machine.

    Works in this process, without a worker.
    """
    stack.control("backends", latency_ms=0)
    product = assemble(stack.settings, stack.database)
    conversations = dict(zip(lengths, people.zalo, strict=False))
    for length, person in conversations.items():
        for number in range(length - rounds // 2):
            _turn(product, person, f"grow-{length}-{number}", next(texts))
    costs: dict[int, list[float]] = {length: [] for length in lengths}
    for number in range(rounds):
        text = next(texts)
        for length in lengths[number % len(lengths) :] + lengths[: number % len(lengths)]:
            _turn(product, conversations[length], f"prepare-{length}-{number}", f"{text} {length}")
            costs[length].append(_turn(product, conversations[length], f"cost-{length}-{number}", f"{text} {length}"))
    medians = {length: statistics.median(costs[length]) for length in lengths}
    first, last = lengths[0], lengths[-1]
    growth = medians[last] / medians[first]
    report.add(
        GROWTH,
        *(Row(f"message {length}: p50", ms(median)) for length, median in medians.items()),
        Row(f"message {last} against message {first}", f"{growth:.2f} ×", "≤ 1.2 ×", growth <= BAR_GROWTH),
    )


@dataclass(frozen=True)
class Answer:
    """Seconds from the event's arrival to its first reply."""

    written: float
    accepted: float


def _send(
    stack: Stack, people: People, texts: Iterator[str], run: str, rate: float, seconds: float
) -> tuple[int, float]:
    """How many were sent, and the seconds it took."""
    platforms = Platforms(stack.settings, run, int(time.time() * 1000))
    traffic = platforms.texts(rate=rate, seconds=seconds, people=people.zalo, texts=texts)
    log = client.run(stack.settings.host, stack.settings.port, client.Order(traffic.requests, traffic.due))
    if log.refused:
        raise RuntimeError(f"the gateway refused: {log.refused}")
    return len(traffic.requests), log.took_seconds


def _drain(stack: Stack, run: str) -> None:
    """Wait until every message of a run is answered, for some seconds at most."""
    deadline = time.monotonic() + DRAINED_WITHIN_SECONDS
    waiting = (
        select(func.count())
        .select_from(InboundEvent)
        .where(InboundEvent.key.like(f"user_send_text:{run}%"), InboundEvent.status == EventStatus.RECEIVED)
    )
    while time.monotonic() < deadline:
        with stack.database.begin() as session:
            if session.scalar(waiting) == 0:
                break
        time.sleep(0.1)
    time.sleep(0.5)


def _answers(stack: Stack, run: str) -> list[Answer]:
    """Events of a run that have a reply the platform accepted. The first one counts."""
    query = (
        select(
            func.min(InboundEvent.done_at) - func.min(InboundEvent.received_at),
            func.min(Delivery.sent_at) - func.min(InboundEvent.received_at),
        )
        .select_from(InboundEvent)
        .join(Message, Message.inbound_event_id == InboundEvent.id)
        .join(Delivery, Delivery.message_id == Message.id)
        .where(InboundEvent.key.like(f"user_send_text:{run}%"), Delivery.sent_at.is_not(None))
        .group_by(InboundEvent.id)
    )
    with stack.database.begin() as session:
        return [Answer(w.total_seconds(), a.total_seconds()) for w, a in session.execute(query)]


def _turn(product: Product, person: str, key: str, text: str) -> float:
    """The seconds that one message takes from the stored event to its replies at the platform."""
    now = datetime.now(UTC)
    with product.database.begin() as session:
        event_id = session.scalar(
            insert(InboundEvent)
            .values(channel=ChannelName.ZALO, key=key, name="user_send_text", user_id=person, payload={})
            .returning(InboundEvent.id)
        )
    assert event_id
    inbound = Inbound(key=key, name="user_send_text", kind=InboundKind.TEXT, at=now, user_id=person, text=text)
    began = time.monotonic()
    product.turns.handle(Event(id=event_id, channel=ChannelName.ZALO, inbound=inbound, received_at=now))
    with product.database.begin() as session:
        delivery = select(Delivery.contact_id).join(Message, Message.id == Delivery.message_id)
        contact_id = session.scalar(delivery.where(Message.inbound_event_id == event_id).limit(1))
    if contact_id:
        product.sender.send_all(contact_id)
    return time.monotonic() - began

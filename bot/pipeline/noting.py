"""Receipts, and echoes of our own messages, noted for a whole batch with a handful of statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from bot.messages import InboundKind
from bot.pipeline.turns import Event
from bot.store import receipts
from bot.store.receipts import Name, Receipt, Sent, Watermark

RECEIPTS = frozenset({InboundKind.DELIVERED, InboundKind.SEEN})
ONE_BY_ONE = frozenset(
    {InboundKind.ECHO, InboundKind.UNFOLLOW, InboundKind.TAKEOVER, InboundKind.HANDBACK, InboundKind.WITHDRAW}
)
"""What changes more than the ledger of what is sent, as echoes of others' messages do."""


@dataclass
class Noted:
    """What became of a batch. `unknown` receipts are of no message that we know; `left` is to be handled one by one."""

    done: list[Event] = field(default_factory=list)
    ignored: list[Event] = field(default_factory=list)
    unknown: list[Event] = field(default_factory=list)
    left: list[Event] = field(default_factory=list)


def note(session: Session, batch: Iterable[Event], now: datetime) -> Noted:
    """Echoes first: they may tell the ids that receipts name."""
    noted = Noted()
    echoes, named, marked = [], [], []
    for event in batch:
        inbound = event.inbound
        if inbound.kind is InboundKind.ECHO and inbound.user_id and not inbound.by_staff:
            echoes.append(event)
        elif inbound.kind not in RECEIPTS:
            (noted.left if inbound.kind in ONE_BY_ONE else noted.ignored).append(event)
        elif inbound.message_ids:
            named.append(event)
        else:
            marked.append(event)
    known = _Known(receipts.hold_named(session, _names(echoes, named)))
    _confirm(session, echoes, known, noted, now)
    _note_named(session, named, known, noted)
    receipts.note_watermarks(session, [mark for event in marked for mark in _watermark(event)])
    noted.done += marked
    return noted


class _Known:
    """Deliveries of ours by the names that platforms give them."""

    def __init__(self, sent: Sequence[Sent]) -> None:
        self._by_name: dict[Name, Sent] = {}
        for each in sent:
            self.learn(each)

    def learn(self, sent: Sent) -> None:
        self._by_name.setdefault(Name(sent.channel, key=sent.key), sent)
        if sent.message_id:
            self._by_name.setdefault(Name(sent.channel, message_id=sent.message_id), sent)

    def find(self, names: Iterable[Name]) -> list[Sent]:
        return [self._by_name[name] for name in names if name in self._by_name]


def _names(echoes: Iterable[Event], named: Iterable[Event]) -> list[Name]:
    return [name for event in echoes for name in _names_of_echo(event)] + [
        name for event in named for name in _names_of_receipt(event)
    ]


def _names_of_echo(event: Event) -> list[Name]:
    key, message_id = event.inbound.echo_of, event.inbound.message_id
    by_key = [Name(event.channel, key=key)] if key else []
    return by_key + ([Name(event.channel, message_id=message_id)] if message_id else [])


def _names_of_receipt(event: Event) -> list[Name]:
    return [Name(event.channel, message_id=message_id) for message_id in event.inbound.message_ids]


def _watermark(event: Event) -> list[Watermark]:
    inbound = event.inbound
    if not inbound.watermark or not inbound.user_id:
        return []
    seen = inbound.kind is InboundKind.SEEN
    return [Watermark(event.channel, inbound.user_id, inbound.watermark, seen)]


def _confirm(session: Session, echoes: Iterable[Event], known: _Known, noted: Noted, now: datetime) -> None:
    """Of two deliveries that an echo names, the earlier is meant. Others' echoes are left."""
    confirmed: dict[int, str | None] = {}
    for event in echoes:
        ours = min(known.find(_names_of_echo(event)), key=lambda sent: sent.id, default=None)
        if ours is None:
            noted.left.append(event)
            continue
        message_id = confirmed.get(ours.id) or ours.message_id or event.inbound.message_id
        confirmed[ours.id] = message_id
        known.learn(replace(ours, message_id=message_id))
        noted.done.append(event)
    receipts.confirm(session, confirmed, now)


def _note_named(session: Session, named: Iterable[Event], known: _Known, noted: Noted) -> None:
    told: dict[int, Receipt] = {}
    for event in named:
        sent = known.find(_names_of_receipt(event))
        for each in sent:
            told[each.id] = _with(told.get(each.id, Receipt()), event)
        (noted.done if sent else noted.unknown).append(event)
    receipts.note(session, told)


def _with(receipt: Receipt, event: Event) -> Receipt:
    """What came first of each kind counts."""
    at = event.inbound.at
    if event.inbound.kind is InboundKind.SEEN:
        return replace(receipt, seen_at=receipt.seen_at or at)
    return replace(receipt, delivered_at=receipt.delivered_at or at)

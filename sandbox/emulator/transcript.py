"""Everything said between customers and the account, as the chat page and the tests see it."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

Author = Literal["user", "bot", "staff"]


@dataclass(frozen=True)
class Tap:
    """A button or quick reply under a message. `type` is the platform's own name of it."""

    title: str
    type: str
    payload: str | None = None
    url: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class Card:
    title: str = ""
    subtitle: str = ""
    image_url: str | None = None
    buttons: tuple[Tap, ...] = ()


@dataclass(frozen=True)
class Media:
    type: str
    url: str
    name: str | None = None
    size: int | None = None


@dataclass
class Entry:
    """One message. `n` counts all messages of the platform from 1; `revision` grows with every change to it."""

    user: str
    author: Author
    message_id: str
    kind: str
    at: datetime
    text: str = ""
    buttons: tuple[Tap, ...] = ()
    quick_replies: tuple[Tap, ...] = ()
    cards: tuple[Card, ...] = ()
    media: tuple[Media, ...] = ()
    location: dict[str, float] | None = None
    template: dict[str, Any] | None = None
    quote: str | None = None
    metadata: str | None = None
    hidden: bool = False
    delivered_at: datetime | None = None
    seen_at: datetime | None = None
    reaction: str | None = None
    n: int = 0
    revision: int = field(default=0, repr=False)

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key not in {"revision", "hidden"}}


class Transcript:
    """Append-only per customer; readers may wait for what comes next."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_user: defaultdict[str, list[Entry]] = defaultdict(list)
        self._by_message: dict[str, Entry] = {}
        self._revision = 0
        self._changed = threading.Condition()

    def add(self, entry: Entry) -> Entry:
        with self._changed:
            self._revision += 1
            entry.revision = self._revision
            entry.n = len(self._entries) + 1
            self._entries.append(entry)
            self._by_user[entry.user].append(entry)
            self._by_message[entry.message_id] = entry
            self._changed.notify_all()
        return entry

    def update(self, entry: Entry, **changes: Any) -> None:
        with self._changed:
            self._revision += 1
            entry.revision = self._revision
            for name, value in changes.items():
                setattr(entry, name, value)
            self._changed.notify_all()

    def mark(self, user: str, moment: Literal["delivered_at", "seen_at"], at: datetime) -> list[str]:
        """Set the moment on messages to this person that lack it. Returns their ids, each to one caller only."""
        with self._changed:
            fresh = [e for e in self._by_user.get(user, []) if e.author != "user" and getattr(e, moment) is None]
            for entry in fresh:
                self.update(entry, **{moment: at})
        return [e.message_id for e in fresh]

    def mark_delivered(self, message_ids: Iterable[str], at: datetime) -> None:
        """Messages of people that have reached the product."""
        for entry in filter(None, map(self.find, message_ids)):
            if entry.delivered_at is None:
                self.update(entry, delivered_at=at)

    def find(self, message_id: str) -> Entry | None:
        return self._by_message.get(message_id)

    def of(self, user: str) -> list[Entry]:
        with self._changed:
            return list(self._by_user[user]) if user in self._by_user else []

    def users(self) -> list[str]:
        """Customers by their latest message, newest first."""
        with self._changed:
            return sorted(self._by_user, key=lambda user: -self._by_user[user][-1].n)

    def changed_since(self, user: str, revision: int) -> tuple[list[Entry], int]:
        """The customer's messages that are new or changed after `revision`, and the revision to ask with next."""
        with self._changed:
            return [e for e in self._by_user.get(user, []) if e.revision > revision], self._revision

    def wait(
        self, user: str | None, *, after: int, count: int, timeout: float, wanted: Callable[[Entry], bool]
    ) -> list[Entry]:
        """Messages with n > `after`, as soon as there are `count` of them, or what there is after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                entries = self._by_user.get(user, []) if user else self._entries[after:]
                found = [e for e in entries if e.n > after and wanted(e)]
                left = deadline - time.monotonic()
                if len(found) >= count or left <= 0:
                    return found
                self._changed.wait(left)

"""What the platforms send: signed HTTP requests, byte for byte as Zalo and Meta do (zalo.md §2, messenger.md §2)."""

import hashlib
import hmac
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.channels.messenger import inbound as messenger
from bot.channels.zalo import inbound as zalo
from bot.settings import Settings

SHARES = {"text": 45, "seen": 20, "received": 20, "messenger": 10, "again": 5}
"""Requests by kind, of a hundred. Receipts are as many as messages: each reply brings one or two."""
BATCH = 3
"""Events of one Messenger request: a message, a delivery, a read."""
COMES_AGAIN_AFTER = 200
"""Events between a request and its repeat: about a second, as when an answer was lost."""


@dataclass(frozen=True)
class People:
    """Ids of customers on each channel."""

    zalo: Sequence[str]
    messenger: Sequence[str]


@dataclass
class Traffic:
    """Requests with the seconds at which they are due, and the keys of the events that must be stored of them."""

    requests: list[bytes] = field(default_factory=list)
    due: list[float] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    events: int = 0


class Platforms:
    """Makes requests to the gateway. `run` keeps the ids of one run apart from those of another."""

    def __init__(self, settings: Settings, run: str, started_ms: int) -> None:
        assert settings.zalo
        assert settings.messenger
        self._zalo = settings.zalo
        self._messenger = settings.messenger
        self._host = f"{settings.host}:{settings.port}"
        self._run = run
        self._started_ms = started_ms
        self._number = 0

    def mixed(
        self, *, rate: float, seconds: float, people: People, sent: Sequence[str], texts: Iterator[str]
    ) -> Traffic:
        """`rate` events a second of all kinds, about the messages `sent` on Zalo (ids of the platform).

        Each is received once, so there must be as many as receipts come.
        """
        received = iter(sent)
        chance = random.Random(7)
        traffic = Traffic()
        while (offset := traffic.events / rate) < seconds:
            [kind] = chance.choices(list(SHARES), weights=list(SHARES.values()))
            person = chance.choice(people.zalo)
            if kind == "text":
                self.add_text(traffic, offset, person, next(texts))
            elif kind == "seen":
                self._add_zalo(traffic, offset, "user_seen_message", person, {"msg_ids": [chance.choice(sent)]})
            elif kind == "received":
                self._add_zalo(traffic, offset, "user_received_message", person, {"msg_id": next(received)})
            elif kind == "messenger":
                self._add_batch(traffic, offset, chance.choice(people.messenger), next(texts))
            elif len(traffic.requests) > COMES_AGAIN_AFTER:
                traffic.requests.append(traffic.requests[-COMES_AGAIN_AFTER])
                traffic.due.append(offset)
                traffic.events += 1
        return traffic

    def texts(self, *, rate: float, seconds: float, people: Sequence[str], texts: Iterator[str]) -> Traffic:
        """`rate` messages a second on Zalo, each of the people in turn."""
        traffic = Traffic()
        while (offset := traffic.events / rate) < seconds:
            self.add_text(traffic, offset, people[traffic.events % len(people)], next(texts))
        return traffic

    def add_text(self, traffic: Traffic, offset: float, person: str, text: str) -> None:
        self._add_zalo(traffic, offset, "user_send_text", person, {"msg_id": self._id(), "text": text})

    def _add_zalo(self, traffic: Traffic, offset: float, name: str, person: str, message: dict[str, Any]) -> None:
        ends = {"id": person}, {"id": self._zalo.oa_id}
        sender, recipient = ends if name.startswith("user_send") else reversed(ends)
        timestamp = str(self._started_ms + int(offset * 1000))
        payload = {
            "app_id": self._zalo.app_id,
            "user_id_by_app": person[::-1],
            "event_name": name,
            "timestamp": timestamp,
            "sender": sender,
            "recipient": recipient,
            "message": message,
        }
        body = _json(payload)
        secret = self._zalo.oa_secret_key.get_secret_value()
        mac = hashlib.sha256(self._zalo.app_id.encode() + body + f"{timestamp}{secret}".encode()).hexdigest()
        headers = {"X-ZEvent-Signature": f"mac={mac}", "X-ZEvent-Timestamp": timestamp}
        self._add(traffic, offset, "/webhooks/zalo", headers, body)
        traffic.keys.add(zalo.parse(payload, raw_body=body).key)
        traffic.events += 1

    def _add_batch(self, traffic: Traffic, offset: float, person: str, text: str) -> None:
        page = {"id": self._messenger.page_id}
        at = self._started_ms + int(offset * 1000)
        between = {"sender": {"id": person}, "recipient": page, "timestamp": at}
        batch = {
            "object": "page",
            "entry": [
                {
                    "id": page["id"],
                    "time": at,
                    "messaging": [
                        {**between, "message": {"mid": f"m_{self._id()}", "text": text}},
                        {**between, "delivery": {"watermark": at}},
                        {**between, "read": {"watermark": at + 1}},
                    ],
                }
            ],
        }
        body = _json(batch)
        secret = self._messenger.app_secret.get_secret_value()
        signature = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
        self._add(traffic, offset, "/webhooks/messenger", {"X-Hub-Signature-256": f"sha256={signature}"}, body)
        traffic.keys |= {messenger.parse(each, page_id=page["id"]).key for each in messenger.events(batch)}
        traffic.events += BATCH

    def _add(self, traffic: Traffic, offset: float, path: str, headers: dict[str, str], body: bytes) -> None:
        traffic.requests.append(post(self._host, path, body, headers))
        traffic.due.append(offset)

    def _id(self) -> str:
        self._number += 1
        return f"{self._run}{self._number:08d}"


def post(host: str, path: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """An HTTP/1.1 request of JSON, as bytes."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(host: str, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

"""Webhook deliveries as a platform makes them: in order per customer, timed out, repeated up a ladder, given up.

A platform says how an event becomes a request (`encode`), how long it waits and which pauses it makes between tries.
For tests the pauses can be compressed (`time_scale`), events held back, reordered, batched and doubled.
"""

import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from zlib import crc32

import requests

from sandbox.emulator.timers import Timers

log = logging.getLogger(__name__)

Event = dict[str, Any]
Order = Literal["in_order", "reversed", "shuffled"]
LANES = 16


@dataclass(frozen=True)
class Parcel:
    """One request to the product's webhook. Parcels of one lane never overtake each other on their first try.
    `message_ids` are the people's messages in it."""

    body: bytes
    headers: Mapping[str, str]
    lane: str
    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """`ladder` are the pauses in seconds between the tries; after the last try the webhook is unsubscribed, unless
    `forgiving` and something else was delivered meanwhile."""

    timeout: float
    ladder: tuple[float, ...]
    retry_header: str | None = None
    forgiving: bool = False


@dataclass
class Stats:
    delivered: int = 0
    attempts: int = 0
    retries: int = 0
    given_up: int = 0
    dropped: int = 0
    pending: int = 0
    held: int = 0
    subscribed: bool = True
    statuses: Counter[str] = field(default_factory=Counter)
    last_outcome: str = ""


@dataclass
class _Job:
    parcel: Parcel
    tries: int = 0
    first_failure: float | None = None
    done: threading.Event = field(default_factory=threading.Event)


class WebhookSender:
    """Delivers events to `url`. All public attributes may be changed while it runs.

    `delivered` is called with the people's messages that the product took.
    """

    def __init__(
        self,
        url: str,
        policy: Policy,
        encode: Callable[[Sequence[tuple[Event, str]]], Parcel],
        delivered: Callable[[tuple[str, ...]], None],
        timers: Timers,
    ) -> None:
        self.url = url
        self.time_scale = 1.0
        self.duplicates = 0
        self.holding = False
        self.stats = Stats()
        self._policy = policy
        self._encode = encode
        self._delivered = delivered
        self._timers = timers
        self._held: list[tuple[Event, str]] = []
        self._last_success = 0.0
        self._lock = threading.Lock()
        self._lanes: list[queue.SimpleQueue[_Job | None]] = [queue.SimpleQueue() for _ in range(LANES)]
        for number, lane in enumerate(self._lanes):
            threading.Thread(target=self._run, args=(lane,), name=f"webhook-{number}", daemon=True).start()

    def send(self, event: Event, lane: str) -> threading.Event:
        """Deliver an event, or keep it while holding. The answer is set when the first try is over."""
        with self._lock:
            if self.holding:
                self._held.append((event, lane))
                self.stats.held = len(self._held)
                done = threading.Event()
                done.set()
                return done
        return self._post(self._encode([(event, lane)]))

    def hold(self) -> None:
        self.holding = True

    def release(self, order: Order = "in_order", *, batch: bool = False) -> int:
        """Stop holding and deliver what was kept, in the given order, one by one or as one request.

        Out of order one by one means that each is delivered before the next is sent. Returns how many there were.
        """
        with self._lock:
            self.holding = False
            held, self._held = self._held, []
            self.stats.held = 0
        if order == "reversed":
            held.reverse()
        elif order == "shuffled":
            random.shuffle(held)
        if batch and held:
            self._post(self._encode(held))
        elif not batch:
            for pair in held:
                done = self._post(self._encode([pair]))
                if order != "in_order":
                    done.wait(self._policy.timeout)
        return len(held)

    def post_now(self, body: bytes, headers: Mapping[str, str]) -> int | None:
        """One request outside the ladder (console probes). Returns the HTTP status, None if there was no answer."""
        try:
            return requests.post(self.url, data=body, headers=dict(headers), timeout=self._policy.timeout).status_code
        except requests.RequestException:
            return None

    def subscribe(self) -> None:
        self.stats.subscribed = True

    def close(self) -> None:
        for lane in self._lanes:
            lane.put(None)

    def _post(self, parcel: Parcel) -> threading.Event:
        if not self.stats.subscribed:
            with self._lock:
                self.stats.dropped += 1
            done = threading.Event()
            done.set()
            return done
        jobs = [_Job(parcel) for _ in range(1 + self.duplicates)]
        with self._lock:
            self.stats.pending += len(jobs)
        for job in jobs:
            self._enqueue(job)
        return jobs[0].done

    def _enqueue(self, job: _Job) -> None:
        self._lanes[crc32(job.parcel.lane.encode()) % LANES].put(job)

    def _run(self, lane: queue.SimpleQueue[_Job | None]) -> None:
        session = requests.Session()
        session.trust_env = False
        session.headers["Connection"] = "close"
        while job := lane.get():
            try:
                self._attempt(job, session)
            except Exception:
                log.exception("a webhook delivery failed inside the sandbox")
            job.done.set()

    def _attempt(self, job: _Job, session: requests.Session) -> None:
        headers = dict(job.parcel.headers)
        if job.tries and self._policy.retry_header:
            headers[self._policy.retry_header] = str(job.tries)
        try:
            answer = session.post(
                self.url, data=job.parcel.body, headers=headers, timeout=self._policy.timeout, allow_redirects=False
            )
            outcome = str(answer.status_code)
        except requests.Timeout:
            outcome = "timeout"
        except requests.RequestException:
            outcome = "unreachable"
        with self._lock:
            self.stats.attempts += 1
            self.stats.retries += bool(job.tries)
            self.stats.statuses[outcome] += 1
            self.stats.last_outcome = outcome
            if outcome == "200":
                self.stats.delivered += 1
                self.stats.pending -= 1
                self._last_success = time.monotonic()
        if outcome == "200":
            self._delivered(job.parcel.message_ids)
        else:
            self._failed(job)

    def _failed(self, job: _Job) -> None:
        job.first_failure = job.first_failure or time.monotonic()
        if job.tries < len(self._policy.ladder):
            pause = self._policy.ladder[job.tries] * self.time_scale
            job.tries += 1
            self._timers.after(pause, lambda: self._enqueue(job))
            return
        with self._lock:
            self.stats.pending -= 1
            self.stats.given_up += 1
            if not (self._policy.forgiving and self._last_success > job.first_failure):
                self.stats.subscribed = False

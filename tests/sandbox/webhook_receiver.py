"""A webhook endpoint that records what it gets and answers as told."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Received:
    body: bytes
    headers: dict[str, str]
    at: float

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def name(self) -> str:
        return str(self.event.get("event_name"))


@dataclass
class Receiver:
    """`answers` are statuses for the next requests, then 200; `hold` keeps requests waiting that many seconds.
    A GET is answered as Meta wants its challenge answered, by `verify_token`; `/healthz` by `healthy`."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: deque[int] = field(default_factory=deque)
    hold: float = 0.0
    verify_token: str = ""
    healthy: bool = True
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, matching: Callable[[Received], bool] = lambda _: True) -> list[Received]:
        """The requests that match, when there are `count`; fails after ten seconds."""
        deadline = time.monotonic() + WAIT_SECONDS
        with self.changed:
            while True:
                found = [r for r in self.received if matching(r)]
                if len(found) >= count:
                    return found
                left = deadline - time.monotonic()
                assert left > 0, f"{len(found)} of {count} arrived: {[r.body for r in self.received]}"
                self.changed.wait(left)

    def named(self, name: str, count: int = 1) -> list[Received]:
        return self.wait_for(count, lambda r: r.name == name)

    def forget(self) -> None:
        with self.changed:
            self.received.clear()


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.changed:
                receiver.received.append(Received(body, dict(self.headers.items()), time.monotonic()))
                status = receiver.answers.popleft() if receiver.answers else 200
                receiver.changed.notify_all()
            released.wait(receiver.hold)
            try:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                self.close_connection = True

        def do_GET(self) -> None:
            path, asked = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            good = (path == "/healthz" and receiver.healthy) or (
                asked.get("hub.mode") == ["subscribe"] and asked["hub.verify_token"] == [receiver.verify_token]
            )
            answer = asked.get("hub.challenge", ["ok"])[0].encode() if good else b""
            self.send_response(200 if good else 403)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield receiver
    released.set()
    server.shutdown()
    server.server_close()
    thread.join(5)

"""A platform in miniature: a real HTTP server that answers what the test says, and remembers what it was asked."""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Say:
    """An answer: a status and a JSON body (or raw bytes)."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Hang:
    """Take the request, never answer."""


class Drop:
    """Take the request, close the connection."""


class CutOff:
    """Promise a longer answer than comes."""


Reaction = Say | type[Hang] | type[Drop] | type[CutOff] | Callable[[Asked], Say]


class Platform:
    """Answers from `script` in order, then `otherwise`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: deque[Reaction] = deque()
        self.otherwise: Reaction = Say({"error": 0, "data": {}})
        self._release = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def close(self) -> None:
        self._release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _react(self, asked: Asked) -> Reaction:
        with self._lock:
            self.asked.append(asked)
            reaction = self.script.popleft() if self.script else self.otherwise
        return reaction(asked) if callable(reaction) and not isinstance(reaction, type) else reaction

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
                reaction = platform._react(asked)
                if reaction is Hang:
                    platform._release.wait(30)
                if isinstance(reaction, Say):
                    self.say(reaction)
                elif reaction is CutOff:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
                    self.close_connection = True
                else:
                    self.close_connection = True

            def say(self, answer: Say) -> None:
                content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class StoppedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        self.now += timedelta(**step)

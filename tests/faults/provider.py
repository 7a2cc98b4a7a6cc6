"""Messenger's send call in a process of its own, which counts what arrived by delivery key and fails as it is told.

`python -m tests.faults.provider` prints its address. `POST /control` takes `Behaviour` as JSON; `GET /count` is the
number of messages that arrived, `GET /arrived` how often each key did, `POST /forget` begins anew.
"""

import itertools
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Behaviour:
    """`answer_seconds`: how long a call takes. Every so many calls (0: none) the message arrives and no answer comes:
    the connection is lost (`lose_every`), or stays silent for `silent_seconds` (`silent_every`). `is_dead`: the token
    has expired, and nothing arrives.
    """

    answer_seconds: float = 0.01
    lose_every: int = 0
    silent_every: int = 0
    silent_seconds: float = 11.0
    is_dead: bool = False


class Provider:
    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.arrived: Counter[str] = Counter()
        self._calls = itertools.count(1)
        self._lock = threading.Lock()

    def take(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """Status and answer to a send; None: the connection is to be lost."""
        does, number = self.behaviour, next(self._calls)
        if does.is_dead:
            error = {"message": "Session has expired", "type": "OAuthException", "code": 190, "error_subcode": 463}
            return 401, {"error": error}
        with self._lock:
            self.arrived[body["message"]["metadata"]] += 1
        time.sleep(does.answer_seconds)
        if does.lose_every and number % does.lose_every == 0:
            return None
        if does.silent_every and number % does.silent_every == 0:
            time.sleep(does.silent_seconds)
        return 200, {"recipient_id": body["recipient"]["id"], "message_id": f"m_{time.time_ns()}_{number}"}

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any] | None:
        match method, path:
            case "GET", "/count":
                return 200, self.arrived.total()
            case "GET", "/arrived":
                return 200, dict(self.arrived)
            case "POST", "/control":
                self.behaviour = replace(Behaviour(), **body)
            case "POST", "/forget":
                self.arrived.clear()
            case "POST", _ if "message" in body:
                return self.take(body)
        return 200, {}


def serve() -> None:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply(provider.answer("GET", self.path, {}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            self._reply(provider.answer("POST", self.path.partition("?")[0], body))

        def _reply(self, answer: tuple[int, Any] | None) -> None:
            if answer is None:
                self.close_connection = True
                return
            content = json.dumps(answer[1])
            head = f"HTTP/1.1 {answer[0]} OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
            try:
                self.wfile.write(f"{head}\r\n\r\n{content}".encode())
            except OSError:
                self.close_connection = True  # whoever asked was killed meanwhile

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Whoever asked was killed: no news here."""

    server = Server(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve()

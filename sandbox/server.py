"""Serving the sandbox: from a test on a free port, or as a process (see `__main__`)."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.app import Sandbox
from sandbox.settings import SandboxSettings


class _Handler(WSGIRequestHandler):
    def make_environ(self) -> dict[str, Any]:
        """Keeps the headers that Zalo spells with an underscore, which werkzeug drops."""
        environ = super().make_environ()
        for name in ("access_token", "secret_key"):
            if value := self.headers.get(name):
                environ[f"HTTP_{name.upper()}"] = value
        return environ

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Tests make thousands of requests; none of them is news."""


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_sandbox(settings: SandboxSettings, *, now: Callable[[], datetime] | None = None) -> Iterator[Sandbox]:
    """The sandbox on `settings.host:settings.sandbox_port` in threads of this process, until the block ends."""
    sandbox = Sandbox(settings, now=now)
    server = make_server(settings.host, settings.sandbox_port, sandbox.app(), threaded=True, request_handler=_Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield sandbox
    finally:
        sandbox.close()
        server.shutdown()
        server.server_close()
        thread.join(5)

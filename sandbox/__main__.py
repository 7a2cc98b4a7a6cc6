"""`python -m sandbox [--port 8100]`: the sandbox as a process of its own."""

import argparse
from typing import Any

from gunicorn.app.base import BaseApplication

from sandbox.app import Sandbox
from sandbox.settings import SandboxSettings

THREADS = 256
"""Calls that hang on purpose keep a thread each; the rest must still be answered."""


class Server(BaseApplication):  # type: ignore[misc]
    """One gunicorn worker, because all state is in memory; it builds the sandbox after the fork."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """`header_map`: Zalo's headers `access_token` and `secret_key` have an underscore, which gunicorn drops."""
        options: dict[str, Any] = {
            "bind": f"{self._settings.host}:{self._settings.sandbox_port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 15,
            "timeout": 0,
            "header_map": "dangerous",
            "graceful_timeout": 1,
            "loglevel": "warning",
            "proc_name": "trolydien-sandbox",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return Sandbox(self._settings).app()


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted. `--port` wins over SANDBOX_PORT."""
    parser = argparse.ArgumentParser(prog="sandbox", description="Zalo, Messenger and the utility, for development")
    parser.add_argument("--port", type=int)
    port = parser.parse_args(arguments).port
    settings = SandboxSettings()
    Server(settings.model_copy(update={"sandbox_port": port}) if port else settings).run()


if __name__ == "__main__":
    main()

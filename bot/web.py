"""Serves the gateway with gunicorn, in processes of threads."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from prometheus_client import multiprocess

from bot.app import create_app
from bot.console.live import MOST_STREAMS
from bot.logs import configure_logs
from bot.settings import Settings
from bot.store.database import Database

THREADS = 8
"""Of each worker process, for requests. Webhooks only store and enqueue, so few wait at a time."""
KEEP_ALIVE_SECONDS = 30
GRACEFUL_SECONDS = 5


def serve(settings: Settings, database_url: str) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first."""
    configure_logs(settings.log_level, "gateway")
    Gateway(settings, database_url).run()


class Gateway(BaseApplication):  # type: ignore[misc]
    """Each worker process builds its application, and with it its database connections, after the fork."""

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._settings = settings
        self._database_url = database_url
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": self._settings.web_workers,
            "worker_class": "gthread",
            "threads": THREADS + MOST_STREAMS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 30,
            "logger_class": GatewayLogs,
            "child_exit": _worker_ended,
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return create_app(self._settings, Database(self._database_url, pool_size=THREADS))


class GatewayLogs(Logger):  # type: ignore[misc]
    """Gunicorn's own news go through the product's log, from warnings on."""

    def setup(self, cfg: Any) -> None:  # noqa: ARG002 (gunicorn's signature)
        self.error_log.setLevel("WARNING")
        self.error_log.propagate = True
        self.access_log.disabled = True


def _worker_ended(_arbiter: Arbiter, worker: Worker) -> None:
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]

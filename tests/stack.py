"""The real product for tests: NLU with its trained model, gateway, worker and PostgreSQL, on free ports of loopback.

Zalo, Messenger and the utility are the sandbox, in this process like the gateway and the worker, so that a test can
move the one clock of all, look into the utility's world and know what its systems answered. The NLU is a process.
"""

import asyncio
import logging
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from flask import Flask, Response, request
from sqlalchemy import delete, make_url
from werkzeug.serving import WSGIRequestHandler, make_server

from actions.backends.breaker import Breaker
from bot.app import create_app
from bot.demo import demo_environment
from bot.jobs import work
from bot.launch import NLU_PYTHON, training
from bot.logs import configure_logs
from bot.pipeline.assembly import Product, assemble
from bot.settings import Settings, load_settings
from bot.store.database import Database
from bot.store.embedded import create_database
from bot.store.models import Campaign, Delivery, FeedCursor, GridReport, Notice, OtpChallenge, SuspectedOutage
from sandbox import server
from sandbox.app import Sandbox
from sandbox.server import free_port, running_sandbox
from sandbox.settings import SandboxSettings
from sandbox.world import build_world

PROJECT = Path(__file__).resolve().parents[1]
WEDNESDAY_MORNING = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
"""10:00 in Vietnam, in office hours."""

FEW_CUSTOMERS = 100
"""Of the world after `renew`: the personas and some more, made in no time."""

CIRCUIT_SECONDS = 0.3
"""After failures in a row a backend is left alone for so long; ten seconds would be long in a test."""

UNLIMITED = 1_000_000
"""The platforms count calls by the clock, which shows the same minute in all tests."""


class MovableClock:
    """Aware UTC now, running on from wherever it was set."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def __call__(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._set_at)

    def set(self, at: datetime) -> None:
        self._at, self._set_at = at, time.monotonic()

    def advance(self, by: timedelta) -> None:
        self._at += by


NEEDS_NO_LINK = ("/sms", "/phone-ref")
"""The one-time password proves the link, and goes out before there is one."""


class RecordingSandbox(Sandbox):
    """Keeps every answer of the two backends, as the JSON that went out, and the customer codes that were named."""

    def app(self) -> Flask:
        app = super().app()
        self.answers: list[Any] = []
        self.asked_about: list[str] = []

        @app.after_request
        def record(response: Response) -> Response:
            if request.path.startswith(("/billing/", "/service/")):
                self.asked_about += _codes_named()
                if response.is_json:
                    self.answers.append(response.get_json(silent=True))
            return response

        return app


def _codes_named() -> list[str]:
    """The customer codes of the present request: in its address, its query or its body."""
    sent = request.get_json(silent=True) if request.is_json else None
    named = [request.args.get("customer_code"), sent.get("customer_code") if isinstance(sent, dict) else None]
    if "/customers/" in request.path and not request.path.endswith(NEEDS_NO_LINK):
        named.append((request.view_args or {}).get("code"))
    return [code for code in named if code]


class Nlu:
    """The understanding's server. `stop` freezes it: it takes connections and answers nothing."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url

    def stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)


class Stack:
    """A running product. One for all tests of a session; `renew` before each."""

    def __init__(self, product: Product, sandbox: RecordingSandbox, clock: MovableClock, nlu: Nlu) -> None:
        self.product = product
        self.sandbox = sandbox
        self.clock = clock
        self.nlu = nlu

    @property
    def database(self) -> Database:
        return self.product.database

    @property
    def sandbox_url(self) -> str:
        return self.sandbox.settings.base_url

    def renew(self, at: datetime = WEDNESDAY_MORNING) -> None:
        """It is `at`, and nothing has happened yet: no payment, report of no power or one-time password."""
        self.nlu.go_on()
        self.sandbox.faults.reset()
        for platform in (self.sandbox.zalo, self.sandbox.messenger):
            platform.state.faults.clear()
            platform.state.rate.limit = UNLIMITED
            platform.webhooks.sender.duplicates = 0
            platform.webhooks.sender.release()
        self.clock.set(at)
        settings, world = self.sandbox.settings, self.sandbox.world
        fresh = build_world(settings.world_seed, self.clock, public_url=settings.base_url, customers=FEW_CUSTOMERS)
        vars(world.sms).update(vars(fresh.sms))
        vars(world).update({name: value for name, value in vars(fresh).items() if name != "sms"})
        with self.database.begin() as session:
            session.execute(delete(Delivery).where(Delivery.notice_id.is_not(None)))
            for table in (OtpChallenge, GridReport, SuspectedOutage, Campaign, Notice, FeedCursor):
                session.execute(delete(table))
        self.sandbox.answers.clear()
        self.sandbox.asked_about.clear()


@contextmanager
def running_stack(template_url: str, nlu_url: str | None = None) -> Iterator[Stack]:
    """The product on a copy of the database at `template_url`. With `nlu_url` an NLU that runs already is asked."""
    clock = MovableClock(WEDNESDAY_MORNING)
    with tempfile.TemporaryDirectory(prefix="trolydien-stack-") as folder, _nlu(nlu_url) as nlu:
        settings, outside = _settings(Path(folder), nlu.url)
        configure_logs("WARNING", "stack")
        logging.getLogger("procrastinate.signals").setLevel(logging.ERROR)
        database = Database(_copy(template_url))
        with _sandbox(outside, clock) as sandbox, _gateway(settings, database, clock):
            with mock.patch.object(Breaker.__init__, "__defaults__", (5, CIRCUIT_SECONDS)):
                product = assemble(settings, database, clock=clock)
            with _worker(product):
                yield Stack(product, sandbox, clock, nlu)
        database.close()


def _settings(folder: Path, nlu_url: str) -> tuple[Settings, SandboxSettings]:
    ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port()), "NLU_URL": nlu_url}
    with pytest.MonkeyPatch.context() as environment:
        for name, value in demo_environment(folder, ports).items():
            environment.setenv(name, value)
        return load_settings(), SandboxSettings()


def _copy(template_url: str) -> str:
    template = make_url(template_url)
    copy = template.set(database=f"stack_{uuid4().hex}")
    admin = template.set(database="postgres").render_as_string(hide_password=False)
    create_database(admin, str(copy.database), template=str(template.database))
    return copy.render_as_string(hide_password=False)


@contextmanager
def _nlu(url: str | None) -> Iterator[Nlu]:
    """A server of the model of today's data and code, trained if there is none."""
    if url is not None:
        yield Nlu(mock.Mock(), url)
        return
    command, environment = training(PROJECT / ".data")
    trained = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    model = trained.stdout.rsplit("model: ", 1)[1].strip()
    serve = [str(NLU_PYTHON), "-m", "nlu.serve", "--model", model, "--port", "0"]
    with subprocess.Popen(serve, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        listening = next((line for line in process.stdout if line.startswith("listening on ")), None)
        assert listening, "the NLU ended before it listened"
        nlu = Nlu(process, listening.removeprefix("listening on ").strip())
        try:
            yield nlu
        finally:
            nlu.go_on()
            process.terminate()


@contextmanager
def _sandbox(settings: SandboxSettings, clock: MovableClock) -> Iterator[RecordingSandbox]:
    with mock.patch.object(server, "Sandbox", RecordingSandbox), running_sandbox(settings, now=clock) as sandbox:
        assert isinstance(sandbox, RecordingSandbox)
        yield sandbox


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def _gateway(settings: Settings, database: Database, clock: MovableClock) -> Iterator[None]:
    app = create_app(settings, database, clock=clock)
    web = make_server(settings.host, settings.port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, name="gateway", daemon=True)
    thread.start()
    yield
    web.shutdown()
    web.server_close()
    thread.join(5)


@contextmanager
def _worker(product: Product) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    working = loop.create_task(work(product))

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(working)
        loop.close()

    thread = threading.Thread(target=run, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(working.cancel)
        thread.join(15)

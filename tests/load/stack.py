"""The product's processes as an operator runs them, with the sandbox in place of the outside, on free ports.

All on loopback, in a folder of their own with an embedded PostgreSQL, each stopped by its pid.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

from bot.demo import demo_environment
from bot.launch import NLU_PYTHON, answers, open_store, python, worker_names, workers_work
from bot.processes import spawn
from bot.settings import Settings, load_settings
from bot.store.database import Database
from bot.store.migrate import migrate

READY_WITHIN_SECONDS = 60.0
STOP_SECONDS = 10.0
OTHERS = "other programs"
UNLIMITED_PER_MINUTE = 1_000_000
"""The platform's own rate limit is not what is measured."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """Starts and stops the parts by name; `cpu_seconds` tells what each has taken."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.folder = folder
        self._models = models
        self._processes: dict[str, psutil.Process] = {}
        self._popen: dict[str, subprocess.Popen[bytes]] = {}
        self.env = _environment(folder)
        os.environ.update(self.env)
        self.database_url = open_store(None, folder, "bench")
        self.env["DATABASE_URL"] = os.environ["DATABASE_URL"] = self.database_url
        self.settings: Settings = load_settings()
        self.database = Database(self.database_url)
        migrate(self.database)
        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        self._processes["postgresql"] = psutil.Process(postmaster)

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.env['SANDBOX_PORT']}"

    def start_sandbox(self) -> None:
        port = self.env["SANDBOX_PORT"]
        self._start("sandbox", python("-m", "sandbox", "--port", port), lambda: answers(f"{self.sandbox}/healthz"))
        self.control("zalo/rate", per_minute=UNLIMITED_PER_MINUTE)

    def start_crowd(self, people: int) -> None:
        """The sandbox with so many people on Zalo, at Zalo's real limit of calls."""
        command = python("-m", "tests.load.crowd", str(people))
        self._start("crowd", command, lambda: answers(f"{self.sandbox}/healthz"))

    def start_gateway(self) -> None:
        readyz = f"http://127.0.0.1:{self.settings.port}/readyz"
        self._start("gateway", python("-m", "bot.cli", "serve"), lambda: answers(readyz))

    def start_workers(self) -> None:
        """As many as `trolydien run` starts."""
        for name in worker_names(self.settings):
            self._start(name, python("-m", "bot.cli", "worker"), workers_work(self.database_url, 1))

    def stop_workers(self) -> None:
        for name in worker_names(self.settings):
            self.stop(name)

    def start_nlu(self) -> float:
        """Returns the seconds until it answered."""
        url = self.settings.nlu_url
        port = url.rsplit(":", 1)[1]
        command = [str(NLU_PYTHON), "-m", "nlu.serve", "--model", str(self._models), "--port", port]
        return self._start("nlu", command, lambda: answers(f"{url}/"))

    def stop(self, name: str) -> None:
        process = self._popen.pop(name)
        del self._processes[name]
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        for name in reversed(list(self._popen)):
            self.stop(name)
        self.database.close()

    def control(self, path: str, **order: object) -> None:
        """Steer the sandbox. Raises requests.RequestException."""
        requests.post(f"{self.sandbox}/control/{path}", json=order, timeout=10).raise_for_status()

    def rss_bytes(self, name: str) -> int:
        return int(self._processes[name].memory_info().rss)

    def cpu_seconds(self) -> dict[str, float]:
        """Since the start of each part, its child processes included; `OTHERS` is all other work of the machine."""
        ours = {name: _cpu(process) for name, process in self._processes.items()}
        machine = psutil.cpu_times()
        busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0) - getattr(machine, "guest", 0.0)
        bench = sum(psutil.Process().cpu_times()[:4])
        return {**ours, OTHERS: busy - sum(ours.values()) - bench}

    def log_of(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def _start(self, name: str, command: list[str], ready: Callable[[], bool]) -> float:
        began = time.monotonic()
        process = self._popen[name] = spawn(command, dict(os.environ), self.log_of(name))
        self._processes[name] = psutil.Process(process.pid)
        while not ready():
            seconds = time.monotonic() - began
            if process.poll() is not None or seconds > READY_WITHIN_SECONDS:
                raise RuntimeError(f"{name} did not start: {self.log_of(name).read_text()[-2000:]}")
            time.sleep(0.05)
        return time.monotonic() - began


@contextmanager
def running_stack(data_dir: Path) -> Iterator[Stack]:
    """PostgreSQL alone at first; all is stopped and removed at the end. The model is the newest of `data_dir`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=data_dir)).absolute()
    folder.chmod(0o755)  # PostgreSQL may run as a user of its own
    stack = Stack(folder, data_dir.absolute() / "models")
    try:
        yield stack
    finally:
        stack.close()
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    figures = folder / "metrics"
    figures.mkdir()
    ports = {"PORT": free_port(), "SANDBOX_PORT": free_port()}
    given = {name: str(port) for name, port in ports.items()}
    return demo_environment(folder, {**given, "NLU_URL": f"http://127.0.0.1:{free_port()}"}) | {
        "PROMETHEUS_MULTIPROC_DIR": str(figures),
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "ZALO_RATE_PER_MINUTE": str(UNLIMITED_PER_MINUTE),
    }


def _cpu(process: psutil.Process) -> float:
    """Of the process, of its children, and of children that have ended."""
    times = process.cpu_times()
    spent: float = times.user + times.system + times.children_user + times.children_system
    for child in process.children(recursive=True):
        try:
            own = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += own.user + own.system
    return spent

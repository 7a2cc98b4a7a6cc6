"""Runs the product's processes on one machine: starts them, waits until they are ready, restarts them, stops them.

A process leads its own session, so that Ctrl-C reaches the supervisor alone and it decides the order of stopping.
Linux kills the processes of a supervisor that was itself killed, so that the next start finds the ports free.
"""

import ctypes
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

POLL_SECONDS = 0.1
PAUSES_SECONDS = (1, 2, 4, 8, 15, 30)
"""Pause before each restart of a process that keeps ending; a process that stayed up for a minute starts anew."""
STEADY_SECONDS = 60.0
STOP_SECONDS = 8.5
"""How long the processes of the product may finish their work; what they serve on gets the rest of ten seconds."""
LAST_STOP_SECONDS = 0.7
PORT_PATIENCE_SECONDS = 8.0
"""After a killed run: its web workers notice within a second or two and let go of the port."""

PR_SET_PDEATHSIG = 1

Say = Callable[[str], None]


class CannotStart(Exception):
    """Something that must work at the start does not; the text is the one line the operator reads."""


@dataclass(frozen=True)
class Child:
    """A process to run. `ready` is asked until it is true; without it a process is ready once it runs.

    `serves_others`: stopped after all others. `essential`: its end is the end of all, not a reason to restart it.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], bool] | None = None
    ready_within: float = 60.0
    env: Mapping[str, str] = field(default_factory=dict)
    serves_others: bool = False
    essential: bool = False


@dataclass
class _Run:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    ready: bool = False
    failures: int = 0
    restart_at: float | None = None


class Supervisor:
    """All children of one run. `logs`: folder for their output, a file each; None lets them share ours.

    Use from the main thread, where signals arrive.
    """

    def __init__(self, env: Mapping[str, str], say: Say, *, logs: Path | None = None) -> None:
        self._env = dict(env)
        self._say = say
        self._logs = logs
        self._runs: list[_Run] = []
        self._tasks: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        """Stop; an interruption is how a run ends, so it goes no further."""
        if kind is KeyboardInterrupt:
            self._say("stopping")
        self.stop()
        return kind is KeyboardInterrupt

    def begin(self, command: Sequence[str], env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        """Start something that ends by itself. It is killed if it has not when all stops."""
        log.unlink(missing_ok=True)
        self._tasks.append(spawn(command, env, log))
        return self._tasks[-1]

    def start(self, child: Child) -> None:
        """Start without waiting."""
        self._runs.append(_Run(child, self._spawn(child), time.monotonic()))

    def all_ready(self) -> bool:
        """Whether all started children are ready; says so of each when it is.

        Raises CannotStart when one has ended or takes too long.
        """
        for run in self._runs:
            if not _runs(run):
                raise CannotStart(f"{run.child.name} did not start: {_ending(run)}{self._where(run.child)}")
            if run.ready:
                continue
            seconds = time.monotonic() - run.started
            if run.child.ready is None or run.child.ready():
                run.ready = True
                self._say(f"{run.child.name} is ready ({seconds:.1f} s)")
            elif seconds > run.child.ready_within:
                raise CannotStart(f"{run.child.name} is not ready after {seconds:.0f} s{self._where(run.child)}")
        return all(run.ready for run in self._runs)

    def wait_ready(self) -> None:
        """Wait until all started children are ready. Raises CannotStart like `all_ready`."""
        while not self.all_ready():
            time.sleep(POLL_SECONDS)

    def watch(self) -> None:
        """Keep the children running until a signal interrupts. Raises CannotStart when an essential one ends."""
        while True:
            for run in self._runs:
                self._keep_running(run)
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop all children within ten seconds; a further Ctrl-C kills them at once."""
        impatient = False

        def hurry(_signal: int, _frame: object) -> None:
            nonlocal impatient
            impatient = True

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, hurry)
        for task in self._tasks:
            _kill_group(task)
        for servers, patience in ((False, STOP_SECONDS), (True, LAST_STOP_SECONDS)):
            runs = [run for run in reversed(self._runs) if run.child.serves_others is servers]
            _signal_all(runs, signal.SIGTERM)
            deadline = time.monotonic() + patience
            while any(_runs(run) for run in runs) and time.monotonic() < deadline and not impatient:
                time.sleep(POLL_SECONDS / 2)
            for run in runs:
                _kill_group(run.process)
        self._runs.clear()

    def _spawn(self, child: Child) -> subprocess.Popen[bytes]:
        log = self._log_of(child)
        if log and not any(run.child is child for run in self._runs):
            log.unlink(missing_ok=True)
        try:
            return spawn(child.command, {**self._env, **child.env}, log)
        except OSError as error:
            raise CannotStart(f"{child.name} cannot start: {error}") from error

    def _keep_running(self, run: _Run) -> None:
        now = time.monotonic()
        if run.restart_at is not None:
            if now >= run.restart_at:
                run.process, run.started, run.restart_at = self._spawn(run.child), now, None
                self._say(f"{run.child.name} started again")
        elif not _runs(run):
            _kill_group(run.process)
            if run.child.essential:
                raise CannotStart(f"{run.child.name} has ended: {_ending(run)}{self._where(run.child)}")
            run.failures = 0 if now - run.started > STEADY_SECONDS else run.failures
            pause = PAUSES_SECONDS[min(run.failures, len(PAUSES_SECONDS) - 1)]
            run.failures, run.restart_at = run.failures + 1, now + pause
            self._say(f"{run.child.name} has ended: {_ending(run)}; again in {pause} s")

    def _log_of(self, child: Child) -> Path | None:
        return self._logs / f"{child.name}.log" if self._logs else None

    def _where(self, child: Child) -> str:
        return f" (see {self._log_of(child)})" if self._logs else ""


def spawn(command: Sequence[str], env: Mapping[str, str], log: Path | None) -> subprocess.Popen[bytes]:
    """Start a process that ends when we do, however that is; its output is added to `log`, or shares ours."""
    output: IO[bytes] | None = None
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        output = log.open("ab")
    try:
        return subprocess.Popen(  # noqa: S603
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 (one thread here)
        )
    finally:
        if output:
            output.close()


def _die_with_parent() -> Callable[[], None] | None:
    """For `preexec_fn`: Linux kills the process when the thread that started it ends, however that ends."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_kernel


@contextmanager
def only_one(lock: Path, what: str) -> Iterator[bool]:
    """Hold `lock` during the block, with our pid in it. True: the holder before us was killed.

    Raises CannotStart when another process holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip()
            raise CannotStart(f"{what} is running already" + (f" (pid {pid})" if pid else "")) from None
        file.seek(0)
        killed = bool(file.read().strip())
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield killed
        finally:
            file.truncate(0)


def ensure_free(host: str, port: int, setting: str, *, patience: float = 0.0) -> None:
    """Raises CannotStart when something listens on the port still after `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with socket.create_server((host, port)):
                return
        except OSError as error:
            if time.monotonic() >= deadline:
                reason = "is in use" if _in_use(error) else f"cannot be opened ({error.strerror})"
                raise CannotStart(f"port {port} on {host} {reason}: stop what uses it, or set {setting}") from error
        time.sleep(POLL_SECONDS)


def _in_use(error: OSError) -> bool:
    return error.errno == errno.EADDRINUSE


def _runs(run: _Run) -> bool:
    return run.process.poll() is None


def _ending(run: _Run) -> str:
    code = run.process.returncode
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _signal_all(runs: Sequence[_Run], number: signal.Signals) -> None:
    for run in runs:
        if _runs(run):
            with suppress(ProcessLookupError):
                run.process.send_signal(number)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a process and of those it started, and reap it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

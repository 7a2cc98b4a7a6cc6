"""What a killed run may leave in the folder of the embedded PostgreSQL, put right before the next start.

The server package trusts three things that a `kill -9` or a power cut makes wrong: that a folder with a PG_VERSION was
made completely, that the process named in postmaster.pid is a server, and that the processes listed as users of the
server still live (the last of them to end stops it).
"""

import json
import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

SERVER_PROGRAMS = {"postgres", "initdb", "pg_ctl"}
HANDLES = ".handle_pids.json"
SETTLE_SECONDS = 10.0


def put_right(folder: Path) -> None:
    """Make `folder` (PostgreSQL's data folder) fit to start from. No data is lost: only a folder goes whose server
    never started. The caller sees to it that nobody else starts the server meanwhile.
    """
    if not folder.exists():
        return
    folder = folder.resolve()
    if not (folder / "postmaster.opts").exists():
        _end_programs(folder, signal.SIGKILL)
        shutil.rmtree(folder)
        return
    _forget_dead_users(folder / HANDLES)
    pid_file = folder / "postmaster.pid"
    if not _settles(folder, pid_file):
        _end_programs(folder, signal.SIGQUIT)
        pid_file.unlink(missing_ok=True)


def programs_of(folder: Path) -> list[int]:
    """The pids of PostgreSQL's programs that were started for this data folder."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if Path(words[0]).name in SERVER_PROGRAMS and str(folder) in words:
                found.append(int(process.name))
    return found


def _settles(folder: Path, pid_file: Path) -> bool:
    """Whether the server is ready or gone, once one that starts or stops just now has had its time."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while pid_file.exists():
        pid, status = _pid_and_status(pid_file)
        if pid not in programs_of(folder):
            return False
        if status == "ready":
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _pid_and_status(pid_file: Path) -> tuple[int, str]:
    """The first and the eighth line, which the server writes last."""
    lines = pid_file.read_text().splitlines() if pid_file.exists() else []
    pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
    return pid, lines[7].strip() if len(lines) == 8 else ""


def _end_programs(folder: Path, number: signal.Signals) -> None:
    """PostgreSQL's own programs outlive the process that asked for them: they would go on writing."""
    deadline = time.monotonic() + SETTLE_SECONDS
    for pid in programs_of(folder):
        _send(pid, number)
    while (pids := programs_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in pids:
        _send(pid, signal.SIGKILL)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _forget_dead_users(handles: Path) -> None:
    if not handles.exists():
        return
    try:
        pids = [int(pid) for pid in json.loads(handles.read_text() or "[]")]
    except (ValueError, TypeError):
        pids = []
    handles.write_text(json.dumps([pid for pid in pids if _lives(pid)]))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""The supervisor with small processes of its own: ready, restarted, stopped, and gone with a killed supervisor."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.processes import PAUSES_SECONDS, CannotStart, Child, Supervisor, ensure_free, only_one

STAYS = "import time; time.sleep(60)"
STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
NOTES_ITS_END = """
import pathlib, signal, sys, time
def end(*_):
    with open(sys.argv[1], "a") as order:
        order.write(sys.argv[2])
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path(sys.argv[1] + sys.argv[2]).touch()
time.sleep(60)
"""


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def eventually(condition: Callable[[], bool], within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """A dead process nobody has waited for is a zombie, which holds nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str], tmp_path: Path) -> Iterator[Supervisor]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    supervisor = Supervisor(os.environ, said.append, logs=tmp_path / "logs")
    yield supervisor
    supervisor.stop()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_waits_until_a_child_is_ready(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = "import pathlib, sys, time; time.sleep(0.3); pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
    supervisor.start(Child("slow", python(code, mark), ready=mark.exists))
    supervisor.wait_ready()
    assert mark.exists()
    assert said[0].startswith("slow is ready (")


def test_a_child_that_ends_at_once_stops_the_start_with_one_line(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(Child("good", python(STAYS)))
    supervisor.start(Child("bad", python("print('why'); raise SystemExit(3)"), ready=lambda: False))
    with pytest.raises(CannotStart) as failure:
        supervisor.wait_ready()
    assert str(failure.value) == f"bad did not start: exit code 3 (see {tmp_path / 'logs' / 'bad.log'})"
    assert (tmp_path / "logs" / "bad.log").read_text() == "why\n"


def test_a_child_that_is_never_ready_is_given_up(supervisor: Supervisor) -> None:
    supervisor.start(Child("mute", python(STAYS), ready=lambda: False, ready_within=0.3))
    with pytest.raises(CannotStart, match="mute is not ready after 0 s"):
        supervisor.wait_ready()


def test_a_program_that_is_not_there_is_named(supervisor: Supervisor) -> None:
    with pytest.raises(CannotStart, match="ghost cannot start"):
        supervisor.start(Child("ghost", ["/nowhere/ghost"]))


def test_a_crashed_child_is_started_again_and_its_log_kept(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    code = """
        import os, pathlib, sys, time
        runs = pathlib.Path(sys.argv[1])
        with runs.open("a") as file: file.write(str(os.getpid()) + "\\n")
        print("run", flush=True)
        time.sleep(60)
    """

    def pids() -> list[int]:
        return [int(line) for line in runs.read_text().splitlines()] if runs.exists() else []

    def kill_then_interrupt() -> None:
        try:
            eventually(lambda: len(pids()) == 1)
            os.kill(pids()[0], signal.SIGKILL)
            eventually(lambda: len(pids()) == 2)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    supervisor.start(Child("crasher", python(textwrap.dedent(code), runs)))
    meanwhile = threading.Thread(target=kill_then_interrupt)
    meanwhile.start()
    with pytest.raises(KeyboardInterrupt):
        supervisor.watch()
    meanwhile.join()
    assert f"crasher has ended: killed by SIGKILL; again in {PAUSES_SECONDS[0]} s" in said
    assert "crasher started again" in said
    assert (tmp_path / "logs" / "crasher.log").read_text() == "run\nrun\n"


def test_the_end_of_an_essential_child_ends_the_run(supervisor: Supervisor) -> None:
    supervisor.start(Child("heart", python("raise SystemExit(1)"), essential=True))
    with pytest.raises(CannotStart, match="heart has ended: exit code 1"):
        supervisor.watch()


def test_what_serves_others_is_stopped_last(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    names = {"server": True, "client": False}
    for name, serves in names.items():
        supervisor.start(Child(name, python(NOTES_ITS_END, order, f"-{name}"), serves_others=serves))
    eventually(lambda: all(Path(f"{order}-{name}").exists() for name in names))
    supervisor.stop()
    assert order.read_text() == "-client-server"


def test_a_child_that_does_not_listen_is_killed_with_its_own_children(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.processes.STOP_SECONDS", 0.3)
    mark, grandchild = tmp_path / "mark", tmp_path / "grandchild"
    code = (
        "import pathlib, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path(sys.argv[2]).write_text(str(child.pid))\n"
    ) + STUBBORN
    supervisor.start(Child("stubborn", python(code, mark, grandchild)))
    eventually(mark.exists)
    pid = int(grandchild.read_text())
    supervisor.stop()
    eventually(lambda: not lives(pid))


def test_an_interruption_ends_the_block_and_stops_all(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    order = tmp_path / "order"
    with supervisor:
        supervisor.start(Child("child", python(NOTES_ITS_END, order, "-child")))
        eventually(Path(f"{order}-child").exists)
        raise KeyboardInterrupt
    assert said == ["stopping"]
    assert order.read_text() == "-child"


def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = """
        import os, sys, time
        from bot.processes import Child, Supervisor
        supervisor = Supervisor(os.environ, print)
        note = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\\\n'); time.sleep(60)"
        for name in ("one", "two"):
            supervisor.start(Child(name, [sys.executable, "-c", note, sys.argv[1]]))
        supervisor.watch()
    """
    boss = subprocess.Popen(python(textwrap.dedent(code), pids))
    try:
        eventually(lambda: pids.exists() and len(pids.read_text().splitlines()) == 2)
    finally:
        boss.kill()
        boss.wait()
    for pid in pids.read_text().splitlines():
        eventually(lambda pid=pid: not lives(int(pid)))  # type: ignore[misc]


def test_only_one_run_at_a_time_and_a_killed_one_is_noticed(tmp_path: Path) -> None:
    lock = tmp_path / "run.lock"
    with only_one(lock, "a run") as killed:
        assert killed is False
        with (
            pytest.raises(CannotStart, match=rf"^a run is running already \(pid {os.getpid()}\)$"),
            only_one(lock, "a run"),
        ):
            pass
    code = "import sys, time, pathlib\nfrom bot.processes import only_one\n"
    code += "with only_one(pathlib.Path(sys.argv[1]), 'x'): print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen(python(code, lock), stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.communicate()
    with only_one(lock, "a run") as killed:
        assert killed is True
    with only_one(lock, "a run") as killed:
        assert killed is False


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart) as failure:
            ensure_free("127.0.0.1", port, "PORT")
    assert str(failure.value) == f"port {port} on 127.0.0.1 is in use: stop what uses it, or set PORT"
    ensure_free("127.0.0.1", port, "PORT")


def test_a_port_that_comes_free_in_time_will_do() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    release = threading.Timer(0.3, taken.close)
    release.start()
    ensure_free("127.0.0.1", taken.getsockname()[1], "PORT", patience=10)
    release.join()

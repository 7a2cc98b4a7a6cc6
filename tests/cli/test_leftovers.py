"""The embedded PostgreSQL after runs that did not end as they should."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from trolydien_command import Trolydien

from bot.leftovers import HANDLES, programs_of, put_right


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_folder_that_was_never_finished_is_made_anew(trolydien: Trolydien) -> None:
    folder = trolydien.data_dir / "postgres"
    folder.mkdir(parents=True)
    (folder / "PG_VERSION").write_text("18\n")
    (folder / "base").mkdir()
    assert trolydien.run("migrate").returncode == 0
    assert (folder / "postmaster.opts").exists()


def test_a_killed_server_and_its_killed_users_do_no_harm(trolydien: Trolydien, dead_pid: int) -> None:
    """Its pid file names a process that is no server, and nobody of the users on its list lives."""
    folder = trolydien.data_dir / "postgres"
    assert trolydien.run("migrate").returncode == 0
    assert programs_of(folder) == []
    lines = [str(os.getpid()), str(folder), "1767225600", "5432", str(folder), "", "1 2", "ready"]
    (folder / "postmaster.pid").write_text("\n".join(lines) + "\n")
    (folder / HANDLES).write_text(json.dumps([dead_pid]))
    again = trolydien.run("migrate")
    assert (again.returncode, again.stderr) == (0, "")
    assert programs_of(folder) == [], "the last user stops the server"


def test_a_server_that_outlived_its_run_is_joined(trolydien: Trolydien) -> None:
    folder = trolydien.data_dir / "postgres"
    assert trolydien.run("migrate").returncode == 0
    process = trolydien.start("worker")
    pid_file = folder / "postmaster.pid"
    trolydien.until(lambda: pid_file.exists() and pid_file.read_text().rstrip().endswith("ready"))
    trolydien.until(lambda: (folder / HANDLES).exists() and str(process.pid) in (folder / HANDLES).read_text())
    server = programs_of(folder)
    process.kill()
    process.wait()
    assert programs_of(folder) == server
    assert trolydien.run("migrate").returncode == 0
    assert programs_of(folder) == []


def test_a_lost_list_of_users_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "postmaster.opts").touch()
    (tmp_path / HANDLES).write_text('{"half')
    put_right(tmp_path)
    assert json.loads((tmp_path / HANDLES).read_text()) == []


def test_living_users_stay_on_the_list(tmp_path: Path, dead_pid: int) -> None:
    (tmp_path / "postmaster.opts").touch()
    (tmp_path / HANDLES).write_text(json.dumps([dead_pid, os.getpid()]))
    put_right(tmp_path)
    assert json.loads((tmp_path / HANDLES).read_text()) == [os.getpid()]


def test_a_program_that_still_writes_into_an_unfinished_folder_is_ended(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    program = tmp_path / "initdb"
    program.symlink_to(Path(sys.executable).resolve())
    writer = subprocess.Popen([program, "-c", "import time; time.sleep(60)", "-D", str(folder)])
    try:
        deadline = time.monotonic() + 10
        while programs_of(folder) != [writer.pid]:
            assert time.monotonic() < deadline
        put_right(folder)
        assert writer.wait(10) == -signal.SIGKILL
        assert not folder.exists()
    finally:
        writer.kill()

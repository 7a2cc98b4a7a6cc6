"""The command as an operator uses it: a process, with the settings of a demonstration in its environment."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bot.demo import demo_environment

PATIENCE = 60.0


class Trolydien:
    """Runs commands in an empty folder; `env` may be changed before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        ports = {
            "PORT": str(free_port()),
            "SANDBOX_PORT": str(free_port()),
            "NLU_URL": f"http://127.0.0.1:{free_port()}",
        }
        inherited = {
            name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "PYENV_ROOT"}
        }
        self.env = inherited | demo_environment(self.data_dir, ports)
        self._started: list[subprocess.Popen[str]] = []

    @property
    def url(self) -> str:
        return self.env["PUBLIC_URL"]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._command(*arguments),
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Output is in `output`."""
        with (self.folder / "output").open("a") as output:
            process = subprocess.Popen(
                self._command(*arguments),
                env=self.env,
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._started.append(process)
        return process

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert all(process.poll() is None for process in self._started), self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "bot.cli", *arguments]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])

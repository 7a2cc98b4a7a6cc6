"""The commands as an operator meets them: their errors in one line, and their work."""

import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from trolydien_command import Trolydien

from bot.demo import demo_environment
from sandbox.server import running_sandbox
from sandbox.settings import SandboxSettings


class _Understanding(BaseHTTPRequestHandler):
    """Enough of the understanding to be found there."""

    def do_GET(self) -> None:
        self._answer(b"Hello from Rasa")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b'{"intent": {"name": "greet"}}')

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def understanding(trolydien: Trolydien) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", urlsplit(trolydien.env["NLU_URL"]).port or 0), _Understanding) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def outside(trolydien: Trolydien) -> Iterator[None]:
    """Zalo, Messenger and the utility's systems, with the command's settings."""
    given = {name.lower(): value for name, value in trolydien.env.items()}
    settings = SandboxSettings(_env_file=None, **{k: v for k, v in given.items() if k in SandboxSettings.model_fields})
    with running_sandbox(settings):
        yield


def answer(url: str) -> int:
    try:
        return requests.get(url, timeout=5).status_code
    except requests.ConnectionError:
        return 0


@pytest.mark.parametrize("command", ["serve", "worker", "notifier", "run", "migrate", "doctor"])
def test_a_missing_setting_is_one_line_and_exit_code_2(trolydien: Trolydien, command: str) -> None:
    del trolydien.env["BILLING_URL"]
    ended = trolydien.run(command)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "BILLING_URL: is not set (see docs/settings.md)\n"


@pytest.mark.parametrize("command", ["nlu", "train"])
def test_a_wrong_setting_of_the_understanding_is_one_line_too(trolydien: Trolydien, command: str) -> None:
    trolydien.env["NLU_URL"] = "localhost:5005"
    ended = trolydien.run(command)
    assert ended.returncode == 2
    assert ended.stderr.startswith("NLU_URL: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["serve", "run", "demo"])
def test_a_port_in_use_is_one_line(trolydien: Trolydien, command: str) -> None:
    with socket.create_server(("127.0.0.1", int(trolydien.env["PORT"]))):
        ended = trolydien.run(command)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"port {trolydien.env['PORT']} on 127.0.0.1 is in use: stop what uses it, or set PORT\n"


def test_a_database_that_does_not_answer_is_one_line_without_its_password(trolydien: Trolydien) -> None:
    trolydien.env["DATABASE_URL"] = "postgresql://someone:geheim@127.0.0.1:9/trolydien"
    ended = trolydien.run("worker")
    assert ended.returncode == 1
    assert ended.stderr.startswith("DATABASE_URL: the database does not answer: ")
    assert ended.stderr.count("\n") == 1
    assert "geheim" not in ended.stderr


def test_an_understanding_elsewhere_that_is_silent_stops_the_run(trolydien: Trolydien) -> None:
    trolydien.env["NLU_URL"] = "http://192.0.2.1:5005"
    ended = trolydien.run("run")
    assert ended.returncode == 1
    assert ended.stderr.startswith("NLU_URL: nothing answers at http://192.0.2.1:5005")


def test_migrate_goes_up_and_one_revision_down(with_database: Trolydien) -> None:
    assert with_database.run("migrate").stdout == "the database is up to date\n"
    assert with_database.run("migrate", "--down").stdout == "the database is one revision back\n"
    problems = with_database.run("doctor")
    assert "✗ database: at revision" in problems.stdout
    assert with_database.run("migrate").returncode == 0


def test_a_migration_that_fails_is_one_line(with_database: Trolydien) -> None:
    with psycopg.connect(with_database.env["DATABASE_URL"]) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    ended = with_database.run("migrate")
    assert ended.returncode == 1
    assert ended.stderr.startswith("the database could not be migrated: ")
    assert ended.stderr.count("\n") == 1


def test_doctor_finds_all_well(with_database: Trolydien, understanding: None, outside: None) -> None:
    ended = with_database.run("doctor")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [line[0] for line in ended.stdout.splitlines()] == ["✓"] * 7


def test_doctor_names_what_is_silent(with_database: Trolydien) -> None:
    ended = with_database.run("doctor")
    assert ended.returncode == 1
    found = dict(line.split(": ", 1) for line in ended.stdout.splitlines())
    assert found["✓ database"] == "ok"
    silent = [name for name in found if name.startswith("✗")]
    assert [name.split()[1] for name in silent] == ["understanding", "billing", "service", "channel", "channel"]


def test_check_backends_takes_the_token_from_the_settings(trolydien: Trolydien, outside: None) -> None:
    url = trolydien.env["BILLING_URL"].removesuffix("/billing")
    ended = trolydien.run("check-backends", url)
    assert ended.returncode == 0, ended.stdout
    assert "✗" not in ended.stdout
    assert trolydien.run("check-backends", url, "--token", "wrong").returncode == 1


def test_the_gateway_serves_and_ends_on_sigterm(with_database: Trolydien) -> None:
    process = with_database.start("serve")
    with_database.until(lambda: answer(f"{with_database.url}/readyz") == 200)
    assert "nlu_failures_total" in requests.get(f"{with_database.url}/metrics", timeout=5).text
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert answer(f"{with_database.url}/healthz") == 0


def test_all_processes_run_together_and_stop_together(with_database: Trolydien, understanding: None) -> None:
    process = with_database.start("run")
    with_database.until(lambda: "Ctrl-C stops everything" in with_database.output)
    assert answer(f"{with_database.url}/readyz") == 200
    second = with_database.run("run")
    assert second.returncode == 1
    assert second.stderr == f"a run or demo of this data folder is running already (pid {process.pid})\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert with_database.output.splitlines()[-1] == "stopping"
    assert answer(f"{with_database.url}/healthz") == 0


def test_a_demonstration_keeps_its_secrets_but_not_its_refresh_token(tmp_path: Path) -> None:
    first, second = demo_environment(tmp_path, {}), demo_environment(tmp_path, {"PORT": "8001"})
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"ZALO_REFRESH_TOKEN", "PORT", "PUBLIC_URL"}
    assert (tmp_path / "demo.env").stat().st_mode & 0o077 == 0


def test_a_demonstration_takes_no_secret_and_no_address_from_outside(tmp_path: Path) -> None:
    real = {
        "SECRET_KEY": "a real one, not for a demo",
        "ZALO_OPENAPI_URL": "https://openapi.zalo.me",
        "DATA_DIR": "/real",
        "HOST": "0.0.0.0",
    }
    environment = demo_environment(tmp_path, real)
    assert not set(real.values()) & set(environment.values())
    addresses = [value for name, value in environment.items() if name.endswith("_URL")]
    assert all(value.startswith("http://127.0.0.1:") for value in addresses)

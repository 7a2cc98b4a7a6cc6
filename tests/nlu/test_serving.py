"""Training to a model file, and the server answering over HTTP."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nlu.engine import Engine
from nlu.serve import newest_model
from nlu.train import CONFIG, PROJECT, fingerprint, train


class Server:
    """A server process of the small model; ask it with :meth:`ask`."""

    def __init__(self, model: Path) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "nlu.serve", "--model", str(model), "--port", "0"]
        self.process = subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith("listening on"):
                break
        self.port = int(self.lines[-1].rsplit(":", 1)[1])

    def ask(self, method: str, path: str, body: Any = None) -> "tuple[int, str]":
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection.request(method, path, content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        try:
            return response.status, response.read().decode()
        finally:
            connection.close()

    def parse(self, text: str, **more: str) -> "dict[str, Any]":
        status, body = self.ask("POST", "/model/parse", {"text": text, **more})
        assert status == 200
        answer = json.loads(body)
        assert isinstance(answer, dict)
        return answer


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[Server]:
    running = Server(model)
    yield running
    running.process.kill()
    running.process.wait()


def test_a_trained_model_is_not_trained_again(model: Path, data_folder: Path) -> None:
    assert train(model.parent, data_folder) == (model, False)
    assert list(model.parent.iterdir()) == [model]
    assert newest_model(model.parent) == model


def test_the_name_follows_the_data(data_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("nlu: []\n", encoding="utf-8")
    assert fingerprint(tmp_path, CONFIG) != fingerprint(data_folder, CONFIG)
    before = fingerprint(tmp_path, CONFIG)
    (tmp_path / "a.yml").write_text("nlu: [ ]\n", encoding="utf-8")
    assert fingerprint(tmp_path, CONFIG) != before


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="train one first"):
        newest_model(tmp_path)


def test_the_engine_needs_no_tensorflow(model: Path) -> None:
    code = (
        "import sys; from datetime import date; from pathlib import Path; from nlu.engine import Engine; "
        f"Engine(Path({str(model)!r})).parse('a', date.today()); print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def periods(answer: "dict[str, Any]") -> "list[dict[str, Any]]":
    """A model of so few examples keeps topics, too: its judge has not learnt where they are meant."""
    return [entity for entity in answer["entities"] if entity["entity"] == "period"]


def test_repeats_are_remembered_per_day(model: Path) -> None:
    engine = Engine(model, remembered=2)
    first = engine.parse("tiền điện tháng trước", date(2026, 11, 24))
    assert engine.parse("tiền điện tháng trước", date(2026, 11, 24)) is first
    later = engine.parse("tiền điện tháng trước", date(2026, 12, 1))
    assert periods(later)[0]["value"] == {"from": "2026-11", "to": "2026-11"}
    engine.parse("a", date(2026, 11, 24))
    assert engine.parse("tiền điện tháng trước", date(2026, 11, 24)) is not first


def test_every_answer_names_the_model(server: Server, model: Path) -> None:
    name = model.name.removesuffix(".tar.gz")
    assert [server.parse(text)["model"] for text in ("tiền điện", "tiền điện", "chào")] == [name] * 3


def test_answer_in_rasas_shape(server: Server) -> None:
    answer = server.parse("tiền điện tháng 10 nhà tôi", message_time="2026-11-24T08:00:00+07:00")
    assert answer["text"] == "tiền điện tháng 10 nhà tôi"
    assert answer["intent"]["name"] == "bill_lookup"
    assert answer["intent"] == answer["intent_ranking"][0]
    assert len(answer["intent_ranking"]) == 4
    assert sum(row["confidence"] for row in answer["intent_ranking"]) == pytest.approx(1.0)
    [entity] = periods(answer)
    assert entity == {
        "entity": "period",
        "start": 10,
        "end": 18,
        "value": {"from": "2026-10", "to": "2026-10"},
        "confidence_entity": 1.0,
        "extractor": "GazetteerEntityExtractor",
    }


def test_a_typed_command_is_only_text(server: Server) -> None:
    answer = server.parse('/human{"phone": "0912345678"}')
    assert [entity["entity"] for entity in answer["entities"]] == ["phone"]
    assert answer["intent"]["confidence"] < 1.0


@pytest.mark.parametrize("text", ["", "   ", "\ud83d", "\x00", "😀" * 300, "mất điện " * 3000])
def test_odd_texts_are_answered(server: Server, text: str) -> None:
    answer = server.parse(text)
    assert answer["text"] == text
    assert set(answer) >= {"intent", "intent_ranking", "entities"}
    if not text.strip():
        assert answer["intent"] == {"name": None, "confidence": 0.0}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 50_000,
        b'"a"',
        b"{}",
        b'{"text": 5}',
        b'{"text": null}',
        b'{"text": "a", "message_time": 5}',
        b'{"text": "a", "message_time": "soon"}',
        b"\xff\xfe",
    ],
)
def test_bad_requests_in_rasas_error_shape(server: Server, body: bytes) -> None:
    status, content = server.ask("POST", "/model/parse", body)
    assert status == 400
    answer = json.loads(content)
    assert (answer["status"], answer["reason"], answer["code"]) == ("failure", "BadRequest", 400)
    assert answer["message"]


def test_other_paths(server: Server, model: Path) -> None:
    assert server.ask("GET", "/") == (200, "Hello from Rasa: 3.6.21")
    status, content = server.ask("GET", "/status")
    assert (status, json.loads(content)["model_file"]) == (200, model.name)
    assert server.ask("GET", "/nothing")[0] == 404
    assert server.ask("GET", "/model/parse")[0] == 405
    assert server.ask("POST", "/model/parse", b" " * 2_000_000)[0] == 413


def test_many_at_once_get_their_own_answers(server: Server) -> None:
    texts = [f"tiền điện tháng {month} nhà số {house}" for month in range(1, 10) for house in range(8)]
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(server.parse, texts))
    assert [answer["text"] for answer in answers] == texts
    assert all(len(periods(answer)) == 1 for answer in answers)


def test_messages_are_never_printed_and_sigterm_ends_at_once(model: Path) -> None:
    running = Server(model)
    running.parse("bí mật 0912345678")
    keep_alive = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    keep_alive.request("GET", "/")
    keep_alive.getresponse().read()
    started = time.monotonic()
    os.kill(running.process.pid, signal.SIGTERM)
    rest, _ = running.process.communicate(timeout=10)
    assert time.monotonic() - started < 2
    keep_alive.close()
    assert running.process.returncode == 0
    assert "0912345678" not in "".join(running.lines) + rest
    assert "bí mật" not in "".join(running.lines) + rest


def test_a_missing_model_ends_with_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "nlu.serve", "--model", str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("no model in")

"""What of the understanding's entities becomes slots."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from bot.dialogue.commands import Period, Place, Slots
from bot.dialogue.understanding import NluClient

ENTITIES: list[dict[str, Any]] = []
INTENTS: list[dict[str, Any]] = []
MORE: dict[str, Any] = {}


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        intent = {"name": "outage_schedule", "confidence": 0.9}
        body = json.dumps(
            {"intent": intent, "intent_ranking": [intent], "entities": ENTITIES, "intents": INTENTS, **MORE}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def client() -> Iterator[NluClient]:
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield NluClient(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("2026-11-24", date(2026, 11, 24), None),
        ({"from": "2026-11-30", "to": "2026-12-06"}, date(2026, 11, 30), date(2026, 12, 6)),
    ],
    ids=["a day", "a week"],
)
def test_a_date_is_a_day_or_several(client: NluClient, value: object, first: date, last: date | None) -> None:
    ENTITIES[:] = [{"entity": "date", "start": 0, "end": 8, "value": value}]
    slots = client.parse("tuần sau", datetime(2026, 11, 23, 2, tzinfo=UTC)).slots
    assert (slots.date, slots.until) == (first, last)


def test_which_model_it_was_is_known_if_it_says_so(client: NluClient) -> None:
    """Stock Rasa does not."""
    for answer in ({}, {"model": "nlu-0123456789ab"}):
        MORE.clear()
        MORE.update(answer)
        assert client.parse("mai", datetime(2026, 11, 23, 2, tzinfo=UTC)).model == answer.get("model")


def test_a_day_said_after_a_week_is_that_day_alone() -> None:
    week = Slots(date=date(2026, 11, 30), until=date(2026, 12, 6))
    assert week.merged(Slots(date=date(2026, 12, 2))) == Slots(date=date(2026, 12, 2))


def test_a_place_keeps_its_hamlet_and_its_kind(client: NluClient) -> None:
    value = {"code": "05587", "name": "xã Bình Yên", "kind": "commune", "matched": "xóm 5 Bình Yên", "detail": "xóm 5"}
    ENTITIES[:] = [{"entity": "place", "start": 0, "end": 8, "value": value}]
    place = client.parse("xóm 5 Bình Yên", datetime(2026, 11, 23, 2, tzinfo=UTC)).slots.place
    assert place == Place(code="05587", name="xã Bình Yên", kind="commune", detail="xóm 5")


def test_a_kind_of_notice_goes_with_its_request_and_is_nothing_to_go_on_with(client: NluClient) -> None:
    ENTITIES[:] = [{"entity": "notice_kind", "start": 4, "end": 11, "value": "reminder"}]
    slots = client.parse("tắt nhắc nợ", datetime(2026, 11, 23, 2, tzinfo=UTC)).slots
    assert slots == Slots(notice="reminder")
    assert not slots.said()


def test_each_of_two_requests_has_the_values_of_its_own_part(client: NluClient) -> None:
    ENTITIES[:] = [
        {"entity": "period", "start": 0, "end": 8, "value": {"from": "2026-10", "to": "2026-10"}},
        {"entity": "energy", "start": 30, "end": 37, "value": 280},
    ]
    INTENTS[:] = [
        {"name": "usage_history", "confidence": 1.0, "start": 0, "end": 20},
        {"name": "bill_estimate", "confidence": 1.0, "start": 20, "end": 50},
    ]
    first, second = client.parse("x" * 50, datetime(2026, 11, 23, 2, tzinfo=UTC)).requests
    assert (first.intent, first.slots.energy) == ("usage_history", None)
    assert (second.intent, second.slots.energy) == ("bill_estimate", 280)
    assert first.slots.period == second.slots.period == Period.of(date(2026, 10, 1))

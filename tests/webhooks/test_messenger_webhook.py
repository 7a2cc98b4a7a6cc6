"""GET and POST /webhooks/messenger over a real database (messenger.md §2, §3)."""

import json
from typing import Any

import pytest
from gateway import VERIFY_TOKEN, Gateway, captured, counted, meta_signature, names, refused

from bot.webhooks.intake import MAX_BODY_BYTES

VECTOR = (
    rb'{"object":"page","entry":[{"id":"1","time":1,"messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},'
    rb'"timestamp":1,"message":{"mid":"m_1","text":"Ti\u1ec1n \u0111i\u1ec7n"}}]}]}'
)
VECTOR_SIGNATURE = "sha256=6b70f0e89917e1004a848ee0b5858126ec1d2937413272e7cccedd8c072a7277"


def batch(*events: dict[str, Any]) -> bytes:
    return json.dumps({"object": "page", "entry": [{"id": "1", "time": 1, "messaging": list(events)}]}).encode()


def message(mid: str, text: str = "chào") -> dict[str, Any]:
    return {
        "sender": {"id": "2"},
        "recipient": {"id": "1"},
        "timestamp": 1795489200000,
        "message": {"mid": mid, "text": text},
    }


def test_the_reference_vector_is_accepted(gateway: Gateway) -> None:
    answer = gateway.messenger(VECTOR, signature=VECTOR_SIGNATURE)
    assert (answer.status_code, answer.text) == (200, "EVENT_RECEIVED")
    (event,) = gateway.events()
    assert (event.key, event.user_id, event.payload["event"]["message"]["text"]) == ("message:m_1", "2", "Tiền điện")
    (job,) = gateway.jobs()
    assert (job["task_name"], job["queue_name"], job["lock"]) == ("handle_event", "reply", "messenger:2")


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        VECTOR_SIGNATURE.removeprefix("sha256="),
        VECTOR_SIGNATURE.upper(),
        meta_signature(VECTOR, secret="page-token"),
        "sha1=" + VECTOR_SIGNATURE[7:47],
        "sha256=\u00e9",
    ],
    ids=["missing", "empty", "zeros", "bare", "upper", "other-secret", "sha1", "not-ascii"],
)
def test_a_wrong_signature_is_refused_and_counted(gateway: Gateway, signature: str) -> None:
    before = refused("messenger", "bad_signature")
    assert gateway.messenger(VECTOR, signature=signature).status_code == 403
    assert refused("messenger", "bad_signature") == before + 1
    assert gateway.events() == []


def test_the_signature_is_over_the_bytes_not_over_what_they_say(gateway: Gateway) -> None:
    same_json = json.dumps(json.loads(VECTOR), ensure_ascii=False).encode()
    assert gateway.messenger(same_json, signature=VECTOR_SIGNATURE).status_code == 403


def test_the_address_is_verified_by_the_token(gateway: Gateway) -> None:
    def verify(**query: str) -> tuple[int, str]:
        answer = gateway.client.get("/webhooks/messenger", query_string={f"hub.{k}": v for k, v in query.items()})
        return answer.status_code, answer.text

    good = {"mode": "subscribe", "verify_token": VERIFY_TOKEN, "challenge": "ab<c>1"}
    assert verify(**good) == (200, "ab<c>1")
    before = refused("messenger", "bad_verify_token")
    for wrong in ({"verify_token": "nope"}, {"verify_token": ""}, {"verify_token": "đúng"}, {"mode": "unsubscribe"}):
        status, text = verify(**{**good, **wrong})
        assert (status, text) == (403, "")
    assert gateway.client.get("/webhooks/messenger").status_code == 403
    assert refused("messenger", "bad_verify_token") == before + 5


@pytest.mark.parametrize("name", [name for name in names("messenger") if name != "batch"])
def test_every_captured_event_is_stored_once_and_due_once(gateway: Gateway, name: str) -> None:
    body = captured("messenger", name)
    duplicates = counted("webhook_duplicates_total", "messenger")
    for _ in range(3):
        assert gateway.messenger(body).status_code == 200
    (event,) = gateway.events()
    assert gateway.ways(event) == 1
    assert counted("webhook_duplicates_total", "messenger") == duplicates + 2


def test_a_batch_is_taken_whole_but_for_another_page(gateway: Gateway) -> None:
    assert gateway.messenger(captured("messenger", "batch")).status_code == 200
    assert [(event.name, event.user_id) for event in gateway.events()] == [
        ("message", "2"),
        ("message", "3"),
        ("read", "2"),
        ("message_template_status_update", None),
        ("message", "2"),
    ]
    assert [job["lock"] for job in gateway.jobs()] == ["messenger:2", "messenger:3", "messenger:2"]
    assert [event.handle_from == event.received_at for event in gateway.events()] == [False, False, True, True, False]


def test_a_batch_with_known_events_adds_the_new_ones_only(gateway: Gateway) -> None:
    gateway.messenger(batch(message("a"), message("b")))
    assert gateway.messenger(batch(message("b"), message("c"), message("c"))).status_code == 200
    assert [event.key for event in gateway.events()] == ["message:a", "message:b", "message:c"]
    assert len(gateway.jobs()) == 3


def test_a_batch_is_stored_whole_or_not_at_all(gateway: Gateway) -> None:
    """The second event cannot be stored: the first is not either, so the platform sends both again."""
    gateway.client.application.config["PROPAGATE_EXCEPTIONS"] = False  # type: ignore[union-attr]
    with gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE inbound_event ADD CONSTRAINT no_b CHECK (key <> 'message:b')")
    assert gateway.messenger(batch(message("a"), message("b"))).status_code == 500
    assert gateway.events() == []
    assert gateway.jobs() == []
    with gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE inbound_event DROP CONSTRAINT no_b")
    assert gateway.messenger(batch(message("a"), message("b"))).status_code == 200
    assert len(gateway.events()) == 2


def test_the_same_change_of_a_template_at_another_time_is_another_event(gateway: Gateway) -> None:
    body = json.loads(captured("messenger", "template_status"))
    gateway.messenger(json.dumps(body).encode())
    gateway.messenger(json.dumps(body).encode())
    body["entry"][0]["time"] += 86_400_000
    gateway.messenger(json.dumps(body).encode())
    assert len(gateway.events()) == 2


def test_something_that_is_no_page_is_404(gateway: Gateway) -> None:
    before = refused("messenger", "not_a_page")
    assert gateway.messenger(b'{"object":"instagram","entry":[]}').status_code == 404
    assert refused("messenger", "not_a_page") == before + 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"page"', b'{"object":"page","entry":NaN}', b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "cut", "list", "string", "nan", "not-utf8", "deep"],
)
def test_signed_but_malformed_is_400_and_counted(gateway: Gateway, body: bytes) -> None:
    before = refused("messenger", "malformed")
    assert gateway.messenger(body).status_code == 400
    assert refused("messenger", "malformed") == before + 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"object":"page"}',
        b'{"object":"page","entry":null}',
        b'{"object":"page","entry":[null,1,"x",[],{}]}',
        b'{"object":"page","entry":[{"id":"1"}]}',
        b'{"object":"page","entry":[{"id":"1","messaging":{"sender":"x"}}]}',
        b'{"object":"page","entry":[{"id":null,"messaging":[{}]}]}',
    ],
)
def test_missing_and_odd_parts_are_passed_over(gateway: Gateway, body: bytes) -> None:
    assert gateway.messenger(body).status_code == 200
    assert gateway.events() == []


def test_too_large_is_413_before_it_is_read(gateway: Gateway) -> None:
    before = refused("any", "too_large")
    assert gateway.messenger(batch(message("a", "x" * MAX_BODY_BYTES))).status_code == 413
    assert refused("any", "too_large") == before + 1
    assert gateway.events() == []


@pytest.mark.parametrize(
    ("text", "kept"), [("a\x00b", "ab"), ("a\ud800b", "a?b"), ("😀", "😀")], ids=["nul", "surrogate", "pair"]
)
def test_characters_that_a_database_refuses_do_no_harm(gateway: Gateway, text: str, kept: str) -> None:
    assert gateway.messenger(batch(message("a", text))).status_code == 200
    (event,) = gateway.events()
    assert event.payload["event"]["message"]["text"] == kept


@pytest.mark.parametrize("depth", [100, 400, 700, 940])
def test_depth_is_stored_or_refused_but_never_an_error(gateway: Gateway, depth: int) -> None:
    body = batch(message("a")).replace(b'"timestamp"', b'"x":' + b"[" * depth + b"]" * depth + b',"timestamp"')
    assert gateway.messenger(body).status_code in {200, 400}

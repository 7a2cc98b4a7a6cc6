"""POST /webhooks/zalo over a real database (zalo.md §2)."""

import hashlib
import json
from io import BytesIO

import pytest
from gateway import OA_SECRET, Gateway, captured, counted, names, refused, zalo_mac

from bot.app import create_app
from bot.settings import load_settings
from bot.webhooks.intake import MAX_BODY_BYTES

VECTOR = (
    '{"app_id":"1111111111111111111","sender":{"id":"2222222222222222222"},"user_id_by_app":"3333333333333333333",'
    '"recipient":{"id":"4444444444444444444"},"event_name":"user_send_text",'
    '"message":{"text":"Tra cứu tiền điện","msg_id":"aaaabbbbccccdddd0001"},"timestamp":"1767225600000"}'
).encode()
VECTOR_MAC = "f5ff26582d76976e50cd5d6712281199b3208b7f31efcd62bbd51ec0d402926d"


def changed(body: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(body), **fields}, ensure_ascii=False).encode()


def test_the_reference_vector_is_accepted(gateway: Gateway) -> None:
    assert gateway.zalo(VECTOR, mac=f"mac={VECTOR_MAC}").status_code == 200
    (event,) = gateway.events()
    assert (event.channel, event.key, event.status) == ("zalo", "user_send_text:aaaabbbbccccdddd0001", "received")
    assert event.payload == json.loads(VECTOR)
    assert gateway.jobs() == [
        {
            "task_name": "handle_event",
            "queue_name": "reply",
            "lock": "zalo:2222222222222222222",
            "queueing_lock": None,
            "args": {"event_id": event.id},
        }
    ]


@pytest.mark.parametrize(
    "header",
    [VECTOR_MAC, VECTOR_MAC.upper(), f"mac = {VECTOR_MAC}", f" mac={VECTOR_MAC} "],
    ids=["bare", "upper", "spaced", "padded"],
)
def test_the_header_is_read_leniently(gateway: Gateway, header: str) -> None:
    assert gateway.zalo(VECTOR, mac=header).status_code == 200


@pytest.mark.parametrize(
    "mac",
    [
        "mac=" + "0" * 64,
        "mac=" + VECTOR_MAC[:-1],
        "",
        "mac=é" + VECTOR_MAC[2:],
        zalo_mac(VECTOR, secret="not-the-oa-secret"),
        zalo_mac(VECTOR, timestamp="1767225600001"),
        zalo_mac(VECTOR, first="4444444444444444444"),
    ],
    ids=["zeros", "short", "empty", "not-ascii", "app-secret", "other-time", "oa-id-first"],
)
def test_a_wrong_signature_is_refused_and_counted(gateway: Gateway, mac: str) -> None:
    before = refused("zalo", "bad_signature")
    assert gateway.zalo(VECTOR, mac=mac.encode().decode("latin-1")).status_code == 401
    assert refused("zalo", "bad_signature") == before + 1
    assert gateway.events() == []
    assert gateway.jobs() == []


def test_one_changed_byte_breaks_the_signature(gateway: Gateway) -> None:
    assert gateway.zalo(VECTOR.replace(b"text", b"texT", 1), mac=f"mac={VECTOR_MAC}").status_code == 401


def test_the_time_signed_may_be_the_header_s(gateway: Gateway) -> None:
    mac = zalo_mac(VECTOR, timestamp="1767225600777")
    assert gateway.zalo(VECTOR, mac=mac, **{"X-ZEvent-Timestamp": "1767225600777"}).status_code == 200


def test_an_oa_id_first_is_accepted_only_when_that_is_set(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    mac = zalo_mac(VECTOR, first="4444444444444444444")
    assert gateway.zalo(VECTOR, mac=mac).status_code == 401
    monkeypatch.setenv("ZALO_MAC_WITH_OA_ID", "true")
    lenient = Gateway(create_app(load_settings(), gateway.database).test_client(), gateway.database)
    assert lenient.zalo(VECTOR, mac=mac).status_code == 200


@pytest.mark.parametrize("name", [name for name in names("zalo") if name != "console_sample"])
def test_every_captured_event_is_stored_once_and_due_once(gateway: Gateway, name: str) -> None:
    body = captured("zalo", name)
    duplicates = counted("webhook_duplicates_total", "zalo")
    for _ in range(3):
        assert gateway.zalo(body).status_code == 200
    (event,) = gateway.events()
    assert event.payload == json.loads(body)
    assert gateway.ways(event) == 1
    assert counted("webhook_duplicates_total", "zalo") == duplicates + 2


def test_only_what_a_customer_says_waits_in_their_line(gateway: Gateway) -> None:
    for name in names("zalo"):
        gateway.zalo(captured("zalo", name))
    by_event = {event.id: event.name for event in gateway.events()}
    lines = {(by_event[job["args"]["event_id"]], job["lock"]) for job in gateway.jobs()}
    assert {name for name, _lock in lines} == {
        "user_send_text",
        "user_send_image",
        "user_send_gif",
        "user_send_link",
        "user_send_audio",
        "user_send_video",
        "user_send_sticker",
        "user_send_location",
        "user_send_file",
        "user_send_business_card",
        "user_submit_info",
        "follow",
        "user_click_chatnow",
    }
    assert {lock for _name, lock in lines} == {"zalo:2222222222222222222"}
    assert {event.name for event in gateway.events() if event.handle_from is None} == {name for name, _lock in lines}


def test_an_unknown_event_is_stored_and_counted(gateway: Gateway) -> None:
    before = counted("webhook_unknown_events_total", "zalo")
    assert gateway.zalo(captured("zalo", "unknown")).status_code == 200
    assert [event.name for event in gateway.events()] == ["user_did_something_new"]
    assert counted("webhook_unknown_events_total", "zalo") == before + 1


def test_the_unsigned_probe_and_the_console_s_sample_leave_nothing(gateway: Gateway) -> None:
    assert gateway.client.post("/webhooks/zalo", data=b"{}").status_code == 200
    assert gateway.client.post("/webhooks/zalo", data=b" {}\n").status_code == 200
    assert gateway.zalo(captured("zalo", "console_sample")).status_code == 200
    assert gateway.events() == []


def test_only_the_probe_may_come_unsigned(gateway: Gateway) -> None:
    assert gateway.client.post("/webhooks/zalo", data=VECTOR).status_code == 401
    assert gateway.client.post("/webhooks/zalo", data=b'{"a":1}').status_code == 400
    assert gateway.zalo(b"{}", mac="mac=" + "0" * 64).status_code == 400
    assert gateway.events() == []


def test_a_handshake_by_get_is_echoed_as_plain_text(gateway: Gateway) -> None:
    answer = gateway.client.get("/webhooks/zalo?hub.challenge=<b>1</b>")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "<b>1</b>", "text/plain")


@pytest.mark.parametrize(
    "body",
    [
        b'{"timestamp":"1"',
        b'["timestamp", {"timestamp":"1"}]',
        b'{"timestamp":"1","a":NaN}',
        b'{"timestamp":"1","a":Infinity}',
        b'{"timestamp":"1","a":"\xff"}',
        b'{"timestamp":"1","a":' + b"9" * 5000 + b"}",
        b'{"timestamp":"1","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["cut", "list", "nan", "infinity", "not-utf8", "endless-number", "deep"],
)
def test_signed_but_malformed_is_400_and_counted(gateway: Gateway, body: bytes) -> None:
    before = refused("zalo", "malformed")
    assert gateway.zalo(body, mac=zalo_mac(body, timestamp="1")).status_code == 400
    assert refused("zalo", "malformed") == before + 1
    assert gateway.events() == []


@pytest.mark.parametrize("body", [b"", b"nonsense", b"{", b"null"])
def test_unsigned_garbage_is_400(gateway: Gateway, body: bytes) -> None:
    assert gateway.client.post("/webhooks/zalo", data=body).status_code == 400


@pytest.mark.parametrize("depth", [50, 200, 400, 600, 800, 950, 2000])
def test_depth_is_stored_or_refused_but_never_an_error(gateway: Gateway, depth: int) -> None:
    body = b'{"event_name":"deep","timestamp":"1","a":' + b"[" * depth + b"]" * depth + b"}"
    status = gateway.zalo(body, mac=zalo_mac(body, timestamp="1")).status_code
    assert status in {200, 400}
    assert len(gateway.events()) == (status == 200)


def test_too_large_is_413_and_counted(gateway: Gateway) -> None:
    before = refused("any", "too_large")
    body = changed(VECTOR, filler="x" * MAX_BODY_BYTES)
    assert gateway.zalo(body).status_code == 413
    assert refused("any", "too_large") == before + 1
    assert gateway.events() == []


def test_too_large_without_a_declared_length_is_refused_too(gateway: Gateway) -> None:
    """It is read up to the limit only, and so cannot be rightly signed."""
    body = changed(VECTOR, filler="x" * MAX_BODY_BYTES)
    answer = gateway.client.post(
        "/webhooks/zalo",
        input_stream=BytesIO(body),
        headers={"Transfer-Encoding": "chunked", "X-ZEvent-Signature": zalo_mac(body)},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code in {401, 413}
    assert gateway.events() == []


def test_just_below_the_limit_is_taken(gateway: Gateway) -> None:
    room = MAX_BODY_BYTES - len(changed(VECTOR, filler=""))
    body = changed(VECTOR, filler="x" * room)
    assert len(body) == MAX_BODY_BYTES
    assert gateway.zalo(body).status_code == 200


def test_another_app_s_event_is_refused(gateway: Gateway) -> None:
    before = refused("zalo", "other_app")
    assert gateway.zalo(changed(VECTOR, app_id="9")).status_code == 403
    assert refused("zalo", "other_app") == before + 1
    assert gateway.events() == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (r"a\u0000b", "ab"),
        (r"a\ud800b", "a?b"),
        (r"\ud83d\ude00", "😀"),
        (r"a\ufffeb", "a\ufffeb"),
    ],
    ids=["nul", "lone-surrogate", "pair", "noncharacter"],
)
def test_characters_that_a_database_refuses_do_no_harm(gateway: Gateway, text: str, kept: str) -> None:
    body = VECTOR.replace("Tra cứu tiền điện".encode(), text.encode())
    assert gateway.zalo(body).status_code == 200
    (event,) = gateway.events()
    assert event.payload["message"]["text"] == kept


def test_odd_characters_in_names_ids_and_keys_do_no_harm(gateway: Gateway) -> None:
    odd = r"\u0000\ud800x"
    body = (
        f'{{"app_id":"1111111111111111111","timestamp":"1","event_name":"user_send_text{odd}","{odd}":1,'
        f'"sender":{{"id":"{odd}"}},"message":{{"msg_id":"{odd}","text":"{odd}"}}}}'
    ).encode()
    assert gateway.zalo(body).status_code == 200
    assert len(gateway.events()) == 1


@pytest.mark.parametrize("number", ["1e400", "-1e999", "1e308", "123456789012345678901234567890"])
def test_numbers_beyond_a_float_do_no_harm(gateway: Gateway, number: str) -> None:
    body = VECTOR.replace(b'"user_id_by_app":"3333333333333333333"', f'"user_id_by_app":{number}'.encode())
    assert gateway.zalo(body).status_code in {200, 400}


def test_ids_of_any_length_do_no_harm(gateway: Gateway) -> None:
    """An index entry holds at most 2.7 kB, and random text does not compress."""
    endless = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(200))
    for field in ("sender", "message"):
        message = {"sender": {"id": "2"}, "message": {"msg_id": f"short-{field}", "text": "a"}}
        message[field] = {**message[field], "id": endless, "msg_id": endless}
        body = changed(VECTOR, **message)
        assert gateway.zalo(body).status_code == 200
        assert gateway.zalo(body).status_code == 200
    assert len(gateway.events()) == 2


def test_nothing_is_acknowledged_that_is_not_stored(gateway: Gateway) -> None:
    gateway.client.application.config["PROPAGATE_EXCEPTIONS"] = False  # type: ignore[union-attr]
    with gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE procrastinate_jobs RENAME TO elsewhere")
    assert gateway.zalo(VECTOR).status_code == 500
    assert gateway.events() == []
    with gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO procrastinate_jobs")
    assert gateway.zalo(VECTOR).status_code == 200
    assert len(gateway.events()) == len(gateway.jobs()) == 1


def test_the_oa_secret_is_not_in_what_is_kept(gateway: Gateway) -> None:
    gateway.zalo(VECTOR)
    assert OA_SECRET not in json.dumps([event.payload for event in gateway.events()])

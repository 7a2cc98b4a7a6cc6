"""zalo.md §2: signatures, events, echoes, receipts, retries."""

from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from sandbox_remote import Remote, wait_until
from webhook_receiver import Received, Receiver

from sandbox.zalo.webhooks import mac

USER = "2222222222222222222"
Send = Callable[[str, Any], dict[str, Any]]


def signature(received: Received, secret: str) -> str:
    event = received.event
    data = event["app_id"].encode() + received.body + event["timestamp"].encode() + secret.encode()
    return f"mac={sha256(data).hexdigest()}"


def test_the_published_signature_vector() -> None:
    body = (
        '{"app_id":"1111111111111111111","sender":{"id":"2222222222222222222"},'
        '"user_id_by_app":"3333333333333333333","recipient":{"id":"4444444444444444444"},'
        '"event_name":"user_send_text","message":{"text":"Tra cứu tiền điện","msg_id":"aaaabbbbccccdddd0001"},'
        '"timestamp":"1767225600000"}'
    ).encode()
    assert len(body) == 286
    found = mac("1111111111111111111", body, "1767225600000", "emulator-oa-secret")
    assert found == "f5ff26582d76976e50cd5d6712281199b3208b7f31efcd62bbd51ec0d402926d"


def test_a_text_arrives_signed_with_the_oa_secret_and_unescaped(remote: Remote, receiver: Receiver) -> None:
    sent = remote.control("zalo/say", user=USER, text="Tra cứu tiền điện")
    [got] = receiver.named("user_send_text")
    assert "Tra cứu tiền điện".encode() in got.body
    assert got.headers["X-ZEvent-Signature"] == signature(got, remote.sandbox.settings.zalo_oa_secret_key)
    event = got.event
    assert got.headers["X-ZEvent-Timestamp"] == event["timestamp"] == "1795410000000"
    assert "num_retry" not in got.headers
    assert event["sender"] == {"id": USER}
    assert event["recipient"] == {"id": remote.sandbox.settings.zalo_oa_id}
    assert event["message"] == {"text": "Tra cứu tiền điện", "msg_id": sent["message_id"]}
    assert event["user_id_by_app"] not in {"", USER}


@pytest.mark.parametrize("how", ["bad", "missing"])
def test_a_signature_can_be_wrong_or_missing(remote: Remote, receiver: Receiver, how: str) -> None:
    remote.control("zalo/webhook/signing", signing=how)
    remote.control("zalo/say", user=USER, text="a")
    [got] = receiver.named("user_send_text")
    good = signature(got, remote.sandbox.settings.zalo_oa_secret_key)
    assert got.headers.get("X-ZEvent-Signature") != good
    assert ("X-ZEvent-Signature" in got.headers) == (how == "bad")


@pytest.mark.parametrize(
    ("said", "event", "attachment", "keys"),
    [
        ({"image": True}, "user_send_image", "image", {"url", "thumbnail"}),
        ({"gif": True}, "user_send_gif", "gif", {"url", "thumbnail"}),
        ({"audio": True}, "user_send_audio", "audio", {"url"}),
        ({"video": True}, "user_send_video", "video", {"url", "thumbnail", "description"}),
        ({"file": True}, "user_send_file", "file", {"url", "name", "size", "type", "checksum"}),
        ({"sticker": "xin-chao"}, "user_send_sticker", "sticker", {"id", "url"}),
        ({"location": {"latitude": 21.59, "longitude": 105.84}}, "user_send_location", "location", {"coordinates"}),
        ({"link": "https://example.org/"}, "user_send_link", "link", {"url", "thumbnail", "description"}),
        (
            {"business_card": {"name": "An", "phone": "0912345678"}},
            "user_send_business_card",
            "link",
            {"url", "thumbnail", "description"},
        ),
    ],
)
def test_every_kind_of_message_has_its_attachment(
    remote: Remote, receiver: Receiver, said: dict[str, Any], event: str, attachment: str, keys: set[str]
) -> None:
    remote.control("zalo/say", user=USER, **said)
    [got] = receiver.named(event)
    [sent] = got.event["message"]["attachments"]
    assert sent["type"] == attachment
    assert set(sent["payload"]) == keys


def test_what_a_person_sends_can_be_fetched(remote: Remote, receiver: Receiver) -> None:
    remote.control("zalo/say", user=USER, image=True)
    [got] = receiver.named("user_send_image")
    url = got.event["message"]["attachments"][0]["payload"]["url"]
    picture = remote.get(url.removeprefix(remote.base))
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")


def test_follow_chatnow_and_withdraw_name_the_person_elsewhere(remote: Remote, receiver: Receiver) -> None:
    oa_id = remote.sandbox.settings.zalo_oa_id
    remote.control("zalo/open", user=USER)
    remote.control("zalo/open", user=USER)
    remote.control("zalo/follow", user=USER)
    remote.control("zalo/unfollow", user=USER)
    remote.control("zalo/withdraw", user=USER)
    events = {r.name: r.event for r in receiver.wait_for(4)}
    assert len(receiver.received) == 4, "chatnow comes once per person"
    assert events["user_click_chatnow"]["user_id"] == USER
    assert events["follow"]["follower"] == {"id": USER}
    assert events["follow"]["oa_id"] == oa_id
    assert events["follow"]["source"] == "oa_profile"
    assert events["unfollow"]["follower"] == {"id": USER}
    assert events["user_withdraw"]["user_id"] == USER


def test_submitted_info_has_two_shapes(remote: Remote, receiver: Receiver) -> None:
    remote.control("zalo/submit_info", user=USER)
    remote.control("zalo/submit_info", user=USER, shape="old")
    new, old = (r.event for r in receiver.named("user_submit_info", 2))
    assert set(new["info"]) == {"name", "phone", "user_dob", "gender", "full_address"}
    assert set(old["info"]) == {"name", "phone", "address", "ward", "district", "city"}
    assert new["sender"] == {"id": USER}


def test_our_own_send_comes_back_without_admin_then_received_then_seen(
    remote: Remote, receiver: Receiver, cs: Send
) -> None:
    remote.control("zalo/say", user=USER, text="a")
    sent = cs(USER, {"text": "Chào quý khách"})["data"]["message_id"]
    [echo] = receiver.named("oa_send_text")
    assert echo.event["sender"] == {"id": remote.sandbox.settings.zalo_oa_id}
    assert echo.event["recipient"] == {"id": USER}
    assert echo.event["message"] == {"msg_id": sent, "text": "Chào quý khách"}
    assert remote.control("zalo/seen", user=USER) == {"message_ids": [sent]}
    [received] = receiver.named("user_received_message")
    assert received.event["message"] == {"msg_id": sent}
    [seen] = receiver.named("user_seen_message")
    assert seen.event["message"] == {"msg_ids": [sent]}
    assert remote.control("zalo/seen", user=USER) == {"message_ids": []}


def test_the_echo_may_come_before_the_answer_or_never(remote: Remote, receiver: Receiver, cs: Send) -> None:
    remote.control("zalo/say", user=USER, text="a")
    remote.control("zalo/options", echo="before")
    sent = cs(USER, {"text": "một"})["data"]["message_id"]
    assert [r.event["message"]["msg_id"] for r in receiver.received if r.name == "oa_send_text"] == [sent]
    remote.control("zalo/options", echo="off")
    cs(USER, {"text": "hai"})
    remote.control("zalo/say", user=USER, text="b")
    receiver.named("user_send_text", 2)
    assert len([r for r in receiver.received if r.name == "oa_send_text"]) == 1


def test_staff_write_with_an_admin_id(remote: Remote, receiver: Receiver) -> None:
    remote.control("zalo/staff_reply", user=USER, text="Tôi kiểm tra ngay")
    [echo] = receiver.named("oa_send_text")
    assert echo.event["sender"]["admin_id"]
    [shown] = remote.see("zalo/messages", user=USER)["messages"]
    assert (shown["author"], shown["text"]) == ("staff", "Tôi kiểm tra ngay")


def test_a_tap_is_a_text_with_the_payload(remote: Remote, receiver: Receiver, cs: Send) -> None:
    remote.control("zalo/say", user=USER, text="a")
    buttons = [
        {"title": "Xem hóa đơn", "type": "oa.query.show", "payload": "#bill:latest"},
        {"title": "Trang web", "type": "oa.open.url", "payload": {"url": "https://example.org"}},
        {"title": "Ẩn", "type": "oa.query.hide", "payload": "#hidden"},
    ]
    cs(USER, {"text": "Chọn", "attachment": {"type": "template", "payload": {"buttons": buttons}}})
    remote.control("zalo/tap", user=USER, button="Xem hóa đơn")
    remote.control("zalo/tap", user=USER, button="Trang web")
    remote.control("zalo/tap", user=USER, button="#hidden")
    texts = [r.event["message"]["text"] for r in receiver.named("user_send_text", 3)]
    assert texts == ["a", "#bill:latest", "#hidden"]
    nothing = remote.post("/control/zalo/tap", {"user": USER, "button": "Không có"})
    assert nothing.status_code == 404


def test_a_failed_delivery_is_repeated_up_the_ladder_then_unsubscribed(remote: Remote, receiver: Receiver) -> None:
    remote.control("zalo/webhook", time_scale=0.0001)
    receiver.answers.extend([500, 404, 500, 201, 302, 500])
    remote.control("zalo/say", user=USER, text="a")
    tries = receiver.wait_for(6)
    assert [t.headers.get("num_retry") for t in tries] == [None, "1", "2", "3", "4", "5"]
    assert len({t.body for t in tries}) == 1
    pauses = [later.at - earlier.at for earlier, later in pairwise(tries[1:])]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 0.3

    wait_until(lambda: not remote.see("zalo/webhook")["subscribed"])
    assert remote.see("zalo/webhook")["statuses"] == {"500": 3, "404": 1, "201": 1, "302": 1}
    remote.control("zalo/say", user=USER, text="b")
    assert remote.see("zalo/webhook")["dropped"] == 1
    remote.control("zalo/webhook", subscribed=True)
    remote.control("zalo/say", user=USER, text="c")
    assert receiver.named("user_send_text", 7)[-1].event["message"]["text"] == "c"


def test_a_late_answer_is_a_failure(remote: Remote, receiver: Receiver) -> None:
    remote.control("zalo/webhook", time_scale=0.0001)
    receiver.hold = 2.3
    remote.control("zalo/say", user=USER, text="a")
    receiver.wait_for(1)
    receiver.hold = 0
    first, second = receiver.wait_for(2)
    assert second.headers["num_retry"] == "1"
    assert 1.9 < second.at - first.at < 3
    wait_until(lambda: remote.see("zalo/webhook")["delivered"] == 1)
    assert remote.see("zalo/webhook")["statuses"]["timeout"] == 1


def test_events_of_one_person_keep_their_order(remote: Remote, receiver: Receiver) -> None:
    for n in range(20):
        remote.control("zalo/say", user=USER, text=str(n))
    got = [r.event["message"]["text"] for r in receiver.named("user_send_text", 20)]
    assert got == [str(n) for n in range(20)]


def test_duplicates_and_reordering_on_demand(remote: Remote, receiver: Receiver) -> None:
    remote.control("zalo/webhook", duplicates=1)
    remote.control("zalo/say", user=USER, text="hai lần")
    twice = receiver.wait_for(2)
    assert twice[0].body == twice[1].body
    remote.control("zalo/webhook", duplicates=0, hold=True)
    receiver.forget()
    for text in ("một", "hai", "ba"):
        remote.control("zalo/say", user=USER, text=text)
    assert remote.see("zalo/webhook")["held"] == 3
    assert remote.control("zalo/webhook/release", order="reversed") == {"released": 3}
    got = [r.event["message"]["text"] for r in receiver.wait_for(3)]
    assert got == ["ba", "hai", "một"]


def test_the_console_probes_without_and_with_a_signature(remote: Remote, receiver: Receiver) -> None:
    assert remote.control("zalo/webhook/probe") == {"status": 200}
    assert remote.control("zalo/webhook/sample") == {"status": 200}
    empty, sample = receiver.wait_for(2)
    assert empty.body == b"{}"
    assert "X-ZEvent-Signature" not in empty.headers
    assert sample.headers["X-ZEvent-Signature"] == signature(sample, remote.sandbox.settings.zalo_oa_secret_key)
    assert sample.event["message"]["msg_id"] == "This is message id"
    receiver.answers.append(403)
    assert remote.control("zalo/webhook/probe") == {"status": 403}


def test_any_event_can_be_sent(remote: Remote, receiver: Receiver) -> None:
    oa_id = remote.sandbox.settings.zalo_oa_id
    remote.control("zalo/event", event_name="change_oa_daily_quota", oaId=oa_id, quota={"new_value": "2000"})
    [got] = receiver.named("change_oa_daily_quota")
    assert got.event["quota"] == {"new_value": "2000"}
    assert got.event["app_id"] == remote.sandbox.settings.zalo_app_id

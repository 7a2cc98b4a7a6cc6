"""messenger.md §2, §3, §4, §8: challenge, signature, batches, events, retries, routing."""

import hmac
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from sandbox_remote import Remote, wait_until
from webhook_receiver import Received, Receiver

from sandbox.messenger.emulator import appsecret_proof
from sandbox.messenger.webhooks import signature, wire_json

USER = "24000000000000001"
INBOX = "263902037430900"
Send = Callable[..., dict[str, Any]]


def events(received: Received, key: str = "messaging") -> list[dict[str, Any]]:
    return [event for entry in received.event["entry"] for event in entry.get(key, [])]


def holding(what: str, key: str = "messaging") -> Callable[[Received], bool]:
    return lambda received: any(what in event for event in events(received, key))


def only(receiver: Receiver, what: str, key: str = "messaging") -> dict[str, Any]:
    [received] = receiver.wait_for(1, holding(what, key))
    [event] = events(received, key)
    return event


def test_the_published_signature_vectors() -> None:
    message = {"mid": "m_1", "text": "Tiền điện"}
    event = {"sender": {"id": "2"}, "recipient": {"id": "1"}, "timestamp": 1, "message": message}
    body = wire_json({"object": "page", "entry": [{"id": "1", "time": 1, "messaging": [event]}]})
    assert b"Ti\\u1ec1n \\u0111i\\u1ec7n" in body
    expected = "6b70f0e89917e1004a848ee0b5858126ec1d2937413272e7cccedd8c072a7277"
    assert signature(body, "test_app_secret") == f"sha256={expected}"
    expected = "596cbf9dee78d953a94438ce5d3d44d386afc2225780e20c39a7edf37d5496da"
    assert appsecret_proof("test_token", "test_app_secret") == expected


def test_a_text_arrives_signed_escaped_and_in_an_entry(remote: Remote, receiver: Receiver) -> None:
    sent = remote.control("messenger/say", user=USER, text="Tiền điện https://a.vn")
    [got] = receiver.wait_for(1)
    secret = remote.sandbox.settings.messenger_app_secret.encode()
    assert got.headers["X-Hub-Signature-256"] == f"sha256={hmac.digest(secret, got.body, sha256).hex()}"
    assert got.body.isascii()
    assert b"https:\\/\\/a.vn" in got.body
    page_id = remote.sandbox.settings.messenger_page_id
    [entry] = got.event["entry"]
    assert (got.event["object"], entry["id"], entry["time"]) == ("page", page_id, 1795410000000)
    assert entry["messaging"] == [
        {
            "sender": {"id": USER},
            "recipient": {"id": page_id},
            "timestamp": 1795410000000,
            "message": {"mid": sent["message_id"], "text": "Tiền điện https://a.vn"},
        }
    ]


@pytest.mark.parametrize(("how", "header"), [("bad", True), ("missing", False), ("sha1", False)])
def test_a_signature_can_be_wrong_missing_or_of_the_old_kind(
    remote: Remote, receiver: Receiver, how: str, header: bool
) -> None:
    remote.control("messenger/webhook/signing", signing=how)
    remote.control("messenger/say", user=USER, text="a")
    [got] = receiver.wait_for(1)
    assert got.headers.get("X-Hub-Signature-256") != signature(got.body, remote.sandbox.settings.messenger_app_secret)
    assert ("X-Hub-Signature-256" in got.headers) == header
    assert ("X-Hub-Signature" in got.headers) == (how == "sha1")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"image": True}, "image"),
        ({"audio": True}, "audio"),
        ({"video": True}, "video"),
        ({"file": True}, "file"),
        ({"sticker": "xin-chao"}, "sticker"),
        ({"location": {"latitude": 21.59, "longitude": 105.84}}, "fallback"),
        ({"link": "https://a.vn"}, "fallback"),
    ],
)
def test_attachments(remote: Remote, receiver: Receiver, said: dict[str, Any], kind: str) -> None:
    remote.control("messenger/say", user=USER, **said)
    [attachment] = only(receiver, "message")["message"]["attachments"]
    assert attachment["type"] == kind
    assert attachment["payload"]["url"].startswith("http")


def test_the_challenge_is_asked_as_meta_asks(remote: Remote, receiver: Receiver) -> None:
    receiver.verify_token = remote.sandbox.settings.messenger_verify_token
    assert remote.control("messenger/webhook/verify", challenge="xin") == {"status": 200, "body": "xin"}
    assert remote.control("messenger/webhook/verify", token="wrong")["status"] == 403


def test_our_message_comes_back_with_app_and_metadata_then_delivered_then_read(
    remote: Remote, receiver: Receiver, send: Send
) -> None:
    remote.control("messenger/say", user=USER, text="a")
    mid = send(USER, {"text": "Chào quý khách", "metadata": "out-7"})["message_id"]
    [got] = receiver.wait_for(1, lambda r: b"is_echo" in r.body)
    [echo] = events(got)
    assert echo["sender"] == {"id": remote.sandbox.settings.messenger_page_id}
    assert echo["recipient"] == {"id": USER}
    assert echo["message"] == {
        "is_echo": True,
        "app_id": int(remote.sandbox.settings.messenger_app_id),
        "mid": mid,
        "text": "Chào quý khách",
        "metadata": "out-7",
    }
    remote.control("messenger/seen", user=USER)
    delivery = only(receiver, "delivery")
    assert delivery["delivery"] == {"watermark": 1795410000000, "mids": [mid]}
    assert "timestamp" not in delivery
    assert only(receiver, "read")["read"] == {"watermark": 1795410000000}
    assert remote.control("messenger/seen", user=USER) == {"message_ids": []}


def test_deliveries_need_not_name_messages(remote: Remote, receiver: Receiver, send: Send) -> None:
    remote.control("messenger/options", delivery_mids=False, receipts="auto")
    remote.control("messenger/say", user=USER, text="a")
    send(USER, {"text": "b"})
    assert set(only(receiver, "delivery")["delivery"]) == {"watermark"}
    only(receiver, "read")


def test_taps(remote: Remote, receiver: Receiver, send: Send) -> None:
    remote.control("messenger/say", user=USER, text="a")
    payload = {
        "template_type": "button",
        "text": "Chọn",
        "buttons": [
            {"type": "postback", "title": "Hóa đơn", "payload": "BILL"},
            {"type": "web_url", "title": "Trang", "url": "https://a.vn"},
        ],
    }
    send(USER, {"attachment": {"type": "template", "payload": payload}})
    send(USER, {"text": "Đúng không?", "quick_replies": [{"content_type": "text", "title": "Đúng", "payload": "YES"}]})
    remote.control("messenger/tap", user=USER, button="Đúng")
    [tapped] = receiver.wait_for(1, lambda r: b"quick_reply" in r.body)
    message = events(tapped)[0]["message"]
    assert (message["text"], message["quick_reply"]) == ("Đúng", {"payload": "YES"})
    gone = remote.post("/control/messenger/tap", {"user": USER, "button": "Đúng"})
    assert gone.status_code == 404, "quick replies vanish after the next message"
    remote.control("messenger/tap", user=USER, button="Trang")
    remote.control("messenger/tap", user=USER, button="Hóa đơn")
    postback = only(receiver, "postback")["postback"]
    assert (postback["title"], postback["payload"]) == ("Hóa đơn", "BILL")
    assert postback["mid"].startswith("m_")


def test_an_m_me_link_in_a_new_and_in_an_existing_thread(page: Remote, receiver: Receiver) -> None:
    assert page.control("messenger/m_me", user=USER, ref="nonce-1") == {"existing": False}
    assert page.post("/control/messenger/get_started", {"user": USER}).status_code == 404
    page.post("/messenger/v25.0/me/messenger_profile", {"get_started": {"payload": "START"}})
    page.control("messenger/get_started", user=USER)
    postback = only(receiver, "postback")["postback"]
    assert postback["payload"] == "START"
    assert postback["referral"] == {"ref": "nonce-1", "source": "SHORTLINK", "type": "OPEN_THREAD"}
    page.control("messenger/clock", advance_seconds=25 * 3600)
    assert page.control("messenger/m_me", user=USER, ref="nonce-2") == {"existing": True}
    assert only(receiver, "referral")["referral"]["ref"] == "nonce-2"


def test_reactions_and_edits(remote: Remote, receiver: Receiver) -> None:
    mid = remote.control("messenger/say", user=USER, text="hoa don")["message_id"]
    remote.control("messenger/edit", user=USER, message_id=mid, text="hóa đơn")
    assert only(receiver, "message_edit")["message_edit"] == {"mid": mid, "text": "hóa đơn", "num_edit": 1}
    remote.control("messenger/react", user=USER, message_id=mid, emoji="👍")
    assert only(receiver, "reaction")["reaction"]["action"] == "react"


def test_batches_mix_entries_and_events(remote: Remote, receiver: Receiver) -> None:
    remote.control("messenger/webhook", hold=True)
    for n in range(5):
        remote.control("messenger/say", user=USER, text=str(n))
    assert remote.control("messenger/webhook/release", batch=True) == {"released": 5}
    [got] = receiver.wait_for(1)
    assert [len(entry["messaging"]) for entry in got.event["entry"]] == [2, 2, 1]
    assert [e["message"]["text"] for e in events(got)] == ["0", "1", "2", "3", "4"]
    assert got.headers["X-Hub-Signature-256"] == signature(got.body, remote.sandbox.settings.messenger_app_secret)


def test_an_hour_of_failures_unsubscribes_the_app(page: Remote, receiver: Receiver) -> None:
    page.control("messenger/webhook", time_scale=0.00001)
    receiver.answers.extend([500] * 9)
    page.control("messenger/say", user=USER, text="a")
    wait_until(lambda: not page.see("messenger/webhook")["subscribed"])
    assert page.see("messenger/webhook")["attempts"] == 9
    assert page.get("/messenger/v25.0/me/subscribed_apps").json() == {"data": []}
    page.control("messenger/say", user=USER, text="lost")
    assert page.see("messenger/webhook")["dropped"] == 1
    answer = page.post("/messenger/v25.0/me/subscribed_apps", params={"subscribed_fields": "messages,message_echoes"})
    assert answer.json() == {"success": True}
    page.control("messenger/say", user=USER, text="b")
    assert events(receiver.wait_for(10)[-1])[0]["message"]["text"] == "b"
    [app] = page.get("/messenger/v25.0/me/subscribed_apps").json()["data"]
    assert app["subscribed_fields"] == ["messages", "message_echoes"]


def test_only_subscribed_fields_come(page: Remote, receiver: Receiver, send: Send) -> None:
    page.post("/messenger/v25.0/me/subscribed_apps", {"subscribed_fields": ["messages"]})
    page.control("messenger/options", echo="before")
    page.control("messenger/say", user=USER, text="a")
    send(USER, {"text": "b"})
    page.control("messenger/say", user=USER, text="c")
    got = receiver.wait_for(2)
    assert [events(r)[0]["message"]["text"] for r in got] == ["a", "c"]


def test_an_agent_in_the_inbox_takes_the_thread(page: Remote, receiver: Receiver, send: Send) -> None:
    page.control("messenger/say", user=USER, text="a")
    payload = {
        "template_type": "button",
        "text": "Chọn",
        "buttons": [{"type": "postback", "title": "Hóa đơn", "payload": "BILL"}],
    }
    send(USER, {"attachment": {"type": "template", "payload": payload}})
    page.control("messenger/staff_reply", user=USER, text="Tôi là Lan")
    taken = only(receiver, "take_thread_control")["take_thread_control"]
    assert taken["new_owner_app_id"] == INBOX
    assert taken["previous_owner_app_id"] == page.sandbox.settings.messenger_app_id
    [echo] = receiver.wait_for(1, holding("message", "standby"))
    assert events(echo, "standby")[0]["message"]["app_id"] == int(INBOX)
    page.control("messenger/tap", user=USER, button="Hóa đơn")
    postback = only(receiver, "postback", "standby")["postback"]
    assert "payload" not in postback
    assert postback["title"] == "Hóa đơn"
    assert send(USER, {"text": "b"})["error"]["code"] == 2018300
    owner = page.get("/messenger/v25.0/me/thread_owner", recipient=USER).json()["data"][0]["thread_owner"]
    assert owner["app_id"] == INBOX
    page.control("messenger/hand_back", user=USER)
    assert only(receiver, "pass_thread_control")["pass_thread_control"]["previous_owner_app_id"] == INBOX
    assert "message_id" in send(USER, {"text": "b"})


def test_control_lapses_after_a_day_and_can_be_taken(page: Remote, send: Send) -> None:
    page.control("messenger/say", user=USER, text="a")
    page.control("messenger/staff_reply", user=USER, text="Tôi là Lan")
    assert page.post("/messenger/v25.0/me/pass_thread_control", thread(target_app_id="1")).status_code == 400
    assert page.post("/messenger/v25.0/me/take_thread_control", thread()).json() == {"success": True}
    assert "message_id" in send(USER, {"text": "b"})
    page.control("messenger/staff_reply", user=USER, text="Tôi đây")
    page.control("messenger/clock", advance_seconds=24 * 3600 + 1)
    page.control("messenger/say", user=USER, text="còn ai không")
    assert "message_id" in send(USER, {"text": "c"})
    assert page.post("/messenger/v25.0/me/release_thread_control", thread()).json() == {"success": True}
    assert page.get("/messenger/v25.0/me/thread_owner", recipient=USER).json() == {"data": []}


def test_without_routing_everybody_may_write(page: Remote, receiver: Receiver, send: Send) -> None:
    page.control("messenger/options", routing="zero_config")
    page.control("messenger/say", user=USER, text="a")
    page.control("messenger/staff_reply", user=USER, text="Tôi là Lan")
    [echo] = receiver.wait_for(1, lambda r: b"is_echo" in r.body)
    assert events(echo)[0]["message"]["app_id"] == int(INBOX)
    assert "message_id" in send(USER, {"text": "b"})
    assert not [r for r in receiver.received if b"take_thread_control" in r.body]


def test_any_event_can_be_sent(remote: Remote, receiver: Receiver) -> None:
    event = {"recipient": {"id": "1"}, "policy_enforcement": {"action": "block", "reason": "r"}}
    remote.control("messenger/event", event=event)
    [got] = receiver.wait_for(1)
    assert events(got) == [event]
    assert json.loads(got.body)["object"] == "page"


def thread(**fields: str) -> dict[str, Any]:
    return {"recipient": {"id": USER}, "metadata": "m", **fields}

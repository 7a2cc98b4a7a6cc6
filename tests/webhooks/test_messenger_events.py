"""Every event of messenger.md §3 as it was captured, and what it means to us."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from gateway import META_APP_ID, PAGE_ID, captured, names

from bot.channels.messenger.inbound import events, parse
from bot.messages import Attachment, Inbound, InboundKind

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CDN = "https://scontent.xx.fbcdn.net/v"

MEANINGS: dict[str, tuple[InboundKind, dict[str, Any]]] = {
    "text": (InboundKind.TEXT, {"text": "Tiền điện tháng này", "key": "message:m_1", "payload": None}),
    "quick_reply": (InboundKind.BUTTON, {"text": "Xem tiền điện", "payload": "#td.tap"}),
    "reply_to": (InboundKind.TEXT, {"text": "cái này là sao", "message_id": "m_3"}),
    "image": (InboundKind.IMAGE, {"attachments": (Attachment(url=f"{CDN}/a.jpg"),), "text": ""}),
    "images": (
        InboundKind.IMAGE,
        {"attachments": (Attachment(url=f"{CDN}/1.jpg"), Attachment(url=f"{CDN}/2.jpg"))},
    ),
    "image_with_text": (
        InboundKind.IMAGE,
        {"text": "ảnh công tơ", "attachments": (Attachment(url=f"{CDN}/b.jpg"),)},
    ),
    "audio": (InboundKind.AUDIO, {"attachments": (Attachment(url=f"{CDN}/a.mp4"),)}),
    "video": (InboundKind.VIDEO, {}),
    "file": (InboundKind.FILE, {"attachments": (Attachment(url=f"{CDN}/hoadon.pdf"),)}),
    "sticker": (InboundKind.STICKER, {"thumbs_up": True}),
    "sticker_as_image": (InboundKind.STICKER, {"thumbs_up": True}),
    "location": (InboundKind.LOCATION, {"latitude": 21.5942, "longitude": 105.8482}),
    "reel": (InboundKind.LINK, {}),
    "ig_reel": (InboundKind.LINK, {}),
    "post": (InboundKind.LINK, {}),
    "ig_post": (InboundKind.LINK, {}),
    "appointment_booking": (InboundKind.LINK, {}),
    "fallback": (InboundKind.LINK, {"attachments": (Attachment(name="CSKH"),)}),
    "ad_referral": (InboundKind.TEXT, {"text": "tư vấn giúp tôi", "referral": "chien-dich-1"}),
    "echo_own": (InboundKind.ECHO, {"by_staff": False, "echo_of": "event-1-reply-0", "message_id": "m_out_1"}),
    "echo_own_without_metadata": (InboundKind.ECHO, {"by_staff": False, "echo_of": None}),
    "echo_by_staff": (InboundKind.ECHO, {"by_staff": True, "text": "Chào bác, cháu là Lan."}),
    "echo_template": (InboundKind.ECHO, {"by_staff": False, "echo_of": "event-1-reply-1"}),
    "postback": (InboundKind.BUTTON, {"text": "Xem tiền điện", "payload": "#td.tap", "key": "postback:m_30"}),
    "postback_without_payload": (InboundKind.OTHER, {"payload": None}),
    "postback_time_as_text": (InboundKind.BUTTON, {"payload": "GET_STARTED", "referral": "to-roi"}),
    "referral": (InboundKind.OPENED, {"referral": "to-roi-xa-binh-yen"}),
    "optin": (InboundKind.OTHER, {"name": "optin"}),
    "optin_once": (InboundKind.OTHER, {"name": "optin"}),
    "delivery": (InboundKind.DELIVERED, {"message_ids": ("m_out_1", "m_out_2"), "watermark": AT}),
    "delivery_without_mids": (InboundKind.DELIVERED, {"message_ids": (), "watermark": AT}),
    "read": (InboundKind.SEEN, {"message_ids": (), "watermark": AT}),
    "pass_thread_control": (InboundKind.HANDBACK, {"name": "pass_thread_control"}),
    "take_thread_control": (InboundKind.TAKEOVER, {}),
    "request_thread_control": (InboundKind.OTHER, {"name": "request_thread_control"}),
    "app_roles": (InboundKind.OTHER, {"name": "app_roles", "user_id": None}),
    "standby_text": (InboundKind.OTHER, {"name": "standby.message", "text": "cảm ơn cháu"}),
    "standby_postback": (InboundKind.OTHER, {"name": "standby.postback"}),
    "standby_echo": (InboundKind.ECHO, {"by_staff": True, "text": "Vâng bác."}),
    "standby_read": (InboundKind.SEEN, {"watermark": AT}),
    "message_edit": (InboundKind.OTHER, {"name": "message_edit"}),
    "reaction": (InboundKind.REACTION, {}),
    "unreact": (InboundKind.REACTION, {}),
    "account_linking": (InboundKind.OTHER, {"name": "account_linking"}),
    "policy_enforcement": (InboundKind.OTHER, {"name": "policy_enforcement", "user_id": None}),
    "template_status": (InboundKind.TEMPLATE, {"name": "message_template_status_update", "user_id": None}),
    "template_status_other_name": (
        InboundKind.TEMPLATE,
        {"name": "messenger_template_status_update", "user_id": None},
    ),
    "unknown": (InboundKind.OTHER, {"name": "something_new"}),
}
WITHOUT_A_TIME = {"delivery", "delivery_without_mids", "template_status", "template_status_other_name"}
"""Their own time is the moment of reading (the samples carry none)."""


def read(name: str) -> list[Inbound]:
    batch = json.loads(captured("messenger", name))
    return [parse(event, page_id=PAGE_ID, app_id=META_APP_ID) for event in events(batch)]


def test_each_captured_event_has_a_meaning() -> None:
    assert names("messenger") == sorted([*MEANINGS, "batch"])


@pytest.mark.parametrize("name", MEANINGS)
def test_captured_event(name: str) -> None:
    kind, fields = MEANINGS[name]
    (event,) = read(name)
    assert event.kind is kind
    expected = {"user_id": "2", "by_staff": False, **fields}
    assert {field: getattr(event, field) for field in expected} == expected
    if name not in WITHOUT_A_TIME:
        assert event.at == AT


def test_no_two_events_share_a_key() -> None:
    keys = [event.key for name in names("messenger") for event in read(name)]
    twice_in_the_fixtures = {event.key for event in read("template_status")}
    assert {key for key in keys if keys.count(key) > 1} <= twice_in_the_fixtures | {read("read")[0].key}


def test_the_key_is_the_same_each_time() -> None:
    for name in names("messenger"):
        assert [event.key for event in read(name)] == [event.key for event in read(name)]


def test_all_events_of_all_entries_are_read() -> None:
    batch = json.loads(captured("messenger", "batch"))
    found = [(event["page_id"], event["source"]) for event in events(batch)]
    assert found == [
        ("1", "messaging"),
        ("1", "messaging"),
        ("999", "messaging"),
        ("1", "standby"),
        ("1", "changes"),
        ("1", "messaging"),
    ]
    assert [event.text for event in read("batch") if event.kind is InboundKind.TEXT] == [
        "một",
        "hai",
        "trang khác",
        "bốn",
    ]


def test_without_our_app_id_an_echo_that_is_not_marked_as_ours_is_a_person_s() -> None:
    (event,) = events(json.loads(captured("messenger", "echo_own_without_metadata")))
    assert parse(event, page_id=PAGE_ID).by_staff
    (marked,) = events(json.loads(captured("messenger", "echo_own")))
    assert not parse(marked, page_id=PAGE_ID).by_staff

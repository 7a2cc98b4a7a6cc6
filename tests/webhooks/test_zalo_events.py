"""Every event of zalo.md §2 as it was captured, and what it means to us."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from gateway import captured, names

from bot.channels.zalo.inbound import is_console_sample, parse
from bot.messages import Attachment, Inbound, InboundKind

USER = "2222222222222222222"
AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PHOTOS = "https://photo-stal-1.zdn.vn"
ON_THE_MAP: dict[str, Any] = {"latitude": 21.5942, "longitude": 105.8482}

MEANINGS: dict[str, tuple[InboundKind, dict[str, Any]]] = {
    "user_send_text": (InboundKind.TEXT, {"text": "Tra cứu tiền điện", "key": "user_send_text:aaaabbbbccccdddd0001"}),
    "user_send_text_reply": (InboundKind.TEXT, {"text": "còn tháng trước?", "message_id": "aaaabbbbccccdddd0002"}),
    "user_send_text_number_ids": (
        InboundKind.TEXT,
        {"text": "mai co cat dien ko", "message_id": "aaaabbbbccccdddd0003"},
    ),
    "user_send_image": (
        InboundKind.IMAGE,
        {"text": "ảnh công tơ nhà tôi", "attachments": (Attachment(url=f"{PHOTOS}/a1b2.jpg"),)},
    ),
    "user_send_images": (
        InboundKind.IMAGE,
        {"attachments": (Attachment(url=f"{PHOTOS}/p1.jpg"), Attachment(url=f"{PHOTOS}/p2.jpg"))},
    ),
    "user_send_gif": (InboundKind.IMAGE, {"attachments": (Attachment(url=f"{PHOTOS}/g.gif"),)}),
    "user_send_link": (InboundKind.LINK, {"attachments": (Attachment(url="https://cskh.npc.com.vn/"),)}),
    "user_send_audio": (InboundKind.AUDIO, {"attachments": (Attachment(url="https://voice.zdn.vn/v.amr"),)}),
    "user_send_video": (InboundKind.VIDEO, {"attachments": (Attachment(url="https://video.zdn.vn/v.mp4"),)}),
    "user_send_sticker": (InboundKind.STICKER, {"text": ""}),
    "user_send_location": (InboundKind.LOCATION, ON_THE_MAP),
    "user_send_location_numbers": (InboundKind.LOCATION, ON_THE_MAP),
    "user_send_file": (
        InboundKind.FILE,
        {"attachments": (Attachment(url="https://file.zdn.vn/f/hoadon.pdf", name="hoadon.pdf", size=48213),)},
    ),
    "user_send_business_card": (InboundKind.CONTACT_INFO, {"info": {"phone": "0912345678"}}),
    "user_submit_info": (
        InboundKind.CONTACT_INFO,
        {
            "info": {
                "name": "Ma Thị Hoa",
                "phone": "84912345678",
                "address": "Xóm 5",
                "ward": "Xã Bình Yên",
                "city": "Thái Nguyên",
            }
        },
    ),
    "user_submit_info_old": (
        InboundKind.CONTACT_INFO,
        {
            "info": {
                "name": "Ma Thị Hoa",
                "phone": "0912345678",
                "address": "Xóm 5",
                "ward": "Bình Yên",
                "city": "Thái Nguyên",
            }
        },
    ),
    "follow": (InboundKind.FOLLOW, {}),
    "unfollow": (InboundKind.UNFOLLOW, {}),
    "user_click_chatnow": (InboundKind.OPENED, {}),
    "user_received_message": (InboundKind.DELIVERED, {"message_ids": ("aaaabbbbccccdddd9001",)}),
    "user_seen_message": (InboundKind.SEEN, {"message_ids": ("aaaabbbbccccdddd9001", "aaaabbbbccccdddd9002")}),
    "user_seen_message_single": (InboundKind.SEEN, {"message_ids": ("aaaabbbbccccdddd9001",)}),
    "user_reacted_message": (InboundKind.REACTION, {}),
    "oa_reacted_message": (InboundKind.OTHER, {}),
    "user_withdraw": (InboundKind.WITHDRAW, {}),
    "update_user_info": (InboundKind.OTHER, {"user_id": None}),
    "add_user_to_tag": (InboundKind.OTHER, {"user_id": None}),
    "remove_user_from_tag": (InboundKind.OTHER, {"user_id": None}),
    "remove_tag": (InboundKind.OTHER, {"user_id": None}),
    "oa_send_text": (
        InboundKind.ECHO,
        {
            "by_staff": False,
            "message_id": "aaaabbbbccccdddd9001",
            "text": "Tiền điện tháng 10 của quý khách: 512.340 đ",
        },
    ),
    "oa_send_text_by_staff": (
        InboundKind.ECHO,
        {"by_staff": True, "text": "Chào bác, cháu là Lan ở điện lực.", "message_id": "aaaabbbbccccdddd9101"},
    ),
    "oa_send_image": (InboundKind.ECHO, {"by_staff": False, "text": "Quét mã để trả"}),
    "oa_send_image_by_staff": (InboundKind.ECHO, {"by_staff": True}),
    "oa_send_gif": (InboundKind.ECHO, {"by_staff": False}),
    "oa_send_list": (InboundKind.ECHO, {"by_staff": False}),
    "oa_send_file": (InboundKind.ECHO, {"by_staff": False}),
    "oa_send_sticker": (InboundKind.ECHO, {"by_staff": False}),
    "oa_send_template": (InboundKind.ECHO, {"by_staff": False}),
    "oa_send_request_user_info": (InboundKind.ECHO, {"by_staff": False}),
    "oa_send_consent": (InboundKind.OTHER, {}),
    "oa_send_group_text": (InboundKind.OTHER, {"by_staff": False, "user_id": "6666666666666666666"}),
    "user_send_group_text": (InboundKind.OTHER, {"user_id": None}),
    "anonymous_send_text": (InboundKind.OTHER, {"user_id": "7777777777777777777"}),
    "oa_send_anonymous_text": (InboundKind.OTHER, {"by_staff": False, "user_id": "7777777777777777777"}),
    "zbs_received": (InboundKind.TEMPLATE, {"user_id": "84912345678", "message_id": "zbs0001"}),
    "zbs_user_feedback": (InboundKind.TEMPLATE, {"user_id": None, "message_id": "zbs0002"}),
    "zbs_user_click_response_button": (InboundKind.TEMPLATE, {"user_id": None}),
    "zbs_change_oa_daily_quota": (InboundKind.TEMPLATE, {"user_id": None}),
    "zbs_change_template_quality": (InboundKind.TEMPLATE, {"user_id": None}),
    "zbs_change_template_status": (InboundKind.TEMPLATE, {"user_id": None}),
    "zbs_change_template_quota": (InboundKind.TEMPLATE, {"user_id": None}),
    "zbs_change_oa_template_tags": (InboundKind.TEMPLATE, {"user_id": None}),
    "zbs_event_journey_acknowledged": (InboundKind.TEMPLATE, {"user_id": None}),
    "zbs_event_journey_time_out": (InboundKind.TEMPLATE, {"user_id": None}),
    "unknown": (InboundKind.OTHER, {"user_id": None, "name": "user_did_something_new"}),
    "console_sample": (InboundKind.TEXT, {"user_id": "246845883529197922"}),
}


def read(name: str) -> Inbound:
    body = captured("zalo", name)
    return parse(json.loads(body), raw_body=body)


def test_each_captured_event_has_a_meaning() -> None:
    assert names("zalo") == sorted(MEANINGS)


@pytest.mark.parametrize("name", MEANINGS)
def test_captured_event(name: str) -> None:
    kind, fields = MEANINGS[name]
    event = read(name)
    assert event.kind is kind
    assert event.at == AT
    expected = {"user_id": USER, "by_staff": False, **fields}
    assert {field: getattr(event, field) for field in expected} == expected


def test_only_the_console_s_own_sample_is_one() -> None:
    assert [name for name in MEANINGS if is_console_sample(read(name))] == ["console_sample"]


def test_no_two_events_share_a_key() -> None:
    keys = [read(name).key for name in MEANINGS]
    repeated = {key for key in keys if keys.count(key) > 1}
    same_message = {"user_received_message:aaaabbbbccccdddd9001", "user_seen_message:aaaabbbbccccdddd9001"}
    assert repeated <= same_message


def test_an_event_without_a_message_id_is_known_by_its_body() -> None:
    body = captured("zalo", "follow")
    later = body.replace(b"1795489200000", b"1795489200001")
    keys = {parse(json.loads(raw), raw_body=raw).key for raw in (body, later, body)}
    assert len(keys) == 2
    assert all(key.startswith("follow:") for key in keys)

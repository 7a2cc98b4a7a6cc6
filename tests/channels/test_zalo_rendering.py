import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.splitting import length
from bot.channels.zalo import rendering
from bot.channels.zalo.rendering import LIMITS, phone_code, render
from bot.messages import Button, OutMessage

BUTTONS = st.lists(
    st.builds(Button, title=st.sampled_from(["Tiền điện", "Thanh toán", "Lịch cắt điện"]), payload=st.just("#x"))
    | st.builds(Button, title=st.just("Trang"), url=st.just("https://example.vn/a"))
    | st.builds(Button, title=st.just("Gọi"), phone=st.just("19006769")),
    max_size=9,
).map(tuple)
MESSAGES = st.builds(
    OutMessage,
    text=st.text(max_size=30) | st.integers(1, 120).map(lambda n: "Số tiền là 512.340 đ. Điện\u0303 ế\n" * n),
    buttons=BUTTONS,
    media_id=st.none() | st.just(7),
)


@given(MESSAGES)
def test_each_part_is_one_call_zalo_takes(message: OutMessage) -> None:
    parts = render(message)
    for part in parts:
        assert length(part.text) <= LIMITS.text
        assert len(part.buttons) <= LIMITS.buttons
        assert unicodedata.is_normalized("NFC", part.text)
        assert not (part.buttons and part.media_id)
        assert part.text or part.media_id
        assert length(rendering.as_numbered_text(part)["text"]) <= LIMITS.text or not part.buttons
        assert render(part) == [part]
    assert [p.media_id for p in parts if p.media_id] == ([7] if message.media_id else [])
    assert [b for p in parts for b in p.buttons] == list(message.buttons[: LIMITS.buttons])
    assert not any(p.buttons for p in parts[:-1])


def test_decomposed_vietnamese_leaves_composed() -> None:
    [part] = render(OutMessage(text=unicodedata.normalize("NFD", "Tiền điện tháng này")))
    assert part.text == "Tiền điện tháng này"


def test_buttons_above_five_are_told_in_the_text() -> None:
    taps = tuple(Button(title=f"Nhà {n}", payload=f"#h:{n}") for n in range(1, 8))
    links = (Button(title="Thanh toán", url="https://example.vn/p"), Button(title="Tổng đài", phone="19006769"))
    [part] = render(OutMessage(text="Chọn mã nào?", buttons=taps + links))
    assert [b.title for b in part.buttons] == ["Nhà 1", "Nhà 2", "Nhà 3", "Nhà 4", "Nhà 5"]
    assert part.text == (
        "Chọn mã nào?\nThanh toán: https://example.vn/p\nTổng đài: 19006769\nHoặc quý khách nhắn: “Nhà 6”, “Nhà 7”."
    )


def test_a_picture_goes_with_the_text_unless_buttons_do() -> None:
    tap = (Button(title="Xong", payload="#done"),)
    assert render(OutMessage(text="Mã QR", media_id=7)) == [OutMessage(text="Mã QR", media_id=7)]
    assert render(OutMessage(text="Mã QR", media_id=7, buttons=tap)) == [
        OutMessage(media_id=7),
        OutMessage(text="Mã QR", buttons=tap),
    ]


def test_buttons_need_some_text() -> None:
    [part] = render(OutMessage(buttons=(Button(title="Xong", payload="#done"),)))
    assert part.text == "Mời quý khách chọn:"


def test_an_empty_message_has_no_parts() -> None:
    assert render(OutMessage(text="  ")) == []


def test_the_json_of_zalo() -> None:
    message = OutMessage(
        text="Chọn:",
        buttons=(
            Button(title="Tiền điện", payload="#bill"),
            Button(title="Trang", url="https://example.vn"),
            Button(title="Gọi", phone="0912 345 678"),
        ),
    )
    assert rendering.as_buttons(message) == {
        "text": "Chọn:",
        "attachment": {
            "type": "template",
            "payload": {
                "buttons": [
                    {"title": "Tiền điện", "type": "oa.query.hide", "payload": "#bill"},
                    {"title": "Trang", "type": "oa.open.url", "payload": {"url": "https://example.vn"}},
                    {"title": "Gọi", "type": "oa.open.phone", "payload": {"phone_code": "84912345678"}},
                ]
            },
        },
    }
    assert rendering.as_numbered_text(message) == {
        "text": "Chọn:\nQuý khách nhắn số để chọn:\n1. Tiền điện\n2. Trang: https://example.vn\n3. Gọi: 0912 345 678"
    }
    assert rendering.as_picture(OutMessage(text="Mã QR", media_id=1), {"attachment_id": "a1"}) == {
        "text": "Mã QR",
        "attachment": {
            "type": "template",
            "payload": {"template_type": "media", "elements": [{"media_type": "image", "attachment_id": "a1"}]},
        },
    }


@pytest.mark.parametrize(
    ("phone", "code"), [("0912345678", "84912345678"), ("+84 912 345 678", "84912345678"), ("1900 6769", "19006769")]
)
def test_phone_codes(phone: str, code: str) -> None:
    assert phone_code(phone) == code

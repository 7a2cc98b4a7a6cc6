import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.messenger.rendering import LIMITS, as_message, button_titles, international, render
from bot.channels.splitting import length
from bot.messages import Button, OutMessage

BUTTONS = st.lists(
    st.builds(
        Button,
        title=st.sampled_from(["Tiền điện", "Thanh toán", "Lịch ngừng cấp điện tuần này", "Lịch ngừng cấp điện mai"]),
        payload=st.just("#x"),
    )
    | st.builds(Button, title=st.just("Trang"), url=st.just("https://example.vn/a"))
    | st.builds(Button, title=st.just("Gọi"), phone=st.sampled_from(["19006769", "0912345678"])),
    max_size=18,
).map(tuple)
MESSAGES = st.builds(
    OutMessage,
    text=st.text(max_size=30) | st.integers(1, 120).map(lambda n: "Số tiền là 512.340 đ. Điện\u0303 ế\n" * n),
    buttons=BUTTONS,
    media_id=st.none() | st.just(7),
)


def taps(count: int) -> tuple[Button, ...]:
    return tuple(Button(title=f"Nhà {n}", payload=f"#h:{n}") for n in range(1, count + 1))


@given(MESSAGES)
def test_each_part_is_one_call_messenger_takes(message: OutMessage) -> None:
    parts = render(message)
    for part in parts:
        assert unicodedata.is_normalized("NFC", part.text)
        assert bool(part.media_id) != bool(part.text)
        assert render(part) == [part]
        if part.media_id:
            continue
        json = as_message(part)
        if "attachment" in json:
            assert length(json["attachment"]["payload"]["text"]) <= 640
            assert 1 <= len(json["attachment"]["payload"]["buttons"]) <= 3
            titles = [b["title"] for b in json["attachment"]["payload"]["buttons"]]
        else:
            assert length(json["text"]) <= 1990
            assert len(json.get("quick_replies", [])) <= 13
            titles = [r["title"] for r in json.get("quick_replies", [])]
        assert all(length(title) <= LIMITS.button_title for title in titles)
        assert len(set(titles)) == len(titles)
    assert [p.media_id for p in parts if p.media_id] == ([7] if message.media_id else [])
    assert all("quick_replies" not in as_message(p) for p in parts[:-1])


@given(MESSAGES)
def test_no_button_is_lost(message: OutMessage) -> None:
    parts = render(message)
    shown = [b for p in parts for b in p.buttons]
    text = "".join(p.text for p in parts)
    for button in message.buttons:
        assert button in shown or button.title in text


def test_up_to_three_buttons_are_a_template() -> None:
    [part] = render(OutMessage(text="Chọn:", buttons=(*taps(2), Button(title="Gọi", phone="0912345678"))))
    assert as_message(part) == {
        "attachment": {
            "type": "template",
            "payload": {
                "template_type": "button",
                "text": "Chọn:",
                "buttons": [
                    {"type": "postback", "title": "Nhà 1", "payload": "#h:1"},
                    {"type": "postback", "title": "Nhà 2", "payload": "#h:2"},
                    {"type": "phone_number", "title": "Gọi", "payload": "+84912345678"},
                ],
            },
        }
    }


def test_more_taps_are_quick_replies() -> None:
    [part] = render(OutMessage(text="Chọn:", buttons=taps(4)))
    assert as_message(part) == {
        "text": "Chọn:",
        "quick_replies": [{"content_type": "text", "title": f"Nhà {n}", "payload": f"#h:{n}"} for n in range(1, 5)],
    }


def test_links_keep_the_template_beside_quick_replies() -> None:
    link = Button(title="Thanh toán", url="https://example.vn/p")
    first, second = render(OutMessage(text="Hóa đơn tháng 11", buttons=(link, *taps(4))))
    assert first == OutMessage(text="Hóa đơn tháng 11", buttons=(link,))
    assert second == OutMessage(text="Mời quý khách chọn:", buttons=taps(4))


def test_more_than_thirteen_taps_are_told() -> None:
    [part] = render(OutMessage(text="Chọn:", buttons=taps(15)))
    assert len(part.buttons) == 13
    assert part.text == "Chọn:\nHoặc quý khách nhắn: “Nhà 14”, “Nhà 15”."


def test_titles_that_would_look_alike_are_numbered_and_told_in_full() -> None:
    street = "Căn hộ đường Lương Ngọc Quyến số"
    buttons = tuple(Button(title=f"{street} {n}", payload=f"#h:{n}") for n in (1, 2))
    [part] = render(OutMessage(text="Nhà nào?", buttons=buttons))
    assert part.text == f"Nhà nào?\n1. {street} 1\n2. {street} 2"
    assert button_titles(part.buttons) == ["1. Căn hộ đường…", "2. Căn hộ đường…"]


def test_the_text_over_a_template_is_its_last_part() -> None:
    text = "Một câu nói về tiền điện của quý khách. " * 40
    *head, last = render(OutMessage(text=text, buttons=taps(2)))
    assert [len(p.buttons) for p in head] == [0]
    assert last.buttons == taps(2)
    assert length(last.text) <= 640


def test_a_short_number_is_told_because_no_button_takes_it() -> None:
    buttons = (*taps(1), Button(title="Tổng đài", phone="19006769"))
    [part] = render(OutMessage(text="Cần người giúp?", buttons=buttons))
    assert part == OutMessage(text="Cần người giúp?\nTổng đài: 19006769", buttons=taps(1))


def test_a_picture_goes_before_the_text() -> None:
    assert render(OutMessage(text="Mã QR", media_id=7)) == [OutMessage(media_id=7), OutMessage(text="Mã QR")]


@pytest.mark.parametrize(
    ("phone", "code"), [("0912345678", "+84912345678"), ("+84912345678", "+84912345678"), ("1900 6769", None)]
)
def test_phones(phone: str, code: str | None) -> None:
    assert international(phone) == code

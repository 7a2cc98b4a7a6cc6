"""Quiet hours out of what customers say, with tone marks and without."""

import unicodedata
from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.notice_words import load_notice_words
from actions.quiet_hours import ALWAYS, BadHours, hours_said
from bot.pipeline.assembly import DATA
from bot.store.preferences import QuietHours

WORDS = load_notice_words(DATA / "notice_words.yml")
NIGHT = QuietHours(time(22), time(7))


def hours(span: str) -> QuietHours:
    return QuietHours(*(time.fromisoformat(edge) for edge in span.split("-")))


def unmarked(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


SAID = {
    "đừng nhắn sau 9 giờ tối": "21:00-07:00",
    "sau 9 giờ tối đừng gửi gì nữa, sáng hãy gửi": "21:00-07:00",
    "sau 9 giờ đừng nhắn": "21:00-07:00",
    "từ 21h đến 6h": "21:00-06:00",
    "21h-6h": "21:00-06:00",
    "21h30 - 6h15": "21:30-06:15",
    "21:00 đến 06:00": "21:00-06:00",
    "từ 21 đến 6 giờ": "21:00-06:00",
    "từ 10h đến 6h": "22:00-06:00",
    "từ 9 giờ tối tới 6 giờ sáng đừng nhắn": "21:00-06:00",
    "thiết lập khung giờ không làm phiền từ 22h đến 6h": "22:00-06:00",
    "đặt chế độ không làm phiền từ hai mươi hai giờ đến năm rưỡi sáng nhé": "22:00-05:30",
    "đừng gửi từ 12h đến 2h chiều, ngoài giờ ấy gửi thoải mái": "12:00-14:00",
    "đừng gửi giờ nghỉ trưa, từ 11 rưỡi đến 1 rưỡi cả nhà ngủ": "11:30-13:30",
    "đừg nhắn sau 10h đêm nha ad": "22:00-07:00",
    "đừng gửi trước 7h sáng, em còn ngủ": "22:00-07:00",
    "đừng nhắn trước 8h": "22:00-08:00",
    "chỉnh lại giờ nhắn tin, 7h đến 20h thôi": "20:00-07:00",
    "chỉ nhắn từ 8 giờ sáng đến 5 giờ chiều": "17:00-08:00",
    "chỉ nhắn sau 5 giờ chiều thôi": "22:00-17:00",
    "8h sáng hẵng nhắn": "22:00-08:00",
    "đừng nhắn lúc nửa đêm, 8h sáng hẵng nhắn": "22:00-08:00",
    "tôi dậy sớm lắm, cứ 5 giờ sáng gửi cũng được": "22:00-05:00",
    "đừng nhắn ban đêm, chỉ nhắn ban ngày thôi": "22:00-07:00",
    "đêm hôm qua 1 giờ sáng gửi tin, chỉnh lại chỉ gửi ban ngày thôi": "18:00-07:00",
    "không nhận buổi tối, nhận ban ngày thì được": "18:00-07:00",
    "tạm im lặng buổi trưa": "11:30-13:30",
    "đổi giờ nhận tin sang buổi sáng giúp em": "11:00-06:00",
    "tôi đi rẫy suốt ngày, nhắn tối giùm": "22:00-18:00",
    "chín giờ tối trở đi đừng nhắn": "21:00-07:00",
}


@pytest.mark.parametrize("text", SAID)
def test_as_said(text: str) -> None:
    assert hours_said(WORDS, text, NIGHT) == hours(SAID[text])


@pytest.mark.parametrize("text", [text for text in SAID if "nhắn tối" not in text])
def test_without_tone_marks(text: str) -> None:
    assert hours_said(WORDS, unmarked(text), NIGHT) == hours(SAID[text])


@pytest.mark.parametrize("text", ["nhắn lúc nào cũng được", "bỏ giờ yên lặng đi", "gửi cả ngày lẫn đêm"])
def test_no_quiet_hours_at_all(text: str) -> None:
    assert hours_said(WORDS, text, NIGHT) == ALWAYS
    assert hours_said(WORDS, unmarked(text), NIGHT) == ALWAYS


@pytest.mark.parametrize(
    "text", ["từ 25h đến 30h", "đừng nhắn sau 40 giờ", "từ 7h sáng đến 7h sáng", "từ 21h70 đến 6h"]
)
def test_nonsense(text: str) -> None:
    with pytest.raises(BadHours):
        hours_said(WORDS, text, NIGHT)


@pytest.mark.parametrize(
    "text",
    [
        "tôi đang nhận những loại tin nào",
        "chỉ nhận tin cắt điện thôi",
        "đổi giờ nhận tin",
        "báo tiền điện hằng tháng",
        "đừng nhắn lúc sáu giờ sáng",
        "tháng 9 tôi không nhận được tin",
        "đừng gửi nữa",
        "tat het thong bao cho toi",
        "dung gui cho toi nua, toi dang ban",
        "",
    ],
)
def test_nothing_said_of_hours(text: str) -> None:
    assert hours_said(WORDS, text, NIGHT) is None


@given(st.integers(18, 23), st.integers(4, 9))
@settings(deadline=None)
def test_any_evening_to_any_morning(evening: int, morning: int) -> None:
    wanted = QuietHours(time(evening), time(morning))
    for text in (
        f"từ {evening}h đến {morning}h",
        f"đừng nhắn từ {evening - 12} giờ tối đến {morning} giờ sáng",
        f"chỉ nhắn từ {morning} giờ sáng đến {evening - 12} giờ tối",
    ):
        assert hours_said(WORDS, text, NIGHT) == wanted, text


@given(st.text(alphabet="đừng nhắn sau 0123456789h:giờ,sángtối ", max_size=40))
@settings(deadline=None)
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        found = hours_said(WORDS, text, NIGHT)
    except BadHours:
        return
    assert found is None or found == ALWAYS or 0 < found.minutes <= 22 * 60

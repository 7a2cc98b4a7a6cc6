"""Parts of long texts: nothing lost, nothing too long, nothing torn."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bot.channels.splitting import cut_title, graphemes, length, split_tail, split_text

WORDS = st.lists(
    st.sampled_from(
        [
            "Tiền điện",
            "kỳ 11/2026",
            "512.340 đ",
            "1.234,5 kWh",
            "là",
            "👨‍👩‍👧",
            "🇻🇳",
            "ổn.",
            "Xin chào!",
            "(24/11),",
            "\n",
            "\n\n",
            "—",
        ]
    )
    | st.text(max_size=12),
    max_size=60,
).map(" ".join)
LIMITS = st.integers(min_value=30, max_value=400)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(WORDS, LIMITS)
def test_parts_hold_the_whole_text_within_the_limit(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert squeezed("".join(parts)) == squeezed(text)
    assert all(0 < length(part) <= limit for part in parts)
    assert all(part == part.strip() for part in parts)


@given(WORDS, LIMITS, st.integers(min_value=30, max_value=100))
def test_the_tail_keeps_its_own_limit(text: str, limit: int, tail: int) -> None:
    tail = min(tail, limit)
    parts = split_tail(text, limit, tail)
    assert squeezed("".join(parts)) == squeezed(text)
    assert all(0 < length(part) <= limit for part in parts)
    assert not parts or length(parts[-1]) <= tail


@given(st.lists(st.sampled_from(["512.340", "1.234,5", "0912345678", "27/11/2026", "6:30"]), min_size=1), LIMITS)
def test_numbers_stay_whole(numbers: list[str], limit: int) -> None:
    parts = split_text("; ".join(numbers), limit)
    found = [word.strip(";") for part in parts for word in part.split()]
    assert found == numbers


@given(st.integers(min_value=21, max_value=40))
def test_an_amount_keeps_its_unit(limit: int) -> None:
    parts = split_text("Quý khách cần trả là 512.340 đ cho 210 kWh trong kỳ này nhé", limit)
    assert any("512.340 đ" in part for part in parts)
    assert any("210 kWh" in part for part in parts)


@given(
    st.lists(st.sampled_from(["👨‍👩‍👧‍👦", "👍🏽", "🇻🇳", "e\u0302\u0301", "❤\ufe0f", "a"])),
    st.integers(min_value=16, max_value=60),
)
def test_graphemes_stay_whole(characters: list[str], limit: int) -> None:
    whole = unicodedata.normalize("NFC", "".join(characters))
    parts = split_text(whole, limit)
    assert [g for part in parts for g in graphemes(part)] == list(graphemes(whole))


def test_graphemes_are_what_a_reader_sees() -> None:
    assert list(graphemes("a👨‍👩‍👧🇻🇳🇻🇳e\u0302\u0301")) == ["a", "👨‍👩‍👧", "🇻🇳", "🇻🇳", "e\u0302\u0301"]


def test_breaks_at_the_best_place() -> None:
    text = "Một câu dài. Câu thứ hai\ndòng mới có chữ"
    assert split_text(text, 30) == ["Một câu dài. Câu thứ hai", "dòng mới có chữ"]
    assert split_text("Một câu dài. Câu thứ hai còn nữa", 20) == ["Một câu dài.", "Câu thứ hai còn nữa"]
    assert split_text("Một vế dài, vế thứ hai còn nữa", 20) == ["Một vế dài,", "vế thứ hai còn nữa"]


def test_an_early_good_break_does_not_make_a_stump() -> None:
    assert split_text("Dạ.\n" + "chữ " * 20, 40)[0].endswith("chữ chữ chữ")


def test_a_run_longer_than_the_limit_is_cut_all_the_same() -> None:
    assert split_text("9" * 25, 10) == ["9" * 10, "9" * 10, "9" * 5]


def test_empty_text_has_no_parts() -> None:
    assert split_text(" \n ", 10) == []
    assert split_tail("", 10, 5) == []


def test_long_titles_are_cut_after_a_word() -> None:
    assert cut_title("Xem lịch ngừng cấp điện", 20) == "Xem lịch ngừng cấp…"
    assert cut_title("Thanh toán ngay", 20) == "Thanh toán ngay"
    assert length(cut_title("Khôngcókhoảngtrắngnàocảđâu", 20)) == 20

"""Look-alikes stand for personal data: nothing of it survives, and every offset holds."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.console.lookalikes import FAMILIAR, LookAlikes
from bot.console.masking import Kind, Span, find_personal
from bot.console.office import Words
from bot.text import fold

NAMES = Words(Path(__file__).parents[2] / "data" / "console")["lookalikes"]
ALIKE = LookAlikes(NAMES)
DIGITS = re.compile(r"\d(?:[ .-]?\d){4,}")
WORDS = st.lists(
    st.sampled_from(["cho tôi hỏi", "tiền điện", "tháng này", "nhà em", "ở Đại Từ", "mất rồi ạ"]), max_size=6
)
PART = st.sampled_from([name for names in NAMES.values() for name in names] + ["Elizabeth", "H'Mông", "Krông"])


def alike(text: str, message_id: int = 7, **given: object) -> str:
    return ALIKE.of(text, find_personal(text, **given), message_id=message_id)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("mã của em là PA04DH0000123 xem hộ", r"mã của em là PA04[B-X]{2}\d{7} xem hộ"),
        ("pa04 dh 0000123", r"pa04 [b-x]{2} \d{7}"),
        ("gọi 0912 345 678 nhé", r"gọi 091\d \d{3} \d{3} nhé"),
        ("sđt +84912345678", r"sđt \+8491\d{7}"),
        ("hết 246.110 đ cơ à", r"hết [1-9]{3}\.[1-9]{2}0 đ cơ à"),
        ("tháng này 300 kWh", r"tháng này [1-9]00 kWh"),
        ("tôi tên là Nguyễn Thị Hoa ở Đại Từ", r"tôi tên là [A-ZĐ]\w{5} Thị \w{3} ở Đại Từ"),
        ("gửi về an.tran@gmail.com", r"gửi về [b-x]{2}\.[b-x]{4}@gmail\.com"),
        ("gửi về an@nhaminh.vn", r"gửi về [b-x]{2}@[b-x]{7}\.vn"),
        ("stk 1903 4567 8901", r"stk \d{4} \d{4} \d{4}"),
        ("mai co cat dien ko", "mai co cat dien ko"),
    ],
)
def test_it_has_the_form_of_what_it_stands_for(text: str, form: str) -> None:
    shown = alike(text)
    assert re.fullmatch(form, shown), shown
    assert shown != text or not find_personal(text)


def test_a_name_keeps_its_case_and_is_without_marks_where_it_was() -> None:
    for name in ("NGUYỄN THỊ HOA", "nguyen thi hoa", "Bé Bông"):
        shown = alike(f"chào {name} nhé", names=[name]).removeprefix("chào ").removesuffix(" nhé")
        assert [len(part) for part in shown.split()] == [len(part) for part in name.split()]
        assert (shown.isupper(), shown.islower()) == (name.isupper(), name.islower())
        assert (fold(shown) == shown.lower()) == (fold(name) == name.lower())


def test_what_occurs_twice_is_the_same_twice_and_each_time_it_is_shown() -> None:
    text = "0912345678 hay 0912345678"
    first, _, second = alike(text).split()
    assert first == second
    assert alike(text) == alike(text)
    assert len({alike(text, number) for number in range(20)}) == 20


def test_a_code_that_is_somebody_s_is_not_drawn() -> None:
    text, asked = "PA04DH0000123", list[str]()

    def taken(code: str) -> bool:
        asked.append(code)
        return len(asked) < 4

    shown = LookAlikes(NAMES, taken).of(text, find_personal(text), message_id=1)
    assert shown == asked[3]
    assert shown not in asked[:3]


@given(
    st.lists(
        st.one_of(
            WORDS.map(" ".join),
            st.from_regex(r"P[AB]\d{2}[A-Z]{2}\d{7}", fullmatch=True),
            st.from_regex(r"0[35789][0-9]{8}", fullmatch=True),
            st.from_regex(r"[1-9][0-9]{5,14}", fullmatch=True),
            st.lists(PART, min_size=2, max_size=4).map(lambda parts: f"ông {' '.join(parts)}"),
        ),
        max_size=5,
    ).map("; ".join),
    st.integers(1, 2**40),
)
def test_nothing_survives_and_the_rest_stays(text: str, message_id: int) -> None:
    spans = find_personal(text)
    shown = ALIKE.of(text, spans, message_id=message_id)
    assert len(shown) == len(text)
    at = 0
    for span in [*spans, Span(len(text), len(text), Kind.NUMBER)]:
        assert shown[at : span.start] == text[at : span.start]
        at = span.end
    for span in spans:
        original, drawn = text[span.start : span.end], shown[span.start : span.end]
        assert original != drawn
        for run in DIGITS.findall(original):
            assert run not in drawn
        if span.kind is Kind.NAME:
            for new, old in zip(drawn.split(), original.split(), strict=True):
                assert fold(new) != fold(old) or fold(old) in FAMILIAR


@given(
    st.text(max_size=60), st.text(max_size=12), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=3)
)
def test_any_text_has_one(text: str, name: str, offsets: list[tuple[int, int]]) -> None:
    entities = [{"entity": "customer_code", "start": start, "end": end} for start, end in offsets]
    spans = find_personal(text, entities=entities, names=[name])
    assert len(ALIKE.of(text, spans, message_id=1)) == len(text)

"""What is personal in a text is covered; what is not can be read."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.console.masking import cover, cover_code, cover_name, find_personal


def covered(text: str, **given: object) -> str:
    return cover(text, find_personal(text, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mã của em là PA04DH0000123 xem hộ", "mã của em là ••• xem hộ"),
        ("pa04 dh 0000123", "•••"),
        ("gọi 0912 345 678 nhé", "gọi ••• nhé"),
        ("sđt +84912345678", "sđt •••"),
        ("Tiền điện tháng 10/2026: 246.110 đ", "Tiền điện tháng 10/2026: •••"),
        ("111 kWh (số điện)", "••• (số điện)"),
        ("tôi tên là Nguyễn Thị Hoa ở Đại Từ", "tôi tên là ••• ở Đại Từ"),
        ("tên tôi là Ma Văn Bình hỏi", "tên tôi là ••• hỏi"),
        ("ông Trần Văn An báo mất điện", "ông ••• báo mất điện"),
        ("gửi về an.tran@gmail.com", "gửi về •••"),
        ("stk 1903 4567 8901", "stk •••"),
        ("mai co cat dien ko", "mai co cat dien ko"),
        ("từ 07:30 đến 11:30 thứ Năm 26/11", "từ 07:30 đến 11:30 thứ Năm 26/11"),
        ("hạn Chủ nhật 29/11/2026", "hạn Chủ nhật 29/11/2026"),
    ],
)
def test_what_is_written_like_personal_data_is_covered(text: str, shown: str) -> None:
    assert covered(text) == shown


def test_what_the_understanding_found_is_covered_too() -> None:
    entities = [{"entity": "energy", "start": 8, "end": 14}, {"entity": "place", "start": 15, "end": 19}]
    assert covered("nhà tôi 300 số Đồng", entities=entities) == "nhà tôi ••• Đồng"


def test_the_person_s_own_name_is_covered_however_it_is_written() -> None:
    assert covered("chào bé bông nhé", names=["Bé Bông"]) == "chào ••• nhé"


def test_the_company_s_own_numbers_can_be_read() -> None:
    assert covered("gọi 19006769 hoặc 0912345678", public=["19006769"]) == "gọi 19006769 hoặc •••"


def test_codes_and_names_alone_keep_what_tells_two_apart() -> None:
    assert (cover_code("PA04DH0000123"), cover_name("Nguyễn Thị Hoa")) == ("PA04•••123", "N. T. H.")


@given(st.text(max_size=80), st.lists(st.tuples(st.integers(-5, 90), st.integers(-5, 90)), max_size=4))
def test_any_text_can_be_covered(text: str, offsets: list[tuple[int, int]]) -> None:
    """Whatever offsets came with it, the spans lie in the text, apart from each other and in order."""
    entities = [{"entity": "phone", "start": start, "end": end} for start, end in offsets]
    spans = find_personal(text, entities=entities)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    cover(text, spans)

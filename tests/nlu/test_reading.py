"""What the classifier reads, and which entities are kept under an intent."""

from datetime import date

import pytest

from nlu.entities import extract
from nlu.entities.judge import Judge
from nlu.entities.mentions import understood
from nlu.text.sounds import sound

TODAY = date(2026, 11, 23)


def test_values_are_named_by_their_kind_and_topics_stay() -> None:
    reading = understood("Tắt thông báo tiền điện của PA04GT0001234 ở xã Bình Yên")
    assert reading.masked == "tat thong bao tien dien cua CUSTOMER_CODE o PLACE"
    assert reading.kinds == ("customer_code", "place")


def test_what_is_asked_comes_last() -> None:
    reading = understood("Con tôi học xa, nhà neo người. Tiền điện bao nhiêu vậy?")
    assert reading.asked == "tien dien bao nhieu vay"
    assert understood("tiền điện").asked == understood("tiền điện").views.folded


@pytest.mark.parametrize("text", ["", " ", "?!", "a" * 5000, "\ud800", "mai " * 900])
def test_any_text_is_read(text: str) -> None:
    assert understood(text) == understood(text)


def test_beginnings_that_sound_alike() -> None:
    assert sound("xang moc") == sound("sang moc")
    assert sound("nang") != sound("nhang")


def test_a_kind_is_kept_under_the_intents_where_it_is_annotated() -> None:
    finds = [("notice_kind", "choose", True)] * 20 + [("notice_kind", "ask", False)] * 20 + [("rare", "ask", False)] * 5
    judge = Judge.learn(finds)
    assert judge.keeps("notice_kind", {"choose": 0.9, "ask": 0.1})
    assert not judge.keeps("notice_kind", {"ask": 0.9, "choose": 0.05})
    assert judge.keeps("rare", {"ask": 1.0})
    assert judge.keeps("notice_kind", {})


@pytest.mark.parametrize(
    ("text", "entity", "said", "value"),
    [
        ("tuần sau có cắt điện không", "date", "tuần sau", {"from": "2026-11-30", "to": "2026-12-06"}),
        ("cuối tuần này cúp điện à", "date", "cuối tuần này", {"from": "2026-11-28", "to": "2026-11-29"}),
        ("giờ đẹp vào thứ sáu 27/11", "date", "thứ sáu 27/11", "2026-11-27"),
        ("Thứ tư tôi ấp trứng", "date", "Thứ tư", "2026-11-25"),
        ("từ tháng 8 đến giờ", "period", "tháng 8 đến giờ", {"from": "2026-08", "to": "2026-11"}),
        ("tháng ba sang năm", "period", "tháng ba sang năm", {"from": "2027-03", "to": "2027-03"}),
        ("chuyen thua 200 nghin bay gio", "money", "200 nghin", 200_000),
        ("mất gần hai chăm", "money", "hai chăm", 200_000),
        ("hai chiệu tư", "money", "hai chiệu tư", 2_400_000),
        ("số em 09l2 334 556", "phone", "09l2 334 556", "0912334556"),
    ],
)
def test_ways_of_saying(text: str, entity: str, said: str, value: object) -> None:
    found = [(e.entity, text[e.start : e.end], e.value) for e in extract(text, TODAY)]
    assert (entity, said, value) in found


@pytest.mark.parametrize(
    "text", ["tuần nào cũng mất điện", "mất điện một tuần rồi", "mấy hôm nay", "dây chạm mai ton", "dãy 13 ký tự"]
)
def test_no_false_reach(text: str) -> None:
    assert [entity for entity in extract(text, TODAY) if entity.entity != "notice_kind"] == []


@pytest.mark.parametrize(
    ("text", "code"), [("xã Xảng Mộc", "Sảng Mộc"), ("xã Nam Vỹ", "Lam Vỹ"), ("ở TÂNN CUƠNG", "Tân Cương")]
)
def test_places_as_they_sound(text: str, code: str) -> None:
    (place,) = extract(text, TODAY)
    assert code in str(place.value)

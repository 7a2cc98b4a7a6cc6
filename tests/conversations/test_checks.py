"""The checks that every conversation relies on: they find what they look for."""

from decimal import Decimal
from pathlib import Path

import figures
import pytest
from play import _has, _shows, _without_marks
from script import BadScript, read

BILL = {"id": "a", "total": 318082, "paid": 100000, "lines": [{"amount": "99200", "price": 1984}]}
OTHER = {"id": "b", "total": 246110, "paid": 0, "lines": []}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("còn 512.340 đ, hạn", [512340]),
        ("0 đ và 12 đ", [0, 12]),
        ("50 kWh × 1.984 đ = 99.200 đ", [1984, 99200]),
        ("• Bậc 1: 1.984 đ/kWh", []),
        ("thứ Sáu 27/11 đã trả", []),
    ],
)
def test_amounts(text: str, found: list[int]) -> None:
    assert figures.amounts(text) == found


def test_what_follows_from_the_answers() -> None:
    sayable = figures.sayable([{"items": [BILL, OTHER]}])
    assert {318082, 246110, 99200, 218082, 318082 + 246110, 318082 - 246110} <= sayable
    assert 318083 not in sayable
    assert 512340 not in sayable


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hạn thứ Sáu 27/11, từ 1/9 đến 30/9/2026", [(27, 11, None), (1, 9, None), (30, 9, 2026)]),
        ("gọi 19006769 (24/7), tháng 10/2026", []),
        ("từ 07:30 đến 11:30 thứ Tư 25/11", [(25, 11, None)]),
    ],
)
def test_days(text: str, found: list[figures.Day]) -> None:
    assert figures.days(text) == found


def test_months_and_energies() -> None:
    assert figures.months("tháng 10/2026: 5 đ, Tháng 9/2026") == [(2026, 10), (2026, 9)]
    assert figures.energies("1.234,5 kWh, 100 kWh, 3 đ/kWh") == [Decimal("1234.5"), Decimal(100)]


def test_figures_that_nobody_gave() -> None:
    """Each kind is seen; what an answer gives, or the customer said, is not strange."""
    answer = {
        "as_of": "2026-11-24T18:30:00Z",
        "due_date": "2026-11-29",
        "month": "2026-10",
        "kwh": 111,
        "total": 246110,
    }
    known = figures.given([answer]) | figures.said(["2026-11-20", {"from": "2026-09", "to": "2026-09"}, 250000], [])
    right = "25/11 và 29/11/2026, tháng 10/2026, 111 kWh, 246.110 đ; 20/11, tháng 9/2026, 250.000 đ"
    assert known.strange(right) == []
    assert known.strange("26/11") == ["26/11"]
    assert known.strange("29/11/2025") == ["29/11"]
    assert known.strange("tháng 8/2026, 112 kWh, 246.111 đ") == ["246111 đ", "tháng 8/2026", "112 kWh"]


def test_energies_that_follow() -> None:
    days = [{"day": f"2026-11-{n:02d}", "reading": 100 + n, "kwh": n} for n in range(1, 11)]
    known = figures.given([{"items": days}]).energies
    assert {Decimal(55), Decimal("5.5"), Decimal(7)} <= known
    assert Decimal("55.1") not in known


def test_codes() -> None:
    assert figures.codes("Mã PA04DH0000123, ví dụ PA04GT0012345.") == {"PA04DH0000123"}
    assert figures.codes_typed("ma cua toi la pa04 dh 0000123 nhe") == {"PA04DH0000123"}


def test_words_in_a_reply() -> None:
    assert _has("Tiền điện tháng 10\ncủa bà: 5 đ", "tháng 10*5 đ")
    assert not _has("Tiền điện tháng 10", "tháng 1*0 đ")
    assert not _has("a.c", "abc")


def test_titles_as_messenger_shows_them() -> None:
    assert _shows("1. Hàng xóm cũng mất", "Hàng xóm cũng mất")
    assert _shows("Xem việc tôi làm…", "Xem việc tôi làm được")
    assert not _shows("Xem…", "Xem tiền điện")


def test_marks_left_out() -> None:
    assert _without_marks("Đường dây đứt ở Định Hoá") == "Duong day dut o Dinh Hoa"


def test_script_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("# t\nlinked: 1 2\n> xin chào\n< A\n  b*c\n  without: d\n  [E] [F g?]\n2[Đồng ý]\n! x\n= y\n")
    script = read(file)
    assert (script.title, script.linked, script.channels) == ("t", [1, 2], ["zalo", "messenger"])
    say, reply, tap, happens, check = script.steps
    assert (say.kind, say.text) == ("say", "xin chào")
    assert (reply.reply.has, reply.reply.lacks, reply.reply.buttons) == (["A", "b*c"], ["d"], ["E", "F g?"])
    assert (tap.kind, tap.who, tap.text) == ("tap", 1, "Đồng ý")
    assert (happens.text, check.text) == ("x", "y")
    file.write_text("# t\nhello\n")
    with pytest.raises(BadScript):
        read(file)


def test_parts_of_a_difference() -> None:
    text = "tăng 5 đ so với\n• dùng nhiều hơn: tăng 7 đ\n• làm tròn: giảm 2 đ\n"
    assert figures.explained(text, {5}) == {7, 2}
    assert figures.explained(text, {6}) == set()


def test_parts_of_a_use_that_add_up() -> None:
    text = "cho 75 kWh:\n• Bậc 1: 50 kWh × 1.984 đ\n• Bậc 2: 25 kWh × 2.050 đ"
    assert figures.split_up(text, {Decimal(75)}) == {Decimal(50), Decimal(25)}
    assert figures.split_up(text, {Decimal(76)}) == set()

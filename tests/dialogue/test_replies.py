"""The replies as data: whole, well-formed, and in the product's formats."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jinja2 import UndefinedError

from actions.desk import load_company
from bot.dialogue.replies import ReplyBook, day, money, month, number
from bot.pipeline.assembly import DATA

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture(scope="module")
def book() -> ReplyBook:
    return ReplyBook(DATA / "replies", ZONE, load_company(DATA).model_dump())


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path


def written(folder: Path, text: str) -> ReplyBook:
    (folder / "some.yml").write_text(text, "utf-8")
    return ReplyBook(folder, ZONE, {})


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (money(512340), "512.340 đ"),
        (money(0), "0 đ"),
        (money(Decimal("1999.5")), "2.000 đ"),
        (number(Decimal("1234.50")), "1.234,5"),
        (number(3.25), "3,25"),
        (day(date(2026, 11, 27)), "thứ Sáu 27/11"),
        (day(date(2026, 11, 29)), "Chủ nhật 29/11"),
        (month(date(2026, 10, 1)), "tháng 10/2026"),
    ],
)
def test_formats(shown: str, expected: str) -> None:
    assert shown == expected


def test_times_are_shown_in_the_zone(own: Path) -> None:
    book = written(own, 'a: {text: "{{ at | moment }}, {{ at | as_of }}, {{ at | span(end) }}"}')
    at, end = datetime(2026, 11, 23, 17, 30, tzinfo=UTC), datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
    assert book.render("a", at=at, end=end)[0] == (
        "00:30 thứ Ba 24/11, 00:30 ngày 24/11, từ 00:30 đến 02:00 thứ Ba 24/11"
    )
    next_day = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
    assert book.render("a", at=at, end=next_day)[0].endswith("từ 00:30 thứ Ba 24/11 đến 02:00 thứ Tư 25/11")


def test_text_leaves_in_nfc(own: Path) -> None:
    assert written(own, 'a: {text: "tie\u0302\u0300n {{ x }}"}').render("a", x="đie\u0323\u0302n")[0] == "tiền điện"


def test_a_missing_value_is_a_defect_not_a_gap(own: Path) -> None:
    with pytest.raises(UndefinedError):
        written(own, 'a: {text: "{{ amount }}"}').render("a")


@pytest.mark.parametrize(
    "data",
    [
        'a: {texts: "x"}',
        "a: {text: x, buttons: [{title: y, runs: z}]}",
        "a: {text: x, and more: y}",
    ],
)
def test_data_with_other_keys_is_refused(own: Path, data: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        written(own, data)


def test_a_reply_written_twice_is_refused(own: Path) -> None:
    (own / "one.yml").write_text("a: {text: x}", "utf-8")
    with pytest.raises(ValueError, match="written twice"):
        written(own, "a: {text: y}")


def test_buttons_are_shown_only_with_their_value(own: Path) -> None:
    book = written(own, "a: {text: x, buttons: [{title: y, run: z, with: [link], when: open}]}")
    assert book.render("a", open=False)[1] == []
    (button,) = book.render("a", open=True, link=3)[1]
    assert (button.run, button.slots) == ("z", {"link": 3})


def test_each_button_does_exactly_one_thing(book: ReplyBook) -> None:
    for key, reply in book.replies.items():
        for button in reply.buttons:
            done = [value for value in (button.run, button.fill, button.url, button.phone) if value is not None]
            assert len(done) == 1, f"{key}: {button.title}"


def test_the_assistant_speaks_as_itself_and_politely(book: ReplyBook) -> None:
    for key, reply in book.replies.items():
        words = reply.text.lower().replace("trẻ em", "").replace("anh chị em", "").split()
        assert "em" not in words, key
        assert "bạn" not in words, key


def test_buttons_fit_the_stricter_platform(book: ReplyBook) -> None:
    """Messenger cuts titles at 20 letters: what tells two buttons of a reply apart must come before."""
    for key, reply in book.replies.items():
        cut = [button.title[:20] for button in reply.buttons]
        assert len(set(cut)) == len(cut), key

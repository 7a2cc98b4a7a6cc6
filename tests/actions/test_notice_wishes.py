"""Which notices are turned on and off, out of what customers say. Brackets stand for what the understanding finds."""

import re
import unicodedata

import pytest

from actions.notice_wishes import Mention, Wish, kinds_named, wish_said
from actions.notice_words import load_notice_words
from actions.said import Said
from bot.notice_kinds import load_notice_kinds
from bot.pipeline.assembly import DATA

WORDS = load_notice_words(DATA / "notice_words.yml")
KINDS = load_notice_kinds(DATA / "notices.yml")
MARKED = re.compile(r"\[([^\]]+)\]\((\w+)\)")


def read(marked: str, otherwise: bool | None = None, *, unmarked: bool = False) -> str:
    """The wish of a text like `tắt [nhắc nợ](reminder)`."""
    text, mentions, at = "", [], 0
    for found in MARKED.finditer(marked):
        text += marked[at : found.start()]
        mentions.append(Mention(found[2], len(text), len(text) + len(found[1])))
        text, at = text + found[1], found.end()
    text += marked[at:]
    if unmarked:
        letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
        text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return str(wish_said(WORDS, KINDS, text, mentions, otherwise=otherwise) or "?")


SAID = {
    "bật tin [hóa đơn](bill), tắt tin [nhắc nợ](reminder)": "+bill -reminder",
    "on tin [hđ](bill) off tin [nhắc nợ](reminder) hộ e": "+bill -reminder",
    "tắt [nhắc nợ](reminder) giữ lại [hđ](bill) nha": "+bill -reminder",
    "giữ [tiền điện](bill) và [lịch cắt điện](outage), bỏ [tin tức](news)": "+bill +outage -news",
    "vẫn cho nhắn [tiền điện](bill) nhưng đừng gửi [quảng cáo](news)": "+bill -news",
    "tắt cái [tin tức](news), nhưng nhớ mở cái báo [sự cố](outage) cho tôi": "+outage -news",
    "thôi gửi [quảng cáo](news), thay vào đó gửi [lịch cắt](outage) cho tôi": "+outage -news",
    "thay [nhắc nợ](reminder) bằng tin [đã đóng tiền](bill)": "+bill -reminder",
    "bỏ tin [khuyến mại](news), thêm tin [cúp điện](outage)": "+outage -news",
    "để [cúp](outage) bỏ [tiền](bill)": "+outage -bill",
    "chỉ gửi tin [cắt điện](outage), còn [tiền điện](bill) thì khỏi": "+outage -bill -reminder -usage -news",
    "Tôi chỉ muốn nhận [hóa đơn](bill), còn tin [mất điện](outage) thì tắt đi": "+bill -reminder -outage -usage -news",
    "bác chỉ thích nhận tin [cúp điện](outage) thôi, mấy cái khác bỏ": "+outage -bill -reminder -usage -news",
    "chỉ nhắn [cúp điện](outage) thôi, [tin tức](news) thì đừng": "+outage -bill -reminder -usage -news",
    "ngoài [hóa đơn](bill) ra thì tắt hết": "+bill -reminder -outage -usage -news",
    "cho [hóa đơn](bill) thôi còn các thứ khác tắt hết": "+bill -reminder -outage -usage -news",
    "tôi chỉ cần biết [tiền điện](bill) mấy tin kia đừng gửi": "+bill -reminder -outage -usage -news",
    "bỏ [tin khuyến mại](news), giữ mỗi [cúp điện](outage) thôi nha": "+outage -bill -reminder -usage -news",
    "CHỈ NHẬN TIN [TIỀN ĐIỆN](bill) KHÔNG NHẬN TIN KHÁC": "+bill -reminder -outage -usage -news",
    "đừng gửi [nhắc nợ](reminder) nữa": "-reminder",
    "không muốn nhận tin [quảng cáo](news)": "-news",
    "[hóa đơn](bill) với [cắt điện](outage)": "?",
    "muốn nhận [chỉ số](usage) nhưng không cần [cảnh báo](usage)": "?",
}


@pytest.mark.parametrize("text", SAID)
@pytest.mark.parametrize("unmarked", [False, True])
def test_as_said(text: str, unmarked: bool) -> None:
    assert read(text, unmarked=unmarked) == SAID[text]


def test_without_a_word_of_its_own_it_is_meant_as_the_message() -> None:
    assert read("[hóa đơn](bill) với [cắt điện](outage)", otherwise=True) == "+bill +outage"
    assert read("[hóa đơn](bill) với [cắt điện](outage)", otherwise=False) == "-bill -outage"


def test_a_sister_is_not_the_word_for_only() -> None:
    assert read("chị cần tin [hóa đơn](bill)") == "+bill"


def test_wishes_as_text() -> None:
    wish = Wish(on=("bill", "usage_level"), off=("all",))
    assert str(wish) == "+bill +usage_level -all"
    assert Wish.read(str(wish)) == wish
    assert wish.undone == Wish(on=("all",), off=("bill", "usage_level"))


def test_names_stand_for_kinds() -> None:
    assert {kind.group for kind in kinds_named(KINDS, ["bill", "fault_known"])} == {"bill", "outage"}
    assert kinds_named(KINDS, ["all"]) == list(KINDS.kinds)
    assert kinds_named(KINDS, []) == []


class TestSaid:
    def test_marks_tell_words_apart_where_they_are_written(self) -> None:
        assert Said("chỉ nhắn thôi").has(["chỉ"])
        assert Said("chi nhan thoi").has(["chỉ"])
        assert not Said("chị nhắn thôi").has(["chỉ"])

    def test_either_place_of_the_mark_is_the_same_word(self) -> None:
        assert Said("huỷ hoá đơn").has(["hủy"])
        assert Said("hủy").has(["huỷ"])

    def test_the_longest_phrase_counts_and_words_are_whole(self) -> None:
        said = Said("tắt hết đi, bat thuong")
        assert [found.phrase for found in said.find(["tắt", "tắt hết", "bật"])] == ["tắt hết", "bật"]
        assert not said.has(["th"])

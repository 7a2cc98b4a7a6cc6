"""The views of a message: what becomes of the ways people type."""

import random
import unicodedata

import pytest

from nlu import lexicon
from nlu.text.align import align
from nlu.text.keyboards import decode_telex, decode_vni, decode_words
from nlu.text.marks import fold, place_tone, split_tone, unify_tone
from nlu.text.syllables import is_plain_syllable, is_syllable, split_joined
from nlu.text.views import normalise


def random_texts(count: int, seed: int) -> "list[str]":
    """Texts of every kind: any code point, combining marks, Vietnamese pieces, digits."""
    rng = random.Random(seed)
    pieces = [
        "tiền",
        "ddieenj",
        "tie6n2",
        "PA04",
        "\u0301",
        "\u0323",
        "\u200b",
        "😀",
        "\ud83d",
        "ﬁ",
        "İ",
        "oooo",
        "khong",
        "1tr2",
        " ",
        "\n",
    ]
    texts = ["", " ", "\x00", "\ud800", "a" * 5000]
    for _ in range(count):
        chars = [
            rng.choice(pieces)
            if rng.random() < 0.5
            else chr(rng.choice((rng.randrange(0x250), rng.randrange(0x110000))))
            for _ in range(rng.randrange(25))
        ]
        texts.append("".join(chars))
    return texts


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Hoá đơn TIỀN ĐIỆN", "hóa đơn tiền điện"),
        (unicodedata.normalize("NFD", "hóa đơn tiền điện"), "hóa đơn tiền điện"),
        ("tieenf ddieenj thangs nayf bao nhieeu", "tiền điện tháng này bao nhiêu"),
        ("tie6n2 d9ie65n tha1ng na2y", "tiền điện tháng này"),
        ("mấtđiện rồiiiii", "mất điện rồi"),
        ("tiendien thangnay", "tien dien thang nay"),
        ("ko bit dc j", "không biết được gì"),
        ("thang5 nha toi", "thang 0 nha toi"),
        ("PA04GT0001234", "pa00gt0000000"),
        ("tòan bộ thuỷ điện", "toàn bộ thủy điện"),
        ("ddc ko", "được không"),
    ],
)
def test_accented_view(typed: str, meant: str) -> None:
    assert normalise(typed).accented == meant


def test_folded_view_is_the_accented_one_without_marks() -> None:
    views = normalise("Cho bác hỏi hoá đơn Đại Từ")
    assert views.folded == "cho bac hoi hoa don dai tu"


def test_views_of_any_text_are_nfc_and_settled() -> None:
    for text in random_texts(3000, seed=5):
        views = normalise(text)
        for view in views:
            assert unicodedata.normalize("NFC", view) == view
        again = normalise(views.accented)
        assert again.accented == views.accented, ascii(text)


def test_marked_and_unmarked_spelling_share_the_folded_view() -> None:
    for text in ("tiền điện tháng này nhà tôi", "báo mất điện xóm Đồng Danh", "đổi chủ hợp đồng"):
        assert normalise(text).folded == normalise(fold(text)).folded


def test_tone_placement_and_splitting_are_inverse() -> None:
    for word in (
        "hóa",
        "thúy",
        "toàn",
        "tiền",
        "được",
        "quý",
        "già",
        "giữa",
        "ngoài",
        "khuỷu",
        "mía",
        "của",
        "nghiêng",
    ):
        assert place_tone(*split_tone(word)) == word
        assert is_syllable(word)
    assert unify_tone("hoà") == "hòa"


@pytest.mark.parametrize("word", ["app", "gas", "zalo", "momo", "shop", "ban", "toi", "thang", "kwh"])
def test_telex_leaves_other_words_alone(word: str) -> None:
    assert decode_telex(word) == word


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("dduwowcj", "được"), ("nguwowif", "người"), ("hoas", "hóa"), ("thwr", "thử"), ("khoong", "không")],
)
def test_telex(typed: str, meant: str) -> None:
    assert decode_telex(typed) == meant


def test_vni_needs_evidence() -> None:
    assert decode_vni("d9ie65n") == "điện"
    assert decode_words(["thang1", "5"]) == ["thang1", "5"]
    assert decode_words(["thang1", "5", "d9ie65n"]) == ["tháng", "5", "điện"]
    assert decode_words(["xom5", "d9ie65n"])[0] == "xom5"


def test_joined_words_are_parted_and_whole_words_kept() -> None:
    assert split_joined("tiendienthangnay") == ("tien", "dien", "thang", "nay")
    assert split_joined("nghieng") == ("nghieng",)
    assert split_joined("xyzxyzxyz") == ("xyzxyzxyz",)


def test_stop_endings_carry_only_two_tones() -> None:
    assert is_syllable("mất")
    assert is_syllable("một")
    assert not is_syllable("mầt")
    assert is_plain_syllable("nghieng")


def test_shortenings_are_unique_and_settled() -> None:
    table = lexicon.read("teencode")
    shorts = [short for row in table.values() for short in row]
    assert len(shorts) == len(set(shorts))
    for full in table:
        assert normalise(full).accented == full


def test_alignment_keeps_offsets_of_any_text() -> None:
    for text in random_texts(2000, seed=6):
        aligned = align(text)
        assert len(aligned.accented) == len(aligned.folded) == len(aligned.starts) == len(aligned.ends)
        for start, end in zip(aligned.starts, aligned.ends, strict=True):
            assert 0 <= start <= end <= len(text)
        assert list(aligned.starts) == sorted(aligned.starts)


def test_alignment_of_decomposed_text_covers_whole_letters() -> None:
    text = unicodedata.normalize("NFD", "ở xã Bình Yên nhé")
    aligned = align(text)
    at = aligned.folded.index("binh yen")
    start, end = aligned.span(at, at + len("binh yen"))
    assert unicodedata.normalize("NFC", text[start:end]) == "Bình Yên"

"""The gazetteer and the traps of old and new names (electricity.md §5.2)."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from nlu import lexicon
from nlu.entities import extract
from nlu.entities.gazetteer import gazetteer

TODAY = date(2026, 11, 24)


def places(text: str) -> "list[tuple[str, dict[str, Any]]]":
    return [(text[e.start : e.end], e.value) for e in extract(text, TODAY) if e.entity == "place"]


def test_counts_of_the_gazetteer() -> None:
    data = lexicon.read_file(lexicon.PLACES)
    kinds = Counter(unit["kind"] for unit in data["units"])
    assert kinds == {"xã": 77, "phường": 15}
    assert len({unit["code"] for unit in data["units"]}) == 92
    assert len(data["districts"]) == 17
    assert all(unit["merged_from"] for unit in data["units"])
    split = Counter(f["name"] for unit in data["units"] for f in unit["merged_from"] if f.get("split"))
    assert split == {"Gia Sàng": 2, "Cam Giá": 2, "Thượng Đình": 2}
    assert len(gazetteer().units) == 92


@pytest.mark.parametrize(
    ("text", "words", "code", "kind"),
    [
        ("nhà ở xã Bình Yên mất điện", "xã Bình Yên", "05587", "commune"),
        ("xa binh yen dinh hoa", "xa binh yen dinh hoa", "05587", "commune"),
        ("binh yen dinh hoa", "binh yen dinh hoa", "05587", "commune"),
        ("xã Bình Yên cũ", "xã Bình Yên cũ", "05587", "commune"),
        ("xa binh yen cu mua la mat dien", "xa binh yen", "05587", "commune"),
        ("xóm đình xã úc kỳ", "xóm đình xã úc kỳ", "05908", "commune"),
        ("xom dong danh xa van han nhe", "xom dong danh xa van han", "05680", "commune"),
        ("MẤT ĐIỆN RỒI XÓM BẮC LÂU THƯỢNG", "XÓM BẮC LÂU THƯỢNG", "05716", "commune"),
        ("cột ở chỗ dốc lim xã lục bình", "dốc lim xã lục bình", "01969", "commune"),
        ("cột ở ngã ba hóa trung nghiêng", "ngã ba hóa trung", "05692", "commune"),
        ("cả làng Thượng Minh mất điện", "Thượng Minh", "01921", "commune"),
        ("sao duc xuan mat dien lau the", "duc xuan", "01840", "ward"),
        ("phu thong bi cup dien", "phu thong", "01969", "commune"),
        ("ma Binh Yen van mat dien", "Binh Yen", "05587", "commune"),
        ("xã Úc Kì", "xã Úc Kì", "05908", "commune"),
        ("ơ tràng xáa mất điện", "tràng xáa", "05746", "commune"),
        ("xax Binhf Yeen mất điện", "xax Binhf Yeen", "05587", "commune"),
        ("tổ 8 phường Quang Vinh", "tổ 8 phường Quang Vinh", "05482", "ward"),
        ("xã Cường Lợi, huyện Na Rì", "xã Cường Lợi, huyện Na Rì", "02152", "commune"),
        ("phường Tân Thành", "phường Tân Thành", "05500", "ward"),
        ("xã Tân Thành", "xã Tân Thành", "05923", "commune"),
        ("Tân Thịnh, Định Hóa", "Tân Thịnh, Định Hóa", "05563", "commune"),
        ("thị trấn Đu", "thị trấn Đu", "05611", "commune"),
        ("xã Văn Lang", "xã Văn Lang", "02143", "commune"),
        ("xã Văn Lăng", "xã Văn Lăng", "05665", "commune"),
        ("xã Định Hoá", "xã Định Hoá", "05569", "commune"),
        ("XÃ ĐỊNH HÓA", "XÃ ĐỊNH HÓA", "05569", "commune"),
        ("p. Đồng Bẩm", "p. Đồng Bẩm", "05710", "ward"),
        ("điện ở Khe Mo", "Khe Mo", "05680", "commune"),
    ],
)
def test_one_unit(text: str, words: str, code: str, kind: str) -> None:
    [(said, value)] = places(text)
    assert (said, value["code"], value["kind"]) == (words, code, kind)
    assert value["matched"] == words


def test_an_old_name_gives_the_new_unit_and_tells_the_old_one() -> None:
    [(_, value)] = places("xã Định Biên")
    assert value["name"] == "xã Bình Yên"
    assert (value["old_name"], value["district"]) == ("xã Định Biên", "Định Hóa")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Trung Thành", {"05500", "05899"}),
        ("phường Gia Sàng cũ", {"05467", "05443"}),
        ("xã Thượng Đình", {"05908", "05941"}),
        ("ở Tân Long", {"05482", "05674"}),
        ("Sông Cầu", {"05692", "01843"}),
        ("xa van lang", {"02143", "05665"}),
        ("ở yen lac", {"05611", "02155"}),
    ],
)
def test_choices_instead_of_a_guess(text: str, codes: "set[str]") -> None:
    [(_, value)] = places(text)
    assert value["code"] is None
    assert {choice["code"] for choice in value["choices"]} == codes
    assert all(choice["name"] and choice["district"] for choice in value["choices"])


def test_a_district_lists_its_units_with_its_namesake_first() -> None:
    for text in ("Định Hóa", "huyện Định Hóa", "điện lực Định Hóa"):
        [(_, value)] = places(text)
        assert (value["code"], value["kind"], value["name"]) == (None, "district", "huyện Định Hóa")
        assert len(value["choices"]) == 8
    [(_, value)] = places("Định Hóa")
    assert value["choices"][0]["code"] == "05569"


def test_a_name_that_is_an_everyday_word_is_a_place_where_its_power_is_spoken_of() -> None:
    assert [said for said, _ in places("chợ mới bh mới có điện lại")] == ["chợ mới"]
    assert places("em ở chỗ mới, chưa có điện") == []


def test_bac_kan_alone_is_ambiguous_and_thai_nguyen_alone_is_the_province() -> None:
    [(_, value)] = places("Bắc Kạn")
    assert value["choices"][0]["code"] == "01843"
    [(_, value)] = places("Thái Nguyên")
    assert (value["kind"], value["code"]) == ("province", None)
    [(_, value)] = places("thành phố Thái Nguyên")
    assert value["kind"] == "district"


def test_hamlets_and_streets() -> None:
    assert [(w, v["kind"]) for w, v in places("xóm 5 bị mất điện")] == [("xóm 5", "hamlet")]
    assert [(w, v["kind"]) for w, v in places("số 45 đường Lương Ngọc Quyến")] == [
        ("số 45 đường Lương Ngọc Quyến", "street")
    ]
    [(_, value)] = places("xóm Đồng Tiến xã Tân Thành")
    assert (value["code"], value["detail"]) == ("05923", "xóm Đồng Tiến")


@pytest.mark.parametrize(
    ("text", "words", "kind"),
    [
        ("dãy trọ ngõ 12 lương ngọc quyến", "ngõ 12 lương ngọc quyến", "street"),
        ("so 45 duong minh cau", "so 45 duong minh cau", "street"),
        ("xóm na long đây", "xóm na long", "hamlet"),
        ("nha toi o ban phieng luong tren nui", "ban phieng luong", "hamlet"),
    ],
)
def test_small_places_in_lower_case(text: str, words: str, kind: str) -> None:
    assert [(said, value["kind"]) for said, value in places(text)] == [(words, kind)]


@pytest.mark.parametrize(
    "text",
    [
        "tien dien la hien bao nhieu",
        "chuyen tien thanh cong roi",
        "thu ho co cho moi dong tien",
        "hang xom bai chan nuoi",
        "cả xóm đồng ý",
        "phải bản gốc cơ",
        "chi thanh mai oi",
        "em doi dong ho",
        "cả xóm mất điện rồi",
        "thành phố lạng sơn",
        "vẫn phải trả mà",
    ],
)
def test_words_that_are_no_places(text: str) -> None:
    assert places(text) == []


def test_every_unit_and_former_unit_is_found_by_its_full_name() -> None:
    data = lexicon.read_file(lexicon.PLACES)
    for unit in data["units"]:
        for former in unit["merged_from"]:
            text = f"{former['kind']} {former['name']}, {former['district']}"
            [(said, value)] = places(text)
            codes = {value["code"]} | {choice["code"] for choice in value.get("choices", ())}
            assert said == text
            assert unit["code"] in codes, text
        [(_, value)] = places(f"{unit['kind']} {unit['name']}")
        codes = {value["code"]} | {choice["code"] for choice in value.get("choices", ())}
        assert unit["code"] in codes

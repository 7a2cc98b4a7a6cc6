"""What kWh are used for: read from words as customers write them, priced, and recognised on a bill."""

from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest
from fixtures.bills import bill, customer
from hypothesis import given
from hypothesis import strategies as st

from actions.account_use import billed_as
from actions.answers import load_answers
from actions.tariff import Band, band_minutes, non_residential_charge, residential_charge, tariffs
from actions.use import Kind, Use
from actions.use_told import bands_told, counted, figures, in_words, lone_number, told
from bot.pipeline.assembly import DATA
from bot.text import fold

ANSWERS = load_answers(DATA / "answers.yml")
OCTOBER, END = date(2026, 10, 1), date(2026, 10, 31)


def entities(text: str, **spans: str) -> list[dict[str, Any]]:
    """What the understanding marks: energy="450 kwh", period="tháng 10"."""
    return [
        {"entity": kind, "start": text.index(span), "end": text.index(span) + len(span), "value": _value(kind, span)}
        for kind, span in spans.items()
    ]


def _value(kind: str, span: str) -> Any:
    return int(figures(span)[0]) if kind == "energy" else span


def use(text: str, before: Use | None = None, **spans: str) -> Use:
    found = entities(text, **spans)
    asked = told(text, found, ANSWERS, before or Use())
    assert told(fold(text), found, ANSWERS, before or Use()) == asked, "without tone marks"
    return asked


@pytest.mark.parametrize(
    ("text", "norms"),
    [
        ("3 hộ 450 kwh", "3"),
        ("2 hộ chung công tơ dùng 500 số", "2"),
        ("ba hộ dùng chung", "3"),
        ("hai định mức dùng 400 số", "2"),
        ("nhà e đông, 2 đm", "2"),
        ("2 nhà dùng chung đồng hồ", "2"),
        ("mười hai hộ một công tơ", "12"),
        ("3,25 định mức", "3.25"),
    ],
)
def test_households_that_share_a_meter(text: str, norms: str) -> None:
    assert use(text) == Use(kind="shared", norms=Decimal(norms))


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("nhà trọ 6 người dùng 320 số", 6),
        ("em thuê trọ, phòng có ba đứa", 3),
        ("dãy trọ hai mươi sinh viên", 20),
        ("Sinh viên ở ghép 3 người", 3),
    ],
)
def test_tenants_are_counted_by_people(text: str, people: int) -> None:
    found = use(text)
    assert (found.kind, found.people, found.counted_norms) == ("tenants", people, Decimal(people) / 4)


def test_people_of_a_household_change_nothing() -> None:
    assert use("nhà 4 người dùng 300 số") == Use()


def test_a_count_that_is_lacking() -> None:
    assert use("nhà trọ dùng 320 số").lacks == "people"
    assert use("dùng chung công tơ 500 số").lacks == "households"
    assert use("nhà trọ mười phòng, ba định mức").lacks is None
    assert use("người thuê chưa khai báo").lacks is None


@pytest.mark.parametrize("text", ["một hộ dùng 250 số", "1 hộ", "nhà ở", "hộ gia đình dùng 100 số", "dùng 250 số"])
def test_a_household(text: str) -> None:
    found = use(text)
    assert (found.kind, found.counted_norms) == ("household", 1)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("quán ăn 1500 số", "business"),
        ("mở tiệm gội đầu 600 kWh", "business"),
        ("theo giá kinh doanh 700 số", "business"),
        ("xưởng mộc dùng 2000 số", "production"),
        ("giá sản xuất", "production"),
        ("trường học dùng 800 số", "hospital_school"),
        ("bệnh viện 5000 kwh", "hospital_school"),
        ("đèn đường xã 600 số", "administration"),
        ("công tơ thẻ trả trước 100 số", "prepaid"),
        ("chưa đăng ký tạm trú", "tenants"),
    ],
)
def test_kinds(text: str, kind: Kind) -> None:
    assert use(text).kind == kind


@pytest.mark.parametrize(
    "text",
    ["giảm xuống 300 số", "nhà mấy người cũng được", "hỗ trợ 30 số", "giặt quần áo 20 số", "nhà bà già dùng 100 số"],
)
def test_words_that_only_look_like_another_kind(text: str) -> None:
    assert use(text) == Use()


def test_months_and_amounts_are_no_counts() -> None:
    assert use("tháng 10 hộ tôi dùng 300 số", period="tháng 10", energy="300 số") == Use()
    assert use("tháng 9 gia đình tôi dùng 300 số", period="tháng 9", energy="300 số") == Use()


@pytest.mark.parametrize("text", ["0 hộ dùng chung", "999 hộ dùng chung"])
def test_a_slip_is_no_count(text: str) -> None:
    assert use(text).lacks == "households"


@pytest.mark.parametrize(
    ("text", "kv"),
    [("xưởng mộc 22kV", "22"), ("xưởng mộc 35 kv", "35"), ("giá sản xuất trung áp", "22"), ("xưởng mộc", "0.4")],
)
def test_voltage(text: str, kv: str) -> None:
    assert use(text).kv == Decimal(kv)


def test_three_prices() -> None:
    assert use("xưởng ba giá dùng 3000 số") == Use(kind="production", evenly=True)
    assert use("quán ăn công tơ ba giá") == Use(kind="business", evenly=True)
    assert use("công tơ ba giá 3000 số").kind == "production"
    assert use("công tơ một giá", Use(kind="business", evenly=True)) == Use(kind="business")


def test_kwh_of_each_band() -> None:
    text = "quán ăn giờ bình thường 1000, cao điểm 300, thấp điểm 200"
    assert use(text).split == {"normal": 1000, "peak": 300, "off_peak": 200}
    assert bands_told("1.000 số bình thường, 300 số cao điểm", [], ANSWERS) == {"normal": 1000, "peak": 300}
    assert bands_told("cao điểm 300", [], ANSWERS) == {}
    assert bands_told("cao điểm từ 9:30 đến 11:30, thấp điểm từ 22h", [], ANSWERS) == {}


def test_what_was_known_is_kept_and_another_kind_begins_anew() -> None:
    shop = Use(kind="business", kv=Decimal(22), evenly=True)
    assert use("thế còn 2000 số?", shop) == shop
    assert use("thế nhà trọ 4 người", shop) == Use(kind="tenants", people=4)
    assert use("6 người", Use(kind="tenants", undeclared=True)) == Use(kind="tenants", people=6)


@pytest.mark.parametrize(("words", "number"), [("ba", 3), ("muoi hai", 12), ("hai muoi", 20), ("hai muoi nam", 25)])
def test_numbers_in_words(words: str, number: int) -> None:
    assert in_words(words, ANSWERS) == number


def test_a_vague_number_is_none() -> None:
    assert in_words("hai ba", ANSWERS) is None
    assert counted("hai ba người", [], ANSWERS, "people") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("khoảng 1.500", 1500),
        ("mười hai", 12),
        ("chắc ba thôi", 3),
        ("2 hay 3", None),
        ("hai hay ba", None),
        ("ừ", None),
    ],
)
def test_a_number_alone(text: str, number: int | None) -> None:
    assert lone_number(text, ANSWERS) == number


def test_numbers_in_figures() -> None:
    assert figures("1.500 và 2,5 và 300 lúc 9:30, 5/2026") == [1500, Decimal("2.5"), 300]


USES = st.builds(
    Use,
    kind=st.sampled_from(get_args(Kind)),
    norms=st.none() | st.integers(1, 40).map(lambda quarters: Decimal(quarters) / 4),
    people=st.none() | st.integers(1, 50),
    kv=st.sampled_from([Decimal("0.4"), Decimal(10), Decimal(22), Decimal(110)]),
)


@given(USES)
def test_a_use_goes_through_a_button(asked: Use) -> None:
    assert Use.unpacked(asked.packed()) == asked


@given(USES, st.integers(0, 5000), st.integers(0, 500))
def test_more_kwh_never_cost_less(asked: Use, kwh: int, more: int) -> None:
    less, much = (asked.charge(Decimal(each), first=OCTOBER, last=END) for each in (kwh, kwh + more))
    assert less.total <= much.total
    assert less.amount + less.vat == less.total


@given(st.integers(0, 5000), st.dates(date(2019, 5, 1), date(2027, 12, 1)))
def test_one_norm_is_a_plain_household(kwh: int, on: date) -> None:
    plain = residential_charge(kwh, first_day=on, last_day=on)
    for one in (Use(), Use(kind="shared", norms=Decimal(1)), Use(kind="tenants", people=4)):
        assert one.charge(Decimal(kwh), first=on, last=on) == plain


@given(
    kwh=st.integers(0, 20_000),
    split=st.fixed_dictionaries({band: st.integers(0, 900) for band in get_args(Band)}).filter(
        lambda each: any(each.values())
    ),
    evenly=st.booleans(),
)
def test_bands_share_all_kwh_in_whole_ones(kwh: int, split: dict[Band, int], evenly: bool) -> None:
    shares = None if evenly else {band: Decimal(each) for band, each in split.items()}
    charge = Use(kind="production", split=shares, evenly=evenly).charge(Decimal(kwh), first=OCTOBER, last=END)
    assert sum(line.kwh for line in charge.lines) == kwh
    assert all(line.kwh >= 0 and line.kwh == int(line.kwh) for line in charge.lines)


def test_use_by_all_hours_alike_follows_the_hours_in_force() -> None:
    minutes = band_minutes(OCTOBER)
    assert minutes == {"normal": 5760, "off_peak": 2520, "peak": 1800}
    assert sum(minutes.values()) == 7 * 24 * 60
    lines = Use(kind="production", evenly=True).charge(Decimal(1008), first=OCTOBER, last=END).lines
    assert [line.kwh for line in lines] == [576, 252, 180]


def test_published_figures_of_tenants() -> None:
    """electricity.md §1.9."""

    def total(kwh: int, **more: Any) -> int:
        return Use(kind="tenants", **more).charge(Decimal(kwh), first=OCTOBER, last=END).total

    assert total(120, people=4) == 269_244
    assert total(200, people=5) == 465_075
    assert total(60, people=1) == 151_097
    assert total(120, undeclared=True) == 308_448


@pytest.mark.parametrize(
    "asked",
    [
        Use(),
        Use(kind="shared", norms=Decimal("3.25")),
        Use(kind="tenants", undeclared=True),
        Use(kind="prepaid"),
    ],
)
def test_a_household_is_recognised_by_its_bill(asked: Use) -> None:
    invoice = bill(asked.charge(Decimal(461), first=OCTOBER, last=END), OCTOBER, END)
    assert billed_as(customer(norms="1"), invoice) == asked


def test_without_a_bill_the_contract_tells_the_norms() -> None:
    assert billed_as(customer(norms="2.5"), None) == Use(kind="shared", norms=Decimal("2.5"))
    assert billed_as(customer(norms="1"), None) == Use()


def test_another_group_is_recognised_by_the_prices_of_its_bill() -> None:
    usage: dict[Band, int] = {"normal": 600, "off_peak": 220, "peak": 180}
    charge = non_residential_charge(usage, group="production", on=END, voltage_kv="22")
    found = billed_as(customer("production"), bill(charge, OCTOBER, END))
    assert found == Use(kind="production", kv=Decimal(22), split={b: Decimal(n) for b, n in usage.items()})
    one_price = non_residential_charge({"normal": 600}, group="business", on=END)
    assert billed_as(customer("business"), bill(one_price, OCTOBER, END)) == Use(kind="business", kv=Decimal(0))


def test_prices_that_nobody_knows() -> None:
    invoice = bill(residential_charge(100, first_day=OCTOBER, last_day=END), OCTOBER, END)
    assert billed_as(customer("business"), invoice) is None
    assert billed_as(customer("business"), None) is None


def test_every_phrase_is_written_without_tone_marks() -> None:
    questions = {
        name: options for name, options in ANSWERS.items() if name.startswith(("use.", "tariff.", "estimate."))
    }
    phrases = [phrase for options in questions.values() for each in options.values() for phrase in each]
    assert [phrase for phrase in phrases if fold(phrase) != phrase] == []
    assert set(ANSWERS["use.kind"]) == set(get_args(Kind))
    assert set(ANSWERS["use.band"]) == set(get_args(Band))
    assert tariffs().labels.keys() >= set(get_args(Band))

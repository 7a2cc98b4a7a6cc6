"""Published figures (electricity.md §1.9) and the laws that every charge must obey."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.tariff import TariffUnknown, consumption, non_residential_charge, residential_charge, tariffs, tiers
from actions.tariff_data import Tariffs

NOW = date(2026, 10, 1)
BEFORE = {  # a day under each decision
    "648": date(2020, 6, 1),
    "1062": date(2023, 6, 1),
    "2941": date(2024, 6, 1),
    "2699": date(2025, 1, 1),
    "1279": NOW,
}


def month_price(kwh: int | Decimal, on: date = NOW, norms: Decimal | int = 1) -> int:
    return residential_charge(kwh, first_day=on, last_day=on, norms=norms).amount


@pytest.mark.parametrize(
    ("kwh", "increase"),
    [(50, 4_550), (100, 9_250), (200, 20_150), (300, 33_950), (400, 49_250), (500, 65_050)],
)
def test_increase_of_may_2025(kwh: int, increase: int) -> None:
    assert month_price(kwh) - month_price(kwh, BEFORE["2699"]) == increase


@pytest.mark.parametrize(
    ("old", "new", "increase"),
    [("648", "1062", 36_000), ("1062", "2941", 55_600), ("2941", "2699", 62_150), ("2699", "1279", 65_050)],
)
def test_increases_at_500_kwh(old: str, new: str, increase: int) -> None:
    assert month_price(500, BEFORE[new]) - month_price(500, BEFORE[old]) == increase


@pytest.mark.parametrize(
    ("kwh", "norms", "amount", "total"),
    [
        (500, "1", 1_420_500, 1_534_140),
        (461, "1", 1_285_560, 1_388_405),
        (120, "1", 249_300, 269_244),
        (200, "1.25", 430_625, 465_075),
        (60, "0.25", 139_905, 151_097),
        (270, "1", 649_560, 701_525),
    ],
)
def test_published_totals(kwh: int, norms: str, amount: int, total: int) -> None:
    charge = residential_charge(kwh, first_day=NOW, last_day=NOW, norms=Decimal(norms))
    assert (charge.amount, charge.total) == (amount, total)
    assert charge.amount + charge.vat == charge.total


def test_170_kwh_before_vat() -> None:
    assert month_price(170) == 368_300


@pytest.mark.parametrize(
    ("kwh", "total"), [(50, 107_136), (100, 217_836), (200, 474_876), (300, 798_660), (400, 1_160_460)]
)
def test_own_totals(kwh: int, total: int) -> None:
    assert residential_charge(kwh, first_day=NOW, last_day=NOW).total == total


def test_vat_is_rounded_half_up_once() -> None:
    charge = residential_charge(461, first_day=NOW, last_day=NOW)
    assert (charge.vat_percent, charge.vat) == (8, 102_845)


def test_tenants_not_fully_declared_pay_tier_three() -> None:
    charge = residential_charge(120, first_day=NOW, last_day=NOW, scheme="undeclared")
    assert (charge.amount, charge.total) == (285_600, 308_448)
    assert [(line.tier, line.price) for line in charge.lines] == [(3, 2380)]


def test_prepaid_meters_pay_one_price() -> None:
    charge = residential_charge(100, first_day=NOW, last_day=NOW, scheme="prepaid")
    assert (charge.amount, [line.tier for line in charge.lines]) == (290_900, [None])


def test_meter_that_rolled_over() -> None:
    assert consumption(99_850, 120) == 270
    assert consumption(120, 390, multiplier=20) == 5_400


def test_lines_tell_tiers() -> None:
    lines = residential_charge(120, first_day=NOW, last_day=NOW).lines
    assert [(line.label, line.kwh, line.price, line.amount) for line in lines] == [
        ("Bậc 1", 50, 1984, 99_200),
        ("Bậc 2", 50, 2050, 102_500),
        ("Bậc 3", 20, 2380, 47_600),
    ]


def test_no_use_costs_nothing() -> None:
    charge = residential_charge(0, first_day=NOW, last_day=NOW)
    assert (charge.lines, charge.total) == ((), 0)


def test_price_change_by_days() -> None:
    charge = residential_charge(310, first_day=date(2025, 5, 1), last_day=date(2025, 5, 31))
    old = [line for line in charge.lines if line.decision == "QĐ 2699/QĐ-BCT"]
    new = [line for line in charge.lines if line.decision == "QĐ 1279/QĐ-BCT"]
    # 9 of 31 days are old: 310 x 9 / 31 = 90 kWh; widths 50 x 9 / 31 = 14.5 -> 15, 100 x 9 / 31 = 29.03 -> 29
    assert [(line.tier, line.kwh) for line in old] == [(1, 15), (2, 15), (3, 29), (4, 29), (5, 2)]
    # 22 days are new: 220 kWh; widths 35.48 -> 35 and 70.97 -> 71
    assert [(line.tier, line.kwh) for line in new] == [(1, 35), (2, 35), (3, 71), (4, 71), (5, 8)]
    assert all("10/5/2025" in line.label for line in new)
    assert not any("10/5/2025" in line.label for line in old)


def test_price_change_by_the_reading_of_that_day() -> None:
    change = date(2025, 5, 10)
    charge = residential_charge(
        310, first_day=date(2025, 5, 1), last_day=date(2025, 5, 31), used_before={change: Decimal(12)}
    )
    assert charge.lines[0].kwh == 12
    assert sum(line.kwh for line in charge.lines[1:]) == 298


def test_two_changes_in_one_period() -> None:
    charge = residential_charge(600, first_day=date(2023, 5, 1), last_day=date(2023, 11, 30), normal_days=30)
    assert list(dict.fromkeys(line.decision for line in charge.lines)) == [
        "QĐ 648/QĐ-BCT",
        "QĐ 1062/QĐ-BCT",
        "QĐ 2941/QĐ-BCT",
    ]


def test_first_bill_of_new_supply_has_tiers_by_days() -> None:
    charge = residential_charge(60, first_day=date(2026, 10, 17), last_day=date(2026, 10, 31), normal_days=31)
    # 15 of 31 days: widths 24.2 -> 24, 24, 48.4 -> 48
    assert [(line.tier, line.kwh) for line in charge.lines] == [(1, 24), (2, 24), (3, 12)]


@pytest.mark.parametrize(
    ("day", "percent"),
    [
        (date(2022, 1, 31), 10),
        (date(2022, 2, 1), 8),
        (date(2022, 12, 31), 8),
        (date(2023, 1, 1), 10),
        (date(2023, 6, 30), 10),
        (date(2023, 7, 1), 8),
        (date(2026, 12, 31), 8),
        (date(2027, 1, 1), 10),
    ],
)
def test_vat_periods(day: date, percent: int) -> None:
    assert tariffs().vat.percent_on(day) == percent
    assert residential_charge(100, first_day=day, last_day=day).vat_percent == percent


def test_no_price_before_the_first_decision() -> None:
    with pytest.raises(TariffUnknown):
        month_price(10, date(2018, 1, 1))


@pytest.mark.parametrize(("kwh", "norms", "last"), [(-1, 1, NOW), (1, 0, NOW), (1, 1, NOW - timedelta(days=1))])
def test_nonsense_is_refused(kwh: int, norms: int, last: date) -> None:
    with pytest.raises(ValueError, match="must"):
        residential_charge(kwh, first_day=NOW, last_day=last, norms=norms)


# --- Laws ---------------------------------------------------------------------------------------------------------

energies = st.decimals(min_value=0, max_value=5_000, places=2)
households = st.sampled_from([Decimal(quarter) / 4 for quarter in range(1, 41)])
days = st.dates(min_value=date(2019, 3, 20), max_value=date(2028, 1, 1))
lengths = st.integers(min_value=1, max_value=400)


@given(less=energies, more=energies, norms=households, on=days)
def test_more_never_costs_less(less: Decimal, more: Decimal, norms: Decimal, on: date) -> None:
    low, high = sorted([less, more])
    assert (
        residential_charge(low, first_day=on, last_day=on, norms=norms).total
        <= residential_charge(high, first_day=on, last_day=on, norms=norms).total
    )


@given(kwh=energies, norms=households, first=days, length=lengths)
def test_lines_add_up(kwh: Decimal, norms: Decimal, first: date, length: int) -> None:
    charge = residential_charge(kwh, first_day=first, last_day=first + timedelta(days=length - 1), norms=norms)
    assert abs(sum(line.kwh for line in charge.lines) - kwh) < Decimal("0.0001")
    assert abs(sum(line.amount for line in charge.lines) - charge.amount) <= Decimal("0.51")
    assert charge.amount + charge.vat == charge.total
    assert abs(charge.vat - charge.amount * charge.vat_percent / 100) <= 1


@given(kwh=energies, fewer=households, more=households, on=days)
def test_more_norms_never_cost_more(kwh: Decimal, fewer: Decimal, more: Decimal, on: date) -> None:
    low, high = sorted([fewer, more])
    assert (
        residential_charge(kwh, first_day=on, last_day=on, norms=high).total
        <= residential_charge(kwh, first_day=on, last_day=on, norms=low).total
    )


@given(kwh=energies, norms=st.integers(min_value=1, max_value=12), on=days)
def test_norms_share_alike(kwh: Decimal, norms: int, on: date) -> None:
    together = residential_charge(kwh * norms, first_day=on, last_day=on, norms=norms)
    alone = residential_charge(kwh, first_day=on, last_day=on)
    assert abs(together.amount - alone.amount * norms) <= norms


def _flat_history(rounding: str) -> Tariffs:
    """Two decisions with equal prices, the second from 10 May 2025."""
    data = tariffs()
    prices = [d for d in data.residential if d.in_force_from and d.in_force_from >= date(2024, 10, 11)]
    same = prices[0].model_copy(update={"in_force_from": prices[1].in_force_from, "decision": "the same again"})
    rules = data.rounding.model_copy(update={"kwh_share": rounding, "scaled_width": rounding})
    return data.model_copy(update={"residential": (prices[0], same), "rounding": rules})


@given(kwh=energies, norms=households, before=st.integers(1, 30), after=st.integers(1, 30))
def test_a_change_to_equal_prices_changes_nothing(kwh: Decimal, norms: Decimal, before: int, after: int) -> None:
    change = date(2025, 5, 10)
    first, last = change - timedelta(days=before), change + timedelta(days=after - 1)
    data = _flat_history("exact")
    split = residential_charge(kwh, first_day=first, last_day=last, norms=norms, data=data)
    whole = residential_charge(kwh, first_day=first, last_day=change - timedelta(days=1), norms=norms, data=data)
    assert (split.amount, split.total) == (whole.amount, whole.total)


@given(kwh=st.integers(0, 2_000), norms=households, before=st.integers(1, 30), after=st.integers(1, 30))
def test_whole_shares_stay_whole(kwh: int, norms: Decimal, before: int, after: int) -> None:
    change = date(2025, 5, 10)
    charge = residential_charge(
        kwh,
        first_day=change - timedelta(days=before),
        last_day=change + timedelta(days=after - 1),
        norms=norms,
        data=_flat_history("whole"),
    )
    assert all(line.kwh == int(line.kwh) for line in charge.lines)


@given(kwh=energies, norms=households, on=st.dates(min_value=date(2025, 5, 10), max_value=date(2026, 12, 31)))
def test_tiers_explain_the_charge(kwh: Decimal, norms: Decimal, on: date) -> None:
    expected = sum(
        (min(kwh, tier.upper if tier.upper is not None else kwh) - tier.lower) * tier.price
        for tier in tiers(on, norms)
        if kwh > tier.lower
    )
    assert abs(residential_charge(kwh, first_day=on, last_day=on, norms=norms).amount - expected) <= Decimal("0.5")


# --- Those who are not households ---------------------------------------------------------------------------------


def test_small_shop_pays_the_normal_price() -> None:
    charge = non_residential_charge({"normal": 100}, group="business", on=NOW)
    assert (charge.amount, charge.total, charge.lines[0].label) == (315_200, 340_416, "Một giá")


def test_three_prices() -> None:
    charge = non_residential_charge(
        {"normal": 100, "off_peak": 50, "peak": 10}, group="production", on=NOW, voltage_kv="22"
    )
    assert charge.amount == 100 * 1833 + 50 * 1190 + 10 * 3398
    assert [line.label for line in charge.lines] == ["Giờ bình thường", "Giờ thấp điểm", "Giờ cao điểm"]


@pytest.mark.parametrize(
    ("group", "voltage", "normal"),
    [
        ("production", "110", 1811),
        ("production", "35", 1833),
        ("production", "6", 1899),
        ("production", "0.4", 1987),
        ("business", "22", 2887),
        ("business", "10", 3108),
        ("business", "0.4", 3152),
        ("hospital_school", "6", 1940),
        ("hospital_school", "0.4", 2072),
        ("administration", "22", 2138),
        ("administration", "0.4", 2226),
    ],
)
def test_voltage_decides_the_class(group: str, voltage: str, normal: int) -> None:
    assert tariffs().non_residential_on(NOW).prices(group, Decimal(voltage)).normal == normal  # type: ignore[arg-type]


def test_schools_have_no_peak_price() -> None:
    with pytest.raises(TariffUnknown):
        non_residential_charge({"peak": 1}, group="hospital_school", on=NOW)


def test_negative_use_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        non_residential_charge({"normal": -1}, group="business", on=NOW)

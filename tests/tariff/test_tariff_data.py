"""The tariff files say what electricity.md §1 says, and time-of-use follows the schedule on bills."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest

from actions.prices import spans
from actions.tariff import TariffUnknown, band_minutes, residential_charge, tariffs, tiers, time_band

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def test_every_decision_prices_every_tier() -> None:
    data = tariffs()
    for decision in data.residential:
        limits = data.structure_of(decision).limits
        assert limits[-1] is None
        assert list(limits[:-1]) == sorted(limit for limit in limits if limit)
        assert 1 <= data.structure_of(decision).undeclared_tier <= len(limits)
        assert decision.source
        if decision.in_force_from:
            assert decision.prices is not None
            assert len(decision.prices) == len(limits)
            assert list(decision.prices) == sorted(decision.prices)


@pytest.mark.parametrize(
    ("day", "decision"),
    [
        (date(2019, 3, 20), "QĐ 648/QĐ-BCT"),
        (date(2023, 5, 3), "QĐ 648/QĐ-BCT"),
        (date(2023, 5, 4), "QĐ 1062/QĐ-BCT"),
        (date(2023, 11, 9), "QĐ 2941/QĐ-BCT"),
        (date(2024, 10, 10), "QĐ 2941/QĐ-BCT"),
        (date(2024, 10, 11), "QĐ 2699/QĐ-BCT"),
        (date(2025, 5, 9), "QĐ 2699/QĐ-BCT"),
        (date(2025, 5, 10), "QĐ 1279/QĐ-BCT"),
        (date(2026, 11, 23), "QĐ 1279/QĐ-BCT"),
    ],
)
def test_decision_in_force(day: date, decision: str) -> None:
    assert tariffs().residential_on(day).decision == decision


def test_five_tiers_are_known_but_not_in_force() -> None:
    data = tariffs()
    five = next(d for d in data.residential if d.structure == "five_tiers")
    assert five.in_force_from is None
    average = data.residential_on(date(2026, 11, 23)).average
    assert average is not None
    assert five.percent_of_average is not None
    prices = [int((average * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)) for percent in five.percent_of_average]
    assert prices == [1984, 2380, 2998, 3571, 3967]


def test_the_switch_is_a_change_of_data_only() -> None:
    data = tariffs()
    five = next(d for d in data.residential if d.structure == "five_tiers")
    switched = five.model_copy(
        update={"in_force_from": date(2027, 1, 1), "prices": (2000, 2400, 3000, 3600, 4000), "prepaid": 3000}
    )
    later = data.model_copy(update={"residential": (*data.residential[:-1], switched)})
    day = date(2027, 2, 1)
    charge = residential_charge(250, first_day=day, last_day=day, data=later)
    assert [(line.tier, line.kwh) for line in charge.lines] == [(1, 100), (2, 100), (3, 50)]
    flat = residential_charge(10, first_day=day, last_day=day, scheme="undeclared", data=later)
    assert flat.lines[0].price == 2400


def test_tiers_for_norms() -> None:
    one, *_, last = tiers(date(2026, 11, 1), Decimal("2.5"))
    assert (one.lower, one.upper, one.price) == (0, 125, 1984)
    assert (last.lower, last.upper, last.price) == (1000, None, 3460)


@pytest.mark.parametrize(
    ("local", "band"),
    [
        ("2026-11-23 09:29", "normal"),
        ("2026-11-23 09:30", "peak"),
        ("2026-11-23 11:30", "normal"),
        ("2026-11-23 17:00", "peak"),
        ("2026-11-23 20:00", "normal"),
        ("2026-11-23 22:00", "off_peak"),
        ("2026-11-23 03:59", "off_peak"),
        ("2026-11-23 04:00", "normal"),
        ("2026-11-28 18:00", "peak"),
        ("2026-11-29 18:00", "normal"),
        ("2026-11-29 23:00", "off_peak"),
    ],
)
def test_time_bands(local: str, band: str) -> None:
    assert time_band(datetime.fromisoformat(local).replace(tzinfo=ZONE)) == band


def test_issued_hours_are_not_applied() -> None:
    schedules = tariffs().schedules
    assert [s.in_force_from is None for s in schedules] == [False, True]
    assert schedules[1].monday_to_saturday.peak == ("17:30-22:30",)


def test_the_new_hours_are_a_change_of_data_only() -> None:
    data = tariffs()
    applied = data.schedules[1].model_copy(update={"in_force_from": date(2027, 1, 1)})
    later = data.model_copy(update={"schedules": (data.schedules[0], applied)})
    local = {"2026-12-31": "normal", "2027-01-04": "peak"}
    for day, band in local.items():
        assert time_band(datetime.fromisoformat(f"{day} 21:00").replace(tzinfo=ZONE), later) == band
    assert later.schedule_to_come is None
    for on in (date(2026, 12, 31), date(2027, 1, 1)):
        assert band_minutes(on, later) == {"normal": 5760, "off_peak": 2520, "peak": 1800}


def test_hours_as_they_are_read() -> None:
    hours = tariffs().schedule_on(date(2026, 11, 23)).monday_to_saturday
    assert spans(hours.peak) == ["9:30–11:30", "17:00–20:00"]
    assert spans(hours.off_peak) == ["22:00–4:00"]
    assert spans(()) == []


def test_no_hours_before_the_oldest() -> None:
    with pytest.raises(TariffUnknown):
        time_band(datetime(2015, 1, 1, tzinfo=ZONE))

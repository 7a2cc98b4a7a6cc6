"""The switch to five tiers (electricity.md §1.2): decisions put into the data, and no code changed."""

import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures.bills import bill, customer
from hypothesis import given
from hypothesis import strategies as st

from actions.account_use import billed_as
from actions.tariff import residential_charge, tariffs, tiers
from actions.tariff_data import TARIFF_FOLDER, Tariffs
from actions.use import Use

FIXTURE = Path(__file__).parents[1] / "fixtures" / "five_tiers.yml"
SWITCH = date(2027, 3, 11)
MARCH, END_OF_MARCH = date(2027, 3, 1), date(2027, 3, 31)
BEFORE, AFTER = date(2027, 2, 1), date(2027, 4, 1)


@pytest.fixture(scope="session")
def switched(tmp_path_factory: pytest.TempPathFactory) -> Tariffs:
    """data/tariffs with the new decisions written into it, as the utility would."""
    folder = tmp_path_factory.mktemp("switched") / "tariffs"
    shutil.copytree(TARIFF_FOLDER, folder)
    new = yaml.safe_load(FIXTURE.read_text("utf-8"))
    for name, decision in (("residential", new["residential"]), ("non_residential", new["non_residential"])):
        file = folder / f"{name}.yml"
        content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
        content["decisions"] = [*(d for d in content["decisions"] if d["in_force_from"]), decision]
        file.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return tariffs(folder)


def lines(kwh: int, first: date, last: date, data: Tariffs, **more: Any) -> list[tuple[int | None, Decimal, int]]:
    charge = residential_charge(kwh, first_day=first, last_day=last, data=data, **more)
    assert abs(charge.amount - sum(line.amount for line in charge.lines)) <= Decimal("0.5")
    return [(line.tier, line.kwh, line.price) for line in charge.lines]


def test_before_the_switch_nothing_changes(switched: Tariffs) -> None:
    for kwh in (0, 50, 101, 461, 900):
        before = residential_charge(kwh, first_day=BEFORE, last_day=BEFORE, data=switched)
        assert before == residential_charge(kwh, first_day=BEFORE, last_day=BEFORE)
    assert [tier.upper for tier in tiers(SWITCH - timedelta(days=1), data=switched)] == [50, 100, 200, 300, 400, None]


def test_from_the_switch_on_there_are_five_tiers(switched: Tariffs) -> None:
    assert [(tier.upper, tier.price) for tier in tiers(SWITCH, data=switched)] == [
        (100, 2000),
        (200, 2400),
        (400, 3000),
        (700, 3600),
        (None, 4000),
    ]
    assert lines(800, AFTER, AFTER, switched) == [
        (1, 100, 2000),
        (2, 100, 2400),
        (3, 200, 3000),
        (4, 300, 3600),
        (5, 100, 4000),
    ]
    charge = residential_charge(800, first_day=AFTER, last_day=AFTER, data=switched)
    assert (charge.amount, charge.vat_percent, charge.total) == (2_520_000, 10, 2_772_000)


def test_norms_multiply_the_new_tiers(switched: Tariffs) -> None:
    assert lines(500, AFTER, AFTER, switched, norms=Decimal("2.5")) == [(1, 250, 2000), (2, 250, 2400)]


def test_tenants_who_are_not_declared_pay_tier_two_then(switched: Tariffs) -> None:
    assert lines(120, BEFORE, BEFORE, switched, scheme="undeclared") == [(3, 120, 2380)]
    assert lines(120, AFTER, AFTER, switched, scheme="undeclared") == [(2, 120, 2400)]
    # 10 of 31 days are old: 310 x 10 / 31 = 100 kWh
    assert lines(310, MARCH, END_OF_MARCH, switched, scheme="undeclared") == [(3, 100, 2380), (2, 210, 2400)]


def test_prepaid_meters(switched: Tariffs) -> None:
    assert lines(100, AFTER, AFTER, switched, scheme="prepaid") == [(None, 100, 2950)]


def test_a_bill_across_the_switch_without_remote_metering(switched: Tariffs) -> None:
    """By days: 10 of 31 old, widths 16, 16, 32, 32, 32; 21 new, widths 68, 68, 135, 203 (rounded half up)."""
    assert lines(310, MARCH, END_OF_MARCH, switched) == [
        (1, 16, 1984),
        (2, 16, 2050),
        (3, 32, 2380),
        (4, 32, 2998),
        (5, 4, 3350),
        (1, 68, 2000),
        (2, 68, 2400),
        (3, 74, 3000),
    ]


def test_a_bill_across_the_switch_with_remote_metering(switched: Tariffs) -> None:
    """The kWh before the switch are read, not interpolated; widths go by days all the same."""
    assert lines(310, MARCH, END_OF_MARCH, switched, used_before={SWITCH: 40}) == [
        (1, 16, 1984),
        (2, 16, 2050),
        (3, 8, 2380),
        (1, 68, 2000),
        (2, 68, 2400),
        (3, 134, 3000),
    ]


def test_the_days_of_the_month_before_may_be_the_regular_ones(switched: Tariffs) -> None:
    """T' of the classic formula (§1.7): February's 28 days for a period that ends in March."""
    found = lines(310, MARCH, END_OF_MARCH, switched, normal_days=28)
    assert found[:2] == [(1, 18, 1984), (2, 18, 2050)]  # 50 x 10 / 28 = 17.86
    assert found[4:6] == [(1, 75, 2000), (2, 75, 2400)]  # 100 x 21 / 28


@pytest.mark.parametrize(
    ("kv", "normal"),
    [("110", 1800), ("35.5", 1800), ("35", 1900), ("22", 1900), ("6", 1900), ("1", 2000), ("0.4", 2000)],
)
def test_voltage_classes_are_high_medium_and_low(switched: Tariffs, kv: str, normal: int) -> None:
    assert switched.non_residential_on(SWITCH).prices("production", Decimal(kv)).normal == normal


@pytest.mark.parametrize("row", range(3))
def test_a_class_is_found_again_by_its_lowest_voltage(switched: Tariffs, row: int) -> None:
    decision = switched.non_residential_on(SWITCH)
    wanted = decision.groups["business"][row]
    assert decision.prices("business", wanted.lowest_kv) == wanted


def test_others_are_read_on_the_day_so_each_side_has_its_prices(switched: Tariffs) -> None:
    shop = Use(kind="business")
    old = shop.charge(Decimal(100), first=MARCH, last=SWITCH - timedelta(days=1), data=switched)
    new = shop.charge(Decimal(100), first=SWITCH, last=END_OF_MARCH, data=switched)
    assert (old.amount, new.amount) == (315_200, 320_000)


def exact(data: Tariffs) -> Tariffs:
    rules = data.rounding.model_copy(update={"kwh_share": "exact", "scaled_width": "exact"})
    return data.model_copy(update={"rounding": rules})


@given(
    kwh=st.integers(0, 3000),
    norms=st.sampled_from([Decimal(quarter) / 4 for quarter in range(1, 21)]),
    before=st.integers(1, 40),
    after=st.integers(1, 40),
)
def test_across_the_switch_it_is_between_all_old_and_all_new(
    switched: Tariffs, kwh: int, norms: Decimal, before: int, after: int
) -> None:
    """Split by days: never more than at the dearer prices, never less than at the cheaper ones; the shares exactly."""
    data, first, last = exact(switched), SWITCH - timedelta(days=before), SWITCH + timedelta(days=after - 1)
    across = residential_charge(kwh, first_day=first, last_day=last, norms=norms, data=data).amount
    old, new = (
        residential_charge(kwh, first_day=on, last_day=on, norms=norms, data=data).amount for on in (first, last)
    )
    assert min(old, new) - 1 <= across <= max(old, new) + 1
    assert abs(across - (old * before + new * after) / (before + after)) <= 1


@given(kwh=st.integers(0, 3000), before=st.integers(1, 40), after=st.integers(1, 40))
def test_no_tier_of_a_part_holds_more_than_its_share(switched: Tariffs, kwh: int, before: int, after: int) -> None:
    first, last = SWITCH - timedelta(days=before), SWITCH + timedelta(days=after - 1)
    charge = residential_charge(kwh, first_day=first, last_day=last, data=switched)
    for name, days in (("QĐ 1279/QĐ-BCT", before), ("QĐ 1/QĐ-BCT", after)):
        decision = next(d for d in switched.residential if d.decision == name)
        widths = switched.structure_of(decision).widths
        for line in (line for line in charge.lines if line.decision == name):
            assert line.tier
            width = widths[line.tier - 1]
            assert width is None or line.kwh <= Decimal(width * days) / (before + after) + Decimal("0.5")


def test_an_account_is_still_recognised_by_its_bill(switched: Tariffs) -> None:
    charge = residential_charge(310, first_day=MARCH, last_day=END_OF_MARCH, scheme="undeclared", data=switched)
    assert billed_as(customer(), bill(charge, MARCH, END_OF_MARCH), switched) == Use(kind="tenants", undeclared=True)

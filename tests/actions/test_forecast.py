"""How a month is likely to end: from readings, with a range that holds what it promises, or not at all."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.backends.models import Reading
from actions.forecast import FEWEST_DAYS, MonthSoFar, month_so_far
from actions.tariff import tiers
from actions.this_month import next_tier
from actions.use import Use

NOVEMBER = date(2026, 11, 1)
BEFORE = date(2026, 9, 2)
"""60 days before."""


def readings(*kwh: float | None, first: date = BEFORE) -> list[Reading]:
    return [
        Reading(day=first + timedelta(days=n), reading=Decimal(1000 + n), kwh=Decimal(str(round(used, 1))))
        for n, used in enumerate(kwh)
        if used is not None
    ]


def so_far(*kwh: float | None) -> MonthSoFar:
    found = month_so_far(readings(*kwh), NOVEMBER)
    assert found
    return found


def test_a_house_that_uses_the_same_every_day() -> None:
    found = so_far(*[4.0] * 80)  # 60 days and 20 of November
    assert (found.used, found.until, found.unread) == (80, date(2026, 11, 20), 0)
    assert found.outlook
    assert (found.outlook.kwh, found.outlook.low, found.outlook.high) == (120, 120, 120)


def test_the_last_week_counts() -> None:
    outlook = so_far(*[4.0] * 73, *[6.0] * 7).outlook
    assert outlook
    assert outlook.kwh == 13 * 4 + 7 * 6 + 10 * 6
    assert outlook.low < outlook.kwh < outlook.high


def test_days_that_were_not_read_are_told_and_taken_to_be_like_the_others() -> None:
    found = so_far(*[4.0] * 62, None, None, *[4.0] * 16)
    assert (found.used, found.days, found.unread) == (72, 18, 2)
    assert found.outlook
    assert found.outlook.kwh == 120


@pytest.mark.parametrize(("days", "enough"), [(1, False), (FEWEST_DAYS - 1, False), (FEWEST_DAYS, True), (30, True)])
def test_too_early_in_the_month(days: int, enough: bool) -> None:
    assert (so_far(*[4.0] * (60 + days)).outlook is not None) is enough


def test_a_new_customer_has_no_past_to_try_it_on() -> None:
    found = month_so_far(readings(*[4.0] * 10, first=NOVEMBER), NOVEMBER)
    assert found
    assert (found.used, found.outlook) == (40, None)


def test_nothing_read_this_month() -> None:
    assert month_so_far(readings(*[4.0] * 60), NOVEMBER) is None
    assert month_so_far([], NOVEMBER) is None


def test_on_the_last_day_nothing_is_open() -> None:
    outlook = so_far(*[3.0, 5.0] * 45).outlook
    assert outlook
    assert outlook.low == outlook.kwh == outlook.high == 120


def test_an_empty_house() -> None:
    found = so_far(*[0.0] * 80)
    assert found.outlook
    assert (found.outlook.kwh, found.outlook.high, found.day_at(Decimal(50))) == (0, 0, None)


def test_the_day_a_tier_is_passed() -> None:
    found = so_far(*[4.0] * 80)  # 80 kWh by the 20th
    assert found.day_at(Decimal(100)) == date(2026, 11, 25)
    assert found.day_at(Decimal(81)) == date(2026, 11, 21)
    assert found.day_at(Decimal(120)) is None
    assert found.day_at(Decimal(200)) is None
    reached = next_tier(found, Use(), NOVEMBER)
    assert reached
    assert reached.following
    assert (reached.tier.number, reached.following.number, reached.left, reached.on) == (2, 3, 20, date(2026, 11, 25))


def test_tiers_of_several_norms_and_of_none() -> None:
    found = so_far(*[4.0] * 80)
    shared = next_tier(found, Use(kind="shared", norms=Decimal(2)), NOVEMBER)
    assert shared
    assert (shared.tier.number, shared.left, shared.on) == (1, 20, date(2026, 11, 25))
    none = (Use(kind="prepaid"), Use(kind="tenants", undeclared=True), Use(kind="business"), None)
    assert [next_tier(found, use, NOVEMBER) for use in none] == [None] * 4


def test_the_last_tier_has_none_after_it() -> None:
    reached = next_tier(so_far(*[25.0] * 80), Use(), NOVEMBER)
    assert reached
    assert (reached.tier, reached.following) == (tiers(NOVEMBER)[-1], None)


@given(st.lists(st.one_of(st.none(), st.integers(0, 300).map(lambda tenths: tenths / 10)), min_size=61, max_size=90))
def test_a_range_is_about_what_is_likely_and_never_below_what_is_used(kwh: list[float | None]) -> None:
    found = month_so_far(readings(*kwh), NOVEMBER)
    if found is None:
        assert all(used is None for used in kwh[60:])
        return
    assert found.used == sum((Decimal(str(used)) for used in kwh[60:] if used is not None), Decimal(0))
    if found.outlook:
        assert found.used <= found.outlook.low <= found.outlook.kwh <= found.outlook.high
        day = found.day_at(found.used + 5)
        assert day is None or found.until < day <= found.last


def test_after_the_last_day_nothing_is_passed_any_more() -> None:
    found = so_far(*[5.0] * 60, *[None] * 9, *[5.0] * 21)
    assert found.until == found.last
    assert found.outlook
    assert found.day_at(found.used + 1) is None


def test_the_range_holds_what_it_promises() -> None:
    """Houses whose weeks differ by their weather, forecast on the 10th and the 20th: about four ends of five are in."""
    held = tried = 0
    for seed in range(300):
        random = Random(seed)
        weather = 1.0
        kwh = []
        for _ in range(90):
            weather = 1 + 0.9 * (weather - 1) + random.gauss(0, 0.06)
            kwh.append(max(8 * weather * random.uniform(0.75, 1.25), 0))
        whole = Decimal(sum(round(used, 1) for used in kwh[60:]))
        for day in (10, 20):
            outlook = so_far(*kwh[: 60 + day]).outlook
            assert outlook
            tried += 1
            held += outlook.low <= whole <= outlook.high
    assert 0.7 <= held / tried <= 0.95, held / tried


def test_what_is_read_after_the_month_is_not_in_it() -> None:
    found = month_so_far(readings(*[4.0] * 95), NOVEMBER)
    assert found
    assert (found.used, found.until) == (120, date(2026, 11, 30))

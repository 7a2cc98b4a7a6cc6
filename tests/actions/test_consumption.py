"""What is usual, what stands out and what is missing in readings and bills."""

from datetime import date, timedelta
from decimal import Decimal

from fixtures.outside import CODE, invoice
from hypothesis import given
from hypothesis import strategies as st

from actions.backends.models import Reading
from actions.consumption import DailyUse, daily_use, monthly_use, percent

FIRST = date(2026, 10, 1)
RULES = {"times": Decimal("1.8"), "kwh": Decimal(2)}


def readings(*kwh: float | None) -> list[Reading]:
    return [
        Reading(day=FIRST + timedelta(days=n), reading=Decimal(1000 + n), kwh=Decimal(str(used)))
        for n, used in enumerate(kwh)
        if used is not None
    ]


def use(*kwh: float | None, shown: int = 5) -> DailyUse:
    last = FIRST + timedelta(days=len(kwh) - 1)
    return daily_use(readings(*kwh), last - timedelta(days=shown - 1), last, **RULES)


def test_a_day_far_above_the_usual_stands_out() -> None:
    found = use(3, 3.2, 2.8, 3, 3.1, 2.9, 3, 8.1, 3, 3)
    assert found.usual == 3
    assert [(day.day, day.kwh, day.times) for day in found.unusual] == [
        (FIRST + timedelta(days=7), Decimal("8.1"), Decimal("2.7"))
    ]


def test_a_small_house_s_ups_and_downs_do_not() -> None:
    assert use(0.5, 0.6, 0.5, 0.4, 0.5, 0.6, 1.4, 0, 0.5, 0.5).unusual == []


def test_a_day_of_hardly_anything_stands_out() -> None:
    [day] = use(5, 5, 5, 5, 5, 5, 0.3, 5, 5, 5).unusual
    assert (day.kwh, day.times) == (Decimal("0.3"), Decimal("0.1"))


def test_days_that_were_not_read_are_gaps() -> None:
    found = use(3, 3, 3, 3, 3, 3, None, None, 3, 3)
    assert [day.kwh for day in found.days] == [3, None, None, 3, 3]
    assert (found.missing, found.total, found.on(FIRST + timedelta(days=6))) == (2, 9, None)


def test_of_few_readings_nothing_is_usual() -> None:
    found = use(3, 3, 30)
    assert (found.usual, found.unusual, found.trend) == (None, [], None)


def test_nothing_read() -> None:
    found = daily_use([], FIRST, FIRST + timedelta(days=4), **RULES)
    assert (found.known, found.missing, found.usual, found.lately) == ([], 5, None, None)


def test_a_lasting_rise_is_a_trend() -> None:
    found = use(*[4] * 20, *[6] * 7, shown=7)
    assert (found.lately, found.trend, found.unusual) == (6, 50, [])


@given(st.lists(st.one_of(st.none(), st.integers(0, 400).map(lambda tenths: tenths / 10)), min_size=5, max_size=60))
def test_what_is_shown_is_what_was_read(kwh: list[float | None]) -> None:
    found = use(*kwh)
    assert [day.kwh for day in found.days] == [None if k is None else Decimal(str(k)) for k in kwh[-5:]]
    assert found.missing == sum(k is None for k in kwh[-5:])
    assert all(day.times is not None for day in found.unusual)


def test_months_with_gaps_and_changes() -> None:
    bills = [invoice(CODE, date(2026, month, 1)) for month in (10, 8, 7)]
    bills[0] = bills[0].model_copy(update={"kwh": 260})
    bills[1] = bills[1].model_copy(update={"kwh": 260})
    found = monthly_use(bills, date(2026, 1, 1), date(2026, 11, 1))
    assert [(month.month.month, month.kwh, month.change) for month in found] == [
        (7, 200, None),
        (8, 260, 30),
        (9, None, None),
        (10, 260, None),
    ]


def test_two_bills_of_one_month_are_added() -> None:
    bills = [invoice(CODE, FIRST), invoice(CODE, FIRST).model_copy(update={"term": 2, "kwh": 50, "days": 10})]
    [month] = monthly_use(bills, FIRST, FIRST)
    assert (month.kwh, month.days) == (250, 41)


def test_no_bill_no_month() -> None:
    assert monthly_use([], date(2026, 1, 1), FIRST) == []


def test_percent() -> None:
    assert (percent(200, 100), percent(3, 4), percent(0, 5)) == (-50, 33, None)

"""Why a bill is not the other: parts in whole đồng that add up to the difference, whatever changed."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from fixtures.bills import bill
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.backends.models import Invoice
from actions.bill_parts import Part, difference, reckoned
from actions.tariff import Band, non_residential_charge, residential_charge

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
LEFT_BY_ROUNDING = 5


def home(kwh: int, month: date = OCTOBER, days: int | None = None, norms: str = "1", **more: Any) -> Invoice:
    """A bill of a month, or of so many days up to its end."""
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    first = last - timedelta(days=days - 1) if days else month
    charge = residential_charge(kwh, first_day=first, last_day=last, norms=Decimal(norms), **more)
    return bill(charge, first, last)


def parts(before: Invoice, after: Invoice, norms: str = "1") -> dict[str, int]:
    found = difference(before, after, household=True, norms=Decimal(norms))
    assert sum(part.amount for part in found) == after.total - before.total
    return {part.cause: part.amount for part in found}


def test_only_more_use() -> None:
    found = parts(home(100, days=30), home(250, days=30))
    assert found.keys() <= {"volume", "tiers", "rounding"}
    assert found["volume"] == round(150 * 2017 * 1.08)
    assert found["tiers"] > 0


def test_only_more_days() -> None:
    assert parts(home(93, days=31), home(96, days=32)).keys() <= {"days", "rounding"}


def test_more_days_and_more_use() -> None:
    assert parts(home(120, SEPTEMBER), home(150)).keys() - {"rounding"} == {"days", "volume", "tiers"}


def test_only_another_norm() -> None:
    found = parts(home(300, days=30), home(300, days=30, norms="2"), norms="2")
    assert found.keys() <= {"norms", "rounding"}
    assert found["norms"] < 0


def test_only_other_prices() -> None:
    found = parts(home(200, date(2025, 4, 1)), home(200, date(2025, 6, 1)))
    assert found.keys() <= {"price", "rounding"}
    assert found["price"] == round(20_150 * 1.08)


def test_only_another_vat() -> None:
    """8 % ends on 31/12/2026 (electricity.md §1.5)."""
    found = parts(home(170, date(2026, 12, 1)), home(170, date(2027, 1, 1)))
    assert found == {"vat": round(368_300 * 0.02)}


def test_the_same_bill_has_no_parts() -> None:
    assert parts(home(170, days=30), home(170, days=30)) == {}


def test_from_an_empty_house() -> None:
    assert parts(home(0, SEPTEMBER), home(60)).keys() - {"rounding"} == {"volume", "tiers"}


def test_tenants_who_are_declared_at_last() -> None:
    found = parts(home(120, days=30, scheme="undeclared"), home(120, days=30, norms="1.25"), norms="1.25")
    assert found.keys() <= {"norms", "rounding"}


def test_the_largest_comes_first_and_rounding_last() -> None:
    found = difference(home(100, SEPTEMBER), home(333, norms="1.25"), household=True, norms=Decimal("1.25"))
    sizes = [abs(part.amount) for part in found if part.cause != "rounding"]
    assert sizes == sorted(sizes, reverse=True)
    assert [part.cause for part in found].index("rounding") == len(found) - 1 if "rounding" in str(found) else True


DAYS = st.integers(date(2019, 5, 10).toordinal(), date(2027, 6, 30).toordinal()).map(date.fromordinal)


@st.composite
def bills(draw: st.DrawFn) -> tuple[Invoice, Decimal]:
    """Any bill of a household, across price changes, of 15 to 45 days, with its norms."""
    last = draw(DAYS)
    first = last - timedelta(days=draw(st.integers(15, 45)) - 1)
    norms = Decimal(draw(st.integers(1, 12))) / 4
    regular = (last.replace(day=28) + timedelta(days=4)).replace(day=1) - last.replace(day=1)
    charge = residential_charge(
        draw(st.integers(0, 1500)),
        first_day=first,
        last_day=last,
        norms=norms,
        scheme=draw(st.sampled_from(["tiers", "tiers", "tiers", "undeclared"])),
        normal_days=draw(st.sampled_from([None, regular.days])),
    )
    return bill(charge, first, last), norms


@settings(max_examples=150, deadline=None)
@given(bills(), bills())
def test_parts_add_up_whatever_changed(one: tuple[Invoice, Decimal], other: tuple[Invoice, Decimal]) -> None:
    (before, _), (after, norms) = one, other
    found = difference(before, after, household=True, norms=norms)
    assert found or before.total == after.total
    assert sum(part.amount for part in found) == after.total - before.total
    assert all(abs(part.amount) <= LEFT_BY_ROUNDING for part in found if part.cause == "rounding")
    assert "line" not in {part.cause for part in found}


@settings(max_examples=100, deadline=None)
@given(bills())
def test_every_bill_that_follows_the_rules_can_be_reckoned(one: tuple[Invoice, Decimal]) -> None:
    invoice, norms = one
    for tried in ([norms], []):
        found = reckoned(invoice, tried)
        assert found is not None
        assert found.kwh == invoice.kwh
    assert all(
        reckoned(invoice.model_copy(update={"amount": invoice.amount + wrong, "total": invoice.total + wrong}), [norms])
        is None
        for wrong in (-50_000, 50_000)
    )


def workshop(normal: int, off_peak: int, peak: int, vat: int | None = None, days: int = 31) -> Invoice:
    usage: dict[Band, int] = {"normal": normal, "off_peak": off_peak, "peak": peak}
    charge = non_residential_charge(usage, group="production", on=OCTOBER)
    last = date(2026, 10, 31)
    invoice = bill(charge, last - timedelta(days=days - 1), last)
    if vat is None:
        return invoice
    total = round(Fraction(invoice.amount) * (100 + vat) / 100)
    return invoice.model_copy(update={"vat_percent": Decimal(vat), "total": total, "vat": total - invoice.amount})


@given(
    st.lists(st.integers(0, 5_000), min_size=6, max_size=6),
    st.sampled_from([8, 10]),
    st.integers(25, 35),
)
def test_three_prices_are_told_by_the_hours(kwh: list[int], vat: int, days: int) -> None:
    before, after = workshop(*kwh[:3]), workshop(*kwh[3:], vat=vat, days=days)
    found = difference(before, after, household=False, norms=Decimal(1))
    assert sum(part.amount for part in found) == after.total - before.total
    assert {part.cause for part in found} <= {"line", "volume", "days", "vat", "rounding"}
    assert all(abs(part.amount) <= LEFT_BY_ROUNDING for part in found if part.cause == "rounding")


def test_more_days_of_a_workshop_are_no_more_use() -> None:
    [part] = difference(workshop(300, 90, 60, days=30), workshop(310, 93, 62), household=False, norms=Decimal(1))
    assert (part.cause, part.amount) == ("days", round((10 * 1987 + 3 * 1300 + 2 * 3640) * 1.08))


def test_a_shop_with_one_price_just_used_more() -> None:
    def shop(kwh: int) -> Invoice:
        charge = non_residential_charge({"normal": kwh}, group="business", on=OCTOBER)
        return bill(charge, OCTOBER, date(2026, 10, 31))

    assert difference(shop(600), shop(832), household=False, norms=Decimal(1)) == [
        Part("volume", shop(832).total - shop(600).total, "", Decimal(232))
    ]


def test_a_dearer_band_is_a_price_not_a_use() -> None:
    before, after = workshop(100, 0, 50), workshop(100, 0, 50)
    line = after.lines[1].model_copy(update={"price": 4_000})
    amount = after.amount + 50 * 360
    after = after.model_copy(
        update={
            "lines": (after.lines[0], line),
            "amount": amount,
            "total": round(amount * 1.08),
            "vat": round(amount * 0.08),
        }
    )
    [part] = difference(before, after, household=False, norms=Decimal(1))
    assert part == Part("price", round(50 * 360 * 1.08))


@pytest.mark.parametrize("household", [True, False])
def test_a_correction_is_not_explained_away(household: bool) -> None:
    corrected = home(120).model_copy(update={"amount": 300_000, "vat": 24_000, "total": 324_000})
    assert difference(home(100, SEPTEMBER), corrected, household=household, norms=Decimal(1)) == []

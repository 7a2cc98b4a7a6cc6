"""The sandbox world: the same from the same seed, true to its tariffs, and alive as its time moves."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from backend_serving import NOW

from actions.backends.models import Invoice, OutageReport
from actions.tariff import residential_charge
from sandbox.world import Refused, World, build_world
from sandbox.world.dates import add_months, days, last_day, local_day, months
from sandbox.world.places import office_of, offices, places
from sandbox.world.usage import Meter, Oddity, Profile

HOA = "PA04DH0000123"
ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))


@pytest.fixture(scope="module")
def full() -> World:
    """A whole world that tests only read."""
    return build_world(1, lambda: NOW)


@pytest.fixture
def world() -> World:
    """A small world of one's own."""
    return build_world(1, lambda: NOW, customers=120)


def bills(world: World, code: str) -> list[Invoice]:
    return list(reversed(world.invoices(code, *ALWAYS).items))


def test_is_made_in_time() -> None:
    began = time.monotonic()
    build_world(5, lambda: NOW)
    assert time.monotonic() - began < 5


def test_two_thousand_customers_over_all_places(full: World) -> None:
    customers = [full.customer(code) for code in full.codes]
    assert len(customers) == 2_000
    assert {customer.place_code for customer in customers} == set(places())
    assert len(places()) == 92
    for customer in customers:
        assert customer.code.startswith(office_of(customer.place_code).code)
        assert len(customer.code) == 13
    assert {customer.code[:4] for customer in customers} == {"PA04", "PA26"}
    assert {customer.tariff_group for customer in customers} == {
        "residential",
        "business",
        "production",
        "hospital_school",
        "administration",
    }
    assert {customer.status for customer in customers} == {"active", "cut_for_debt"}


def test_every_place_has_one_office() -> None:
    served = Counter(code for office in offices().values() for code in office.place_codes)
    assert set(served) == set(places())
    assert set(served.values()) == {1}


def test_the_same_seed_makes_the_same_world(full: World) -> None:
    again, other = build_world(1, lambda: NOW), build_world(2, lambda: NOW)
    assert again.codes == full.codes
    assert other.codes != full.codes
    for code in (*full.codes[:20], *full.codes[-20:]):
        assert again.customer(code) == full.customer(code)
        assert again.invoices(code, *ALWAYS) == full.invoices(code, *ALWAYS)
        assert again.payments(code, *ALWAYS) == full.payments(code, *ALWAYS)
        assert again.readings(code, *ALWAYS) == full.readings(code, *ALWAYS)
    span = (NOW - timedelta(days=20), NOW + timedelta(days=20))
    assert again.outages(*span) == full.outages(*span)


def test_the_order_of_asking_changes_nothing(full: World) -> None:
    fresh = build_world(1, lambda: NOW)
    codes = full.codes[14:40]
    assert [fresh.debt(code) for code in reversed(codes)][::-1] == [full.debt(code) for code in codes]


def test_twenty_four_months_of_bills_up_to_last_month(full: World) -> None:
    own = bills(full, HOA)
    assert [bill.month for bill in own] == list(months(date(2024, 11, 1), date(2026, 10, 31)))


def test_meters_run_on_from_bill_to_bill(full: World) -> None:
    for code in full.codes[:80]:
        for earlier, later in pairwise(bills(full, code)):
            assert later.first_day == earlier.last_day + timedelta(days=1)
            if later.meter_serial == earlier.meter_serial:
                assert later.reading_old == earlier.reading_new


def test_bills_are_those_of_the_tariff(full: World) -> None:
    own = [bill for bill in bills(full, HOA) if bill.month != date(2025, 5, 1)]
    for bill in own:
        charge = residential_charge(bill.kwh, first_day=bill.first_day, last_day=bill.last_day)
        assert (bill.amount, bill.vat, bill.total) == (charge.amount, charge.vat, charge.total)


def test_may_2025_straddles_two_prices_by_the_reading_of_the_day(full: World) -> None:
    may = next(bill for bill in bills(full, HOA) if bill.month == date(2025, 5, 1))
    readings = {reading.day: reading.reading for reading in full.readings(HOA, *ALWAYS).items}
    used_before = round(readings[date(2025, 5, 9)] - may.reading_old)
    old = [line for line in may.lines if "10/5/2025" not in line.label]
    assert 0 < len(old) < len(may.lines)
    assert sum(line.kwh for line in old) == used_before
    assert [line.price for line in old] == [1893, 1956, 2271][: len(old)]
    assert {line.price for line in may.lines if line not in old} <= {1984, 2050, 2380, 2998, 3350, 3460}


def test_october_2024_straddles_in_a_world_of_then() -> None:
    then = datetime(2024, 12, 2, 3, tzinfo=UTC)
    old_world = build_world(1, lambda: then, customers=30)
    october = next(bill for bill in bills(old_world, HOA) if bill.month == date(2024, 10, 1))
    assert any("11/10/2024" in line.label for line in october.lines)
    assert any("11/10/2024" not in line.label for line in october.lines)
    assert {old_world.customer(code).tariff_group for code in old_world.codes[14:]} == {"residential"}


def test_lines_have_the_kwh_of_their_bill(full: World) -> None:
    for code in full.codes[:120]:
        for bill in bills(full, code):
            assert sum(line.kwh for line in bill.lines) == bill.kwh
            assert abs(sum(line.amount for line in bill.lines) - bill.amount) <= len(bill.lines)
            assert bill.amount + bill.vat == bill.total


def test_daily_readings_add_up_to_the_bill(full: World) -> None:
    september = next(bill for bill in bills(full, HOA) if bill.month == date(2026, 9, 1))
    readings = full.readings(HOA, date(2026, 9, 1), date(2026, 9, 30)).items
    assert sum(reading.kwh for reading in readings) == september.kwh
    assert readings[-1].reading == september.reading_new
    assert all(reading.kwh > 0 for reading in readings)


def test_some_days_are_not_read(full: World) -> None:
    counts = {len(full.readings(code, date(2026, 1, 1), date(2026, 10, 31)).items) for code in full.codes[14:34]}
    assert min(counts) < 304
    assert min(counts) > 270


def test_debt_is_what_remains(full: World) -> None:
    owing = 0
    for code in full.codes[:200]:
        debt = full.debt(code)
        open_bills = [bill for bill in bills(full, code) if bill.paid < bill.total]
        assert debt.total == sum(bill.total - bill.paid for bill in open_bills)
        assert list(debt.invoices) == open_bills
        owing += bool(open_bills)
    assert 5 < owing < 60


def test_paid_is_the_sum_of_payments(full: World) -> None:
    for code in full.codes[:60]:
        received: Counter[str] = Counter()
        for payment in full.payments(code, *ALWAYS).items:
            received[payment.invoice_id] += payment.amount
        assert {bill.id: bill.paid for bill in bills(full, code) if bill.paid} == dict(received)


# --- The personas -------------------------------------------------------------------------------------------------

DAYS = [date(2026, 11, 23), date(2026, 11, 1), date(2026, 12, 31), date(2027, 3, 1), date(2026, 7, 15)]


@pytest.mark.parametrize("day", DAYS)
def test_stories_hold_on_any_day(day: date) -> None:
    now = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    world = build_world(1, lambda: now, customers=40)
    hoa = world.debt(HOA)
    assert [bill.month for bill in hoa.invoices] == [add_months(day.replace(day=1), -1)]
    assert hoa.invoices[0].due_date == day + timedelta(days=4)
    [tomorrow] = world.outages(now, now + timedelta(days=2), customer_code=HOA).items
    assert local_day(tomorrow.start) == day + timedelta(days=1)
    assert tomorrow.published_at < now - timedelta(days=5)
    assert len(world.debt("PA04VN0000501").invoices) == 2
    assert world.customer("PA26PN0000601").status == "cut_for_debt"
    assert len(world.debt("PA26PN0000601").invoices) == 3
    [dark] = world.outages(now, now, customer_code="PA26CD0001001").items
    assert (dark.state, dark.kind) == ("active", "unplanned")
    assert dark.expected_end is not None
    assert dark.expected_end > now
    [off] = world.outages(now, now + timedelta(days=3), customer_code="PA04VN0000501").items
    assert (off.state, off.version) == ("cancelled", 2)
    assert all(0 <= bill.kwh < 15 for bill in bills(world, "PA04SC0000701")[-2:])
    swapped = bills(world, "PA26BB0000901")[-1]
    assert swapped.kwh != swapped.reading_new - swapped.reading_old
    assert world.contract("PA26BB0000901").meter_serial == swapped.meter_serial


def test_personas_have_stories_phones_and_codes(full: World) -> None:
    assert len(full.personas) >= 10
    assert all(persona.story and persona.codes for persona in full.personas)
    assert len({persona.phone for persona in full.personas}) == len(full.personas)
    assert sorted(len(persona.codes) for persona in full.personas)[-1] == 2
    for persona in full.personas:
        for code in persona.codes:
            assert full.customer(code).phone_masked.endswith(persona.phone[-3:])


def test_paid_twice(full: World) -> None:
    newest = bills(full, "PA04HY0001201")[-1]
    assert newest.paid == 2 * newest.total
    assert full.debt("PA04HY0001201").total == 0


def test_shop_landlord_and_workshop(full: World) -> None:
    shop, workshop = bills(full, "PA04TN0000301")[-1], bills(full, "PA04DT0001101")[-1]
    assert [line.price for line in shop.lines] == [3152]
    assert [line.price for line in workshop.lines] == [1987, 3640, 1300]
    landlord = bills(full, "PA04GT0000401")[-1]
    assert landlord.lines[0].kwh == Decimal("162.5")
    assert [line.price for line in bills(full, "PA04GT0000402")[-1].lines] == [2380]


def test_a_leak_shows_on_the_bill(full: World) -> None:
    *_, before, leaking = bills(full, "PA04TN0000801")
    assert leaking.kwh > before.kwh * 1.2


# --- Meters -------------------------------------------------------------------------------------------------------


def meter(oddity: Oddity | None = None, cooling: float = 0.0) -> Meter:
    return Meter("k", Profile(6.0, cooling, 0.0, oddity), date(2026, 1, 1), "20000000", 500)


def test_summer_is_dear() -> None:
    use = meter(cooling=1.5)
    assert use.month(date(2026, 7, 1)).billed > 1.8 * use.month(date(2026, 3, 1)).billed


def test_a_leak_begins_within_its_month() -> None:
    month = meter(Oddity("leak", date(2026, 4, 1))).month(date(2026, 4, 1))
    early, late = ([float(day.kwh) for day in half] for half in (month.days[:14], month.days[14:]))
    assert sum(late) / len(late) > 1.8 * sum(early) / len(early)


def test_a_swapped_meter_starts_at_nothing() -> None:
    use = meter(Oddity("meter_swap", date(2026, 4, 1)))
    month, following = use.month(date(2026, 4, 1)), use.month(date(2026, 5, 1))
    assert month.serial != use.month(date(2026, 3, 1)).serial == "20000000"
    assert sum(day.kwh for day in month.days) == month.billed
    assert month.days[14].reading == month.days[14].kwh
    assert month.days[-1].reading == month.reading_new == following.reading_old


def test_a_dead_meter_is_billed_by_its_past_and_replaced() -> None:
    use = meter(Oddity("dead_meter", date(2026, 4, 1)))
    before = [use.month(date(2026, number, 1)) for number in (1, 2, 3)]
    month, following = use.month(date(2026, 4, 1)), use.month(date(2026, 5, 1))
    assert month.billed == round(sum(each.billed for each in before) * 30 / 90)
    assert all(day.kwh == 0 for day in month.days[14:])
    assert month.reading_new - month.reading_old < month.billed
    assert (following.reading_old, following.serial != month.serial) == (0, True)


def test_readings_never_fall() -> None:
    use = meter()
    readings = [use.day(day).reading for day in days(date(2026, 1, 1), date(2026, 6, 30))]
    assert all(later >= earlier for earlier, later in pairwise(readings))


def test_calendar() -> None:
    assert add_months(date(2026, 11, 1), 2) == date(2027, 1, 1)
    assert add_months(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert last_day(date(2024, 2, 1)) == date(2024, 2, 29)


# --- As time moves ------------------------------------------------------------------------------------------------


def test_a_new_month_brings_a_bill(world: World) -> None:
    before = bills(world, HOA)
    world.advance(timedelta(days=9))
    after = bills(world, HOA)
    assert [bill.month for bill in after[len(before) :]] == [date(2026, 11, 1)]
    november = world.readings(HOA, date(2026, 11, 1), date(2026, 11, 30)).items
    assert sum(reading.kwh for reading in november) == after[-1].kwh


def test_an_outage_runs_its_course(world: World) -> None:
    def state() -> str:
        return world.outages(NOW, NOW + timedelta(days=2), customer_code=HOA).items[0].state

    assert state() == "planned"
    world.advance(timedelta(hours=22))
    assert state() == "active"
    world.advance(timedelta(hours=4))
    assert state() == "restored"


def test_outages_are_known_days_before_and_never_from_the_future(full: World) -> None:
    week = full.outages(NOW, NOW + timedelta(days=30)).items
    assert all(outage.published_at <= NOW for outage in week)
    planned = [outage for outage in full.outages(NOW - timedelta(days=25), NOW).items if outage.kind == "planned"]
    assert len(planned) > 20
    assert all(outage.start - outage.published_at >= timedelta(days=5) for outage in planned)
    assert {outage.state for outage in planned} >= {"restored", "cancelled"}
    assert any(outage.version > 1 and outage.state != "cancelled" for outage in planned)


def test_time_does_not_go_back(world: World) -> None:
    with pytest.raises(ValueError, match="back"):
        world.advance(timedelta(seconds=-1))


def test_paying_everything_brings_power_back(world: World) -> None:
    code = "PA26PN0000601"
    paid = world.pay(code)
    assert len(paid) == 3
    assert world.debt(code).total == 0
    assert world.customer(code).status == "active"
    assert world.payments(code, local_day(NOW), local_day(NOW)).items[0].amount == paid[-1].amount


def test_a_part_payment_leaves_the_rest(world: World) -> None:
    bill = world.debt(HOA).invoices[0]
    world.pay(HOA, bill.id, 100_000)
    debt = world.debt(HOA)
    assert (debt.total, debt.invoices[0].status) == (bill.total - 100_000, "partly_paid")


def test_paying_early_replaces_the_planned_payment(world: World) -> None:
    code = "PA04PY0000201"
    world.advance(timedelta(days=8))
    [bill] = world.debt(code).invoices
    world.pay(code, bill.id)
    world.advance(timedelta(days=10))
    assert bills(world, code)[-1].paid == bill.total


def test_issuing_by_hand(world: World) -> None:
    bill = world.issue(HOA, kwh=500)
    assert (bill.month, bill.kwh, bill.total) == (date(2026, 11, 1), 500, 1_534_140)
    assert len(world.debt(HOA).invoices) == 2
    world.advance(timedelta(days=9))
    assert [each.month for each in bills(world, HOA)].count(date(2026, 11, 1)) == 1


def test_an_expired_request_is_not_paid(world: World) -> None:
    request = world.request_payment(HOA, [world.debt(HOA).invoices[0].id])
    world.advance(timedelta(hours=25))
    with pytest.raises(Refused) as refusal:
        world.pay_request(request.id)
    assert refusal.value.code == "expired"
    assert world.debt(HOA).total == request.amount


def test_a_request_is_paid_once_by_many_presses(world: World) -> None:
    request = world.request_payment(HOA, [world.debt(HOA).invoices[0].id])
    with ThreadPoolExecutor(8) as pool:
        presses = list(pool.map(lambda _: world.pay_request(request.id), range(16)))
    assert sum(len(payments) for payments in presses) == 1
    assert bills(world, HOA)[-1].paid == request.amount


def test_tickets_are_numbered_apart_by_many_threads(world: World) -> None:
    places_of = [world.customer(code).place_code for code in world.codes[14:74]]
    with ThreadPoolExecutor(8) as pool:
        tickets = list(pool.map(lambda code: world.report_outage(OutageReport(place_code=code)), places_of))
    assert len({ticket.code for ticket in tickets}) == 60


def test_a_report_is_done_when_the_power_is_back(world: World) -> None:
    ticket = world.report_outage(OutageReport(customer_code="PA26CD0001001"))
    assert ticket.state == "received"
    world.advance(timedelta(minutes=20))
    assert world.ticket(ticket.code).state == "in_progress"
    world.advance(timedelta(hours=3))
    assert world.ticket(ticket.code).state == "done"


def test_inbox_keeps_the_newest(world: World) -> None:
    for number in range(60):
        world.sms.deliver("0912000001", str(number))
    assert [sms.text for sms in world.sms.messages("0912000001")] == [str(number) for number in range(10, 60)]
    assert world.sms.messages("0900000000") == []

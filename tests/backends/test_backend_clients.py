"""Every call of both clients against the reference backends, over real HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from backend_serving import NOW, Backends

from actions.backends import BillingClient, ServiceClient
from actions.backends.calls import watched
from actions.backends.errors import BackendWrong, NotAllowed, NotFound, Rejected
from actions.backends.models import Case, OutageReport, TicketNote

HOA = "PA04DH0000123"
NOBODY = "PA04ZZ9999999"
OCTOBER = date(2026, 10, 1)


def test_customer(quiet: Backends) -> None:
    customer = quiet.billing.customer(HOA)
    assert (customer.name, customer.place_name, customer.office_code) == ("Ma Thị Hoa", "xã Bình Yên", "PA04DH")
    assert (customer.tariff_group, customer.status, customer.household_norms) == ("residential", "active", 1)
    assert customer.phone_masked == "09xxxxx001"
    assert customer.as_of == NOW
    assert customer.as_of.tzinfo is UTC


def test_invoices_newest_first_of_the_months_asked_for(quiet: Backends) -> None:
    invoices = quiet.billing.invoices(HOA, first=date(2026, 7, 1), last=OCTOBER).items
    assert [invoice.month for invoice in invoices] == [date(2026, month, 1) for month in (10, 9, 8, 7)]
    newest = invoices[0]
    assert newest.reading_new - newest.reading_old == newest.kwh
    assert sum(line.kwh for line in newest.lines) == newest.kwh
    assert (newest.first_day, newest.last_day, newest.days) == (OCTOBER, date(2026, 10, 31), 31)
    assert (newest.status, newest.paid) == ("unpaid", 0)
    assert newest.issued_at.tzinfo is UTC


def test_no_invoices_of_a_month_to_come(quiet: Backends) -> None:
    assert quiet.billing.invoices(HOA, first=date(2027, 1, 1), last=date(2027, 2, 1)).items == ()


def test_debt(quiet: Backends) -> None:
    debt = quiet.billing.debt(HOA)
    assert [invoice.month for invoice in debt.invoices] == [OCTOBER]
    assert debt.total == debt.invoices[0].total
    assert quiet.billing.debt("PA04PY0000201").total == 0


def test_payments_newest_first(quiet: Backends) -> None:
    payments = quiet.billing.payments(HOA, first=date(2026, 1, 1), last=date(2026, 11, 23)).items
    assert len(payments) >= 9
    assert [payment.paid_at for payment in payments] == sorted((p.paid_at for p in payments), reverse=True)


def test_readings_oldest_first_until_yesterday(quiet: Backends) -> None:
    readings = quiet.billing.readings(HOA, first=date(2026, 11, 1), last=date(2026, 11, 30)).items
    assert [reading.day for reading in readings] == [date(2026, 11, day) for day in range(1, 23)]
    assert all(later.reading - earlier.reading == later.kwh for earlier, later in pairwise(readings))
    assert all(isinstance(reading.kwh, Decimal) for reading in readings)


def test_payment_request(backends: Backends) -> None:
    [invoice] = backends.billing.debt(HOA).invoices
    request = backends.billing.payment_request(HOA, [invoice.id], idempotency_key="k1")
    assert (request.amount, request.invoice_ids) == (invoice.total, (invoice.id,))
    assert request.url.endswith(f"/pay/{request.id}")
    assert request.expires_at > NOW
    assert request.transfer is not None
    assert HOA in request.transfer.content


def test_the_same_key_makes_one_payment_request(backends: Backends) -> None:
    [invoice] = backends.billing.debt(HOA).invoices
    first = backends.billing.payment_request(HOA, [invoice.id], idempotency_key="k1")
    again = backends.billing.payment_request(HOA, [invoice.id], idempotency_key="k1")
    other = backends.billing.payment_request(HOA, [invoice.id], idempotency_key="k2")
    assert first == again
    assert other.id != first.id


def test_a_key_for_another_body_is_a_conflict(backends: Backends) -> None:
    mai = "PA04VN0000501"
    older, newer = backends.billing.debt(mai).invoices
    backends.billing.payment_request(mai, [older.id], idempotency_key="k1")
    with pytest.raises(Rejected) as refusal:
        backends.billing.payment_request(mai, [newer.id], idempotency_key="k1")
    assert refusal.value.code == "idempotency_conflict"


def test_refused_payment_requests(backends: Backends) -> None:
    paid = backends.billing.invoices(HOA, first=date(2026, 9, 1), last=date(2026, 9, 1)).items[0]
    others = backends.billing.debt("PA04VN0000501").invoices[0]
    for ids, code in (([paid.id], "already_paid"), ([others.id], "unknown_invoice"), ([], "invoices_missing")):
        with pytest.raises(Rejected) as refusal:
            backends.billing.payment_request(HOA, ids, idempotency_key=f"key of {code}")
        assert refusal.value.code == code


def test_contract(quiet: Backends) -> None:
    contract = quiet.service.contract(HOA)
    assert (contract.customer_code, contract.purpose, contract.phases) == (HOA, "Sinh hoạt", 1)
    october = quiet.billing.invoices(HOA, first=OCTOBER, last=OCTOBER).items[0]
    assert contract.meter_serial == october.meter_serial


def test_sms_reaches_the_phone_on_the_contract(backends: Backends) -> None:
    backends.service.send_sms(HOA, "Mã xác nhận 482913", idempotency_key="s1")
    backends.service.send_sms(HOA, "Mã xác nhận 482913", idempotency_key="s1")
    assert [sms.text for sms in backends.world.sms.messages("0912000001")] == ["Mã xác nhận 482913"]


def test_a_phone_s_pseudonym_is_one_for_all_its_contracts_and_tells_nothing(backends: Backends) -> None:
    one, other = next(persona.codes for persona in backends.world.personas if len(persona.codes) == 2)
    refs = {code: backends.service.phone_ref(code) for code in (HOA, one, other, NOBODY)}
    assert refs[one] == refs[other]
    assert len(set(refs.values())) == 3
    assert len({len(ref) for ref in refs.values()}) == 1
    assert refs[NOBODY] == backends.service.phone_ref(NOBODY)


def test_sms_to_nobody_looks_the_same(backends: Backends) -> None:
    backends.service.send_sms(NOBODY, "Mã xác nhận 482913", idempotency_key="s1")


def test_two_codes_one_phone(backends: Backends) -> None:
    for code in ("PA04PY0000201", "PA04PB0000202"):
        backends.service.send_sms(code, f"mã cho {code}", idempotency_key=code)
    assert len(backends.world.sms.messages("0912000002")) == 2


def test_outages_of_a_customer_a_place_and_all(quiet: Backends) -> None:
    first, last = NOW, NOW + timedelta(days=2)
    [tomorrow] = quiet.service.outages(customer_code=HOA, first=first, last=last).items
    assert (tomorrow.id, tomorrow.kind, tomorrow.state) == ("KH-DEMO-01", "planned", "planned")
    assert tomorrow.start == datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
    assert tomorrow in quiet.service.outages(place_code="05587", first=first, last=last).items
    every = quiet.service.outages(first=first, last=last).items
    assert len(every) > 2
    assert [outage.start for outage in every] == sorted(outage.start for outage in every)


def test_outages_of_the_hamlet_next_door_do_not_reach(quiet: Backends) -> None:
    neighbour = "PA04PB0000202"
    assert quiet.service.outages(customer_code=neighbour, first=NOW, last=NOW + timedelta(days=2)).items == ()


def test_outage_report_is_joined_to_the_known_outage(backends: Backends) -> None:
    ticket = backends.service.report_outage(
        OutageReport(customer_code="PA26CD0001001", scope="neighbours", note="Mất điện cả thôn"), idempotency_key="r1"
    )
    assert (ticket.kind, ticket.outage_id) == ("outage", "SC-DEMO-01")
    assert backends.service.ticket(ticket.code).code == ticket.code


def test_three_reports_of_a_place_make_an_outage(backends: Backends) -> None:
    place = backends.billing.customer("PA04PB0000202").place_code
    tickets = [
        backends.service.report_outage(OutageReport(place_code=place, note=str(n)), idempotency_key=f"r{n}")
        for n in range(3)
    ]
    assert [ticket.outage_id is None for ticket in tickets] == [True, True, False]
    [outage] = backends.service.outages(place_code=place, first=NOW, last=NOW).items
    assert (outage.state, outage.kind, outage.expected_end) == ("active", "unplanned", None)
    assert backends.service.ticket(tickets[0].code).outage_id == outage.id


def test_a_customers_second_report_is_the_first(backends: Backends) -> None:
    first = backends.service.report_outage(OutageReport(customer_code=HOA), idempotency_key="r1")
    second = backends.service.report_outage(OutageReport(customer_code=HOA, note="vẫn mất"), idempotency_key="r2")
    assert second.code == first.code


def test_who_is_cut_for_debt_is_told(backends: Backends) -> None:
    ticket = backends.service.report_outage(OutageReport(customer_code="PA26PN0000601"), idempotency_key="r1")
    assert ticket.outage_id is None
    assert ticket.message == "Điểm dùng điện này đang tạm ngừng cấp điện."


def test_report_from_a_position(backends: Backends) -> None:
    ticket = backends.service.report_outage(OutageReport(latitude=21.9, longitude=105.6), idempotency_key="r1")
    assert ticket.state == "received"


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (OutageReport(), "place_missing"),
        (OutageReport(latitude=21.9), "place_missing"),
        (OutageReport(place_code="99999"), "unknown_place"),
        (OutageReport(customer_code=NOBODY), "unknown_customer"),
        (OutageReport(place_code="05587", note="x" * 2_001), "bad_text"),
    ],
)
def test_refused_reports(quiet: Backends, report: OutageReport, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        quiet.service.report_outage(report, idempotency_key=f"{code} {report.latitude}")
    assert refusal.value.code == code


def test_case(backends: Backends) -> None:
    case = Case(kind="payment_problem", customer_code=HOA, text="Trả rồi vẫn báo nợ", amount=235_829, reference="FT1")
    ticket = backends.service.open_case(case, idempotency_key="c1")
    assert ticket.kind == "payment_problem"
    assert backends.service.open_case(case, idempotency_key="c1") == ticket
    assert ticket.code.startswith("YC26-")


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (Case(kind="complaint", text="  "), "bad_text"),
        (Case(kind="hazard", text="Dây đứt", place_code="99999"), "unknown_place"),
        (Case(kind="voltage", text="Điện yếu", customer_code=NOBODY), "unknown_customer"),
    ],
)
def test_refused_cases(quiet: Backends, case: Case, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        quiet.service.open_case(case, idempotency_key=code)
    assert refusal.value.code == code


def test_notes_complete_a_ticket(backends: Backends) -> None:
    case = backends.service.open_case(Case(kind="hazard", text="Dây đứt"), idempotency_key="c1")
    note = TicketNote(text="Gần cổng trường", place_code="05716", attachments=("https://zalo.example/1.jpg",))
    again = [backends.service.add_note(case.code, note, idempotency_key="n1") for _ in range(2)]
    assert [ticket.code for ticket in again] == [case.code] * 2
    assert backends.service.ticket(case.code).state != "done"


def test_a_reporter_says_that_it_is_over(backends: Backends) -> None:
    report = backends.service.report_outage(OutageReport(place_code="05443"), idempotency_key="r1")
    assert report.feeder
    done = backends.service.add_note(report.code, TicketNote(resolved=True), idempotency_key="n1")
    assert (done.state, backends.service.ticket(report.code).state) == ("done", "done")


@pytest.mark.parametrize(
    ("note", "code"),
    [
        (TicketNote(), "note_empty"),
        (TicketNote(text=" "), "bad_text"),
        (TicketNote(place_code="99999"), "unknown_place"),
    ],
)
def test_refused_notes(backends: Backends, note: TicketNote, code: str) -> None:
    ticket = backends.service.open_case(Case(kind="hazard", text="Dây đứt"), idempotency_key="c1")
    with pytest.raises(Rejected) as refusal:
        backends.service.add_note(ticket.code, note, idempotency_key="n1")
    assert refusal.value.code == code
    with pytest.raises(NotFound):
        backends.service.add_note("YC26-999999", TicketNote(text="x"), idempotency_key="n2")


def test_offices(quiet: Backends) -> None:
    every = quiet.service.offices().items
    assert sum(len(office.place_codes) for office in every) == 92
    [office] = quiet.service.offices(place_code="05587").items
    assert office.name == "Đội Quản lý Điện lực khu vực Định Hóa"
    assert quiet.service.offices(place_code="99999").items == ()


def test_who_does_not_exist_is_not_found(quiet: Backends) -> None:
    with pytest.raises(NotFound):
        quiet.billing.customer(NOBODY)
    with pytest.raises(NotFound):
        quiet.billing.debt(NOBODY)
    with pytest.raises(NotFound):
        quiet.service.contract(NOBODY)
    with pytest.raises(NotFound):
        quiet.service.outages(customer_code=NOBODY, first=NOW, last=NOW)
    with pytest.raises(NotFound):
        quiet.service.ticket("YC26-999999")


def test_a_wrong_token_is_not_allowed(quiet: Backends) -> None:
    with pytest.raises(NotAllowed):
        BillingClient(f"{quiet.url}/billing", "wrong").customer(HOA)
    with pytest.raises(NotAllowed):
        ServiceClient(f"{quiet.url}/service", "wrong").offices()


@pytest.mark.parametrize("typed", ["../debt", "PA04/DH", "a?b=c", "a#b", "%2e%2e", "mã của tôi", "."])
def test_typed_codes_cannot_leave_their_place(quiet: Backends, typed: str) -> None:
    """Whatever is typed as a code reaches the customer's address, or nothing of the contract."""
    with pytest.raises((NotFound, BackendWrong)):
        quiet.billing.customer(typed)


def test_spans_the_contract_refuses(quiet: Backends) -> None:
    for first, last in ((date(2026, 5, 1), date(2026, 4, 1)), (date(2020, 1, 1), date(2026, 1, 1))):
        with pytest.raises(Rejected) as refusal:
            quiet.billing.invoices(HOA, first=first, last=last)
        assert refusal.value.code == "bad_span"


def test_many_threads_share_a_client(quiet: Backends) -> None:
    codes = quiet.world.codes[:14] * 4
    with ThreadPoolExecutor(12) as pool:
        customers = list(pool.map(quiet.billing.customer, codes))
    assert [customer.code for customer in customers] == codes


def test_what_was_asked_meanwhile_is_told_without_whom_it_was_about(quiet: Backends) -> None:
    quiet.billing.debt(HOA)
    with watched() as calls:
        quiet.billing.debt(HOA)
        with pytest.raises(NotFound):
            quiet.billing.customer("PA04DH9999999")
    quiet.billing.debt(HOA)
    assert [(call["operation"], call.get("error")) for call in calls] == [
        ("getDebt", None),
        ("getCustomer", "NotFound"),
    ]
    assert all(call["ms"] >= 0 for call in calls)
    assert "PA04" not in str(calls)

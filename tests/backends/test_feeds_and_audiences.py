"""The change feeds and the lists of customer codes, through the clients, over real HTTP."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
import requests
from backend_serving import NOW, TOKEN, Backends

from actions.backends.contract import broken
from actions.backends.errors import NotFound, Rejected
from actions.backends.models import (
    Change,
    ChangeList,
    CutWarned,
    DangerWarned,
    InvoiceIssued,
    MeterWorkPlanned,
    NewServiceRequest,
    OutageKnown,
    PaymentReceived,
    RequestMoved,
    UsageFlagged,
)

HOA = "PA04DH0000123"
MAI = "PA04VN0000501"
PLACE = "05587"


def read_all(backends: Backends, feed: str, limit: int = 500) -> list[Change]:
    """The whole feed, page by page."""
    client = backends.billing if feed == "billing" else backends.service
    page = client.changes(None, limit)
    changes = list(page.items)
    while page.more:
        page = client.changes(page.next, limit)
        changes += page.items
    return changes


def test_nothing_has_happened_at_first(quiet: Backends) -> None:
    for client in (quiet.billing, quiet.service):
        page = client.changes(None, 10)
        assert (page.items, page.more, page.as_of) == ((), False, NOW)
        assert client.changes(page.next, 10) == page


def test_every_kind_of_billing(backends: Backends) -> None:
    bill = backends.world.issue(HOA, 120)
    backends.world.flag_usage(HOA, "tier")
    work = backends.world.plan_meter_work(HOA, "replacement", date(2026, 11, 26))
    backends.world.move_meter_work(work.id, "done")
    warning = backends.world.warn_of_cut(HOA, NOW + timedelta(days=5))
    paid = backends.world.pay(HOA)
    issued, flagged, planned, done, warned, *received, called_off = read_all(backends, "billing")
    assert isinstance(issued, InvoiceIssued)
    assert (issued.invoice, issued.at) == (bill, NOW)
    assert isinstance(flagged, UsageFlagged)
    usage = flagged.usage
    assert (usage.customer_code, usage.flag, usage.day) == (HOA, "tier", date(2026, 11, 22))
    month = backends.billing.readings(HOA, first=date(2026, 11, 1), last=usage.day).items
    assert usage.kwh == sum(reading.kwh for reading in month)
    assert usage.cost is not None
    assert usage.cost > usage.kwh * 1_984
    assert usage.tier == 2
    assert isinstance(planned, MeterWorkPlanned)
    assert isinstance(done, MeterWorkPlanned)
    assert (planned.work, done.work.state, done.work.id) == (work, "done", work.id)
    assert isinstance(warned, CutWarned)
    assert warned.warning == warning
    assert bill.id in warning.invoice_ids
    assert [change.payment for change in received if isinstance(change, PaymentReceived)] == paid
    assert isinstance(called_off, CutWarned)
    assert (called_off.warning.id, called_off.warning.state) == (warning.id, "cancelled")


def test_every_kind_of_service(backends: Backends) -> None:
    outage = backends.world.create_outage([PLACE], kind="planned", start=NOW + timedelta(days=6))
    moved = backends.world.change_outage(outage.id, start=NOW + timedelta(days=7))
    cancelled = backends.world.change_outage(outage.id, cancelled_at=NOW)
    danger = backends.world.warn_of_danger([PLACE], "Nước lên cao", NOW + timedelta(hours=12))
    request = backends.service.file_request(
        NewServiceRequest(service="capacity", contact="contact-17"), idempotency_key="f1"
    )
    backends.world.move_request(request.code, "scheduled")
    first, second, third, warned, progress = read_all(backends, "service")
    for change, known in zip((first, second, third), (outage, moved, cancelled), strict=True):
        assert isinstance(change, OutageKnown)
        assert change.outage == known
    assert [outage.version, moved.version] == [1, 2]
    assert cancelled.state == "cancelled"
    assert isinstance(warned, DangerWarned)
    assert warned.warning == danger
    assert isinstance(progress, RequestMoved)
    assert (progress.request.code, progress.request.state, progress.contact) == (
        request.code,
        "scheduled",
        "contact-17",
    )


def test_pages_and_cursors(backends: Backends) -> None:
    for hours in range(5):
        backends.world.warn_of_danger([PLACE], None, NOW + timedelta(hours=hours + 1))
    first = backends.service.changes(None, 2)
    second = backends.service.changes(first.next, 2)
    last = backends.service.changes(second.next, 2)
    assert [(len(page.items), page.more) for page in (first, second, last)] == [(2, True), (2, True), (1, False)]
    ids = [change.id for page in (first, second, last) for change in page.items]
    assert len(set(ids)) == 5
    assert backends.service.changes(first.next, 2) == second
    assert [change.id for change in read_all(backends, "service")] == ids


@pytest.mark.parametrize("cursor", ["0", "xyz-1", "-", "", "9" * 400])
def test_a_cursor_of_another_world_is_gone(quiet: Backends, cursor: str) -> None:
    with pytest.raises(Rejected) as refusal:
        quiet.billing.changes(cursor, 10)
    assert refusal.value.code == "cursor_gone"


def test_a_cursor_ahead_of_the_feed_is_gone(quiet: Backends) -> None:
    ahead = quiet.billing.changes(None, 1).next.partition("-")[0] + "-7"
    with pytest.raises(Rejected):
        quiet.billing.changes(ahead, 10)


@pytest.mark.parametrize(
    "query",
    [
        "changes?limit=0",
        "changes?limit=501",
        "changes",
        "customer-codes?limit=1",
        "customer-codes?limit=1001&place_code=05587&owing_days=0",
        "customer-codes?limit=x&place_code=05587&owing_days=0",
    ],
)
def test_wrong_parameters_are_refused_in_the_contracts_form(quiet: Backends, query: str) -> None:
    for system in ("billing", "service"):
        answer = requests.get(
            f"{quiet.url}/{system}/v1/{query}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5
        )
        assert answer.status_code == 422
        assert broken("Error", answer.json()) is None


def test_both_filters_are_one_too_many(quiet: Backends) -> None:
    address = f"{quiet.url}/service/v1/customer-codes?limit=1&place_code=05587&outage_id=KH-DEMO-01"
    assert requests.get(address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5).status_code == 422


def test_one_outage(quiet: Backends) -> None:
    outage = quiet.service.outage("KH-DEMO-01")
    assert (outage.state, outage.place_codes, outage.as_of) == ("planned", (PLACE,), NOW)
    with pytest.raises(NotFound):
        quiet.service.outage("KH-DEMO-99")


def all_codes(backends: Backends, outage_id: str, limit: int) -> list[str]:
    page = backends.service.codes_of_outage(outage_id, limit=limit)
    codes = list(page.items)
    while page.next is not None:
        page = backends.service.codes_of_outage(outage_id, after=page.next, limit=limit)
        codes += page.items
    return codes


def test_whom_an_outage_reaches(quiet: Backends) -> None:
    wide = quiet.world.create_outage(["05443", "05455", PLACE])
    whole = all_codes(quiet, wide.id, 1_000)
    assert all_codes(quiet, wide.id, 1) == whole
    assert all(earlier < later for earlier, later in pairwise(whole))
    expected = {code for code in quiet.world.codes if quiet.world.customer(code).place_code in wide.place_codes}
    assert set(whole) == expected
    hamlet = all_codes(quiet, "KH-DEMO-01", 1_000)
    assert HOA in hamlet
    with pytest.raises(NotFound):
        quiet.service.codes_of_outage("KH-DEMO-99")


def test_who_lives_in_a_place(quiet: Backends) -> None:
    codes = quiet.service.codes_of_place(PLACE).items
    assert HOA in codes
    assert {quiet.billing.customer(code).place_code for code in codes} == {PLACE}
    assert quiet.service.codes_of_place("99999").items == ()


def test_who_has_owed_for_so_long(quiet: Backends) -> None:
    due_days = {code: bills[0].due_date for code in quiet.world.codes if (bills := quiet.world.debt(code).invoices)}

    def owing(days: int) -> list[str]:
        page = quiet.billing.codes_owing(days)
        codes = list(page.items)
        while page.next is not None:
            page = quiet.billing.codes_owing(days, after=page.next)
            codes += page.items
        return codes

    for days in (0, 1, 15):
        assert owing(days) == sorted(code for code, due in due_days.items() if (NOW.date() - due).days >= days)
    assert MAI in owing(15)
    assert HOA not in owing(0), "her bill is not due yet"


def test_kinds_that_we_do_not_know_are_passed_over() -> None:
    page = {
        "as_of": "2026-11-23T03:00:00Z",
        "next": "c",
        "more": False,
        "items": [
            {"id": "1", "at": "2026-11-23T03:00:00Z", "kind": "tariff_changed", "tariff": {"any": ["thing"]}},
            {
                "id": "2",
                "at": "2026-11-23T03:00:00Z",
                "kind": "danger",
                "warning": {"id": "NH-1", "place_codes": [PLACE], "text": "Nước lên", "until": "2026-11-24T03:00:00Z"},
            },
        ],
    }
    assert broken("ChangeList", page) is None
    assert [change.id for change in ChangeList.model_validate(page).items] == ["2"]


@pytest.mark.parametrize("item", [{}, {"id": "1", "at": "2026-11-23T03:00:00Z", "kind": "danger"}, {"kind": 7}, 3])
def test_a_change_without_its_payload_breaks_the_contract(item: object) -> None:
    page = {"as_of": "2026-11-23T03:00:00Z", "next": "c", "more": False, "items": [item]}
    assert broken("ChangeList", page) is not None
    with pytest.raises(ValueError, match="items"):
        ChangeList.model_validate(page)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}:00+00:00")


def test_orders_tell_the_feeds(backends: Backends) -> None:
    def order(path: str, **body: object) -> requests.Response:
        return requests.post(f"{backends.url}/control/backends{path}", json=body, timeout=5)

    assert order("/usage-flags", customer_code=HOA, flag="leak", message="Đêm vẫn dùng").status_code == 201
    work = order("/meter-work", customer_code=HOA, work="reading", day="2026-11-28").json()
    assert order(f"/meter-work/{work['id']}", state="cancelled").json()["state"] == "cancelled"
    warning = order("/cut-warnings", customer_code=MAI, cut_from="2026-11-30T01:00:00Z").json()
    assert order(f"/cut-warnings/{warning['id']}", state="cancelled").json()["state"] == "cancelled"
    assert order("/dangers", place_codes=[PLACE], until="2026-11-24T01:00:00Z").status_code == 201
    kinds = [change.kind for change in read_all(backends, "billing")]
    assert kinds == ["usage_flag", "meter_work", "meter_work", "cut_warned", "cut_warned"]
    [danger] = read_all(backends, "service")
    assert isinstance(danger, DangerWarned)
    assert danger.warning.until == at("24T01:00")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/usage-flags", {"customer_code": HOA, "flag": "none"}, 422),
        ("/usage-flags", {"customer_code": "PA04ZZ9999999", "flag": "leak"}, 404),
        ("/meter-work/CT26-1", {"state": "done"}, 404),
        ("/cut-warnings", {"customer_code": "PA04PY0000201", "cut_from": "2026-11-30T01:00:00Z"}, 409),
        ("/cut-warnings/x", {"state": "cancelled"}, 404),
        ("/dangers", {"place_codes": [], "until": "2026-11-30T01:00:00Z"}, 404),
    ],
)
def test_wrong_orders_are_told(quiet: Backends, path: str, body: dict[str, object], status: int) -> None:
    answer = requests.post(f"{quiet.url}/control/backends{path}", json=body, timeout=5)
    assert answer.status_code == status

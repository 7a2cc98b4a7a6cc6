"""Service requests: filed once, seen by whom they concern, moving with the world's time, with papers, withdrawn."""

import base64
from datetime import date, timedelta

import pytest
import requests
from backend_serving import NOW, TOKEN, Backends

from actions.backends.errors import NotFound, Rejected
from actions.backends.models import NewServiceRequest, Paper, RequestDetail, ServiceRequest

HOA = "PA04DH0000123"
NOBODY = "PA04ZZ9999999"
PDF = Paper(name="don.pdf", content_type="application/pdf", content=base64.b64encode(b"%PDF-1.4").decode())


def file(backends: Backends, service: str = "capacity", code: str | None = HOA, key: str = "k") -> ServiceRequest:
    details = (RequestDetail(label="Công suất mới", value="7 kW"),)
    wanted = NewServiceRequest.model_validate(
        {"service": service, "contact": "contact-1", "customer_code": code, "details": details}
    )
    return backends.service.file_request(wanted, idempotency_key=key)


def state(backends: Backends, request: ServiceRequest) -> str:
    [shown] = [r for r in backends.service.contact_requests("contact-1").items if r.code == request.code]
    return shown.state


def test_filed_once_under_one_key(backends: Backends) -> None:
    first, again, other = file(backends), file(backends), file(backends, key="k2")
    assert first == again
    assert other.code != first.code
    assert (first.state, first.papers, first.customer_code) == ("received", 0, HOA)


def test_expected_after_the_working_days_of_the_service(backends: Backends) -> None:
    """Filed on a Monday before a holiday (24/11): three working days on it is Friday, five are the Tuesday after."""
    assert file(backends, "owner_change").expected_on == date(2026, 11, 27)
    assert file(backends, "capacity", key="k2").expected_on == date(2026, 12, 1)


def test_seen_by_the_contact_that_filed_it_and_under_its_customer(backends: Backends) -> None:
    filed, public = file(backends), file(backends, "new_supply_low", None, key="k2")
    assert {r.code for r in backends.service.contact_requests("contact-1").items} == {filed.code, public.code}
    assert backends.service.contact_requests("contact-2").items == ()
    assert [r.code for r in backends.service.customer_requests(HOA).items] == [filed.code]
    with pytest.raises(NotFound):
        backends.service.customer_requests(NOBODY)


def test_refused_for_whom_or_where_is_unknown(backends: Backends) -> None:
    with pytest.raises(Rejected) as refusal:
        file(backends, code=NOBODY)
    assert refusal.value.code == "unknown_customer"
    nowhere = NewServiceRequest(service="new_supply_low", contact="c", place_code="99999")
    with pytest.raises(Rejected) as refusal:
        backends.service.file_request(nowhere, idempotency_key="k3")
    assert refusal.value.code == "unknown_place"


def test_goes_on_with_time(backends: Backends) -> None:
    filed = file(backends)
    seen = [filed.state]
    for hours in (5, 26, 60):
        backends.world.advance(timedelta(hours=hours))
        seen.append(state(backends, filed))
    assert seen == ["received", "surveying", "scheduled", "done"]


def test_a_visit_is_on_the_morning_of_a_working_day(backends: Backends) -> None:
    """Decided on Monday; Tuesday 24/11 is a holiday, so they come on Wednesday at 8:00 in Thái Nguyên."""
    file(backends)
    backends.world.advance(timedelta(hours=5))
    visit = backends.service.contact_requests("contact-1").items[0].appointment
    assert visit is not None
    assert visit.start == NOW.replace(day=25, hour=1)


def test_waits_for_papers_and_goes_on_once_they_are_there(backends: Backends) -> None:
    filed = file(backends, "owner_change")
    backends.world.advance(timedelta(hours=30))
    assert state(backends, filed) == "need_papers"
    with_paper = backends.service.add_paper(filed.code, PDF, idempotency_key="p1")
    assert (with_paper.papers, with_paper.state) == (1, "received")
    assert backends.service.add_paper(filed.code, PDF, idempotency_key="p1").papers == 1
    assert backends.world.papers(filed.code) == [b"%PDF-1.4"]
    backends.world.advance(timedelta(hours=4))
    assert state(backends, filed) == "waiting_signature"


def test_cancelled_once_and_closed_for_good(backends: Backends) -> None:
    filed = file(backends)
    assert backends.service.cancel_request(filed.code, idempotency_key="c1").state == "cancelled"
    assert backends.service.cancel_request(filed.code, idempotency_key="c1").state == "cancelled"
    for late in (
        lambda: backends.service.cancel_request(filed.code, idempotency_key="c2"),
        lambda: backends.service.add_paper(filed.code, PDF, idempotency_key="p1"),
    ):
        with pytest.raises(Rejected) as refusal:
            late()
        assert refusal.value.code == "closed"
    with pytest.raises(NotFound):
        backends.service.cancel_request("DV26-999999", idempotency_key="c3")


@pytest.mark.parametrize(
    "paper",
    [
        PDF.model_copy(update={"content": "không phải base64"}),
        PDF.model_copy(update={"content_type": "image/png"}),
        PDF.model_copy(update={"content": base64.b64encode(b"%PDF" + b"x" * 5 * 1024 * 1024).decode()}),
    ],
    ids=["no base64", "another type", "too large"],
)
def test_what_is_no_paper_is_refused(backends: Backends, paper: Paper) -> None:
    with pytest.raises(Rejected) as refusal:
        backends.service.add_paper(file(backends).code, paper, idempotency_key="p")
    assert refusal.value.code == "bad_paper"


def test_moved_by_hand_it_stays(backends: Backends) -> None:
    filed = file(backends)
    moved = requests.post(
        f"{backends.url}/control/backends/requests/{filed.code}",
        json={"state": "waiting_payment", "message": "Đã có dự toán"},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=5,
    )
    assert moved.json()["state"] == "waiting_payment"
    backends.world.advance(timedelta(days=3))
    [shown] = backends.service.customer_requests(HOA).items
    assert (shown.state, shown.message) == ("waiting_payment", "Đã có dự toán")

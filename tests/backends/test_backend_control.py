"""The payment page, and what is done behind the backends."""

from typing import Any

import pytest
import requests
from backend_serving import Backends

from actions.backends.models import Case

HOA = "PA04DH0000123"


def order(backends: Backends, path: str, **body: Any) -> requests.Response:
    return requests.post(f"{backends.url}/control/backends{path}", json=body, timeout=5)


def page_of(backends: Backends, request_id: str) -> str:
    return f"{backends.url}/pay/{request_id}"


def test_pressing_pay_pays_the_bill(backends: Backends) -> None:
    [bill] = backends.billing.debt(HOA).invoices
    request = backends.billing.payment_request(HOA, [bill.id], idempotency_key="k")
    page = requests.get(page_of(backends, request.id), timeout=5)
    assert 'data-testid="pay"' in page.text
    assert f"{bill.total:,} đ".replace(",", ".") in page.text
    done = requests.post(page_of(backends, request.id), timeout=5)
    assert done.status_code == 200
    assert 'data-testid="paid"' in done.text
    assert backends.billing.debt(HOA).total == 0
    requests.post(page_of(backends, request.id), timeout=5)
    paid = backends.billing.invoices(HOA, first=bill.month, last=bill.month).items[0]
    assert (paid.status, paid.paid) == ("paid", bill.total)


def test_an_expired_request_offers_no_button(backends: Backends) -> None:
    [bill] = backends.billing.debt(HOA).invoices
    request = backends.billing.payment_request(HOA, [bill.id], idempotency_key="k")
    assert order(backends, "/advance", hours=25).status_code == 200
    page = requests.get(page_of(backends, request.id), timeout=5)
    assert 'data-testid="expired"' in page.text
    assert 'data-testid="pay"' not in page.text
    assert requests.post(page_of(backends, request.id), timeout=5).status_code == 409


def test_no_such_request(backends: Backends) -> None:
    assert requests.get(page_of(backends, "YCTT-0"), timeout=5).status_code == 404
    assert requests.post(page_of(backends, "YCTT-0"), timeout=5).status_code == 404


def test_faults_are_set_shown_and_ended(backends: Backends) -> None:
    assert order(backends, "", latency_ms=5, error_rate=0.5).json()["latency_ms"] == 5
    shown = requests.get(f"{backends.url}/control/backends", timeout=5).json()
    assert (shown["latency_ms"], shown["error_rate"], shown["down"]) == (5, 0.5, False)
    assert shown["now"].startswith("2026-11-23T03:00:00")
    assert order(backends, "", reset=True).json()["latency_ms"] == 0


def test_paying_and_issuing_by_order(backends: Backends) -> None:
    assert order(backends, "/pay", customer_code=HOA).json()[0]["amount"] > 0
    assert backends.billing.debt(HOA).total == 0
    assert order(backends, "/issue", customer_code=HOA, kwh=120).json()["total"] == 269_244
    assert backends.billing.debt(HOA).total == 269_244


def test_an_outage_by_order(backends: Backends) -> None:
    made = order(backends, "/outages", place_codes=["05587"], reason="Sự cố").json()
    now = backends.world.now()

    def seen() -> tuple[str, int]:
        every = backends.service.outages(customer_code=HOA, first=now, last=now).items
        return next((outage.state, outage.version) for outage in every if outage.id == made["id"])

    assert seen() == ("active", 1)
    order(backends, f"/outages/{made['id']}", expected_end="2026-11-23T06:00:00Z")
    assert seen() == ("active", 2)
    order(backends, f"/outages/{made['id']}", state="restored")
    assert seen() == ("restored", 3)


def test_a_ticket_by_order(backends: Backends) -> None:
    ticket = backends.world.open_case(Case(kind="complaint", text="x"))
    changed = order(backends, f"/tickets/{ticket.code}", state="done", message="Đã xử lý xong").json()
    assert (changed["state"], changed["message"]) == ("done", "Đã xử lý xong")
    assert backends.service.ticket(ticket.code).state == "done"


def test_texts_can_be_read(backends: Backends) -> None:
    backends.service.send_sms(HOA, "mã 482913", idempotency_key="k")
    texts = requests.get(f"{backends.url}/control/backends/sms/0912000001", timeout=5).json()
    assert [text["text"] for text in texts] == ["mã 482913"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {"latency_ms": -1}, 422),
        ("", {"no_such_fault": True}, 422),
        ("/pay", {}, 422),
        ("/pay", {"customer_code": "PA04ZZ9999999"}, 404),
        ("/pay", {"customer_code": HOA, "invoice_id": "x"}, 404),
        ("/outages", {"place_codes": ["99999"]}, 404),
        ("/outages/x", {"state": "restored"}, 404),
        ("/tickets/x", {"state": "done"}, 404),
        ("/advance", {"days": -1}, 422),
    ],
)
def test_wrong_orders_are_told(backends: Backends, path: str, body: dict[str, Any], status: int) -> None:
    assert order(backends, path, **body).status_code == status

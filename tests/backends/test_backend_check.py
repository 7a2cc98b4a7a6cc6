"""The conformance check is green on the reference and red where a rule is broken."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from backend_serving import NOW, TOKEN, Backends, backends_app, serving
from flask import Flask, Response, request

from actions.backends import probe
from actions.backends.check import CheckResult, check_backends
from sandbox.backends import Faults
from sandbox.world import World, build_world

PATIENCE_SECONDS = 10.0
"""With a backend of this busy machine; the assistant's own patience is shorter."""


def check(url: str, **options: Any) -> list[CheckResult]:
    lines: list[str] = []
    with mock.patch.object(probe, "SLOWEST", PATIENCE_SECONDS):
        results = check_backends(url, TOKEN, today=NOW.date(), echo=lines.append, **options)
    assert lines == [result.line() for result in results]
    return results


def test_green_on_the_reference(backends: Backends) -> None:
    results = check(backends.url)
    assert [result.line() for result in results if result.verdict != "pass"] == []
    assert {result.contract for result in results} == {"billing", "service"}
    assert len(results) > 40


@pytest.mark.parametrize("contract", ["billing", "service"])
def test_one_contract_at_its_own_address(backends: Backends, contract: str) -> None:
    assert {result.contract for result in check(f"{backends.url}/{contract}/")} == {contract}


def test_reading_only_changes_nothing(backends: Backends) -> None:
    results = check(backends.url, writes=False)
    assert all(result.ok for result in results)
    assert backends.world.sms.messages("0912000001") == []
    assert not any("openCase" in result.name for result in results)


def test_a_customer_who_owes_nothing(backends: Backends) -> None:
    results = check(f"{backends.url}/billing", customer_code="PA04PY0000201")
    assert [result.name for result in results if result.verdict == "not_tried"] == [
        "createPaymentRequest answers the contract"
    ]


def test_nothing_there(backends: Backends) -> None:
    [result] = check(f"{backends.url}/elsewhere")
    assert not result.ok
    [result] = check("http://127.0.0.1:9")
    assert not result.ok


@pytest.mark.parametrize("fault", ["down", "garbage", "throttled"])
def test_red_on_a_broken_server(backends: Backends, fault: str) -> None:
    backends.faults.set(**{fault: True})
    results = check(backends.url)
    failed = [result for result in results if not result.ok]
    assert len(failed) > len(results) * 0.8


def failed_on(world: World, path: str, change: Callable[[Any], Any]) -> list[str]:
    """What fails when each good answer of `path` is changed so."""
    app = backends_app(world, Faults())

    @app.after_request
    def spoil(response: Response) -> Response:
        if request.path == path and response.status_code == 200:
            response.set_data(json.dumps(change(json.loads(response.get_data()))))
        return response

    with serving(app) as url:
        return [result.name for result in check(url, writes=False) if not result.ok]


def _without(field: str) -> Callable[[Any], Any]:
    return lambda content: {name: value for name, value in content.items() if name != field}


def _off_by_one(content: Any) -> Any:
    return {**content, "total": content["total"] + 1}


def _reversed(content: Any) -> Any:
    return {**content, "items": content["items"][::-1]}


def _wrong_total(content: Any) -> Any:
    return {**content, "items": [{**item, "total": item["total"] + 1} for item in content["items"]]}


@pytest.mark.parametrize(
    ("path", "change", "failing"),
    [
        ("/billing/v1/customers/PA04DH0000123", _without("as_of"), "getCustomer answers the contract"),
        ("/billing/v1/customers/PA04DH0000123/debt", _off_by_one, "the debt adds up"),
        ("/billing/v1/customers/PA04DH0000123/invoices", _reversed, "listInvoices answers the contract"),
        ("/billing/v1/customers/PA04DH0000123/invoices", _wrong_total, "invoices add up"),
        ("/billing/v1/customers/PA04DH0000123/readings", _reversed, "listReadings answers the contract"),
        ("/service/v1/outages", _reversed, "listOutages answers the contract"),
        ("/service/v1/customers/PA04DH0000123/contract", _without("number"), "getContract answers the contract"),
        ("/service/v1/offices", _without("items"), "listOffices answers the contract"),
        ("/billing/v1/changes", _without("next"), "listChanges answers the contract"),
        ("/billing/v1/customer-codes", _without("next"), "listCustomerCodes by debt answers the contract"),
    ],
)
def test_each_broken_rule_is_named(path: str, change: Callable[[Any], Any], failing: str) -> None:
    assert failing in failed_on(build_world(1, lambda: NOW, customers=40), path, change)


def _endless(content: Any) -> Any:
    return {**content, "next": "always-the-same", "more": True}


def _too_many(content: Any) -> Any:
    return {**content, "items": content["items"] * 2}


def _odd(content: Any) -> Any:
    return {**content, "items": [{**item, "kind": "usage_flag"} for item in content["items"]]}


@pytest.mark.parametrize(
    ("path", "change", "failing"),
    [
        ("/billing/v1/changes", _endless, "listChanges goes on after a cursor"),
        ("/billing/v1/changes", _too_many, "listChanges answers the contract"),
        ("/billing/v1/changes", _odd, "listChanges answers the contract"),
        ("/service/v1/customer-codes", _reversed, "listCustomerCodes of an outage answers the contract"),
        ("/service/v1/customer-codes", _too_many, "listCustomerCodes of an outage answers the contract"),
    ],
)
def test_each_broken_rule_of_feeds_is_named(path: str, change: Callable[[Any], Any], failing: str) -> None:
    world = build_world(1, lambda: NOW, customers=200)
    world.create_outage(
        sorted({world.customer(code).place_code for code in world.codes}), start=NOW + timedelta(days=9)
    )
    for _ in range(5):
        world.issue("PA04DH0000123")
    assert failing in failed_on(world, path, change)


def test_a_feed_that_takes_any_cursor_is_named() -> None:
    app = Flask("careless")

    @app.get("/v1/changes")
    def changes() -> dict[str, Any]:
        return {"items": [], "next": "x", "more": False, "as_of": "2026-11-23T03:00:00Z"}

    @app.get("/v1/offices")
    def offices() -> dict[str, Any]:
        return {"items": [], "as_of": "2026-11-23T03:00:00Z"}

    with serving(app) as url:
        failed = {result.name for result in check(url) if not result.ok}
    assert {"a cursor that is not its own is refused", "listChanges refuses a limit of 0"} <= failed
    assert "listChanges answers the contract" not in failed


def test_a_system_that_ignores_keys_and_tokens() -> None:
    """A careless server: every POST makes another ticket, nobody is refused."""
    app, opened = Flask("careless"), iter(range(1_000))

    @app.post("/v1/cases")
    def case() -> tuple[dict[str, Any], int]:
        at = "2026-11-23T03:00:00Z"
        return {
            "code": f"T{next(opened)}",
            "kind": "complaint",
            "state": "received",
            "opened_at": at,
            "as_of": at,
        }, 201

    @app.get("/v1/offices")
    def offices() -> dict[str, Any]:
        return {"items": [], "as_of": "2026-11-23T03:00:00Z"}

    with serving(app) as url:
        failed = {result.name for result in check(url) if not result.ok}
    assert {
        "openCase under the same key has one effect",
        "openCase with another body under the same key is a conflict",
        "openCase without a key is refused",
        "no token is refused",
    } <= failed
    assert "openCase answers the contract" not in failed

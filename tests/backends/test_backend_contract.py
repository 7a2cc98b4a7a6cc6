"""openapi.yaml is valid, its examples fit, our models read them, and the reference backends keep to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from backend_serving import NOW, TOKEN, Backends
from openapi_spec_validator import validate
from pydantic import BaseModel

from actions.backends import models
from actions.backends.contract import broken, document, schema

OPERATIONS = [
    (path, method, operation)
    for path, item in document()["paths"].items()
    for method, operation in item.items()
    if method in {"get", "post"}
]
ANSWERS: list[type[BaseModel]] = [
    models.Customer,
    models.InvoiceList,
    models.Debt,
    models.PaymentList,
    models.ReadingList,
    models.PaymentRequest,
    models.Contract,
    models.PhoneRef,
    models.OutageList,
    models.Ticket,
    models.ServiceRequest,
    models.ServiceRequestList,
    models.OfficeList,
    models.CodeList,
    models.ChangeList,
]
PARTS: list[type[BaseModel]] = [
    models.UsageFlag,
    models.MeterWork,
    models.CutWarning,
    models.DangerWarning,
]


def examples() -> Iterator[tuple[str, str, Any]]:
    for path, _, operation in OPERATIONS:
        contents = [response.get("content", {}) for response in operation["responses"].values()]
        contents.append(operation.get("requestBody", {}).get("content", {}))
        for content in contents:
            for media in content.values():
                yield path, media["schema"]["$ref"].rsplit("/", 1)[1], media["example"]


def test_the_document_is_openapi() -> None:
    validate(document())


@pytest.mark.parametrize(("path", "name", "example"), list(examples()))
def test_examples_fit_their_schema(path: str, name: str, example: Any) -> None:
    assert broken(name, example) is None
    model: type[BaseModel] | None = getattr(models, name, None)
    if model is not None:
        model.model_validate(example, strict=False)


def test_a_misfit_is_told_without_its_value() -> None:
    told = broken("SmsBody", {"text": 482913})
    assert told == "$.text: type"


def test_every_named_schema_compiles() -> None:
    for name in document()["components"]["schemas"]:
        schema(name).check_schema(document()["components"]["schemas"][name])


@pytest.mark.parametrize("model", [*ANSWERS, *PARTS], ids=lambda model: model.__name__)
def test_models_ask_for_what_the_contract_promises(model: type[BaseModel]) -> None:
    """A field that a model needs is required by the contract, and the contract knows every field of the model."""
    told = document()["components"]["schemas"][model.__name__]
    needed = {name for name, field in model.model_fields.items() if field.is_required()}
    assert needed <= set(told["required"])
    assert set(model.model_fields) == set(told["properties"])


def test_each_known_kind_of_change_promises_what_its_model_needs() -> None:
    told = {
        rule["if"]["properties"]["kind"]["const"]: rule["then"]
        for rule in document()["components"]["schemas"]["Change"]["allOf"]
    }
    assert told.keys() == models.CHANGE_KINDS
    common = set(document()["components"]["schemas"]["Change"]["properties"])
    for change in models.CHANGES:
        own = {name for name in change.model_fields if name not in common}
        needed = {name for name in own if change.model_fields[name].is_required()}
        rule = told[change.model_fields["kind"].default]
        assert needed == set(rule["required"])
        assert own == set(rule["properties"])


def test_every_answer_has_as_of() -> None:
    assert all("as_of" in model.model_fields for model in ANSWERS)


SPAN = {"first": "2024-11", "last": "2026-11"}
DAYS = {"first": "2026-01-01", "last": "2026-11-23"}
WEEKS = {"first": "2026-11-01T00:00:00Z", "last": "2026-12-01T00:00:00Z"}


def test_answers_of_the_reference_fit(quiet: Backends) -> None:
    """Every GET for every persona and some others."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {TOKEN}"

    def fits(name: str, path: str, query: dict[str, str] | None = None) -> None:
        response = session.get(quiet.url + path, params=query, timeout=5)
        assert response.status_code == 200, path
        assert response.headers["Content-Type"] == "application/json"
        assert broken(name, response.json()) is None, path

    for code in quiet.world.codes[:30]:
        own = f"/billing/v1/customers/{code}"
        fits("Customer", own)
        fits("InvoiceList", f"{own}/invoices", SPAN)
        fits("Debt", f"{own}/debt")
        fits("PaymentList", f"{own}/payments", DAYS)
        fits("ReadingList", f"{own}/readings", DAYS)
        fits("Contract", f"/service/v1/customers/{code}/contract")
        fits("PhoneRef", f"/service/v1/customers/{code}/phone-ref")
        fits("OutageList", "/service/v1/outages", {**WEEKS, "customer_code": code})
        fits("ServiceRequestList", f"/service/v1/customers/{code}/requests")
    fits("OutageList", "/service/v1/outages", WEEKS)
    fits("OutageAnswer", "/service/v1/outages/KH-DEMO-01")
    fits("OfficeList", "/service/v1/offices")
    fits("CodeList", "/service/v1/customer-codes", {"outage_id": "KH-DEMO-01", "limit": "9"})
    fits("CodeList", "/billing/v1/customer-codes", {"owing_days": "0", "limit": "9"})


def test_feeds_of_the_reference_fit(backends: Backends) -> None:
    """With every kind of change in them."""
    world = backends.world
    world.issue("PA04DH0000123")
    world.flag_usage("PA04DH0000123", "so_far")
    world.plan_meter_work("PA04DH0000123", "reading", NOW.date())
    world.warn_of_cut("PA04DH0000123", NOW)
    world.pay("PA04DH0000123")
    world.create_outage(["05587"])
    world.move_request("DV26-000001", "scheduled")
    world.warn_of_danger(["05587"], None, NOW)
    kinds: set[str] = set()
    for system in ("billing", "service"):
        address = f"{backends.url}/{system}/v1/changes?limit=500"
        page = requests.get(address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5).json()
        assert broken("ChangeList", page) is None
        assert len(models.ChangeList.model_validate(page).items) == len(page["items"])
        kinds |= {item["kind"] for item in page["items"]}
    assert kinds == models.CHANGE_KINDS


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/billing/v1/customers/PA04DH0000123/invoices", {}),
        ("/billing/v1/customers/PA04DH0000123/invoices", {"first": "2026-13", "last": "2026-12"}),
        ("/billing/v1/customers/PA04DH0000123/readings", {"first": "hôm nay", "last": "2026-12-01"}),
        ("/service/v1/outages", {"first": "2026-11-01T00:00:00", "last": "2026-11-02T00:00:00Z"}),
    ],
)
def test_wrong_parameters_are_told_in_the_contracts_form(quiet: Backends, path: str, query: dict[str, str]) -> None:
    response = requests.get(quiet.url + path, params=query, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5)
    assert response.status_code == 422
    assert broken("Error", response.json()) is None


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic dDprZW4=", "Bearer ", "Bearer tiếng Việt"])
def test_a_wrong_token_opens_nothing(quiet: Backends, header: str | None) -> None:
    headers = {"Authorization": header.encode()} if header else {}
    for path in ("/billing/v1/customers/PA04DH0000123", "/service/v1/offices"):
        response = requests.get(quiet.url + path, headers=headers, timeout=5)
        assert response.status_code == 401
        assert response.json()["code"] == "not_allowed"

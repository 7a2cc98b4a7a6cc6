"""A live system under check, and the checks that both contracts share."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import quote
from uuid import uuid4

import requests

from actions.backends.contract import broken

NO_SUCH_CUSTOMER: Final = "PA04ZZ9999999"
NOTE: Final = "Kiểm tra kết nối của Trợ lý Điện, xin bỏ qua."
SLOWEST: Final = 1.5  # seconds, the assistant's patience with one attempt

Verdict = Literal["pass", "fail", "not_tried"]
ContractName = Literal["billing", "service"]
_MARKS: Final[Mapping[Verdict, str]] = {"pass": "✓", "fail": "✗", "not_tried": "–"}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check; `detail` says what was wrong, or why it was not tried."""

    contract: ContractName | None
    name: str
    verdict: Verdict
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.verdict != "fail"

    def line(self) -> str:
        """`✗ billing · getDebt answers the contract: $.total: type`."""
        name = f"{self.contract} · {self.name}" if self.contract else self.name
        return f"{_MARKS[self.verdict]} {name}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 is no answer at all, `problem` says why."""

    status: int
    content: Any
    seconds: float
    problem: str = ""
    content_type: str = ""
    begins: bytes = b""

    def is_file(self, content_type: str, begins: bytes) -> str | None:
        """What is wrong with it as a file, None if nothing."""
        if self.status != 200:
            return self.problem or f"status {self.status} instead of 200"
        if self.content_type != content_type:
            return f"content type is not {content_type}"
        return None if self.begins.startswith(begins) else f"does not begin as {content_type} does"

    def fits(self, status: int, schema: str) -> str | None:
        """What is wrong with it, None if nothing."""
        if self.status != status:
            return self.problem or f"status {self.status} instead of {status}"
        return broken(schema, self.content)

    def refuses(self, *statuses: int) -> str | None:
        """What is wrong with it as a refusal."""
        if self.status not in statuses:
            return self.problem or f"status {self.status} instead of {' or '.join(map(str, statuses))}"
        return broken("Error", self.content)


class System:
    """A base URL to speak to; never raises."""

    def __init__(self, contract: ContractName, base_url: str, token: str) -> None:
        self.contract = contract
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._session = requests.Session()
        self._session.trust_env = False
        self.slowest = 0.0

    def get(self, path: str, *, token: str | None = None, **query: str) -> Answer:
        return self._call("GET", path, token, params=query)

    def post(self, path: str, body: Any, key: str | None) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        return self._call("POST", path, None, json=body, headers=headers)

    def result(self, name: str, problem: str | None) -> CheckResult:
        return CheckResult(self.contract, name, "fail" if problem else "pass", problem or "")

    def not_tried(self, name: str, why: str) -> CheckResult:
        return CheckResult(self.contract, name, "not_tried", why)

    def _call(self, method: str, path: str, token: str | None, **sent: Any) -> Answer:
        bearer = self._token if token is None else token
        headers = {**sent.pop("headers", {}), **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
        began = time.monotonic()
        try:
            response = self._session.request(
                method, self._base_url + path, headers=headers, timeout=SLOWEST, allow_redirects=False, **sent
            )
        except requests.RequestException as error:
            return Answer(0, None, time.monotonic() - began, f"no answer ({type(error).__name__})")
        seconds = time.monotonic() - began
        self.slowest = max(self.slowest, seconds)
        content_type = response.headers.get("Content-Type", "").split(";")[0].strip()
        begins = response.content[:8]
        try:
            content = response.json()
        except ValueError:
            content = None
        return Answer(response.status_code, content, seconds, content_type=content_type, begins=begins)


Check = Callable[[System, str], Iterator[CheckResult]]


def own_path(system: System, code: str) -> str:
    return f"/v1/customers/{quote(code, safe='')}" + ("" if system.contract == "billing" else "/contract")


def token_checks(system: System, code: str) -> Iterator[CheckResult]:
    path = own_path(system, code)
    yield system.result("no token is refused", system.get(path, token="").refuses(401))
    yield system.result("a wrong token is refused", system.get(path, token=f"not-{uuid4()}").refuses(401, 403))


def speed_check(system: System, _code: str) -> Iterator[CheckResult]:
    slow = system.slowest > SLOWEST
    yield system.result("answers in time", f"slowest {system.slowest:.1f} s" if slow else None)


def idempotency_checks(
    system: System,
    operation: str,
    path: str,
    *,
    body: dict[str, Any],
    other: dict[str, Any],
    schema: str,
    name: str,
) -> Iterator[CheckResult]:
    """201 by `schema`, the same `name` again under the same key, a conflict for another body, no key refused."""
    key = f"check-{uuid4()}"
    first = system.post(path, body, key)
    problem = first.fits(201, schema)
    yield system.result(f"{operation} answers the contract", problem)
    if problem:
        return
    again = system.post(path, body, key)
    same = again.fits(201, schema) or (
        None if again.content[name] == first.content[name] else f"the same key made another {name}"
    )
    yield system.result(f"{operation} under the same key has one effect", same)
    yield system.result(
        f"{operation} with another body under the same key is a conflict", system.post(path, other, key).refuses(409)
    )
    yield system.result(f"{operation} without a key is refused", system.post(path, body, None).refuses(422))


def newest_first(field: str) -> Callable[[list[Any]], str | None]:
    return lambda items: _ordered([item[field] for item in reversed(items)], "not newest first")


def oldest_first(field: str) -> Callable[[list[Any]], str | None]:
    return lambda items: _ordered([item[field] for item in items], "not oldest first")


def _ordered(values: list[str], problem: str) -> str | None:
    instants = [datetime.fromisoformat(value) if "T" in value else value for value in values]
    return None if instants == sorted(instants) else problem

"""Does a live system keep the contract? One line a check, for the utility's IT (`trolydien check-backends URL`).

Uses a test customer's code. Unless `writes` is off it opens a payment request, a ticket and a case, and sends a text.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final
from urllib.parse import quote

from actions.backends import check_billing, check_service
from actions.backends.contract import broken
from actions.backends.probe import Answer, Check, CheckResult, ContractName, System, speed_check, token_checks

__all__ = ["TEST_CUSTOMER", "CheckResult", "check_backends"]

TEST_CUSTOMER: Final = "PA04DH0000123"  # the sandbox's; a real system is checked with a code of its own


def check_backends(
    url: str,
    token: str,
    customer_code: str = TEST_CUSTOMER,
    *,
    writes: bool = True,
    today: date | None = None,
    echo: Callable[[str], None] = print,
) -> list[CheckResult]:
    """Check what lives at `url`: billing, service, both, or both at its `/billing` and `/service`.

    Echoes a line per check and returns them all; a system conforms when every result is `ok`.
    """
    day = today or datetime.now(UTC).date()
    results: list[CheckResult] = []
    for system in _found(url.rstrip("/"), token, customer_code):
        for check in _checks(system.contract, writes=writes, today=day):
            for result in check(system, customer_code):
                echo(result.line())
                results.append(result)
    if not results:
        results.append(CheckResult(None, "a backend answers", "fail", "neither contract was found at this address"))
        echo(results[0].line())
    return results


def _found(url: str, token: str, code: str) -> list[System]:
    probes: list[tuple[ContractName, str, dict[str, str]]] = [
        ("billing", f"/v1/customers/{quote(code, safe='')}", {}),
        ("service", "/v1/offices", {}),
    ]
    for form in ("{url}", "{url}/{contract}"):
        systems = [System(name, form.format(url=url, contract=name), token) for name, _, _ in probes]
        there = [
            system
            for system, (_, path, query) in zip(systems, probes, strict=True)
            if _is_there(system.get(path, **query))
        ]
        if there:
            return there
    return []


def _is_there(answer: Answer) -> bool:
    """Anything but silence and a stranger's 404."""
    return answer.status not in {0, 404} or (answer.status == 404 and broken("Error", answer.content) is None)


def _checks(contract: ContractName, *, writes: bool, today: date) -> list[Check]:
    module = check_billing if contract == "billing" else check_service
    written = module.writing_checks() if writes else []
    return [token_checks, *module.reading_checks(today), *written, speed_check]

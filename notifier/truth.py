"""Whether what is to be told still holds, asked of the utility just before it is told (architecture.md §4)."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from actions.backends.errors import BackendError, NotFound
from actions.backends.models import Debt, Outage
from bot.logs import get_logger

AT_ONCE: Final = 8

log = get_logger(__name__)


class Billing(Protocol):
    def debt(self, code: str, /) -> Debt: ...


class Service(Protocol):
    def outage(self, outage_id: str, /) -> Outage: ...


@dataclass(frozen=True)
class Question:
    """What must hold, of whom: the invoices of a customer, or a version of an outage."""

    holds_while: Literal["unpaid", "coming", "out"]
    of: str
    named: tuple[str, ...] = ()
    version: int = 0


def question(holds_while: Literal["unpaid", "coming", "out"] | None, facts: Mapping[str, Any]) -> Question | None:
    """What to ask of a notice with these facts; None where nothing can have changed."""
    if holds_while is None:
        return None
    if holds_while == "unpaid":
        if cut := facts.get("cut"):
            return Question("unpaid", cut["customer_code"], tuple(cut["invoice_ids"]))
        invoice = facts["invoice"]
        return Question("unpaid", invoice["customer_code"], (invoice["id"],))
    outage = facts["outage"]
    return Question(holds_while, outage["id"], version=outage["version"])


class Truth:
    """Asks the backends, several at once, each customer and outage once."""

    def __init__(self, billing: Billing, service: Service) -> None:
        self._billing = billing
        self._service = service
        self._threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="truth")

    def ask(self, questions: Iterable[Question]) -> dict[Question, bool | None]:
        """True or False by what the utility says now; None where it could not be asked."""
        asked = set(questions)
        debts = self._all({each.of for each in asked if each.holds_while == "unpaid"}, self._unpaid)
        outages = self._all({each.of for each in asked if each.holds_while != "unpaid"}, self._outage)
        return {each: _holds(each, debts, outages) for each in asked}

    def _all(self, names: set[str], ask: Callable[[str], Any]) -> dict[str, Any]:
        return dict(zip(names, self._threads.map(ask, names), strict=True))

    def _unpaid(self, code: str) -> frozenset[str] | None:
        try:
            return frozenset(invoice.id for invoice in self._billing.debt(code).invoices)
        except NotFound:
            return frozenset()
        except BackendError as error:
            log.warning("truth_not_known", system="billing", error=type(error).__name__)
            return None

    def _outage(self, outage_id: str) -> Outage | Literal[False] | None:
        try:
            return self._service.outage(outage_id)
        except NotFound:
            return False
        except BackendError as error:
            log.warning("truth_not_known", system="service", error=type(error).__name__)
            return None


def _holds(asked: Question, debts: Mapping[str, Any], outages: Mapping[str, Any]) -> bool | None:
    if asked.holds_while == "unpaid":
        unpaid = debts[asked.of]
        return None if unpaid is None else bool(unpaid.intersection(asked.named))
    outage = outages[asked.of]
    if not outage:
        return None if outage is None else False
    wanted = "planned" if asked.holds_while == "coming" else "active"
    return bool(outage.state == wanted and outage.version == asked.version)

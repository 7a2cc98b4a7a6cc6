"""Whether what is to be told still holds, asked of the utility just before it is told (architecture.md §4)."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol, TypeVar

from actions.backends.errors import BackendError, NotFound
from actions.backends.models import Debt, Outage
from bot.logs import get_logger

AT_ONCE: Final = 8

A = TypeVar("A")
Holds = Literal["unpaid", "owing", "coming", "out"]
OF_DEBT: Final = frozenset({"unpaid", "owing"})

log = get_logger(__name__)


class Billing(Protocol):
    def debt(self, code: str, /) -> Debt: ...


class Service(Protocol):
    def outage(self, outage_id: str, /) -> Outage: ...


@dataclass(frozen=True)
class Answer:
    """What the utility says now: whether it still holds, the facts as they are by now, and when it said so.

    `holds` is None where it could not be asked.
    """

    holds: bool | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    as_of: datetime | None = None


@dataclass(frozen=True)
class Question:
    """What must hold, of whom: the invoices of a customer, that one owes anything, or a version of an outage."""

    holds_while: Holds
    of: str
    named: tuple[str, ...] = ()
    version: int = 0


def question(holds_while: Holds | None, facts: Mapping[str, Any], customer_code: str | None) -> Question | None:
    """What to ask of a notice with these facts to a customer; None where nothing can have changed."""
    if holds_while is None:
        return None
    if holds_while == "owing":
        return Question("owing", customer_code) if customer_code else None
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

    def ask(self, questions: Iterable[Question]) -> dict[Question, Answer]:
        asked = set(questions)
        debts = self._all({each.of for each in asked if each.holds_while in OF_DEBT}, self._debt)
        outages = self._all({each.of for each in asked if each.holds_while not in OF_DEBT}, self._outage)
        return {
            each: _of_debt(each, debts[each.of]) if each.holds_while in OF_DEBT else _of_outage(each, outages[each.of])
            for each in asked
        }

    def _all(self, names: set[str], ask: Callable[[str], Any]) -> dict[str, Any]:
        return dict(zip(names, self._threads.map(ask, names), strict=True))

    def _debt(self, code: str) -> Debt | Literal[False] | None:
        return _asked("billing", lambda: self._billing.debt(code))

    def _outage(self, outage_id: str) -> Outage | Literal[False] | None:
        return _asked("service", lambda: self._service.outage(outage_id))


def _asked(system: str, ask: Callable[[], A]) -> A | Literal[False] | None:
    """False for what is not there, None where nobody can tell."""
    try:
        return ask()
    except NotFound:
        return False
    except BackendError as error:
        log.warning("truth_not_known", system=system, error=type(error).__name__)
        return None


def _of_debt(asked: Question, debt: Debt | Literal[False] | None) -> Answer:
    """The first of the invoices, and what is left to pay of all of them."""
    if debt is None or debt is False:
        return Answer(debt)
    if asked.holds_while == "owing":
        arrears = {"total": debt.total, "bills": len(debt.invoices)}
        return Answer(debt.total > 0, {"arrears": arrears}, debt.as_of)
    unpaid = [invoice for invoice in debt.invoices if invoice.id in asked.named]
    if not unpaid:
        return Answer(holds=False)
    left = sum(invoice.total - invoice.paid for invoice in unpaid)
    return Answer(True, {"invoice": unpaid[0].model_dump(mode="json"), "left": left}, debt.as_of)


def _of_outage(asked: Question, outage: Outage | Literal[False] | None) -> Answer:
    if outage is None or outage is False:
        return Answer(outage)
    wanted = "planned" if asked.holds_while == "coming" else "active"
    return Answer(outage.state == wanted and outage.version == asked.version)

"""A person instead of the bot (F14), and what people should hear: complaints."""

from typing import Annotated, Any

from actions.backends.models import Case
from actions.desk import DeskTurn
from actions.handlers import registry
from bot.dialogue.commands import Slots
from bot.dialogue.forms import Ask, Form
from bot.store.models import Owner


@registry.handles("human")
def human(turn: DeskTurn, _slots: Slots) -> None:
    """Put the conversation in the staff's queue and say what happens next."""
    turn.owner = Owner.WAITING
    turn.say("human.now" if turn.desk.staff_answer(turn.now) else "human.later", staff=turn.desk.company.staff)


class _CaseForm(Form):
    """What the customer tells, filed as a case under the account that is linked, if one is."""

    def file(self, turn: DeskTurn, kind: Any, text: str) -> None:
        accounts = turn.caller.accounts
        case = Case(kind=kind, text=text, customer_code=accounts[0].customer_code if len(accounts) == 1 else None)
        ticket = turn.desk.service.open_case(case, idempotency_key=turn.idempotency_key(kind))
        turn.say("case.opened", ticket=ticket)


@registry.form("complaint")
class Complaint(_CaseForm):
    intents = frozenset({"complaint", "insult"})
    review = "complaint.review"

    what: Annotated[str, Ask("complaint.ask_what", read=lambda _turn: None, free_text=True)]

    def submit(self, turn: DeskTurn) -> None:
        self.file(turn, "complaint", self.what)

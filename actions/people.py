"""A person instead of the bot (F14), and what people should hear: anger, complaints."""

from typing import Annotated, Final

from actions.answers import option_meant
from actions.backends.models import Case
from actions.desk import DeskTurn
from actions.handing_over import Promise, hand_over, is_angry, promise_of
from actions.handlers import registry
from actions.photos import attach
from bot.dialogue.commands import Slots
from bot.dialogue.fallback import NOT_UNDERSTOOD
from bot.dialogue.forms import Ask, Form
from bot.store import handovers
from bot.store.models import HandoverReason, Owner

MAY_CHANGE_THEIR_MIND: Final = frozenset({HandoverReason.ANGER, HandoverReason.MISUNDERSTANDING, HandoverReason.ASKED})
"""Reasons for which nobody needs to look once the customer no longer wants it."""


@registry.handles("human")
def human(turn: DeskTurn, slots: Slots) -> None:
    """Put the conversation in the staff's queue and say when they answer; asked again, say what was promised."""
    if option_meant(turn.desk.answers, "person.wanted", turn.text):
        no_person(turn, slots)
        return
    reason = HandoverReason.MISUNDERSTANDING if slots == NOT_UNDERSTOOD else HandoverReason.ASKED
    _say(turn, hand_over(turn, reason))


@registry.handles("human.cancel")
def no_person(turn: DeskTurn, _slots: Slots) -> None:
    """The customer no longer waits; what is grave stays in the queue."""
    if turn.caller.owner is Owner.WAITING:
        conversation_id, now = turn.caller.conversation_id, turn.now
        with turn.desk.database.begin() as session:
            row = handovers.open_of(session, conversation_id)
        if row and row.reason not in MAY_CHANGE_THEIR_MIND:
            _say(turn, promise_of(turn))
            return
        turn.change(lambda session: handovers.give_back(session, conversation_id, by="customer", at=now))
    turn.say("human.cancelled")


@registry.handles("insult")
def insult(turn: DeskTurn, _slots: Slots) -> None:
    """Once: calm, and what can be done. Again: a person, without being asked for one."""
    again = turn.state.upset_at is not None
    turn.state.upset_at = turn.now
    if again or turn.caller.owner is Owner.WAITING:
        _say(turn, hand_over(turn, HandoverReason.ANGER))
    else:
        turn.say("talk.insult")


def _say(turn: DeskTurn, promise: Promise) -> None:
    turn.to_person = True
    if promise.since:
        turn.say("human.waiting", promise=promise)
    else:
        turn.say("human.now" if promise.is_open else "human.later", promise=promise, angry=turn.state.upset_at)


@registry.form("complaint")
class Complaint(Form):
    """What the customer tells, filed as a case under the account that is linked, if one is; people answer it."""

    intents = frozenset({"complaint", "insult"})
    review = "complaint.review"

    what: Annotated[str, Ask("complaint.ask_what", read=lambda _turn: None, free_text=True)]

    def submit(self, turn: DeskTurn) -> None:
        accounts = turn.caller.accounts
        case = Case(
            kind="complaint",
            text=self.what,
            customer_code=accounts[0].customer_code if len(accounts) == 1 else None,
        )
        ticket = turn.desk.service.open_case(case, idempotency_key=turn.idempotency_key("complaint"))
        grave = HandoverReason.ANGER if is_angry(turn, self.what) else HandoverReason.COMPLAINT
        promise = hand_over(turn, grave)
        turn.say("complaint.filed", ticket=ticket, promise=promise)
        attach(turn, ticket)

"""The rights over one's own data (F16; electricity.md §8.1): see it, take a copy, have it corrected or erased, object.

Withdrawing consent is in actions/privacy.py. Each request is on record with its deadlines (actions/rights_requests.py).
"""

from typing import Annotated, Any, Final, Literal

from actions.answers import option_meant
from actions.desk import Desk, DeskTurn
from actions.documents import CopyFormat
from actions.handing_over import hand_over
from actions.handlers import registry
from actions.privacy import consent_refused
from actions.rights_requests import record
from bot.dialogue import filling
from bot.dialogue.commands import Command, Slots
from bot.dialogue.forms import Abandon, Ask, Form
from bot.dialogue.registry import Handler
from bot.dialogue.state import DialogueState
from bot.dialogue.turn import Turn
from bot.store import conversations, personal_data, retention
from bot.store.conversations import ACCOUNT_PURPOSE
from bot.store.models import HandoverReason, RightKind

WITHDRAWN_BY_ERASING: Final = "erase"
"""`text_version` of the no that goes with an erasure: it was said to those words."""


@registry.handles("data_rights")
def data_rights(turn: DeskTurn, slots: Slots) -> None:
    """What was asked for, if the message says it; else what there is to choose from."""
    meant = option_meant(turn.desk.answers, "privacy.right", turn.text) if turn.understanding else None
    if meant:
        RIGHTS[RightKind(meant)](turn, slots)
    else:
        turn.say("privacy.rights", accounts=turn.caller.accounts)


@registry.handles("privacy.see")
def see(turn: DeskTurn, _slots: Slots) -> None:
    record(turn, RightKind.SEE, done=True)
    with turn.desk.database.begin() as session:
        stored = personal_data.collect(session, turn.caller.contact_id)
    turn.say(
        "privacy.seen",
        accounts=turn.caller.accounts,
        agreed=ACCOUNT_PURPOSE in turn.caller.consents,
        stored=stored,
        files=sum(len(message.get("attachments", ())) for message in stored["messages"]),
    )


@registry.handles("privacy.copy")
def copy(turn: DeskTurn, _slots: Slots) -> None:
    """Addresses good for minutes: what they show is gathered when they are opened."""
    record(turn, RightKind.COPY, done=True)
    page, file = (
        turn.desk.copies.url(form, contact_id=turn.caller.contact_id, now=turn.now)
        for form in (CopyFormat.PAGE, CopyFormat.JSON)
    )
    turn.say("privacy.copied", page=page, file=file, minutes=turn.desk.copies.minutes)


@registry.handles("privacy.correct")
def correct(turn: DeskTurn, _slots: Slots) -> None:
    turn.say("privacy.correct", accounts=turn.caller.accounts)


@registry.handles("privacy.object")
def object_to_use(turn: DeskTurn, _slots: Slots) -> None:
    record(turn, RightKind.OBJECT, done=False)
    turn.say("privacy.object")


@registry.form("privacy.correction")
class Correction(Form):
    """What is wrong and how it should be; people put it right."""

    intents = frozenset({"data_rights"})

    what: Annotated[str, Ask("privacy.ask_correction", read=lambda _turn: None, free_text=True, opening=False)]

    def submit(self, turn: DeskTurn) -> None:
        record(turn, RightKind.CORRECT, done=False)
        promise = hand_over(turn, HandoverReason.RIGHTS)
        days = turn.desk.company.rights.done_days[RightKind.CORRECT]
        turn.say("privacy.correction_noted", promise=promise, days=days)


@registry.recognises
def says_withdrawn(turn: DeskTurn) -> Command | None:
    """To take back one's yes needs no understanding: it must never be taken for another yes."""
    meant = option_meant(turn.desk.answers, "privacy.right", turn.text)
    return Command(name="consent.refuse") if meant == RightKind.WITHDRAW else None


def _read_sure(turn: Turn[Any]) -> str | None:
    """Any word against it is a no."""
    if turn.intent == "deny" or option_meant(turn.desk.answers, "privacy.keep", turn.text):
        return "no"
    erase = option_meant(turn.desk.answers, "privacy.erase", turn.text)
    return "yes" if erase or turn.intent == "affirm" else None


@registry.form("privacy.erase")
class Erase(Form):
    """Asked once more, because it cannot be undone."""

    sure: Annotated[Literal["yes"], Ask("privacy.ask_erase", read=_read_sure, opening=False)]

    @classmethod
    def filled(cls, turn: DeskTurn, field: str, values: dict[str, Any]) -> None:  # noqa: ARG003 (a hook)
        if values["sure"] != "yes":
            raise Abandon("privacy.not_erased")

    def submit(self, turn: DeskTurn) -> None:
        """Proof first, then everything else, in the transaction of the turn."""
        contact_id, event_id, now = turn.caller.contact_id, turn.event_id, turn.now
        record(turn, RightKind.ERASE, done=True)
        turn.change(
            lambda session: conversations.withdraw_consents(
                session, contact_id, event_id=event_id, at=now, text_version=WITHDRAWN_BY_ERASING
            )
        )
        turn.change(
            lambda session: retention.erase(session, contact_id, actor=f"contact:{contact_id}", up_to_event=event_id)
        )
        turn.state = DialogueState(greeted=True)
        turn.say("privacy.erased")


def _erase(turn: DeskTurn, slots: Slots) -> None:
    filling.start(registry, turn, Erase, slots=slots)


RIGHTS: Final[dict[RightKind, Handler[Desk]]] = {
    RightKind.SEE: see,
    RightKind.COPY: copy,
    RightKind.CORRECT: correct,
    RightKind.WITHDRAW: consent_refused,
    RightKind.ERASE: _erase,
    RightKind.OBJECT: object_to_use,
}

"""Photos of receipts for a case of a payment that went wrong: within its form, or after it is filed (F4)."""

from typing import Annotated, Any, Final

from actions.answers import option_meant
from actions.backends.errors import BackendError
from actions.backends.models import TicketNote
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.payment_answers import SKIPPED
from bot.dialogue.commands import Slots
from bot.dialogue.forms import Abandon, Ask, Form
from bot.dialogue.state import FormState
from bot.dialogue.turn import Turn
from bot.logs import get_logger
from bot.messages import InboundKind

MOST_PHOTOS: Final = 5

log = get_logger(__name__)


def read_photos(turn: Turn[Any]) -> Any:
    """The addresses of photos sent, with those sent before; SKIPPED where there is none to send."""
    form = turn.state.form
    if turn.inbound.kind in {InboundKind.IMAGE, InboundKind.FILE}:
        sent = [attachment.url for attachment in turn.inbound.attachments if attachment.url]
        known = (form.values.get("receipt") or []) if form else []
        return [*known, *sent][:MOST_PHOTOS] or None
    skips = turn.asks_for("receipt") and option_meant(turn.desk.answers, "service.skip", turn.text)
    return SKIPPED if skips else None


def attach(turn: DeskTurn, ticket_code: str, photos: list[str]) -> bool:
    """Photos go to a case that is open; False if they could not be handed over."""
    note = TicketNote(attachments=tuple(photos))
    try:
        turn.desk.service.add_note(ticket_code, note, idempotency_key=turn.idempotency_key("receipt"))
    except BackendError as error:
        log.warning("receipt_not_added", error=type(error).__name__)
        return False
    return True


@registry.form("payment.receipt")
class MoreReceipts(Form):
    """Photos for a case that is open; each goes there at once, until the customer speaks of something else."""

    intents = frozenset({"payment_problem"})

    request_code: str
    receipt: Annotated[list[str], Ask("payment_problem.send_receipt", read=read_photos)]

    @classmethod
    def prefill(cls, _turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        return {"request_code": slots.request_code or ""}

    @classmethod
    def filled(cls, _turn: DeskTurn, field: str, values: dict[str, Any]) -> None:
        if values[field] == SKIPPED:
            raise Abandon("payment_problem.receipts_done", request_code=values["request_code"])

    def submit(self, turn: DeskTurn) -> None:
        kept = attach(turn, self.request_code, self.receipt)
        turn.say(
            "payment_problem.receipt_kept" if kept else "payment_problem.receipt_lost", request_code=self.request_code
        )
        turn.state.form = FormState(
            name="payment.receipt",
            values={"request_code": self.request_code},
            asking="receipt",
            touched_at=turn.now,
        )


@registry.handles("payment.receipts_done")
def receipts_done(turn: DeskTurn, slots: Slots) -> None:
    if turn.state.form and turn.state.form.name == "payment.receipt":
        turn.state.form = None
    turn.say("payment_problem.receipts_done", request_code=slots.request_code)

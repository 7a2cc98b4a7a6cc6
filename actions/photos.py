"""Pictures and files that came before, or without, a word: they go with the report or case they belong to (F15)."""

from typing import Final

from actions.backends.errors import BackendError
from actions.backends.models import Ticket, TicketNote
from actions.desk import DeskTurn
from bot.logs import get_logger

FILED: Final = frozenset({"outage_report", "voltage_report", "payment_problem", "complaint"})
"""Forms that end in a report or case, which takes what was sent meanwhile."""

log = get_logger(__name__)


def addresses(turn: DeskTurn) -> tuple[str, ...]:
    """Of what came with this message."""
    return tuple(str(file.url) for file in turn.inbound.files)


def attach(turn: DeskTurn, ticket: Ticket) -> None:
    """Hand what came of late to a report or case that was opened; whether that worked is said."""
    files = turn.state.take_files()
    if not files:
        return
    note = TicketNote(attachments=tuple(file.url for file in files))
    try:
        turn.desk.service.add_note(ticket.code, note, idempotency_key=turn.idempotency_key("files"))
    except BackendError as error:
        log.warning("files_not_attached", error=type(error).__name__)
        turn.say("files.not_attached")
        return
    turn.say("files.attached", ticket=ticket, count=len(files))

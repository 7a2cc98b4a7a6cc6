"""Positions and photos sent without a word: they go with what the contact reported of late."""

from actions.backends.models import TicketNote
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.hazards import SAME_CASE, complete_by, hazard_report
from bot.dialogue.commands import Command, Slots
from bot.store import grid


@registry.handles("media.location")
def shared_position(turn: DeskTurn, _slots: Slots) -> None:
    """After a danger, where that is; after a report of no power, more for it; else most likely where it is out."""
    if turn.inbound.latitude is None or turn.inbound.longitude is None:
        turn.say("media.other")
        return
    position = (turn.inbound.latitude, turn.inbound.longitude)
    topic = turn.state.topic.command.name if turn.state.topic else ""
    danger = turn.desk.grid.latest(turn.caller.contact_id, grid.HAZARD, turn.now - SAME_CASE)
    if danger or topic == "hazard_report":
        hazard_report(turn, Slots(position=position))
    elif not _add_to_report(turn, TicketNote(latitude=position[0], longitude=position[1])):
        turn.say("outage.position_shared", position=position)
        turn.ask_yes_no(yes=Command(name="outage_report", slots=Slots(position=position)), no=Command(name="deny"))


@registry.handles("media.image")
def photo(turn: DeskTurn, _slots: Slots) -> None:
    """A photo of the danger or of what is broken goes to those who were told of it."""
    if not photo_of_report(turn):
        turn.say("media.image")


def photo_of_report(turn: DeskTurn) -> bool:
    """Does the photo go with a report or danger told of late? Then it is added there, and said so."""
    addresses = tuple(attachment.url for attachment in turn.inbound.attachments if attachment.url)
    if not addresses:
        return False
    note = TicketNote(attachments=addresses)
    danger = turn.desk.grid.latest(turn.caller.contact_id, grid.HAZARD, turn.now - SAME_CASE)
    if danger:
        complete_by(turn, note, danger)
        return True
    return _add_to_report(turn, note)


def _add_to_report(turn: DeskTurn, note: TicketNote) -> bool:
    own = turn.desk.grid.latest(turn.caller.contact_id, grid.OUTAGE, turn.now - turn.desk.company.told_again)
    if own is None:
        return False
    ticket = turn.desk.service.add_note(own.ticket_code, note, idempotency_key=turn.idempotency_key("report-note"))
    turn.say("outage.note_added", ticket=ticket)
    return True

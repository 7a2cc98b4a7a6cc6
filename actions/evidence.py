"""Positions, pictures and files sent without a word (F15): more of what was reported of late, else asked after."""

from actions.backends.models import TicketNote
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.hazards import SAME_CASE, complete_by, hazard_report
from actions.photos import FILED, addresses
from bot.dialogue.commands import Command, Slots
from bot.dialogue.state import Topic
from bot.store import grid


@registry.handles("media.location")
def shared_position(turn: DeskTurn, _slots: Slots) -> None:
    """After a danger, where that is; after a report of no power, more for it; else what is wanted there."""
    if turn.inbound.latitude is None or turn.inbound.longitude is None:
        turn.say("media.other")
        return
    position = (turn.inbound.latitude, turn.inbound.longitude)
    topic = turn.state.topic.command.name if turn.state.topic else ""
    danger = turn.desk.grid.latest(turn.caller.contact_id, grid.HAZARD, turn.now - SAME_CASE)
    if danger or topic == "hazard_report":
        hazard_report(turn, Slots(position=position))
    elif not turn.desk.company.area.holds(*position):
        turn.say("outage.position_outside")
    elif _add_to_report(turn, TicketNote(latitude=position[0], longitude=position[1])):
        return
    elif turn.state.form:
        turn.say("media.kept")
    else:
        turn.say("outage.position_shared", position=position)
        turn.ask_yes_no(yes=Command(name="outage_report", slots=Slots(position=position)), no=Command(name="deny"))


@registry.handles("outage.schedule_there")
def schedule_there(turn: DeskTurn, _slots: Slots) -> None:
    """A position names no commune to us: it is asked for, and the answer is about planned cuts."""
    turn.state.topic = Topic(command=Command(name="outage_schedule"), at=turn.now)
    turn.say("outage.which_place_there")


@registry.handles("media.image", "media.video", "media.file")
def photo(turn: DeskTurn, _slots: Slots) -> None:
    """A photo of the danger or of what is broken goes to those who were told of it; else it waits for its purpose."""
    form = turn.state.form
    if form and form.name in FILED:
        turn.say("media.kept_for_form", form=turn.replies.render(f"form.name.{form.name}")[0])
    elif not _photo_of_report(turn):
        turn.say("media.kept" if form else "media.what_for", sent=turn.inbound.kind)


def _photo_of_report(turn: DeskTurn) -> bool:
    """Does the photo go with a report or danger told of late? Then it is added there, and said so."""
    if not turn.inbound.files:
        return False
    note = TicketNote(attachments=addresses(turn))
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
    if note.attachments:
        turn.state.take_files()
    turn.say("outage.note_added", ticket=ticket)
    return True

"""Dangers (F10): what to do at once and the hotline, then the case; what is told afterwards goes with the same case."""

from datetime import timedelta
from typing import Final

from actions.backends.errors import BackendError
from actions.backends.models import Case, TicketNote
from actions.desk import DeskTurn
from actions.handing_over import hand_over
from actions.handlers import registry
from actions.hazard_data import kind_of
from actions.photos import addresses, attach
from actions.where import ask_which
from bot.dialogue.commands import Slots
from bot.logs import get_logger
from bot.store import grid
from bot.store.grid import Reported
from bot.store.models import HandoverReason

SAME_CASE: Final = timedelta(minutes=60)
"""So long what a contact tells of a danger is about the one it told of last."""
LONGEST_TEXT: Final = 2_000

log = get_logger(__name__)


@registry.handles("hazard_report")
def hazard_report(turn: DeskTurn, slots: Slots) -> None:
    """What to do now and the hotline come first and never depend on a backend; then the case, or more for it."""
    told = turn.text if turn.understanding else ""
    earlier = turn.desk.grid.latest(turn.caller.contact_id, grid.HAZARD, turn.now - SAME_CASE)
    only_more = earlier is not None and turn.intent != "hazard_report"
    if not only_more:
        turn.say("hazard.now", advice=turn.desk.hazards[kind_of(turn.desk.hazards, told)].advice)
    if not (told or slots.place or slots.position or turn.state.files):
        turn.say("hazard.ask_what")
    elif earlier and not _is_elsewhere(earlier, slots):
        _complete(turn, slots, earlier, told)
    else:
        _open(turn, slots, told)


def complete_by(turn: DeskTurn, note: TicketNote, earlier: Reported) -> None:
    """More about a danger that was told of: its case gets it. What fails is said with the hotline, never hidden."""
    hand_over(turn, HandoverReason.DANGER)
    try:
        ticket = turn.desk.service.add_note(
            earlier.ticket_code, note, idempotency_key=turn.idempotency_key("hazard-note")
        )
    except BackendError as error:
        log.warning("hazard_note_not_added", error=type(error).__name__)
        turn.say("hazard.call_us")
        return
    if code := note.place_code:
        turn.change(lambda session: grid.complete(session, earlier, place_code=code))
    if note.attachments:
        turn.state.take_files()
    has_place = bool(earlier.place_code or note.place_code or note.latitude is not None)
    turn.say("hazard.completed", ticket=ticket, has_place=has_place)


def _open(turn: DeskTurn, slots: Slots, told: str) -> None:
    """People are told first: the case may fail to open."""
    hand_over(turn, HandoverReason.DANGER)
    latitude, longitude = slots.position or (None, None)
    account = turn.caller.accounts[0] if len(turn.caller.accounts) == 1 else None
    place = slots.place
    case = Case(
        kind="hazard",
        text=told[:LONGEST_TEXT] or turn.replies.render("case.hazard_without_words")[0],
        customer_code=account.customer_code if account else None,
        place_code=place.code if place else None,
        latitude=latitude,
        longitude=longitude,
    )
    try:
        ticket = turn.desk.service.open_case(case, idempotency_key=turn.idempotency_key("hazard"))
    except BackendError as error:
        log.error("hazard_case_not_opened", error=type(error).__name__)
        turn.say("hazard.call_us")
        return
    turn.desk.grid.add(
        Reported(
            contact_id=turn.caller.contact_id,
            event_id=turn.event_id,
            kind=grid.HAZARD,
            ticket_code=ticket.code,
            at=turn.now,
            place_code=case.place_code,
        )
    )
    has_place = bool(case.place_code or slots.position)
    turn.say("hazard.recorded", ticket=ticket, has_place=has_place)
    attach(turn, ticket)
    if place and place.choices and not has_place:
        ask_which(turn, Slots(), place, "hazard_report")


def _complete(turn: DeskTurn, slots: Slots, earlier: Reported, told: str) -> None:
    if slots.place and slots.place.choices and not slots.place.code:
        ask_which(turn, Slots(), slots.place, "hazard_report")
    latitude, longitude = slots.position or (None, None)
    note = TicketNote(
        text=told[:LONGEST_TEXT] or None,
        place_code=slots.place.code if slots.place else None,
        latitude=latitude,
        longitude=longitude,
        attachments=addresses(turn),
    )
    if note != TicketNote():
        complete_by(turn, note, earlier)


def _is_elsewhere(earlier: Reported, slots: Slots) -> bool:
    """Does the message name another commune than the danger told of before?"""
    named = slots.place.code if slots.place else None
    return bool(named and earlier.place_code and named != earlier.place_code)

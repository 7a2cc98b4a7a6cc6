"""Requests about one's own data as the law wants them kept: each with the days by which it is answered and done."""

from actions.desk import DeskTurn
from bot.store import rights
from bot.store.models import RightKind


def record(turn: DeskTurn, kind: RightKind, *, done: bool) -> None:
    """Write down what was asked for. `done`: it is done with this turn; else people do it by the day it is due."""
    contact_id, event_id, now = turn.caller.contact_id, turn.event_id, turn.now
    due = turn.desk.deadlines.of(kind, now)
    turn.change(
        lambda session: rights.add(
            session, contact_id=contact_id, kind=kind, event_id=event_id, received_at=now, due=due, done=done
        )
    )

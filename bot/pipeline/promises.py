"""Watching what was promised: people who wait for staff, and requests about one's own data whose day comes near."""

from datetime import datetime

from actions.deadlines import Deadlines
from actions.office_hours import OfficeHours
from bot.logs import get_logger
from bot.metrics import HANDOVERS_WAITING, RIGHTS_PRESSING
from bot.store import handovers, rights
from bot.store.database import Database
from bot.store.handovers import Brief
from bot.store.models import HandoverReason
from bot.store.rights import Pressing

log = get_logger(__name__)


def watch(database: Database, hours: OfficeHours, deadlines: Deadlines, now: datetime) -> None:
    """Put pressing requests into the staff's queue, and show both counts. May be run again at any time."""
    with database.begin() as session:
        pressing = rights.pressing(session, now=now, until=deadlines.soon(now))
    for request in pressing:
        log.error("rights_request_pressing", request=request.id, kind=request.kind, overdue=request.is_overdue)
        _put_in_queue(database, request, hours.next_opening(now), now)
    for overdue in (True, False):
        count = sum(request.is_overdue is overdue for request in pressing)
        RIGHTS_PRESSING.labels("overdue" if overdue else "due").set(count)
    with database.begin() as session:
        waiting = handovers.waiting(session)
    for reason in HandoverReason:
        HANDOVERS_WAITING.labels(reason).set(waiting.get(reason, 0))


def _put_in_queue(database: Database, request: Pressing, promised_at: datetime, now: datetime) -> None:
    with database.begin() as session:
        if handovers.open_of(session, request.conversation_id) is None:
            handovers.ask(
                session,
                conversation_id=request.conversation_id,
                reason=HandoverReason.RIGHTS,
                brief=Brief(asked=f"privacy.{request.kind}"),
                promised_at=promised_at,
                now=now,
            )

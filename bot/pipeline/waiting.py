"""Events that have no job of their own: workers look for those that are due and handle them by the batch.

Nothing is lost and nothing done twice, whoever dies when: what an event changes commits together with its end. Several
workers may do this at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.channels.base import Channel
from bot.clock import Clock
from bot.logs import get_logger
from bot.messages import ChannelName
from bot.metrics import PARKED_EVENTS
from bot.pipeline import noting
from bot.pipeline.receipts import OneByOne, TooEarly, is_young
from bot.pipeline.stored import NothingToHandle, understand
from bot.pipeline.turns import Event
from bot.settings import Settings
from bot.store import events
from bot.store.database import Database
from bot.store.events import End
from bot.store.models import EventStatus, InboundEvent

BATCH = 200
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=8)
GIVEN_UP_AFTER = timedelta(seconds=20)
"""An event that failed is not put back any more when its last try was due so long after it came."""

log = get_logger(__name__)


class _EndedElsewhere(Exception):
    """Another worker ended the event first: what this one did is undone."""


@dataclass
class _Fates:
    """What becomes of events, by id."""

    ends: dict[int, End] = field(default_factory=dict)
    put_back: dict[int, datetime] = field(default_factory=dict)
    parked: list[tuple[InboundEvent, Exception]] = field(default_factory=list)

    def write(self, session: Session) -> None:
        events.finish_all(session, self.ends)
        events.put_back(session, self.put_back)

    def tell(self) -> None:
        """Log and count what was given up; after the commit."""
        for row, error in self.parked:
            log.error("event_parked", event_id=row.id, channel=row.channel, error=type(error).__name__, exc_info=error)
            PARKED_EVENTS.labels(row.channel).inc()


class WaitingEvents:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        channels: dict[ChannelName, Channel],
        one_by_one: OneByOne,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._channels = channels
        self._one_by_one = one_by_one

    def handle_due(self) -> bool:
        """Handle a batch of what is due. True if there may be more.

        What goes by the batch commits at once. The others follow, each in a transaction of its own and in the order in
        which they came: they lock conversations, for which turns must not wait until a whole batch is done.
        """
        fates = _Fates()
        with self._database.begin() as session:
            rows = {row.id: row for row in events.claim_waiting(session, self._clock(), limit=BATCH)}
            left = self._note(session, self._understand(rows, fates), rows, fates)
            fates.write(session)
        fates.tell()
        for event in sorted(left, key=lambda event: event.id):
            self._handle_alone(rows[event.id])
        return len(rows) == BATCH

    def _understand(self, rows: dict[int, InboundEvent], fates: _Fates) -> list[Event]:
        batch = []
        for row in rows.values():
            try:
                batch.append(understand(row, self._settings, self._channels))
            except NothingToHandle as why:
                fates.ends[row.id] = End(EventStatus.IGNORED, str(why))
            except Exception as error:
                self._try_again(row, error, fates)
        return batch

    def _note(
        self, session: Session, batch: Sequence[Event], rows: dict[int, InboundEvent], fates: _Fates
    ) -> list[Event]:
        """Returns those to be handled one by one. If the batch fails, each of it is tried alone: one may be bad."""
        if not batch:
            return []
        now = self._clock()
        try:
            with session.begin_nested():
                noted = noting.note(session, batch, now)
        except Exception as error:
            if len(batch) > 1:
                return [event for each in batch for event in self._note(session, [each], rows, fates)]
            self._try_again(rows[batch[0].id], error, fates)
            return []
        fates.ends |= {event.id: End(EventStatus.DONE) for event in noted.done}
        fates.ends |= {event.id: End(EventStatus.IGNORED) for event in noted.ignored}
        for event in noted.unknown:
            if is_young(event, now):
                fates.put_back[event.id] = now + _pause(event.received_at, now)
            else:
                fates.ends[event.id] = End(EventStatus.IGNORED)
        return noted.left

    def _handle_alone(self, row: InboundEvent) -> None:
        fates = _Fates()
        try:
            with self._database.begin() as session:
                self._apply(session, row.id)
        except _EndedElsewhere:
            return
        except TooEarly:
            now = self._clock()
            fates.put_back[row.id] = now + _pause(row.received_at, now)
        except Exception as error:
            self._try_again(row, error, fates)
        with self._database.begin() as session:
            fates.write(session)
        fates.tell()

    def _apply(self, session: Session, event_id: int) -> None:
        """The event as it is now: it may have been erased or ended since the batch was taken."""
        row = session.get(InboundEvent, event_id)
        if row is None or row.status != EventStatus.RECEIVED:
            raise _EndedElsewhere
        try:
            end = End(self._one_by_one.handle(session, understand(row, self._settings, self._channels)))
        except NothingToHandle as why:
            end = End(EventStatus.IGNORED, str(why))
        if not events.finish(session, event_id, end.status, end.error):
            raise _EndedElsewhere

    def _try_again(self, row: InboundEvent, error: Exception, fates: _Fates) -> None:
        """Later, or never more when it has been tried for long enough."""
        now = self._clock()
        assert row.handle_from
        if row.handle_from - row.received_at < GIVEN_UP_AFTER:
            log.warning("event_failed", event_id=row.id, channel=row.channel, error=type(error).__name__)
            fates.put_back[row.id] = now + _pause(row.received_at, now)
        else:
            fates.ends[row.id] = End(EventStatus.PARKED, type(error).__name__)
            fates.parked.append((row, error))


def _pause(received_at: datetime, now: datetime) -> timedelta:
    """1, 2, 4, then 8 seconds: as long again as the event has waited."""
    return min(LONGEST_PAUSE, FIRST_PAUSE + (now - received_at))

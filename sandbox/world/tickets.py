"""Tickets of the service system: outage reports, joined where they are one, and cases for people."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from actions.backends.models import Case, CaseKind, Ticket, TicketKind, TicketNote, TicketState

_TAKEN_UP_AFTER: Final = timedelta(minutes=15)
_REPORT_OPEN_FOR: Final = timedelta(hours=3)


@dataclass(slots=True)
class Slip:
    """What the system keeps of a ticket; `subject` tells whose or where it is."""

    code: str
    kind: TicketKind
    subject: str | None
    place_code: str | None
    opened_at: datetime
    outage_id: str | None = None
    message: str | None = None
    state: TicketState | None = None
    feeder: str | None = None
    case: Case | None = None
    notes: list[TicketNote] = field(default_factory=list)

    def shown(self, now: datetime) -> Ticket:
        """The ticket as a customer may see it. A state set by hand stays; else people take it up after a while."""
        state: TicketState = "in_progress" if now - self.opened_at >= _TAKEN_UP_AFTER else "received"
        return Ticket(
            code=self.code,
            kind=self.kind,
            state=self.state or state,
            opened_at=self.opened_at,
            outage_id=self.outage_id,
            feeder=self.feeder,
            message=self.message,
            as_of=now,
        )


class TicketBook:
    """All tickets. Not thread-safe: the world's lock is held by whoever asks."""

    def __init__(self) -> None:
        self._slips: dict[str, Slip] = {}
        self._numbers = count(1)

    def open(self, kind: TicketKind | CaseKind, at: datetime, subject: str | None, place_code: str | None) -> Slip:
        code = f"YC{at:%y}-{next(self._numbers):06d}"
        slip = Slip(code, kind, subject, place_code, at)
        self._slips[code] = slip
        return slip

    def get(self, code: str) -> Slip:
        """Raises KeyError."""
        return self._slips[code]

    def open_report(self, subject: str | None, now: datetime) -> Slip | None:
        """The report that this subject already has open."""
        return next((slip for slip in self._open_reports(now) if subject and slip.subject == subject), None)

    def reports_near(self, place_code: str, now: datetime, within: timedelta) -> list[Slip]:
        """Open reports of a place that no known outage explains."""
        return [
            slip
            for slip in self._open_reports(now)
            if slip.place_code == place_code and slip.outage_id is None and now - slip.opened_at <= within
        ]

    def _open_reports(self, now: datetime) -> list[Slip]:
        return [
            slip
            for slip in self._slips.values()
            if slip.kind == "outage"
            and slip.state not in {"done", "cancelled"}
            and now - slip.opened_at <= _REPORT_OPEN_FOR
        ]

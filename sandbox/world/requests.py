"""Service requests of the service system: they go on with the world's time, or as somebody moves them."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, Final

import holidays

from actions.backends.models import (
    Appointment,
    NewServiceRequest,
    RequestDetail,
    RequestState,
    ServiceKind,
    ServiceRequest,
)
from sandbox.world.dates import local_day, local_instant
from sandbox.world.places import read_yaml

CLOSED: Final[frozenset[RequestState]] = frozenset({"done", "cancelled"})
SHOWN_FOR: Final = timedelta(days=365)
_DATA: Final = read_yaml("requests.yml")
_VISIT_HOURS: Final = (8, 10)
_PUBLIC_HOLIDAYS: Final = holidays.country_holidays("VN")


@dataclass(slots=True)
class Folder:
    """What the system keeps of a request. `moved` is a state set by hand, which then stays."""

    code: str
    service: ServiceKind
    contact: str | None
    customer_code: str | None
    details: tuple[RequestDetail, ...]
    filed_at: datetime
    papers: int = 0
    papers_since: datetime | None = None
    moved: tuple[RequestState, datetime] | None = None
    message: str | None = None
    received: list[bytes] = field(default_factory=list)

    def add_paper(self, content: bytes, now: datetime) -> None:
        self.papers += 1
        self.papers_since = self.papers_since or now
        self.received.append(content)

    def shown(self, now: datetime) -> ServiceRequest:
        """The request as a customer may see it."""
        state, since = self.moved or self._by_itself(now)
        visit = _DATA["visits"].get(state)
        return ServiceRequest(
            code=self.code,
            service=self.service,
            state=state,
            filed_at=self.filed_at,
            customer_code=self.customer_code,
            expected_on=None if state in CLOSED else _working_day(local_day(self.filed_at), self._days),
            appointment=_visit(since, visit) if visit else None,
            message=self.message or _DATA["messages"].get(state),
            papers=self.papers,
            as_of=now,
        )

    @property
    def _days(self) -> int:
        days: int = _DATA["working_days"][self.service]
        return days

    def moves(self, since: datetime, until: datetime) -> list[datetime]:
        """When its course took it to another state, after `since` and until `until`."""
        return [] if self.moved else [at for _, at in self._course(until) if since < at]

    def _by_itself(self, now: datetime) -> tuple[RequestState, datetime]:
        """The state that its course has reached, and since when."""
        return self._course(now)[-1]

    def _course(self, now: datetime) -> list[tuple[RequestState, datetime]]:
        """The states reached by now and since when. Time spent waiting for papers does not count."""
        course: list[tuple[float, RequestState]] = _DATA["courses"][_DATA["course_of"][self.service]]
        reached = [(course[0][1], self.filed_at)]
        late = timedelta()
        for hours, following in course[1:]:
            begins = self.filed_at + timedelta(hours=hours) + late
            if begins > now:
                break
            if following == "need_papers" and self.papers:
                if self.papers_since and self.papers_since > begins:
                    late = self.papers_since - begins
                continue
            reached.append((following, begins))
            if following == "need_papers":
                break
        return reached


class RequestBook:
    """All service requests. Not thread-safe: the world's lock is held by whoever asks."""

    def __init__(self, made: datetime) -> None:
        self._folders: dict[str, Folder] = {}
        self._numbers = count(1)
        for entry in _DATA["on_file"]:
            self._seed(entry, made)

    def file(self, request: NewServiceRequest, at: datetime) -> Folder:
        return self._open(request.service, at, request.contact, request.customer_code, request.details)

    def get(self, code: str) -> Folder:
        """Raises KeyError."""
        return self._folders[code]

    def moves(self, since: datetime, until: datetime) -> list[tuple[datetime, Folder]]:
        """Which went on to another state by themselves after `since` and until `until`, in order."""
        found = [(at, folder) for folder in self._folders.values() for at in folder.moves(since, until)]
        return sorted(found, key=lambda move: (move[0], move[1].code))

    def of_customer(self, code: str, now: datetime) -> tuple[ServiceRequest, ...]:
        return self._newest_first([f for f in self._folders.values() if f.customer_code == code], now)

    def of_contact(self, contact: str, now: datetime) -> tuple[ServiceRequest, ...]:
        return self._newest_first([f for f in self._folders.values() if f.contact == contact], now)

    def _seed(self, entry: dict[str, Any], made: datetime) -> None:
        filed = made - timedelta(hours=entry["hours_ago"])
        folder = self._open(entry["service"], filed, None, entry["customer"], ())
        folder.papers = entry["papers"]

    def _open(
        self,
        service: ServiceKind,
        at: datetime,
        contact: str | None,
        customer_code: str | None,
        details: tuple[RequestDetail, ...],
    ) -> Folder:
        code = f"DV{at:%y}-{next(self._numbers):06d}"
        self._folders[code] = Folder(code, service, contact, customer_code, details, at)
        return self._folders[code]

    @staticmethod
    def _newest_first(folders: list[Folder], now: datetime) -> tuple[ServiceRequest, ...]:
        recent = (folder for folder in folders if now - folder.filed_at <= SHOWN_FOR)
        ordered = sorted(recent, key=lambda folder: (folder.filed_at, folder.code), reverse=True)
        return tuple(folder.shown(now) for folder in ordered)


def _working_day(day: date, count: int) -> date:
    """The day so many working days after `day`."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5 and day not in _PUBLIC_HOLIDAYS
    return day


def _visit(since: datetime, purpose: str) -> Appointment:
    """In the morning of the working day after people decided to come."""
    day = _working_day(local_day(since), 1)
    start, end = (local_instant(day, hour) for hour in _VISIT_HOURS)
    return Appointment(start=start, end=end, purpose=purpose)

"""Whether, when and by which way one notice goes to one chat: from facts to a decision with its reason (F20, F21)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bot.notice_kinds import NoticeKind
from bot.store.models import NoticeStatus
from bot.store.preferences import QuietHours

Route = Literal["window", "template"]


class Reason(StrEnum):
    """Why something is not sent, or not yet; the words for staff are in data/notice_reasons.yml."""

    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    UNLINKED = "unlinked"
    NO_CONSENT = "no_consent"
    TURNED_OFF = "turned_off"
    NOT_TRUE_ANY_MORE = "not_true_any_more"
    NOT_KNOWN_WHETHER_TRUE = "not_known_whether_true"
    LEVEL_NOT_REACHED = "level_not_reached"
    TOLD_ALREADY = "told_already"
    QUIET_HOURS = "quiet_hours"
    MOST_PER_DAY = "most_per_day"
    NO_WAY = "no_way"
    TEMPLATE_HELD = "template_held"
    BUNDLED = "bundled"


@dataclass(frozen=True)
class Way:
    """A way that leads to the chat now, and what it costs (đồng before VAT)."""

    route: Route
    price: int = 0


@dataclass(frozen=True)
class Case:
    """All that the decision rests on. `quiet` and `most_per_day` are the contact's own or the company's.

    `holds`: what the utility says now of what is to be told; None where it could not be asked. `told_today` counts
    notices of this local day that could have waited. `failed` are ways that were tried in vain for good.
    """

    kind: NoticeKind
    status: NoticeStatus
    now: datetime
    valid_until: datetime
    quiet: QuietHours
    most_per_day: int
    reachable: bool = True
    linked: bool = True
    agreed: bool = True
    wanted: bool = True
    holds: bool | None = True
    level_reached: bool = True
    told_already: bool = False
    told_today: int = 0
    ways: Sequence[Way] = ()
    template_held_until: datetime | None = None
    failed: frozenset[Route] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Send:
    route: Route


@dataclass(frozen=True)
class Wait:
    until: datetime
    reason: Reason


@dataclass(frozen=True)
class Skip:
    reason: Reason


Decision = Send | Wait | Skip
_ENDS: Final = {NoticeStatus.SUPERSEDED: Reason.SUPERSEDED, NoticeStatus.CANCELLED: Reason.CANCELLED}
ASK_AGAIN_AFTER: Final = timedelta(minutes=1)


def decide(case: Case, zone: ZoneInfo) -> Decision:
    """The first rule that speaks against it counts; what must wait longer than it is good for is skipped."""
    if case.status in _ENDS:
        return Skip(_ENDS[case.status])
    if case.status == NoticeStatus.PAUSED:
        return Skip(Reason.PAUSED)
    if case.now >= case.valid_until:
        return Skip(Reason.EXPIRED)
    if refusal := _refused(case):
        return Skip(refusal)
    if case.holds is None:
        return _wait(case, case.now + ASK_AGAIN_AFTER, Reason.NOT_KNOWN_WHETHER_TRUE)
    if not case.holds:
        return Skip(Reason.NOT_TRUE_ANY_MORE)
    way = _cheapest(case)
    if way is None and case.template_held_until:
        return _wait(case, case.template_held_until, Reason.TEMPLATE_HELD)
    if way is None:
        return Skip(Reason.NO_WAY)
    if not case.kind.sent.at_night and (until := _quiet_until(case, zone)) is not None:
        return _later(case, way, until, Reason.QUIET_HOURS)
    can_wait = not case.kind.sent.is_urgent and not case.kind.always
    if can_wait and case.told_today >= case.most_per_day:
        return _later(case, way, _tomorrow(case, zone), Reason.MOST_PER_DAY)
    return Send(way.route)


def _refused(case: Case) -> Reason | None:
    """Why this chat must not, or need not, be told at all."""
    rules = (
        (not case.reachable, Reason.UNREACHABLE),
        (not case.linked, Reason.UNLINKED),
        (not case.agreed and not case.kind.always and "place" not in case.kind.per, Reason.NO_CONSENT),
        (not case.wanted, Reason.TURNED_OFF),
        (case.told_already, Reason.TOLD_ALREADY),
        (not case.level_reached, Reason.LEVEL_NOT_REACHED),
    )
    return next((reason for applies, reason in rules if applies), None)


def _cheapest(case: Case) -> Way | None:
    return min((way for way in case.ways if way.route not in case.failed), key=lambda way: way.price, default=None)


def _quiet_until(case: Case, zone: ZoneInfo) -> datetime | None:
    """The end of the quiet hours that the present moment is in."""
    local = case.now.astimezone(zone)
    if not case.quiet.cover(local.time()):
        return None
    end = local.replace(hour=case.quiet.ends.hour, minute=case.quiet.ends.minute, second=0, microsecond=0)
    return end if end > local else end + timedelta(days=1)


def _tomorrow(case: Case, zone: ZoneInfo) -> datetime:
    """The first moment of the next local day that is not quiet."""
    local = case.now.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    quiet = case.quiet
    if not quiet.cover(midnight.time()):
        return midnight
    return midnight.replace(hour=quiet.ends.hour, minute=quiet.ends.minute)


def _later(case: Case, way: Way, until: datetime, reason: Reason) -> Decision:
    """What the law has people told is told now rather than never."""
    return Send(way.route) if case.kind.always and until >= case.valid_until else _wait(case, until, reason)


def _wait(case: Case, until: datetime, reason: Reason) -> Decision:
    return Wait(until, reason) if until < case.valid_until else Skip(reason)

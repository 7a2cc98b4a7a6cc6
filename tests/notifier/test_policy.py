"""The decision on one notice to one chat, rule by rule."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.notice_kinds import load_notice_kinds
from bot.store.models import NoticeStatus
from bot.store.preferences import QuietHours
from notifier.policy import Case, Decision, Reason, Send, Skip, Wait, Way, decide

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
DATA = Path(__file__).parents[2] / "data"
KINDS = load_notice_kinds(DATA / "notices.yml")
NOON = datetime(2026, 11, 25, 12, tzinfo=VIETNAM)
NIGHT = datetime(2026, 11, 25, 23, tzinfo=VIETNAM)
SEVEN = datetime(2026, 11, 26, 7, tzinfo=VIETNAM)
BOTH = (Way("window"), Way("template", 165))

BILL = Case(
    kind=KINDS["bill_issued"],
    status=NoticeStatus.RUNNING,
    now=NOON,
    valid_until=NOON + timedelta(days=3),
    quiet=QuietHours(time(22), time(7)),
    most_per_day=3,
    ways=BOTH,
)
FAULT = replace(BILL, kind=KINDS["fault_known"], now=NIGHT)
PLANNED = replace(BILL, kind=KINDS["outage_planned"], now=NIGHT)
CUT = replace(BILL, kind=KINDS["before_cut"])


@pytest.mark.parametrize(
    ("case", "decision"),
    [
        (BILL, Send("window")),
        (replace(BILL, ways=BOTH[1:]), Send("template")),
        (replace(BILL, failed=frozenset({"window"})), Send("template")),
        (replace(BILL, failed=frozenset({"window", "template"})), Skip(Reason.NO_WAY)),
        (replace(BILL, ways=()), Skip(Reason.NO_WAY)),
        (replace(BILL, status=NoticeStatus.SUPERSEDED), Skip(Reason.SUPERSEDED)),
        (replace(BILL, status=NoticeStatus.CANCELLED), Skip(Reason.CANCELLED)),
        (replace(BILL, status=NoticeStatus.PAUSED), Skip(Reason.PAUSED)),
        (replace(BILL, valid_until=NOON), Skip(Reason.EXPIRED)),
        (replace(BILL, reachable=False), Skip(Reason.UNREACHABLE)),
        (replace(BILL, linked=False), Skip(Reason.UNLINKED)),
        (replace(BILL, agreed=False), Skip(Reason.NO_CONSENT)),
        (replace(BILL, wanted=False), Skip(Reason.TURNED_OFF)),
        (replace(BILL, told_already=True), Skip(Reason.TOLD_ALREADY)),
        (replace(BILL, level_reached=False), Skip(Reason.LEVEL_NOT_REACHED)),
        (replace(BILL, holds=False), Skip(Reason.NOT_TRUE_ANY_MORE)),
        (replace(BILL, holds=None), Wait(NOON + timedelta(minutes=1), Reason.NOT_KNOWN_WHETHER_TRUE)),
        (
            replace(BILL, holds=None, valid_until=NOON + timedelta(seconds=30)),
            Skip(Reason.NOT_KNOWN_WHETHER_TRUE),
        ),
        (replace(BILL, now=NIGHT), Wait(datetime(2026, 11, 26, 7, tzinfo=VIETNAM), Reason.QUIET_HOURS)),
        (
            replace(BILL, now=NIGHT.replace(hour=3)),
            Wait(datetime(2026, 11, 25, 7, tzinfo=VIETNAM), Reason.QUIET_HOURS),
        ),
        (replace(BILL, now=NIGHT, valid_until=NIGHT + timedelta(hours=2)), Skip(Reason.QUIET_HOURS)),
        (replace(BILL, told_today=3), Wait(datetime(2026, 11, 26, 7, tzinfo=VIETNAM), Reason.MOST_PER_DAY)),
        (
            replace(BILL, told_today=3, quiet=QuietHours(time(0), time(0))),
            Wait(datetime(2026, 11, 26, tzinfo=VIETNAM), Reason.MOST_PER_DAY),
        ),
        (PLANNED, Wait(datetime(2026, 11, 26, 7, tzinfo=VIETNAM), Reason.QUIET_HOURS)),
        (replace(PLANNED, valid_until=NIGHT + timedelta(hours=7)), Send("window")),
        (replace(PLANNED, kind=KINDS["outage_changed"]), Wait(SEVEN, Reason.QUIET_HOURS)),
        (replace(BILL, ways=(), template_held_until=SEVEN), Wait(SEVEN, Reason.TEMPLATE_HELD)),
        (FAULT, Send("window")),
        (replace(FAULT, told_today=9), Send("window")),
        (replace(CUT, told_today=9, agreed=False), Send("window")),
        (replace(CUT, linked=False), Skip(Reason.UNLINKED)),
    ],
)
def test_each_rule(case: Case, decision: Decision) -> None:
    assert decide(case, VIETNAM) == decision


def test_each_reason_has_words_for_staff() -> None:
    words = yaml.safe_load((DATA / "notice_reasons.yml").read_text("utf-8"))
    assert set(words) == set(Reason)


@given(
    minutes=st.integers(0, 3 * 24 * 60),
    quiet=st.tuples(st.integers(0, 23), st.integers(0, 23)),
    told=st.integers(0, 5),
    good_for=st.integers(1, 96),
)
def test_whatever_waits_goes_in_time_and_in_no_quiet_hour(
    minutes: int, quiet: tuple[int, int], told: int, good_for: int
) -> None:
    """A wait ends later than now, before the notice is too old, and outside the quiet hours."""
    now = datetime(2026, 11, 25, tzinfo=UTC) + timedelta(minutes=minutes)
    hours = QuietHours(time(quiet[0]), time(quiet[1]))
    case = replace(BILL, now=now, valid_until=now + timedelta(hours=good_for), quiet=hours, told_today=told)
    match decide(case, VIETNAM):
        case Wait(until, _):
            assert now < until < case.valid_until
            assert not hours.cover(until.astimezone(VIETNAM).time())
        case Send(_):
            assert not hours.cover(now.astimezone(VIETNAM).time())
            assert told < 3
        case Skip(reason):
            assert reason in {Reason.QUIET_HOURS, Reason.MOST_PER_DAY}

"""Whether an office is open: now, on a day, on holidays, and when the system does not say."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from actions.backends.models import Office, OpenSpan
from actions.desk import load_company
from actions.office_hours import OfficeHours
from actions.offices import opening
from bot.pipeline.assembly import DATA

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOURS = OfficeHours(load_company(DATA).staff, ZONE)
SPANS = tuple(
    OpenSpan.model_validate({"weekdays": (0, 1, 2, 3, 4), "opens": opens, "closes": closes})
    for opens, closes in (("07:30", "11:30"), ("13:00", "16:30"))
)
OFFICE = Office(
    code="D1",
    name="Đội",
    address="Chợ Chu",
    phone="02083000001",
    hours="7:30",
    open_spans=SPANS,
    place_codes=("05521",),
    as_of=datetime(2026, 11, 25, tzinfo=UTC),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "until", "reopens"),
    [
        ("2026-11-25 10:00", "11:30", None),
        ("2026-11-25 12:00", None, "2026-11-25 13:00"),
        ("2026-11-25 11:30", None, "2026-11-25 13:00"),
        ("2026-11-27 17:00", None, "2026-11-30 07:30"),
        ("2026-09-02 09:00", None, "2026-09-03 07:30"),
    ],
)
def test_now(now: str, until: str | None, reopens: str | None) -> None:
    found = opening(OFFICE, HOURS, at(now), None)
    assert (f"{found.until:%H:%M}" if found.until else None) == until
    assert found.reopens == (at(reopens) if reopens else None)
    assert found.now is (until is not None)


def test_a_holiday_is_told() -> None:
    assert opening(OFFICE, HOURS, at("2026-11-25 10:00"), date(2027, 1, 1)).is_off


def test_another_day() -> None:
    friday = opening(OFFICE, HOURS, at("2026-11-25 10:00"), date(2026, 11, 27))
    assert len(friday.spans) == 2
    assert not friday.now
    assert opening(OFFICE, HOURS, at("2026-11-25 10:00"), date(2026, 11, 28)).spans == ()


def test_hours_that_only_people_can_read() -> None:
    found = opening(OFFICE.model_copy(update={"open_spans": ()}), HOURS, at("2026-11-25 10:00"), None)
    assert not found.known
    assert found.reopens is None

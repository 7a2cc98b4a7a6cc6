"""The law's deadlines for requests about one's own data (electricity.md §8.1, Nghị định 356/2025 Art. 5)."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from actions.office_hours import OfficeHours
from bot.store.models import RightKind
from bot.store.rights import Due


class RightsData(BaseModel):
    """`rights` of data/company.yml. `done_days` are calendar days from the day of the request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer_working_days: int
    done_days: dict[RightKind, int]
    copy_link_minutes: int


class Deadlines:
    """The law's days in the company's calendar. Warnings come a working day ahead, so that people can still act."""

    def __init__(self, hours: OfficeHours, rights: RightsData) -> None:
        self._hours = hours
        self._rights = rights

    def of(self, kind: RightKind, received_at: datetime) -> Due:
        return Due(
            answer=self._hours.add_working_days(received_at, self._rights.answer_working_days),
            done=received_at + timedelta(days=self._rights.done_days[kind]),
        )

    def soon(self, now: datetime) -> datetime:
        """What is due until then cannot wait for another working day."""
        return self._hours.add_working_days(now, 1)

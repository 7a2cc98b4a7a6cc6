"""What people write at the notice desk, as the facts of a notice (data/campaigns.yml says which kinds have them)."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints, model_validator

from actions.backends.models import Outage
from bot.text import one_line
from notifier.drafts import version_of

Words = Annotated[str, BeforeValidator(lambda given: one_line(str(given))), StringConstraints(min_length=1)]
"""One paragraph in NFC; how long it may be is the data's."""


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Announcement(_Written):
    subject: Words
    text: Words


class Maintenance(_Written):
    """Work on the grid during which power stays on, but for moments."""

    what: Words
    area: Words
    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end <= self.start:
            raise ValueError("it ends before it starts")
        return self


class Arrears(_Written):
    """What one customer owes, đồng in so many bills; asked of the utility for each just before it is told."""

    total: int = 0
    bills: int = 0


def subject_of(facts: dict[str, Any]) -> tuple[str, int] | None:
    """Subject and version, as of `bot.store.models.Notice`, where feeds tell of the same thing."""
    if "outage" not in facts:
        return None
    outage = Outage.model_validate(facts["outage"])
    return f"outage:{outage.id}", version_of(outage)


def good_until(facts: dict[str, Any]) -> datetime | None:
    """When it is over, so that telling it later would be wrong."""
    if "outage" in facts:
        return Outage.model_validate(facts["outage"]).start
    return Maintenance.model_validate(facts["maintenance"]).end if "maintenance" in facts else None

"""The words of customers about notices (data/notice_words.yml)."""

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

from bot.store.preferences import QuietHours

Phrases = tuple[str, ...]
Span = Annotated[QuietHours, BeforeValidator(lambda told: QuietHours(*map(time.fromisoformat, told)))]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HourWords(_Data):
    """`quiet` and `allowed`: said of hours in which nothing, or only then something, is to come."""

    about: Phrases
    quiet: Phrases
    allowed: Phrases
    none: Phrases
    usual: Phrases
    after: Phrases
    before: Phrases
    lunch: Phrases


class DayPart(_Data):
    said: Phrases
    quiet: Span
    allowed: Span


class UsageWords(_Data):
    explain: Phrases
    show: Phrases
    remove: Phrases
    per_day: Phrases
    tier: Phrases
    leak: Phrases
    unusual: Phrases
    set: Phrases


class NoticeWords(_Data):
    """`numbers` are the words for 0, 1, 2 …"""

    on: Phrases
    off: Phrases
    instead: Phrases
    only: Phrases
    clause: Phrases
    show: Phrases
    fewer: Phrases
    most_per_day: Mapping[int, Phrases]
    per_longer: Phrases
    not_settable: Phrases
    all: Phrases
    hours: HourWords
    parts: tuple[DayPart, ...]
    numbers: Phrases
    usage: UsageWords


def load_notice_words(file: Path) -> NoticeWords:
    """Raises ValueError (pydantic) for data that is not as this module says."""
    return NoticeWords.model_validate(yaml.safe_load(file.read_text("utf-8")))

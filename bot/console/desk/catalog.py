"""What can be written at the desk (data/campaigns.yml), and the words for what became of a delivery."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from bot.console.office import office
from bot.pipeline.assembly import DATA

AudienceName = Literal["area", "feeder", "debt", "list", "linked", "outage"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldData(_Data):
    """Something to fill in. `most`: letters of a text; `lines`: of its box."""

    name: str
    type: Literal["text", "moment", "outage"]
    title: str
    hint: str = ""
    most: int = 200
    lines: int = 1


class Composable(_Data):
    """A kind of notice that staff may write; see data/campaigns.yml."""

    fact: Literal["announcement", "maintenance", "arrears", "outage", "danger"]
    use: str
    audiences: tuple[AudienceName, ...]
    fields: tuple[FieldData, ...]


@cache
def composables() -> Mapping[str, Composable]:
    """By the kind's key. Raises ValueError (pydantic) for data that is not as this module says."""
    raw = yaml.safe_load((DATA / "campaigns.yml").read_text("utf-8"))
    return TypeAdapter(dict[str, Composable]).validate_python(raw)


def outcome_words(outcome: str | None) -> str:
    """What became of a delivery, as staff read it; the outcome itself where there are no words for it."""
    return office().outcomes.get(outcome or "") or outcome or ""

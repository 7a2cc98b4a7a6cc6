"""Kinds of danger and what to do at once (data/hazards.yml)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from bot.text import fold

WORD: Final = re.compile(r"[a-z0-9]+")


class Hazard(BaseModel):
    """A kind of danger in data/hazards.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...]
    advice: str


Hazards = Mapping[str, Hazard]
"""By kind; the last one is for what no other fits."""


def load_hazards(file: Path) -> Hazards:
    """Raises ValueError when a kind is not as this module says."""
    hazards = TypeAdapter(dict[str, Hazard]).validate_python(yaml.safe_load(file.read_text("utf-8")))
    if not hazards or list(hazards.values())[-1].words or not all(h.words for h in list(hazards.values())[:-1]):
        raise ValueError(f"{file.name}: the last kind, and no other, is without words")
    return hazards


def kind_of(hazards: Hazards, text: str) -> str:
    """The first kind with a word in the text: those that kill soonest are written first. The last if none has."""
    said = f" {' '.join(WORD.findall(fold(text)))} "
    fitting = (kind for kind, hazard in hazards.items() if any(f" {word} " in said for word in hazard.words))
    return next(fitting, list(hazards)[-1])

"""All entities of a text: every rule's matches, overlaps resolved."""

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Entity:
    """One entity: its name, the offsets into the text as sent, and the normalised value."""

    entity: str
    start: int
    end: int
    value: Any

    def as_dict(self) -> "dict[str, Any]":
        """The entity in Rasa's shape."""
        return {"entity": self.entity, "start": self.start, "end": self.end, "value": self.value, "confidence_entity": 1.0}


def extract(text: str, today: date) -> "list[Entity]":
    """The entities of the text in order of appearance, without overlaps."""
    return []

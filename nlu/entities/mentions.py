"""The values of a message as the classifier sees them: kinds and stretches, no values."""

from collections.abc import Sequence
from datetime import date

from nlu.entities.find import TOPICS, Entity, extract
from nlu.text.reading import Mention, Reading, read

ANY_DAY = date(2026, 1, 15)


def mentions(entities: Sequence[Entity]) -> "tuple[Mention, ...]":
    """The values among the entities, without topics, which stay in the text; a place outside the gazetteer is a kind of
    its own."""
    return tuple(Mention(_kind(e), e.start, e.end) for e in entities if e.entity not in TOPICS)


def _kind(entity: Entity) -> str:
    if entity.entity == "place" and not (entity.value.get("code") or entity.value.get("choices")):
        return "spot"
    return entity.entity


def mentions_of(text: str) -> "tuple[Mention, ...]":
    """The values of a text; where they stand does not depend on the day."""
    return mentions(extract(text, ANY_DAY))


def understood(text: str) -> Reading:
    """The reading of a text with its values found."""
    return read(text, mentions_of(text))

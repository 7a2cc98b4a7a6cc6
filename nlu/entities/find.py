"""All entities of a text: every rule's matches, overlaps resolved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from nlu.entities.amounts import energy, money
from nlu.entities.codes import customer_codes, meter_serials, phones, request_codes
from nlu.entities.dates import dates
from nlu.entities.match import Match
from nlu.entities.periods import periods
from nlu.entities.places import places
from nlu.entities.topics import topics
from nlu.text.align import AlignedText, align

_RANK = {
    name: rank
    for rank, name in enumerate(
        (
            "customer_code",
            "phone",
            "request_code",
            "energy",
            "money",
            "date",
            "period",
            "meter_serial",
            "place",
            "service",
            "notice_kind",
        )
    )
}
TOPICS = frozenset(("service", "notice_kind"))
"""Named by the very words that tell the intent."""


@dataclass(frozen=True)
class Entity:
    """One entity: its name, the offsets into the text as sent, and the normalised value."""

    entity: str
    start: int
    end: int
    value: Any

    def as_dict(self) -> "dict[str, Any]":
        """The entity in Rasa's shape."""
        return {
            "entity": self.entity,
            "start": self.start,
            "end": self.end,
            "value": self.value,
            "confidence_entity": 1.0,
        }


def _matches(aligned: AlignedText, today: date) -> "Iterable[Match]":
    for rule in (customer_codes, phones, request_codes, meter_serials, money, energy, places, topics):
        yield from rule(aligned)
    yield from periods(aligned, today)
    yield from dates(aligned, today)


def resolve(matches: "Iterable[Match]") -> "list[Match]":
    """Matches without overlaps, in the order of the text: values before topics, which the judge may leave out, then the
    longest, then the rank of its entity."""
    chosen: list[Match] = []
    for match in sorted(matches, key=lambda m: (m.entity in TOPICS, m.start - m.end, _RANK[m.entity], m.start)):
        if all(match.end <= other.start or match.start >= other.end for other in chosen):
            chosen.append(match)
    return sorted(chosen, key=lambda match: match.start)


def extract(text: str, today: date) -> "list[Entity]":
    """The entities of the text in order of appearance, without overlaps.

    Args:
        text: the message as sent.
        today: the message's local day.
    """
    aligned = align(text)
    found: list[Entity] = []
    for match in resolve(_matches(aligned, today)):
        start, end = aligned.span(match.start, match.end)
        if start < end and (not found or found[-1].end <= start):
            found.append(Entity(match.entity, start, end, match.value))
    return found

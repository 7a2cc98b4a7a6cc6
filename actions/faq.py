"""Questions that anybody may ask, and their answers (data/faq, docs/faq.md): which one a message asks."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from actions.matching import Index, Match

FAQ_FOLDER: Final = Path(__file__).resolve().parents[1] / "data" / "faq"
POINTERS: Final = "handled.yml"

Certainty = Literal["official", "press", "tariff", "common", "unsure"]

ADVICE: Final = ("safety_advice", "saving_advice", "solar_ask", "app_help", "scam_check")
"""Intents that are nothing but questions of the FAQ, with several topics each: a resemblance to one is enough."""
RESEMBLES, LEAD = 0.20, 0.05
"""The score and the lead over the next topic of the intent from which one is answered; else the nearest are offered."""
ASKS_JUST_THAT, OVER_ITS_OWN = 0.32, 0.10
"""The score, and the lead over the question of the intent itself, from which a topic is answered in place of what the
intent would do; chosen on data/nlu, docs/faq.md."""
UNMISTAKABLE: Final = 0.40
"""From which a topic is answered though the message was not understood: 1 % of data/nlu's foreign messages reach it."""
OFFERED: Final = 3


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    asks: tuple[str, ...] = Field(min_length=3)
    covers: tuple[str, ...]


class Topic(_Data):
    """A question with its answer, a template. `intents`: where it may be found; `next`: the likely next steps.

    `covers` names rows of electricity.md §6. `certainty` is that of the source: `tariff` is the price data that the
    company confirms, `common` everyday advice that no rule states; `unsure` is said to be so.
    """

    title: str = Field(max_length=24)
    answer: str
    source: str
    as_of: date
    certainty: Certainty
    intents: frozenset[str] = Field(min_length=1)
    next: tuple[str, ...] = Field(min_length=1, max_length=3)

    @property
    def is_sure(self) -> bool:
        return self.certainty != "unsure"


class Pointer(_Data):
    """A question that the handler of an intent answers, from the customer's own data or a service."""

    run: str


Entry = TypeVar("Entry", Topic, Pointer)


class Faq:
    def __init__(self, topics: Mapping[str, Topic], pointers: Mapping[str, Pointer]) -> None:
        self.topics = topics
        self.pointers = pointers
        self._index = Index(
            {
                **{key: (topic.title, *topic.asks) for key, topic in topics.items()},
                **{key: pointer.asks for key, pointer in pointers.items()},
            }
        )

    def ranked(self, text: str) -> list[Match]:
        """All topics and pointers, the likeliest first."""
        return self._index.rank(text)

    def topic_for(self, text: str, intent: str) -> Topic | None:
        """The topic that a message understood as `intent` asks; None if the intent's own answer is the better one."""
        ranked = self.ranked(text)
        if intent in ADVICE:
            first, second = [match for match in ranked if self._belongs(match.key, intent)][:2]
            clear = first.score >= RESEMBLES and first.score - second.score >= LEAD
            return self.topics[first.key] if clear else None
        best = ranked[0]
        own = max((m.score for m in ranked if m.key in self.pointers and self.pointers[m.key].run == intent), default=0)
        clear = best.score >= ASKS_JUST_THAT and best.score - own >= OVER_ITS_OWN
        return self.topics[best.key] if clear and self._belongs(best.key, intent) else None

    def unmistakable(self, text: str) -> Topic | Pointer | None:
        """What a message asks that was not understood, if its words leave no doubt."""
        best = self.ranked(text)[0]
        return self._entry(best.key) if best.score >= UNMISTAKABLE else None

    def nearest(self, text: str, intent: str) -> list[Topic]:
        """The topics of an intent nearest to the text; its first ones if there is no text."""
        ranked = [match.key for match in self.ranked(text)] if text else list(self.topics)
        return [self.topics[key] for key in ranked if self._belongs(key, intent)][:OFFERED]

    def _belongs(self, key: str, intent: str) -> bool:
        return key in self.topics and intent in self.topics[key].intents

    def _entry(self, key: str) -> Topic | Pointer:
        return self.topics.get(key) or self.pointers[key]


def load_faq(folder: Path) -> Faq:
    """Raises ValueError naming the file, the topic and what is wrong with it."""
    topics: dict[str, Topic] = {}
    for file in sorted(folder.glob("*.yml")):
        if file.name != POINTERS:
            read = _read(file, Topic)
            if twice := topics.keys() & read.keys():
                raise ValueError(f"{file.name}: written twice: {sorted(twice)}")
            topics |= read
    return Faq(topics, _read(folder / POINTERS, Pointer))


@cache
def faq() -> Faq:
    return load_faq(FAQ_FOLDER)


def topic_for(text: str, intent: str) -> Topic | None:
    """The topic of the product's FAQ that a message understood as `intent` asks, if it asks one."""
    return faq().topic_for(text, intent)


def _read(file: Path, kind: type[Entry]) -> dict[str, Entry]:
    raw: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text("utf-8"))
    try:
        return TypeAdapter(dict[str, kind]).validate_python({key: {**entry, "key": key} for key, entry in raw.items()})  # type: ignore[valid-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{file.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error

"""Asking the NLU what a message means (`POST /model/parse`, design/intents.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import requests

from bot.dialogue.commands import Command, Period, Place, PlaceChoice, Slots
from bot.text import clean

NLU_TIMEOUT_SECONDS = 2.0
SHARED = {"customer_code", "period", "date", "place"}
MAX_TEXT = 1000
"""Longer messages are understood by their first part; nobody asks for a bill in more."""


class NluUnavailable(Exception):
    """The NLU did not answer in time, or not in its own shape."""


@dataclass(frozen=True)
class Request:
    """One of the requests of a message, with what was said for it."""

    intent: str
    slots: Slots

    @property
    def command(self) -> Command:
        return Command(name=self.intent, slots=self.slots)


@dataclass(frozen=True)
class Understanding:
    """A message as the NLU sees it: intents by confidence, and the entities as slots.

    `requests`: the two requests of a message that holds two, in the order of handling; else empty. `model`: which
    model of the NLU it was, if that says so.
    """

    text: str
    intent: str
    confidence: float
    ranking: tuple[tuple[str, float], ...] = ()
    slots: Slots = field(default_factory=Slots)
    entities: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    requests: tuple[Request, ...] = ()
    model: str | None = None


class NluClient:
    """Raises NluUnavailable from `parse` after 2 s at most."""

    def __init__(self, url: str, timeout: float = NLU_TIMEOUT_SECONDS) -> None:
        self._url = f"{url}/model/parse"
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False

    def parse(self, text: str, message_time: datetime) -> Understanding:
        try:
            response = self._session.post(
                self._url,
                json={"text": text[:MAX_TEXT], "message_time": message_time.isoformat()},
                timeout=self._timeout,
            )
            response.raise_for_status()
            return _understanding(text, response.json())
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise NluUnavailable from error


def _understanding(text: str, answer: Mapping[str, Any]) -> Understanding:
    entities = tuple(answer["entities"])
    return Understanding(
        text=text,
        intent=answer["intent"]["name"] or "out_of_scope",
        confidence=float(answer["intent"]["confidence"]),
        ranking=tuple((item["name"], float(item["confidence"])) for item in answer["intent_ranking"][:5]),
        slots=_slots(entities),
        entities=entities,
        requests=_requests(answer.get("intents") or (), entities),
        model=answer.get("model"),
    )


def _requests(intents: Sequence[Mapping[str, Any]], entities: tuple[dict[str, Any], ...]) -> tuple[Request, ...]:
    """Each request with the values of its own part of the message; an account, month, day or place that is said for one
    of them and not for the other holds for both."""
    spans = [(intent["start"], intent["end"]) for intent in intents]
    own = [_slots(tuple(e for e in entities if start <= e["start"] < end)) for start, end in spans]
    everywhere = _slots(entities).model_dump(include=SHARED, exclude_none=True)
    return tuple(
        Request(intent["name"], Slots.model_validate({**everywhere, **slots.model_dump(exclude_none=True)}))
        for intent, slots in zip(intents, own, strict=True)
    )


def _slots(entities: tuple[dict[str, Any], ...]) -> Slots:
    """The first value of each kind of entity; kinds that no handler uses yet are left in `entities`."""
    first: dict[str, Any] = {}
    for entity in entities:
        first.setdefault(entity["entity"], entity["value"])
    found: dict[str, Any] = {
        name: first[name] for name in ("customer_code", "phone", "request_code", "energy", "money") if name in first
    }
    if "notice_kind" in first:
        found["notice"] = first["notice_kind"]
    if (period := first.get("period")) is not None:
        found["period"] = Period(first=_month(period["from"]), last=_month(period["to"]))
    if isinstance(day := first.get("date"), str):
        found["date"] = date.fromisoformat(day)
    elif day is not None:
        found["date"], found["until"] = (date.fromisoformat(day[edge]) for edge in ("from", "to"))
    if (place := first.get("place")) is not None:
        found["place"] = _place(place)
    return Slots.model_validate(found)


def _month(value: str) -> date:
    return date.fromisoformat(f"{value}-01")


def _place(value: Mapping[str, Any]) -> Place:
    choices = tuple(
        PlaceChoice(code=item["code"], name=item["name"], old_name=item.get("old_name"), district=item.get("district"))
        for item in value.get("choices") or ()
    )
    return Place(
        code=value.get("code"),
        name=clean(str(value.get("name") or value.get("matched"))),
        choices=choices,
        kind=value.get("kind"),
        detail=value.get("detail"),
    )

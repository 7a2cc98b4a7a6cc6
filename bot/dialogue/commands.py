"""What the dialogue can be told to do: an intent with its slots, typed by the customer or carried by a button.

A button's payload is signed for one conversation and a limited time, so that nobody can write a payload by hand,
use one of another conversation, or one of another month.
"""

import datetime as dt
from typing import Any, Self

from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import BaseModel, ConfigDict

PAYLOAD_PREFIX = "#td."
BUTTON_LIFETIME = dt.timedelta(days=35)


class Period(BaseModel):
    """A span of billing months, both inclusive, each the first day of its month."""

    model_config = ConfigDict(frozen=True)

    first: dt.date
    last: dt.date

    @classmethod
    def of(cls, month: dt.date) -> Self:
        return cls(first=month.replace(day=1), last=month.replace(day=1))

    @property
    def is_one_month(self) -> bool:
        return self.first == self.last


class PlaceChoice(BaseModel):
    """One reading of a place name that may mean several (electricity.md §5.2, traps)."""

    model_config = ConfigDict(frozen=True)

    code: str
    name: str
    old_name: str | None = None
    district: str | None = None


class Place(BaseModel):
    """A unit of the gazetteer, or the choices when the name said may mean several.

    `kind` is the NLU's (design/intents.md): a `district` is all of its choices. `detail` is the hamlet or street said
    with it.
    """

    model_config = ConfigDict(frozen=True)

    code: str | None = None
    name: str
    choices: tuple[PlaceChoice, ...] = ()
    kind: str | None = None
    detail: str | None = None


class Slots(BaseModel):
    """What was said with an intent. `link` is a row of this contact's links, checked again at every use.

    `date` is a day, or with `until` the first of several ("tuần này"), both inclusive. `notice` is a group of notices.
    """

    model_config = ConfigDict(frozen=True)

    link: int | None = None
    customer_code: str | None = None
    period: Period | None = None
    date: dt.date | None = None
    until: dt.date | None = None
    place: Place | None = None
    position: tuple[float, float] | None = None
    energy: float | None = None
    money: int | None = None
    request_code: str | None = None
    phone: str | None = None
    field: str | None = None
    value: str | None = None
    form: str | None = None
    notice: str | None = None

    def merged(self, newer: "Slots") -> "Slots":
        """These slots, overlaid with what `newer` says. A link and a code both name an account: the newer counts."""
        older = self if newer.link is None and newer.customer_code is None else self.without_account()
        older = older if newer.date is None else older.model_copy(update={"until": None})
        return Slots.model_validate({**older.model_dump(exclude_none=True), **newer.model_dump(exclude_none=True)})

    def said(self) -> bool:
        """Is there a value by which a request can go on? A kind of notice is a subject of its own."""
        return self.model_copy(update={"notice": None}) != Slots()

    def without_account(self) -> "Slots":
        """For asking again once another account is linked."""
        return self.model_copy(update={"link": None, "customer_code": None})


class Command(BaseModel):
    """An intent of design/intents.md, or one of the dialogue's own (with a dot in its name), and its slots."""

    model_config = ConfigDict(frozen=True)

    name: str
    slots: Slots = Slots()

    def with_slots(self, **slots: Any) -> "Command":
        return Command(name=self.name, slots=self.slots.merged(Slots(**slots)))


class StalePayload(Exception):
    """The payload is not ours, belongs to another conversation, or is too old."""


class PayloadSigner:
    """Turns commands into button payloads of one conversation, and back."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def sign(self, conversation_id: int, command: Command) -> str:
        compact = [command.name, command.slots.model_dump(mode="json", exclude_none=True)]
        return PAYLOAD_PREFIX + str(self._serializer(conversation_id).dumps(compact))

    def read(self, conversation_id: int, payload: str) -> Command:
        """Raises StalePayload."""
        try:
            name, slots = self._serializer(conversation_id).loads(
                payload.removeprefix(PAYLOAD_PREFIX), max_age=int(BUTTON_LIFETIME.total_seconds())
            )
            return Command(name=name, slots=Slots.model_validate(slots))
        except (BadData, ValueError, TypeError) as error:
            raise StalePayload from error

    def _serializer(self, conversation_id: int) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secret, salt=f"button:{conversation_id}")

"""Forms: a pydantic model whose missing fields are asked for in order, reviewed if need be, and submitted once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ValidationError

from bot.dialogue.commands import Slots
from bot.dialogue.replies import ReplyBook
from bot.dialogue.state import FORM_LIFETIME
from bot.dialogue.turn import Turn

Reader = Callable[[Turn[Any]], Any]


class Invalid(Exception):
    """The answer cannot be the field's value; the reply says why, `options` (title, value) what could be."""

    def __init__(self, reply: str, *, options: Sequence[tuple[str, str]] = (), **values: Any) -> None:
        self.reply = reply
        self.options = options
        self.values = values


class Abandon(Exception):
    """The form cannot go on; the reply says why and what to do instead."""

    def __init__(self, reply: str, **values: Any) -> None:
        self.reply = reply
        self.values = values


@dataclass(frozen=True)
class Ask:
    """How a field is asked for: the reply that asks, and how its value is read from the customer's message.

    `read` returns the value in JSON terms, or None when the message holds none; it raises Invalid. With `free_text`
    whatever is written is the value. A `secret` field is never filled from a message that answers something else.
    Without `opening` the field is not read from the request that opens the form.
    """

    reply: str
    read: Reader
    free_text: bool = False
    secret: bool = False
    opening: bool = True


class Form(BaseModel, ABC):
    """Base of all forms. Fields carry an `Ask` in their annotation; those without are only set by the code.

    `intents`: what the customer says when talking about this form's own business (no change of subject).
    `review`: the reply that shows the values for confirmation, with the form's `name` in it; None for no review.
    `lifetime`: how long after the last answer the customer may come back to it.
    """

    intents: ClassVar[frozenset[str]] = frozenset()
    review: ClassVar[str | None] = None
    lifetime: ClassVar[timedelta] = FORM_LIFETIME

    @classmethod
    def asks(cls) -> dict[str, Ask]:
        """The askable fields in their order."""
        found: dict[str, Ask] = {}
        for name, info in cls.model_fields.items():
            for mark in info.metadata:
                if isinstance(mark, Ask):
                    found[name] = mark
        return found

    @classmethod
    def missing(cls, values: Mapping[str, Any]) -> str | None:
        """The next field to ask for; None when all are there."""
        return next((name for name in cls.applicable(values) if name not in values), None)

    @classmethod
    def applicable(cls, values: Mapping[str, Any]) -> list[str]:  # noqa: ARG003 (a hook)
        """The askable fields that these answers leave in the form, in their order."""
        return list(cls.asks())

    @classmethod
    def ask(cls, turn: Turn[Any], field: str, values: Mapping[str, Any]) -> None:
        """Ask for a field."""
        turn.say(cls.asks()[field].reply, **values)

    @classmethod
    def show(cls, turn: Turn[Any], name: str, values: Mapping[str, Any]) -> None:
        """Show all values for confirmation; `name` is the form's."""
        assert cls.review
        turn.say(cls.review, name=name, form=name, **values)

    @classmethod
    def title_of(cls, replies: ReplyBook, field: str) -> str:
        """What a field is called where the customer picks one to correct."""
        return replies.render(f"form.field.{field}")[0]

    @classmethod
    def prefill(cls, turn: Turn[Any], slots: Slots) -> dict[str, Any]:  # noqa: ARG003 (a hook)
        """Values known before anything is asked; `slots` are those of the request. May raise Invalid or Abandon."""
        return {}

    @classmethod
    def filled(cls, turn: Turn[Any], field: str, values: dict[str, Any]) -> None:
        """Called when a field got its value; may set or drop other values, or raise Invalid or Abandon."""

    @abstractmethod
    def submit(self, turn: Turn[Any]) -> None:
        """Do what the form is for and say so. Called once, with all fields valid."""

    @classmethod
    def complete(cls, values: Mapping[str, Any]) -> "Form":
        """The filled-in form. A value that no longer validates is a defect of a reader."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise AssertionError(f"{cls.__name__} accepted values that do not validate") from error

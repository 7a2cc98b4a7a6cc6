"""The words of the assistant: data/replies/*.yml, rendered with Jinja2 in the formats of design/product.md.

A reply is `text` (a template) and `buttons`. A button has a `title` and one of `run` (an intent or a command of the
dialogue, `with` naming the values that become its slots), `fill` (a value for the form's question), `url`, `phone`;
with `when`, it is only shown if that value is truthy.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import yaml
from jinja2 import Environment, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.dialogue.commands import Command, PayloadSigner
from bot.messages import Button
from bot.text import clean

MOST_FILLED = 1_000
"""Texts of other data files that are kept compiled."""
WEEKDAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")


Wording = Callable[[Mapping[str, Any]], str]
"""A text of the data, given its values."""


class ButtonText(BaseModel):
    """A button as written in the data."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    title: str
    run: str | None = None
    slots: Annotated[tuple[str, ...], Field(alias="with")] = ()
    fill: str | None = None
    url: str | None = None
    phone: str | None = None
    when: str | None = None


class ReplyText(BaseModel):
    """A reply as written in the data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    buttons: tuple[ButtonText, ...] = ()


class RenderedButton(BaseModel):
    """A button ready but for its payload: exactly one of run, fill, url, phone."""

    model_config = ConfigDict(frozen=True)

    title: str
    run: str | None = None
    slots: dict[str, Any] = {}
    fill: str | None = None
    url: str | None = None
    phone: str | None = None

    def offered(self, command: Command | None, signer: PayloadSigner, conversation_id: int) -> Button:
        """As it goes to a chat; `command` is what a tap does, where it is no link and no call."""
        payload = signer.sign(conversation_id, command) if command else None
        return Button(title=self.title, payload=payload, url=self.url, phone=self.phone)


Compiled = tuple[Wording, list[tuple[ButtonText, Wording, Wording | None, Wording | None]]]
"""Text, and buttons with their title, url and phone."""


class ReplyBook:
    """All replies under one folder, compiled once. Raises ValueError for data that is not as the module says."""

    def __init__(self, folder: Path, zone: ZoneInfo, company: Mapping[str, Any]) -> None:
        self._environment = _environment(zone)
        self._environment.globals["company"] = company
        self.replies = _load(folder)
        self._compiled = {key: self._compile(reply) for key, reply in self.replies.items()}
        self._filled = lru_cache(maxsize=MOST_FILLED)(self._environment.from_string)

    def render(self, key: str, **values: Any) -> tuple[str, list[RenderedButton]]:
        """Text and buttons of a reply. An unknown key (KeyError) or value (jinja2.UndefinedError) is a defect."""
        text, buttons = self._compiled[key]
        shown = [
            RenderedButton(
                title=clean(title(values)),
                run=button.run,
                slots={name: values[name] for name in button.slots if values.get(name) is not None},
                fill=button.fill,
                url=url(values) if url else None,
                phone=phone(values) if phone else None,
            )
            for button, title, url, phone in buttons
            if button.when is None or values.get(button.when)
        ]
        return clean(text(values)).strip(), shown

    def fill(self, text: str, **values: Any) -> str:
        """A text of another data file with the formats and the company's facts that replies have."""
        return clean(self._filled(text).render(values)).strip()

    def _compile(self, reply: ReplyText) -> Compiled:
        def compiled(text: str | None) -> Wording | None:
            return self._wording(text) if text is not None else None

        return self._wording(reply.text), [
            (button, self._wording(button.title), compiled(button.url), compiled(button.phone))
            for button in reply.buttons
        ]

    def _wording(self, text: str) -> Wording:
        template = self._environment.from_string(text)
        if "{" in text:
            return template.render
        fixed = template.render()
        return lambda _values: fixed


def _load(folder: Path) -> dict[str, ReplyText]:
    adapter = TypeAdapter(dict[str, ReplyText])
    replies: dict[str, ReplyText] = {}
    for file in sorted(folder.glob("*.yml")):
        for key, reply in adapter.validate_python(yaml.safe_load(file.read_text("utf-8"))).items():
            if key in replies:
                raise ValueError(f"{file.name}: the reply {key} is written twice")
            replies[key] = reply
    return replies


def money(amount: int | Decimal) -> str:
    """Whole đồng with points: 512340 → `512.340 đ`."""
    return f"{int(Decimal(amount).quantize(Decimal(1), ROUND_HALF_UP)):,}".replace(",", ".") + " đ"


def number(value: float | Decimal) -> str:
    """A quantity the Vietnamese way: 1234.5 → `1.234,5`."""
    text = f"{Decimal(str(value)).normalize():,f}"
    return text.translate(str.maketrans(",.", ".,"))


def day(value: date) -> str:
    """`thứ Sáu 27/11`."""
    return f"{WEEKDAYS[value.weekday()]} {value.day}/{value.month}"


def month(value: date) -> str:
    return f"tháng {value.month}/{value.year}"


def listed(values: Iterable[str]) -> str:
    return ", ".join(values)


def _environment(zone: ZoneInfo) -> Environment:
    def local(moment: datetime) -> datetime:
        return moment.astimezone(zone)

    def span(start: datetime, end: datetime) -> str:
        """`từ 07:30 đến 11:30 thứ Tư 25/11`, with the day twice only if it differs."""
        first, last = local(start), local(end)
        begin = f"{first:%H:%M}" if first.date() == last.date() else f"{first:%H:%M} {day(first.date())}"
        return f"từ {begin} đến {last:%H:%M} {day(last.date())}"

    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 (chat text, not HTML)
    environment.filters.update(
        money=money,
        number=number,
        kwh=lambda value: f"{number(value)} kWh",
        day=day,
        date=lambda value: f"{value.day}/{value.month}/{value.year}",
        month=month,
        listed=listed,
        span=span,
        stamp=lambda value: f"{local(value):%H:%M:%S %d/%m/%Y}",
        clock=lambda value: f"{local(value):%H:%M}",
        moment=lambda value: f"{local(value):%H:%M} {day(local(value).date())}",
        as_of=lambda value: f"{local(value):%H:%M} ngày {local(value).day}/{local(value).month}",
    )
    return environment

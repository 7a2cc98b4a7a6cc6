"""A notice as one message of a chat, or as the values of an approved template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from actions.backends.models import (
    CutWarning,
    DangerWarning,
    Invoice,
    MeterWork,
    Outage,
    Payment,
    ServiceRequest,
    UsageFlag,
)
from bot.channels.base import Template
from bot.dialogue.commands import Command, PayloadSigner, Period, Slots
from bot.dialogue.replies import RenderedButton, ReplyBook
from bot.messages import ChannelName, OutMessage
from bot.notice_kinds import NoticeKind, NoticeKinds
from bot.store.ledger import LastTold
from bot.store.preferences import Level
from notifier.composed import Announcement, Arrears, Maintenance

FACTS: Final[Mapping[str, type[BaseModel]]] = {
    "invoice": Invoice,
    "payment": Payment,
    "outage": Outage,
    "usage": UsageFlag,
    "work": MeterWork,
    "cut": CutWarning,
    "danger": DangerWarning,
    "request": ServiceRequest,
    "announcement": Announcement,
    "maintenance": Maintenance,
    "arrears": Arrears,
}
TOGETHER: Final = {"invoice": "bills", "payment": "received"}
"""Facts of which several go into one message, and what the texts call them."""
IN_TEXTS: Final = {"outage": "power_cut", "request": "filed"}
"""What the texts call the other facts, if not by their own name."""
MOST_TOGETHER: Final = 4
"""So many bills in one message leave room on every channel."""
LONGEST: Final = {"area_text": 240, "reason": 80}
"""Letters of an outage's texts that are shown; a notice is one message on every channel."""


class TemplateData(BaseModel):
    """How a notice goes as an approved template of one channel; see data/notice_templates.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    price: int
    values: dict[str, str]
    language: str = "vi"


Templates = Mapping[str, Mapping[ChannelName, TemplateData]]


def load_templates(file: Path) -> Templates:
    """Raises ValueError (pydantic) for data that is not as this module says."""
    adapter = TypeAdapter(dict[str, dict[ChannelName, TemplateData]])
    return adapter.validate_python(yaml.safe_load(file.read_text("utf-8")))


@dataclass(frozen=True)
class Told:
    """What one delivery tells: the facts, and the account by its code and as the customer calls it."""

    facts: Mapping[str, Any]
    link_id: int | None = None
    code: str | None = None
    nickname: str | None = None
    level: Level | None = None
    as_of: datetime | None = None

    @property
    def label(self) -> str | None:
        return self.nickname or self.code


class NoticeRenderer:
    def __init__(self, replies: ReplyBook, signer: PayloadSigner, templates: Templates) -> None:
        self._replies = replies
        self._signer = signer
        self._templates = templates
        self._last: tuple[Mapping[str, Any], dict[str, Any]] | None = None

    def template_of(self, kind: str, channel: ChannelName) -> TemplateData | None:
        return self._templates.get(kind, {}).get(channel)

    def message(self, kind: NoticeKind, told: Sequence[Told], conversation_id: int) -> OutMessage:
        """The text of data/replies/told.yml; its buttons act on the account and bill that it is about."""
        text, buttons = self._replies.render(f"told.{kind.key}", **self._values(kind, told))
        offered = (each.offered(_command(each), self._signer, conversation_id) for each in buttons)
        return OutMessage(text=text, buttons=tuple(offered))

    def template(self, data: TemplateData, kind: NoticeKind, told: Told) -> Template:
        known = self._values(kind, [told])
        values = {name: self._replies.fill(text, **known) for name, text in data.values.items()}
        return Template(name=data.name, language=data.language, values=values)

    def _values(self, kind: NoticeKind, told: Sequence[Told]) -> dict[str, Any]:
        first, parsed = told[0], [self._parsed(each.facts) for each in told]
        one = len(told) == 1
        return {
            **{IN_TEXTS.get(name, name): value for name, value in parsed[0].items()},
            **{
                many: [(each.label, facts[name]) for each, facts in zip(told, parsed, strict=True)]
                for name, many in TOGETHER.items()
                if name in parsed[0]
            },
            "link": first.link_id if one else None,
            "period": _period(parsed[0]) if one else None,
            "request_code": _request_code(parsed[0]),
            "lacks_papers": "request" in parsed[0] and parsed[0]["request"].state == "need_papers",
            "notice": kind.group,
            "label": first.label,
            "code": first.code or "",
            "level": first.level,
            "as_of": first.as_of,
        }

    def _parsed(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Of the same facts as last time, those of a notice to many, without parsing them again."""
        last = self._last
        if last is None or last[0] is not facts:
            last = self._last = facts, _parsed(facts)
        return last[1]


def fills_a_template(customer_code: str | None, facts: Mapping[str, Any]) -> bool:
    """Templates name the account, and of an outage its end: neither may be empty."""
    outage = facts.get("outage")
    return customer_code is not None and (outage is None or outage["expected_end"] is not None)


def _command(button: RenderedButton) -> Command | None:
    return Command(name=button.run, slots=Slots(**button.slots)) if button.run else None


def topic_of(kinds: NoticeKinds, told: LastTold) -> Command:
    """The request that an answer to the notice goes on with (F22)."""
    if told.several:
        return Command(name=kinds[told.kind].sent.about)
    facts = _parsed(told.facts)
    slots = Slots(link=told.link_id, period=_period(facts), request_code=_request_code(facts))
    return Command(name=kinds[told.kind].sent.about, slots=slots)


def _period(facts: Mapping[str, Any]) -> Period | None:
    return Period.of(facts["invoice"].month) if "invoice" in facts else None


def _request_code(facts: Mapping[str, Any]) -> str | None:
    return facts["request"].code if "request" in facts else None


def _parsed(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _short(FACTS[name].model_validate(value)) for name, value in facts.items()}


def _short(fact: BaseModel) -> BaseModel:
    long = {name: getattr(fact, name, "") for name in LONGEST}
    cut = {name: text[: LONGEST[name]].rstrip() + "…" for name, text in long.items() if len(text) > LONGEST[name]}
    return fact.model_copy(update=cut) if cut else fact

"""What a chat allows and by which ways it can be reached: the same when a notice is thought of and when it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Protocol

from bot.channels.base import Channel
from bot.messages import ChannelName
from bot.notice_kinds import NoticeKind
from bot.store.preferences import QuietHours
from notifier.policy import Way
from notifier.rendering import NoticeRenderer, fills_a_template


class Chat(Protocol):
    """What is read of a chat, whoever read it."""

    @property
    def conversation_id(self) -> int | None: ...
    @property
    def last_inbound_at(self) -> datetime | None: ...
    @property
    def customer_code(self) -> str | None: ...
    @property
    def quiet_from(self) -> time | None: ...
    @property
    def quiet_until(self) -> time | None: ...
    @property
    def most_per_day(self) -> int | None: ...


@dataclass(frozen=True)
class Rules:
    """What holds for who chose nothing else."""

    quiet: QuietHours
    most_per_day: int

    def quiet_of(self, chat: Chat) -> QuietHours:
        starts, ends = chat.quiet_from, chat.quiet_until
        return QuietHours(starts, ends) if starts is not None and ends is not None else self.quiet

    def most_of(self, chat: Chat) -> int:
        return self.most_per_day if chat.most_per_day is None else chat.most_per_day


@dataclass(frozen=True)
class Reach:
    channels: Mapping[ChannelName, Channel]
    renderer: NoticeRenderer

    def ways(
        self,
        chat: Chat,
        channel: ChannelName,
        at: datetime,
        kind: NoticeKind,
        facts: Mapping[str, Any],
        *,
        templates: bool = True,
    ) -> list[Way]:
        """At that time, the reply window first; without `templates` only that."""
        platform = self.channels.get(channel)
        if platform is None or chat.conversation_id is None:
            return []
        ways = [Way("window")] if platform.reply_window(chat.last_inbound_at, at) else []
        usable = templates and fills_a_template(chat.customer_code, facts)
        template = self.renderer.template_of(kind.key, channel) if usable else None
        return [*ways, Way("template", template.price)] if template else ways

"""What every channel can do, in no platform's terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from bot.channels.outcomes import Sent
from bot.messages import ChannelName, OutMessage


@dataclass(frozen=True)
class Picture:
    """The content of a row of `media`. `url`: a short-lived signed address of ours the platform may fetch it from."""

    content: bytes = field(repr=False)
    content_type: str
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Template:
    """An approved template filled in: `values` by the names of its parameters, as texts."""

    name: str
    language: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one send call of a platform takes. Lengths are in UTF-16 units, the stricter way of counting."""

    text: int
    text_with_buttons: int
    buttons: int
    button_title: int
    quick_replies: int
    picture_bytes: int


class Channel(Protocol):
    """One chat platform: from messages to its calls, and from its errors to ours."""

    name: ClassVar[ChannelName]
    limits: ClassVar[Limits]

    def render(self, message: OutMessage) -> list[OutMessage]:
        """The message as parts in sending order, each of them exactly one `send`. Text in NFC, buttons on the last.

        Rendering a part again gives that part.
        """
        ...

    def send(self, recipient: str, message: OutMessage, *, delivery_key: str, picture: Picture | None) -> Sent:
        """Send one rendered part. `picture` is the content of `message.media_id`. Raises SendError.

        `delivery_key` comes back in the echo where the platform can carry it (Messenger's `metadata`).
        """
        ...

    def send_template(self, recipient: str, template: Template, *, delivery_key: str) -> Sent:
        """Send an approved template, in the window or out of it. Raises SendError."""
        ...

    def window_ends(self, last_inbound_at: datetime | None) -> datetime | None:
        """Until when a free-form message may go to somebody who last wrote then; None if they never did."""
        ...

    def reply_window(self, last_inbound_at: datetime | None, now: datetime) -> bool:
        """May a free-form message still go to somebody who last wrote at `last_inbound_at`?"""
        ...

    def show_typing(self, recipient: str) -> None:
        """Show that an answer is on its way, where the platform can. Best effort: raises nothing."""
        ...

    def display_name(self, recipient: str) -> str | None:
        """The name the person shows on the platform: decoration, never identity. None when it cannot be had."""
        ...

    def keep_credentials(self) -> None:
        """Renew credentials that would run out. Best effort: raises nothing."""
        ...

    def check(self) -> None:
        """Ask the platform whether our credentials work. Raises SendError."""
        ...

"""What passes between a channel and the dialogue, in no platform's terms: inbound events and outgoing messages."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ChannelName(StrEnum):
    ZALO = "zalo"
    MESSENGER = "messenger"


class Button(BaseModel):
    """A tap that answers with `payload`, opens `url` or calls `phone` (exactly one of the three)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=100)
    payload: str | None = None
    url: str | None = None
    phone: str | None = None


class OutMessage(BaseModel):
    """One message to a customer: text in NFC, at most one picture (a row of `media`), buttons under it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = ""
    buttons: tuple[Button, ...] = ()
    media_id: int | None = None


class InboundKind(StrEnum):
    """What a platform told us. The first group comes from the customer and may be answered."""

    TEXT = "text"
    BUTTON = "button"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    STICKER = "sticker"
    LOCATION = "location"
    LINK = "link"
    CONTACT_INFO = "contact_info"
    FOLLOW = "follow"
    OPENED = "opened"

    UNFOLLOW = "unfollow"
    REACTION = "reaction"
    DELIVERED = "delivered"
    SEEN = "seen"
    ECHO = "echo"
    WITHDRAW = "withdraw"
    TAKEOVER = "takeover"
    HANDBACK = "handback"
    TEMPLATE = "template"
    OTHER = "other"


FROM_CUSTOMER = frozenset(
    {
        InboundKind.TEXT,
        InboundKind.BUTTON,
        InboundKind.IMAGE,
        InboundKind.AUDIO,
        InboundKind.VIDEO,
        InboundKind.FILE,
        InboundKind.STICKER,
        InboundKind.LOCATION,
        InboundKind.LINK,
        InboundKind.CONTACT_INFO,
        InboundKind.FOLLOW,
        InboundKind.OPENED,
    }
)
"""Kinds that open the platform's reply window and that the dialogue answers."""

FILES = frozenset({InboundKind.IMAGE, InboundKind.VIDEO, InboundKind.FILE})
"""Kinds that may show what words are about; a caption may come with them."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A picture, file, … the customer sent: where the platform keeps it and what it said about it."""

    url: str | None = None
    name: str | None = None
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """One event of a platform, understood as far as the protocol goes.

    `key` is unique per channel and the same in every repeat of the event. `user_id` is the customer's id at the
    channel, None for events about nobody. `at` is the platform's own time (aware UTC). `thumbs_up`: a like, sent as a
    sticker or an emoji.
    """

    key: str
    name: str
    kind: InboundKind
    at: datetime
    user_id: str | None = None
    text: str = ""
    payload: str | None = None
    message_id: str | None = None
    message_ids: tuple[str, ...] = ()
    watermark: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    info: dict[str, str] = field(default_factory=dict)
    referral: str | None = None
    thumbs_up: bool = False
    by_staff: bool = False
    echo_of: str | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_written(self) -> bool:
        """Are there words to understand: typed, tapped, or under a picture?"""
        return self.kind in FILES | {InboundKind.TEXT, InboundKind.BUTTON} and bool(self.text.strip())

    @property
    def files(self) -> tuple[Attachment, ...]:
        """Pictures and files that can be handed on."""
        return tuple(each for each in self.attachments if each.url) if self.kind in FILES else ()

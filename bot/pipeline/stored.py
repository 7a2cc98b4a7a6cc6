"""Stored events, understood again."""

from collections.abc import Collection

from bot.channels.messenger.inbound import parse as parse_messenger
from bot.channels.zalo.inbound import parse as parse_zalo
from bot.messages import ChannelName
from bot.pipeline.turns import Event
from bot.settings import Settings
from bot.store.models import InboundEvent


class NothingToHandle(Exception):
    """What it said is erased, or its channel is off; the text is the word for the ledger."""


def understand(row: InboundEvent, settings: Settings, channels: Collection[ChannelName]) -> Event:
    """The event of a row. Raises NothingToHandle."""
    channel = ChannelName(row.channel)
    if not row.payload:
        raise NothingToHandle("erased")
    if channel not in channels:
        raise NothingToHandle("channel_off")
    if channel is ChannelName.ZALO:
        inbound = parse_zalo(row.payload)
    elif settings.messenger:
        inbound = parse_messenger(row.payload, page_id=settings.messenger.page_id, app_id=settings.messenger.app_id)
    else:
        raise NothingToHandle("channel_off")
    return Event(id=row.id, channel=channel, inbound=inbound, received_at=row.received_at)

"""The channels that are set up, ready to use."""

from bot.channels.base import Channel
from bot.channels.http import HttpClient
from bot.channels.messenger.api import MessengerApi
from bot.channels.messenger.channel import MessengerChannel
from bot.channels.zalo.api import ZaloApi
from bot.channels.zalo.channel import ZaloChannel
from bot.channels.zalo.tokens import ZaloTokens
from bot.clock import Clock
from bot.messages import ChannelName
from bot.settings import MessengerSettings, Settings, ZaloSettings
from bot.store.database import Database


def build_channels(settings: Settings, database: Database, clock: Clock) -> dict[ChannelName, Channel]:
    """One channel per platform that has settings. Build once a process; channels may be shared by threads."""
    channels: dict[ChannelName, Channel] = {}
    if settings.zalo:
        channels[ChannelName.ZALO] = build_zalo(settings.zalo, database, clock)
    if settings.messenger:
        channels[ChannelName.MESSENGER] = build_messenger(settings.messenger, clock)
    return channels


def build_zalo(settings: ZaloSettings, database: Database, clock: Clock) -> ZaloChannel:
    http = HttpClient(ChannelName.ZALO)
    tokens = ZaloTokens(settings, database, clock, http)
    return ZaloChannel(settings, ZaloApi(settings, tokens, clock, http), tokens)


def build_messenger(settings: MessengerSettings, clock: Clock) -> MessengerChannel:
    return MessengerChannel(settings, MessengerApi(settings, clock, HttpClient(ChannelName.MESSENGER)))

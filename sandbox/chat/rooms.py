"""One chat of one person on one platform, as the page needs it: what to show, and what the person can do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.emulator.media import MediaStore
from sandbox.emulator.people import PeopleActions
from sandbox.emulator.transcript import Transcript
from sandbox.messenger.emulator import MessengerEmulator
from sandbox.world import Persona
from sandbox.zalo.emulator import ZaloEmulator


@dataclass(frozen=True)
class Platform:
    """One platform's chats. `greet` is the first step of a person who never wrote; `extras` what only it shows."""

    name: str
    people: PeopleActions
    transcript: Transcript
    media: MediaStore
    person_name: Callable[[str], str]
    greet: Callable[[str], object]
    extras: Callable[[str], dict[str, Any]]
    webhook: Callable[[], str]
    resubscribe: Callable[[], None]


def zalo_platform(zalo: ZaloEmulator) -> Platform:
    """Zalo: follow state in `extras`; no typing indicator exists there (zalo.md §3.1)."""

    def extras(user: str) -> dict[str, Any]:
        return {"following": zalo.state.person(user).is_follower, "typing": False}

    sender = zalo.webhooks.sender
    return Platform(
        "zalo",
        zalo.people,
        zalo.state.transcript,
        zalo.state.media,
        lambda user: zalo.state.person(user).name,
        zalo.people.open_chat,
        extras,
        lambda: sender.stats.last_outcome if sender.stats.subscribed else "unsubscribed",
        sender.subscribe,
    )


def messenger_platform(messenger: MessengerEmulator) -> Platform:
    """Messenger: typing, the persistent menu, ice breakers and Get Started in `extras`."""

    def extras(user: str) -> dict[str, Any]:
        until = messenger.state.person(user).typing_until
        return {
            "typing": until is not None and messenger.clock.now() < until,
            "menu": [vars(tap) for tap in messenger.people.menu()],
            "ice_breakers": [vars(tap) for tap in messenger.people.ice_breakers()],
            "get_started": "get_started" in messenger.state.profile,
        }

    sender = messenger.webhooks.sender
    return Platform(
        "messenger",
        messenger.people,
        messenger.state.transcript,
        messenger.state.media,
        lambda user: messenger.state.person(user).name,
        messenger.people.get_started,
        extras,
        lambda: sender.stats.last_outcome if sender.stats.subscribed else "unsubscribed",
        sender.subscribe,
    )


@dataclass(frozen=True)
class Visitor:
    """A person of the demonstration with their ids on both platforms."""

    persona: Persona
    zalo: str
    messenger: str

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.persona.name,
            "story": self.persona.story,
            "phone": self.persona.phone,
            "codes": list(self.persona.codes),
            "zalo": self.zalo,
            "messenger": self.messenger,
        }

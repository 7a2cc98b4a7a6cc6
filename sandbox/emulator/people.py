"""What people of any platform can do, and what their phones do by themselves."""

from abc import ABC, abstractmethod
from typing import Literal

from sandbox.emulator.clock import MovableClock
from sandbox.emulator.media import StoredFile
from sandbox.emulator.samples import FileKind
from sandbox.emulator.transcript import Tap, Transcript

Receipts = Literal["page", "auto", "off"]
"""When receipts are told: while the person's chat page is open, at once, or never."""


class NoSuchButton(LookupError):
    """Nothing that the person can tap now has this title or payload."""


class PeopleActions(ABC):
    """Actions of people by their id on the platform. Those that send a message return its id."""

    def __init__(self, transcript: Transcript, clock: MovableClock) -> None:
        self._transcript = transcript
        self._clock = clock

    @abstractmethod
    def say(self, user: str, text: str, *, quote: str | None = None) -> str: ...

    @abstractmethod
    def send_file(self, user: str, kind: FileKind, file: StoredFile) -> str: ...

    @abstractmethod
    def send_sticker(self, user: str, sticker: str) -> str: ...

    @abstractmethod
    def send_location(self, user: str, latitude: float, longitude: float) -> str: ...

    @abstractmethod
    def send_link(self, user: str, url: str) -> str: ...

    @abstractmethod
    def press(self, user: str, tap: Tap) -> None:
        """Tap a button; what the product learns of it depends on the button's type."""

    @abstractmethod
    def tappable(self, user: str) -> list[Tap]:
        """What the person can tap now, latest first."""

    @abstractmethod
    def staff_reply(self, user: str, text: str) -> str:
        """Staff of the company write to the person with the platform's own tool, not through the product."""

    @abstractmethod
    def receive(self, user: str) -> list[str]:
        """The phone gets what it did not have yet, and the product is told. Returns the message ids."""

    @abstractmethod
    def see(self, user: str) -> list[str]:
        """The person sees what they had not seen yet, and the product is told. Returns the message ids."""

    @property
    @abstractmethod
    def receipts(self) -> Receipts: ...

    def tap(self, user: str, button: str) -> Tap:
        """Tap the latest button with this title or payload. Raises NoSuchButton."""
        for tap in self.tappable(user):
            if button in {tap.title, tap.payload}:
                self.press(user, tap)
                return tap
        raise NoSuchButton(button)

    def looks(self, user: str, *, seeing: bool) -> None:
        """The person's chat page is open, and shown when `seeing`: messages arrive and are seen."""
        if self.receipts != "off":
            self.receive(user)
            if seeing:
                self.see(user)

    def mark(self, user: str, moment: Literal["delivered_at", "seen_at"]) -> list[str]:
        """Note the moment on the messages to the person that lack it. Returns their ids, each to one caller only."""
        return self._transcript.mark(user, moment, self._clock.now())

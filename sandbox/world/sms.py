"""The phones of the sandbox: texts that the service backend would send, kept for the page that shows them."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

_PHONES: Final = 5_000
_TEXTS: Final = 50


@dataclass(frozen=True, slots=True)
class Sms:
    """A text as the phone got it; `at` is aware UTC."""

    phone: str
    text: str
    at: datetime


class SmsInbox:
    """The last texts of the last phones; safe for any number of threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = Lock()
        self._phones: OrderedDict[str, deque[Sms]] = OrderedDict()

    def deliver(self, phone: str, text: str) -> None:
        """Put a text on a phone (`0XXXXXXXXX`)."""
        with self._lock:
            texts = self._phones.setdefault(phone, deque(maxlen=_TEXTS))
            texts.append(Sms(phone, text, self._now()))
            self._phones.move_to_end(phone)
            if len(self._phones) > _PHONES:
                self._phones.popitem(last=False)

    def messages(self, phone: str) -> list[Sms]:
        """The texts of a phone, oldest first."""
        with self._lock:
            return list(self._phones.get(phone, ()))

"""What Zalo remembers about one Official Account: its people, their windows, messages, files and switches."""

import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from sandbox.emulator.clock import MovableClock
from sandbox.emulator.faults import FaultPlan
from sandbox.emulator.media import MediaStore, StoredFile
from sandbox.emulator.people import Receipts
from sandbox.emulator.rates import RateWindow
from sandbox.emulator.transcript import Transcript
from sandbox.settings import SandboxSettings

FREE_WINDOW = timedelta(hours=48)
REPLY_WINDOW = timedelta(days=7)
ASSET_LIFE = timedelta(days=7)
RATE_PER_MINUTE = 4000


def user_id_of(oa_id: str, seed: str) -> str:
    """A stable 19-digit UID of a person for this OA (zalo.md §2.3)."""
    return str(10**18 + int.from_bytes(sha256(f"{oa_id}:{seed}".encode()).digest()[:8]) % (8 * 10**18))


@dataclass
class Person:
    """`refuses` is the error code every send to this person answers, or None."""

    user_id: str
    user_id_by_app: str
    name: str
    phone: str | None = None
    is_follower: bool = False
    last_interaction: datetime | None = None
    opened_chat: bool = False
    shared_info: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    refuses: int | None = None


@dataclass
class Options:
    """Switches of the emulator, changed by `POST /control/zalo/options`.

    `echo`: whether `oa_send_*` comes before or after our answer, or not at all. `receipts`: received and seen events
    while the person's chat page is open (`page`), at once (`auto`), or never (`off`). `buttons`: error code with which
    buttons on v3 cs are refused (they are not fully documented), or None. `keep_old_access_token`: whether a refresh
    leaves the previous access token valid (zalo.md §1.3, unsure).
    """

    echo: Literal["before", "after", "off"] = "after"
    receipts: Receipts = "page"
    buttons: int | None = None
    keep_old_access_token: bool = True
    sub_quota: int = 500
    daily_quota: int = 500
    zbs_receipt_seconds: float = 0.3
    answer_seconds: float = 0.0


@dataclass(frozen=True)
class Asset:
    """An upload: usable for seven days as `attachment_id`, or as `token` for files."""

    id: str
    kind: str
    file: StoredFile
    at: datetime


class ZaloState:
    """State behind one lock; the parts that wait or send have their own."""

    def __init__(self, settings: SandboxSettings, clock: MovableClock) -> None:
        self.settings = settings
        self.clock = clock
        self.options = Options()
        self.faults = FaultPlan()
        self.transcript = Transcript()
        self.media = MediaStore(clock.now)
        self.rate = RateWindow(clock.now, limit=RATE_PER_MINUTE, seconds=60)
        self.lock = threading.RLock()
        self.people: dict[str, Person] = {}
        self.assets: dict[str, Asset] = {}
        self.without_zalo: set[str] = set()
        self.developers: set[str] = set()

    def person(self, user_id: str, *, name: str | None = None, phone: str | None = None) -> Person:
        """The person with this UID, who comes into being when first named."""
        with self.lock:
            found = self.people.get(user_id)
            if found is None:
                by_app = user_id_of(self.settings.zalo_app_id, user_id)
                found = self.people[user_id] = Person(user_id, by_app, name or f"Khách {user_id[-4:]}", phone)
            return found

    def person_by_phone(self, phone: str) -> Person | None:
        """The person with this phone (84…), if any has opened a chat."""
        return next((p for p in self.people.values() if p.phone and international(p.phone) == phone), None)

    def interacted(self, person: Person) -> None:
        person.last_interaction = self.clock.now()

    def new_message_id(self) -> str:
        return secrets.token_hex(10)

    def add_asset(self, kind: str, file: StoredFile) -> Asset:
        asset = Asset(secrets.token_urlsafe(30), kind, file, self.clock.now())
        with self.lock:
            self.assets[asset.id] = asset
        return asset

    def media_url(self, file: StoredFile) -> str:
        return f"{self.settings.base_url}/zalo/media/{file.id}/{file.name}"


def international(phone: str) -> str:
    """`0912…` and `+84912…` as `84912…`."""
    digits = phone.lstrip("+")
    return "84" + digits[1:] if digits.startswith("0") else digits

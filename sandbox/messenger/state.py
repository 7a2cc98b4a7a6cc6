"""What Meta remembers about one Page: its people, threads, profile, files and switches."""

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

STANDARD_WINDOW = timedelta(hours=24)
HUMAN_AGENT_WINDOW = timedelta(days=7)
OWNERSHIP = timedelta(hours=24)
TYPING = timedelta(seconds=20)
SENDS_PER_SECOND = 300
INBOX_APP_ID = "263902037430900"

WANTED_FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_referrals",
    "messaging_optins",
    "message_deliveries",
    "message_reads",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "messaging_handovers",
    "standby",
    "messaging_policy_enforcement",
    "message_template_status_update",
)


def psid_of(page_id: str, seed: str) -> str:
    """A stable 17-digit id of a person for this Page."""
    return str(10**16 + int.from_bytes(sha256(f"{page_id}:{seed}".encode()).digest()[:8]) % (9 * 10**16))


@dataclass
class Person:
    """`owner` is the app that controls the thread (None: idle) until `owner_until`."""

    psid: str
    name: str
    phone: str | None = None
    last_interaction: datetime | None = None
    blocked: bool = False
    pending_ref: str | None = None
    owner: str | None = None
    owner_until: datetime | None = None
    typing_until: datetime | None = None

    @property
    def first_name(self) -> str:
        return self.name.rpartition(" ")[2]

    @property
    def last_name(self) -> str:
        return self.name.rpartition(" ")[0]


@dataclass
class Options:
    """Switches of the emulator, changed by `POST /control/messenger/options`.

    `routing`: conversation routing with our app as default, or none (messenger.md §4). `receipts`: delivery and read
    events while the person's chat page is open (`page`), at once (`auto`), or never (`off`). `delivery_mids`: whether
    delivery events name the messages. `template_review`: the status that a new utility template gets.
    """

    routing: Literal["default_app", "zero_config"] = "default_app"
    echo: Literal["before", "after", "off"] = "after"
    receipts: Receipts = "page"
    delivery_mids: bool = True
    require_proof: bool = False
    human_agent: bool = False
    profile_access: bool = True
    template_review: Literal["APPROVED", "PENDING", "REJECTED"] = "APPROVED"
    answer_seconds: float = 0.0


@dataclass
class MessengerState:
    """State behind one lock; the parts that wait or send have their own."""

    settings: SandboxSettings
    clock: MovableClock
    options: Options = field(default_factory=Options)
    faults: FaultPlan = field(default_factory=FaultPlan)
    transcript: Transcript = field(default_factory=Transcript)
    lock: threading.RLock = field(default_factory=threading.RLock)
    people: dict[str, Person] = field(default_factory=dict)
    attachments: dict[str, tuple[str, StoredFile]] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    subscribed_fields: list[str] = field(default_factory=lambda: list(WANTED_FIELDS))
    token_error: tuple[int, int | None] | None = None

    def __post_init__(self) -> None:
        self.media = MediaStore(self.clock.now)
        self.rate = RateWindow(self.clock.now, limit=SENDS_PER_SECOND, seconds=1)
        self.page_token = self.settings.messenger_page_token

    @property
    def app_id(self) -> str:
        return self.settings.messenger_app_id

    def person(self, psid: str, *, name: str | None = None, phone: str | None = None) -> Person:
        """The person with this PSID, who comes into being when first named."""
        with self.lock:
            found = self.people.get(psid)
            if found is None:
                found = self.people[psid] = Person(psid, name or f"Khách {psid[-4:]}", phone)
            return found

    def interacted(self, person: Person) -> None:
        person.last_interaction = self.clock.now()

    def owner(self, person: Person) -> str | None:
        """The app that controls the thread now; control lapses after a day of inactivity (messenger.md §4)."""
        if person.owner and person.owner_until and self.clock.now() <= person.owner_until:
            return person.owner
        return None

    def own(self, person: Person, app_id: str | None, span: timedelta = OWNERSHIP) -> None:
        person.owner = app_id
        person.owner_until = self.clock.now() + span if app_id else None

    def controlled_by_other(self, person: Person) -> bool:
        return self.options.routing == "default_app" and self.owner(person) not in {None, self.app_id}

    def new_message_id(self) -> str:
        return f"m_{secrets.token_urlsafe(40)}"

    def add_attachment(self, kind: str, file: StoredFile) -> str:
        attachment_id = str(10**15 + secrets.randbelow(9 * 10**15))
        with self.lock:
            self.attachments[attachment_id] = (kind, file)
        return attachment_id

    def media_url(self, file: StoredFile) -> str:
        return f"{self.settings.base_url}/messenger/media/{file.id}/{file.name}"

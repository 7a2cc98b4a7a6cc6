"""Plays a script: acts as the customer in the emulated app, waits for what the product sends, and compares."""

import io
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import figures
import requests
import segno
from fixtures import ticks
from form_watch import FormWatch
from PIL import Image
from script import VIETNAM, Expected, Script, Step
from sqlalchemy import func, select
from stack import CIRCUIT_SECONDS, WEDNESDAY_MORNING, Stack

from actions import vietqr
from bot.dialogue.state import DialogueState
from bot.messages import ChannelName
from bot.store import conversations, handovers
from bot.store.grid import OUTAGE, GridReports, Reported
from bot.store.link_codes import LinkCodes, grouped
from bot.store.models import (
    NOTICE_LANES,
    Consent,
    Conversation,
    Delivery,
    DeliveryStatus,
    Handover,
    InboundEvent,
    Link,
    Message,
    Owner,
    RightsRequest,
)
from sandbox.emulator.faults import Fault
from sandbox.emulator.people import PeopleActions
from sandbox.emulator.samples import SAMPLES
from sandbox.emulator.transcript import Entry, Transcript

PATIENCE_SECONDS = 20.0
"""How long a reply may take on a busy machine; a slow backend and the retries of an event are within it."""
TICK_SECONDS = 0.02
BY_CUSTOMER = (
    "user_send",
    "follow",
    "user_click_chatnow",
    "user_submit_info",
    "message",
    "standby.",
    "postback",
    "referral",
)
"""Beginnings of the names of events that are answered."""
MEDIA = {"(image)": "image", "(voice)": "audio", "(video)": "video", "(file)": "file"}
ZALO_BUSY, MESSENGER_BUSY = -200, 2
PICTURE_SCALE, PICTURE_BORDER = 8, 4
PICTURE_WIDTH, PICTURE_BYTES = 1080, 80 * 1024
TITLE_SHOWN = 20
"""Messenger shows so much of a button's title."""


class Mismatch(AssertionError):
    """What happened is not what the script says."""


@dataclass
class Reply:
    """One reply of the product as the customer sees it, in however many messages the channel took."""

    text: str
    buttons: list[str]
    pictures: list[str]

    def __str__(self) -> str:
        lines = self.text.splitlines() + [f"(picture {url})" for url in self.pictures]
        buttons = " ".join(f"[{title}]" for title in self.buttons)
        return "< " + "\n  ".join([*lines, *([buttons] if buttons else [])])


@dataclass
class Customer:
    """A person of the emulated platform, and how far we have read what they got."""

    user: str
    read: int = 0
    sent: int = 0
    known_codes: set[str] = field(default_factory=set)


class Facts:
    """What stands in a script for a fact of the persona: {code} {code2}, {otp}, {bill} {debt} …, {said} (last).

    {staff code} and {staff code2} are handed out by staff when they are first named, for the two customer codes.
    """

    def __init__(self, stack: Stack, persona_name: str) -> None:
        self._world = stack.sandbox.world
        self._stack = stack
        self.handed_out: dict[str, str] = {}
        self.persona = next(persona for persona in self._world.personas if persona.name == persona_name)
        self.ticket = ""
        self.request = ""
        self.said = ""

    def fill(self, text: str) -> str:
        return re.sub(r"\{([^{}]+)\}", lambda found: self.get(found[1]), text)

    def get(self, name: str) -> str:
        """Raises KeyError for a name that stands for nothing."""
        codes = self.persona.codes
        facts: dict[str, Callable[[], str]] = {
            "code": lambda: codes[0],
            "code2": lambda: codes[1],
            "code spoken": lambda: f"{codes[0][:4].lower()} {codes[0][4:6].lower()} {codes[0][6:]}",
            "phone": lambda: self.persona.phone,
            "otp": self._password,
            "otp spoken": lambda: " ".join(self._password()),
            "first otp": lambda: self._password(0),
            "wrong otp": lambda: f"{(int(self._password()) + 1) % 1_000_000:06d}",
            "bill": lambda: _money(self._bill(codes[0]).total),
            "bill2": lambda: _money(self._bill(codes[1]).total),
            "month": lambda: f"tháng {self._bill(codes[0]).month:%-m/%Y}",
            "debt": lambda: _money(self._world.debt(codes[0]).total),
            "debt2": lambda: _money(self._world.debt(codes[1]).total),
            "ticket": lambda: self.ticket,
            "request": lambda: self.request,
            "said": lambda: self.said,
            "staff code": lambda: self._staff_code(codes[0]),
            "staff code2": lambda: self._staff_code(codes[1]),
        }
        return facts[name]()

    def note_ticket(self, text: str) -> None:
        """{ticket} is the code of the report or case last told, {request} that of the service request."""
        if found := re.search(r"\bYC\d{2}-\d{6}\b", text):
            self.ticket = found[0]
        if found := re.search(r"\bDV\d{2}-\d{6}\b", text):
            self.request = found[0]

    def messages(self) -> int:
        return len(self._world.sms.messages(self.persona.phone))

    def _password(self, which: int = -1) -> str:
        found = re.search(r"\b\d{6}\b", self._world.sms.messages(self.persona.phone)[which].text)
        assert found
        return found[0]

    def _staff_code(self, customer_code: str) -> str:
        if customer_code not in self.handed_out:
            secret = self._stack.product.settings.secret_key.get_secret_value()
            with self._stack.database.begin() as session:
                issued = LinkCodes(secret).issue(
                    session,
                    customer_code=customer_code,
                    issued_by="staff of the test",
                    now=self._stack.clock(),
                    lifetime=timedelta(days=14),
                )
            self.handed_out[customer_code] = grouped(issued.code)
        return self.handed_out[customer_code]

    def _bill(self, code: str) -> Any:
        today = self._world.now().date()
        return self._world.invoices(code, today.replace(year=today.year - 1), today).items[0]


class Player:
    """One run of a script on one channel. `unmarked`: the customer types without tone marks."""

    def __init__(self, stack: Stack, script: Script, channel: ChannelName, *, unmarked: bool) -> None:
        self._stack = stack
        self._script = script
        self._channel = channel
        self._unmarked = unmarked
        stack.renew(script.at or WEDNESDAY_MORNING)
        self._facts = Facts(stack, script.persona)
        run = f"{script.name}-{channel}-{unmarked}-{time.monotonic_ns()}"
        self._customers = [Customer(self._new_user(f"{run}-{number}")) for number in range(2)]
        self._log: list[str] = []
        self._texts_at_start = self._facts.messages()
        for number in script.linked:
            self._link(self._customers[0], self._facts.persona.codes[number - 1])
        self._watch = FormWatch()
        self._answers_before = 0

    def play(self) -> None:
        """Raises Mismatch with the whole conversation in it."""
        try:
            for step in self._script.steps:
                self._take(step)
            for customer in self._customers:
                self._expect_no_more(customer)
            self._watch_forms()
            if unseen := set(self._script.proves) - self._watch.seen:
                raise Mismatch(f"it does not show what its header says: {sorted(unseen)}")
        except (Mismatch, KeyError, LookupError) as problem:
            where = f"{self._script.name}.txt:{step.line}"
            talk = "\n".join(self._log + self._understood())
            raise Mismatch(f"{where}: {problem}\n\n{self._script.title}\n{talk}") from None

    def _take(self, step: Step) -> None:
        customer = self._customers[step.who]
        text = self._facts.fill(step.text)
        match step.kind:
            case "say":
                self._expect_no_more(customer)
                self._watch_forms()
                self._say(customer, _without_marks(text) if self._unmarked else text)
            case "tap":
                self._expect_no_more(customer)
                self._watch_forms()
                self._tap(customer, text)
            case "reply":
                self._expect(customer, step.reply)
            case "happens":
                self._log.append(f"! {text}")
                self._happen(text)
            case "check":
                for each in self._customers:
                    self._wait(lambda each=each: self._settled(each), "everything is answered")  # type: ignore[misc]
                self._wait(lambda: _found(CHECKS, text)(self), text)

    # --- The customer acts ---

    def _say(self, customer: Customer, text: str) -> None:
        self._log.append(f"> {text}")
        self._answers_before = len(self._stack.sandbox.answers)
        self._facts.said = text
        customer.sent += 1
        customer.known_codes |= figures.codes_typed(text)
        customer.known_codes |= {code for code, handed in self._facts.handed_out.items() if handed in text}
        people, user = self._people, customer.user
        if text in MEDIA:
            content, content_type, name = SAMPLES[MEDIA[text]]  # type: ignore[index]
            people.send_file(user, MEDIA[text], self._emulator.state.media.add(content(), content_type, name))  # type: ignore[arg-type]
        elif text == "(sticker)":
            people.send_sticker(user, "xin-chao")
        elif text == "(like)" and self._channel is ChannelName.MESSENGER:
            people.send_sticker(user, "dong-y")
        elif text == "(like)":
            people.say(user, "/-strong")
        elif text.startswith("(location "):
            latitude, longitude = map(float, text[1:-1].split()[1:])
            people.send_location(user, latitude, longitude)
        elif text.startswith("(link "):
            people.send_link(user, text[1:-1].split()[1])
        elif text.startswith("(m.me link "):
            self._stack.sandbox.messenger.people.open_link(user, text.removeprefix("(m.me link ")[:-1])
        elif text.startswith("(business card "):
            self._stack.sandbox.zalo.people.send_business_card(user, "Ma Văn An", text[1:-1].rsplit(maxsplit=1)[-1])
        elif text == "(follow)":
            self._stack.sandbox.zalo.people.follow(user)
        else:
            people.say(user, text)

    def _tap(self, customer: Customer, title: str) -> None:
        self._log.append(f"[{title}]")
        self._answers_before = len(self._stack.sandbox.answers)
        tap = next((tap for tap in self._people.tappable(customer.user) if _shows(tap.title, title)), None)
        if tap is None:
            raise Mismatch(f"nothing to tap shows {title}")
        customer.sent += tap.payload is not None
        self._people.press(customer.user, tap)

    def _type_payload(self, typist: Customer, title: str) -> None:
        """Type, as text, what is behind the first customer's button."""
        tap = next(tap for tap in self._people.tappable(self._customers[0].user) if _shows(tap.title, title))
        self._say(typist, str(tap.payload))

    def _fail(self, count: int) -> None:
        """The next sends fail for a moment, as the platform itself says."""
        call, code = ("cs", ZALO_BUSY) if self._channel is ChannelName.ZALO else ("messages", MESSENGER_BUSY)
        self._emulator.state.faults.plan(call, Fault("error", code=code), count)

    def _send_notices(self) -> None:
        """The feeds are read, what is due is planned and sent."""
        self._answers_before = len(self._stack.sandbox.answers)
        ticks.read_feeds(self._stack.product)
        ticks.plan(self._stack.product)
        for lane in NOTICE_LANES:
            self._stack.product.dispatcher.send_due(self._channel, lane)

    def _happen(self, text: str) -> None:
        _found(HAPPENINGS, text)(self)

    # --- The product answers ---

    def _expect(self, customer: Customer, expected: Expected) -> None:
        if expected.nothing:
            self._expect_no_more(customer)
            return
        reply = self._next_reply(customer)
        if reply is None:
            raise Mismatch(f"no reply, expected: {'; '.join(expected.has)}")
        self._log.append(str(reply))
        self._facts.note_ticket(reply.text)
        self._check_access(customer)
        self._check_figures(customer, reply, expected)
        for words in expected.has:
            if not _has(reply.text, self._facts.fill(words)):
                raise Mismatch(f"the reply lacks: {self._facts.fill(words)}")
        for words in expected.lacks:
            if _has(reply.text, self._facts.fill(words)):
                raise Mismatch(f"the reply holds: {self._facts.fill(words)}")
        for title in expected.buttons:
            self._check_button(reply, self._facts.fill(title))
        if expected.qr_of:
            self._check_qr(reply, self._facts.fill(expected.qr_of))
        if expected.picture:
            self._check_picture(reply)

    def _expect_no_more(self, customer: Customer) -> None:
        """Wait until everything this customer sent is answered, and be sure that all answers were expected."""
        if self._emulator.webhooks.sender.holding:
            return
        self._wait(lambda: self._settled(customer), "everything is answered")
        self._check_access(customer)
        extra = self._next_reply(customer, patience=0)
        if extra is not None:
            self._log.append(str(extra))
            raise Mismatch("a reply that the script does not have")

    def _next_reply(self, customer: Customer, patience: float = PATIENCE_SECONDS) -> Reply | None:
        """All messages of the next reply; None if there is none, and none comes while anything is under way."""
        deadline = time.monotonic() + patience
        while True:
            first = next(iter(self._news(customer, TICK_SECONDS if patience else 0)), None)
            if first or time.monotonic() > deadline or (patience and self._settled(customer)):
                first = first or next(iter(self._news(customer, 0)), None)
                break
        if first is None:
            return None
        self._wait(lambda: self._parts(first) is not None, "the reply is sent")
        ids = self._parts(first) or set()
        entries = [entry for entry in self._news(customer, 0) if entry.message_id in ids]
        customer.read = max(entry.n for entry in entries)
        return Reply(
            text="\n".join(filter(None, (entry.text for entry in entries))),
            buttons=[tap.title for entry in entries for tap in (*entry.buttons, *entry.quick_replies)],
            pictures=[media.url for entry in entries for media in entry.media],
        )

    def _news(self, customer: Customer, timeout: float) -> list[Entry]:
        return self._transcript.wait(
            customer.user, after=customer.read, count=1, timeout=timeout, wanted=lambda entry: entry.author == "bot"
        )

    def _parts(self, entry: Entry) -> set[str] | None:
        """The platform's ids of all messages of the reply that `entry` is part of; None while some are on their way."""
        with self._stack.database.begin() as session:
            reply = session.scalar(select(Delivery.message_id).where(Delivery.provider_message_id == entry.message_id))
            if reply is None:
                return None
            rows = session.execute(
                select(Delivery.provider_message_id, Delivery.status).where(Delivery.message_id == reply)
            ).all()
        if any(status in {DeliveryStatus.PENDING, DeliveryStatus.SENDING} for _, status in rows):
            return None
        return {sent_as for sent_as, _ in rows if sent_as}

    def _settled(self, customer: Customer) -> bool:
        """Has the product dealt with everything the customer sent, and sent everything that it had to say?"""
        with self._stack.database.begin() as session:
            names = session.execute(
                select(InboundEvent.name, InboundEvent.status).where(
                    InboundEvent.channel == self._channel, InboundEvent.user_id == customer.user
                )
            ).all()
            mine = [status for name, status in names if name.startswith(BY_CUSTOMER)]
            waiting = session.scalar(
                select(func.count())
                .select_from(Delivery)
                .where(Delivery.contact_id == self._contact_id(session, customer))
                .where(Delivery.status.in_([DeliveryStatus.PENDING, DeliveryStatus.SENDING]))
            )
        return len(mine) >= customer.sent and "received" not in mine and not waiting

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise Mismatch(f"waited in vain: {what}")
            self._transcript.wait(None, after=1 << 60, count=1, timeout=TICK_SECONDS, wanted=lambda _: False)

    # --- What every reply must keep to ---

    def _check_access(self, customer: Customer) -> None:
        """The utility was asked about codes only that this customer has linked, now or until this turn."""
        asked, self._stack.sandbox.asked_about[:] = set(self._stack.sandbox.asked_about), []
        with self._stack.database.begin() as session:
            linked = session.scalars(
                select(Link.customer_code).where(Link.contact_id == self._contact_id(session, customer))
            ).all()
        if strange := asked - set(linked):
            raise Mismatch(f"the utility was asked about codes that are not linked: {strange}")

    def _check_figures(self, customer: Customer, reply: Reply, expected: Expected) -> None:
        """Amounts, days, months and kWh of the answers of this turn, or said by a customer, or published; days that are
        promised stand in the script, and so does what is reckoned by the tariffs. Codes are the customer's own."""
        written = " ".join(map(self._facts.fill, expected.has))
        allowed = (
            figures.given(self._stack.sandbox.answers[self._answers_before :]) | self._said() | figures.published()
        )
        allowed.days.add(self._stack.clock().astimezone(VIETNAM).date())
        allowed.amounts |= set(figures.amounts(written))
        allowed.energies |= set(figures.energies(written))
        allowed.examples |= set(figures.days(written))
        if invented := allowed.strange(reply.text):
            raise Mismatch(f"figures that no system gave in this turn: {invented}")
        strange = figures.codes(reply.text) - customer.known_codes
        if strange:
            raise Mismatch(f"another customer's code: {strange}")

    def _said(self) -> figures.Known:
        """What the customers of this conversation said so far."""
        with self._stack.database.begin() as session:
            talks = [conversations.load(session, self._channel, each.user).conversation.id for each in self._customers]
            understood = session.scalars(
                select(Message.understanding).where(
                    Message.conversation_id.in_(talks), Message.understanding.is_not(None)
                )
            ).all()
        values = [entity["value"] for each in understood if each for entity in each["entities"]]
        return figures.said(values, [line for line in self._log if line.startswith(">")])

    def _check_button(self, reply: Reply, title: str) -> None:
        if any(_shows(shown, title) for shown in reply.buttons):
            return
        if (
            self._channel is ChannelName.MESSENGER
            and title.startswith("Gọi ")
            and title.rsplit(maxsplit=1)[-1] in reply.text
        ):
            return
        raise Mismatch(f"no button {title} among {reply.buttons}")

    def _check_qr(self, reply: Reply, amount: str) -> None:
        """The picture is exactly the VietQR of the transfer that the text describes."""
        if len(reply.pictures) != 1:
            raise Mismatch(f"{len(reply.pictures)} pictures")
        account, purpose = (
            re.search(form, reply.text) for form in (r"số tài khoản (\d+)", r"Nội dung chuyển khoản: (\w+ \w+)")
        )
        *_, request = [
            answer for answer in self._stack.sandbox.answers if isinstance(answer, dict) and "transfer" in answer
        ]
        assert account
        assert purpose
        text = vietqr.payload(
            bank_bin=request["transfer"]["bank_bin"],
            account=account[1],
            amount=figures.amounts(amount)[0],
            purpose=purpose[1],
        )
        shown = Image.open(io.BytesIO(requests.get(reply.pictures[0], timeout=5).content)).convert("L")
        code = segno.make(text, error="m", micro=False)
        expected = io.BytesIO()
        code.save(expected, kind="png", scale=PICTURE_SCALE, border=PICTURE_BORDER)
        if shown.tobytes() != Image.open(expected).convert("L").tobytes():
            raise Mismatch(f"the picture is not the QR of {text}")

    def _check_picture(self, reply: Reply) -> None:
        if len(reply.pictures) != 1:
            raise Mismatch(f"{len(reply.pictures)} pictures")
        content = requests.get(reply.pictures[0], timeout=5).content
        shown = Image.open(io.BytesIO(content))
        if shown.format != "PNG" or shown.width != PICTURE_WIDTH or len(content) > PICTURE_BYTES:
            raise Mismatch(f"a picture of {shown.size}, {shown.format}, {len(content)} bytes")

    def _opens(self, title: str, wanted: str) -> bool:
        """What the address behind a button answers: `a PDF`, `an XML`, or a page's status."""
        taps = [
            tap
            for entry in self._transcript.wait(
                self._customers[0].user, after=0, count=1, timeout=0, wanted=lambda entry: entry.author == "bot"
            )
            for tap in (*entry.buttons, *entry.quick_replies)
        ]
        url = next(tap.url for tap in reversed(taps) if tap.url and _shows(tap.title, title))
        answer = requests.get(url, timeout=5)
        begins = {b"%PDF": "a PDF", b"<?xm": "an XML", b"<!do": "a page", b"{\n  ": "a JSON file"}
        return wanted == (begins.get(answer.content[:4], "?") if answer.ok else f"page {answer.status_code}")

    # --- Around it ---

    @property
    def _emulator(self) -> Any:
        sandbox = self._stack.sandbox
        return sandbox.zalo if self._channel is ChannelName.ZALO else sandbox.messenger

    @property
    def _people(self) -> PeopleActions:
        people: PeopleActions = self._emulator.people
        return people

    @property
    def _transcript(self) -> Transcript:
        transcript: Transcript = self._emulator.state.transcript
        return transcript

    def _new_user(self, seed: str) -> str:
        digits = int.from_bytes(seed.encode()[-40:], "big") % 10**15
        return f"{'7' if self._channel is ChannelName.ZALO else '2'}{digits:015d}"

    def _contact_id(self, session: Any, customer: Customer) -> int:
        return conversations.load(session, self._channel, customer.user).contact.id

    def _link(self, customer: Customer, code: str) -> None:
        """As if the customer had been welcomed, agreed, and linked the code, some time ago."""
        at = self._stack.clock() - timedelta(days=3)
        customer.known_codes.add(code)
        with self._stack.database.begin() as session:
            loaded = conversations.load(session, self._channel, customer.user)
            conversations.add_link(session, contact_id=loaded.contact.id, customer_code=code, method="otp", at=at)
            session.add(Consent(contact_id=loaded.contact.id, purpose="account", granted=True, text_version="t", at=at))
            session.get_one(Conversation, loaded.conversation.id).state = {"greeted": True}

    def _watch_forms(self) -> None:
        """What happened to the first customer's forms since the last time."""
        with self._stack.database.begin() as session:
            state = conversations.load(session, self._channel, self._customers[0].user).conversation.state
        self._watch.look(DialogueState.model_validate(state), "\n".join(self._log))

    def _requests(self) -> int:
        """How many reports and cases the utility has, in a world without any at the start."""
        found = 0
        while True:
            try:
                self._stack.sandbox.world.ticket(f"YC26-{found + 1:06d}")
            except LookupError:
                return found
            found += 1

    def _case(self) -> Any:
        """The case last told, and the notes on it."""
        return self._stack.sandbox.world.case(self._facts.ticket)

    def _waits(self) -> Handover | None:
        """The hand-over that is not ended."""
        with self._stack.database.begin() as session:
            conversation = conversations.load(session, self._channel, self._customers[0].user).conversation
            return handovers.open_of(session, conversation.id)

    def _asked_of_data(self) -> list[RightsRequest]:
        with self._stack.database.begin() as session:
            own = self._contact_id(session, self._customers[0])
            return list(session.scalars(select(RightsRequest).where(RightsRequest.contact_id == own)))

    def _lines(self) -> int:
        """How many lines of the thread are kept."""
        with self._stack.database.begin() as session:
            thread = conversations.load(session, self._channel, self._customers[0].user).conversation.id
            return session.scalar(select(func.count(Message.id)).where(Message.conversation_id == thread)) or 0

    def _files_of_ticket(self) -> int:
        notes = self._stack.sandbox.world._tickets.get(self._facts.ticket).notes
        return sum(len(note.attachments) for note in notes)

    def _owner(self) -> str:
        with self._stack.database.begin() as session:
            return conversations.load(session, self._channel, self._customers[0].user).conversation.owner

    def _understood(self) -> list[str]:
        """What the product made of each message, to see why."""
        with self._stack.database.begin() as session:
            loaded = conversations.load(session, self._channel, self._customers[0].user)
            lines = session.scalars(
                select(Message)
                .where(Message.conversation_id == loaded.conversation.id, Message.sender == "customer")
                .order_by(Message.id)
            ).all()
        return ["", *(f"{m.text!r}: {m.intent} {m.confidence or 0:.2f}, {m.handled_by}" for m in lines)]


def _without_marks(text: str) -> str:
    if text.startswith(("(", "#")):
        return text
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def unmarked_differs(script: Script) -> bool:
    """Is there anything to type in which tone marks could be left out?"""
    said = [step.text for step in script.steps if step.kind == "say"]
    return not script.marks_kept and any(_without_marks(text) != text for text in said)


def _has(text: str, words: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in words.split("*"))
    return re.search(pattern, text, re.DOTALL) is not None


def _shows(shown: str, title: str) -> bool:
    """Is this the button, its title perhaps numbered and cut as Messenger needs it?"""
    shown = re.sub(r"^\d+\. ", "", shown)
    cut = len(title) > TITLE_SHOWN and shown.endswith("…") and title.startswith(shown[:-1])
    return shown == title or cut


def _money(amount: int) -> str:
    return f"{amount:,} đ".replace(",", ".")


def _found(sayings: dict[str, Any], text: str) -> Callable[[Player], Any]:
    for form, does in sayings.items():
        if found := re.fullmatch(form, text):
            return lambda player, found=found, does=does: does(player, *found.groups())  # type: ignore[misc]
    raise LookupError(f"nobody knows what this means: {text}")


def _let_time_pass(player: Player, count: str, unit: str) -> None:
    player._stack.clock.advance(timedelta(**{f"{unit}s": float(count)}))


def _mend(player: Player) -> None:
    """And wait until the product asks them again."""
    player._stack.sandbox.faults.reset()
    time.sleep(CIRCUIT_SECONDS)


def _pay_in_part(player: Player, code: str, amount: int) -> None:
    world = player._stack.sandbox.world
    world.pay(code, world.debt(code).invoices[0].id, amount)


def _plan_cut(player: Player, place_code: str) -> None:
    start = player._stack.clock().replace(hour=1, minute=0, second=0, microsecond=0) + timedelta(days=6)
    world = player._stack.sandbox.world
    cut = world.create_outage([place_code], kind="planned", start=start, expected_end=start + timedelta(hours=4))
    player._cut = cut.id


def _fail_power(player: Player, place_code: str) -> None:
    player._cut = player._stack.sandbox.world.create_outage([place_code]).id


def _call_off(player: Player) -> None:
    player._stack.sandbox.world.change_outage(player._cut, cancelled_at=player._stack.clock())


def _let_others_report(player: Player, count: str, place_code: str) -> None:
    """Others of that place, each from a chat of their own, in the last minutes."""
    rule, now = player._stack.product.company.suspected_outage.rule, player._stack.clock()
    reports = GridReports(player._stack.database, rule)
    for number in range(int(count)):
        with player._stack.database.begin() as session:
            other = conversations.load(session, player._channel, f"{player._new_user('other')}{number}").contact.id
        reports.add(Reported(other, -number, OUTAGE, f"YC26-9{number:05d}", now, place_code=place_code))


HAPPENINGS: dict[str, Any] = {
    r"(\d+) (second|minute|hour|day)s? pass": _let_time_pass,
    r"the backends are down": lambda p: p._stack.sandbox.faults.set(down=True),
    r"the backends hang": lambda p: p._stack.sandbox.faults.set(hang=True),
    r"the backends answer garbage": lambda p: p._stack.sandbox.faults.set(garbage=True),
    r"the backends lose an answer": lambda p: p._stack.sandbox.faults.set(lose_answers=1),
    r"the backends work again": _mend,
    r"the understanding hangs": lambda p: p._stack.nlu.stop(),
    r"the understanding works again": lambda p: p._stack.nlu.go_on(),
    r"every webhook comes twice": lambda p: setattr(p._emulator.webhooks.sender, "duplicates", 1),
    r"the webhooks are held up": lambda p: p._emulator.webhooks.sender.hold(),
    r"the webhooks come": lambda p: p._emulator.webhooks.sender.release(),
    r"the platform fails (\d+) times?": lambda p, count: p._fail(int(count)),
    r"(\d+) others report no power in (\d{5})": _let_others_report,
    r"a bill is issued to (P\w+)": lambda p, code: p._stack.sandbox.world.issue(code),
    r"a cut is planned in (\d{5})": _plan_cut,
    r"the cut is called off": _call_off,
    r"power fails in (\d{5})": _fail_power,
    r"power is back": lambda p: p._stack.sandbox.world.change_outage(p._cut, restored_at=p._stack.clock()),
    r"notices are sent": lambda p: p._send_notices(),
    r"staff give the conversation back": lambda p: p._emulator.people.hand_back(p._customers[0].user),
    r"(P\w+) is paid": lambda p, code: p._stack.sandbox.world.pay(code),
    r"(\d+) đ are paid on the oldest bill of (P\w+)": lambda p, amount, code: _pay_in_part(p, code, int(amount)),
    r"the company has no account for transfers": lambda p: setattr(p._stack.sandbox.world, "offers_transfer", False),
    r"the request moves on to (\w+)": lambda p, state: p._stack.sandbox.world.move_request(p._facts.request, state),
    r"staff write: (.+)": lambda p, text: p._people.staff_reply(p._customers[0].user, text),
    r"the second customer types what is behind \[(.+)\]": lambda p, title: p._type_payload(p._customers[1], title),
    r"the customer types what is behind \[(.+)\]": lambda p, title: p._type_payload(p._customers[0], title),
}
"""What a line with `!` may say, as patterns."""

CHECKS: dict[str, Any] = {
    r"no text message came": lambda p: p._facts.messages() == p._texts_at_start,
    r"(\d+) text messages? came": lambda p, count: p._facts.messages() - p._texts_at_start == int(count),
    r"(\d+) requests? (?:is|are) on file": lambda p, count: p._requests() == int(count),
    r"\[(.+)\] opens (.+)": lambda p, title, wanted: p._opens(title, wanted),
    r"the case has (\d+) photos?": lambda p, n: sum(len(note.attachments) for note in p._case()[1]) == int(n),
    r"the case says (.+)": lambda p, words: _has(p._case()[0].text, words),
    r"the request has (\d+) papers?": lambda p, n: len(p._stack.sandbox.world.papers(p._facts.request)) == int(n),
    r"a person is asked for": lambda p: p._owner() == Owner.WAITING,
    r"a person is asked for because of (\w+)": lambda p, why: (row := p._waits()) and row.reason == why,
    r"the mood is (\w+)": lambda p, mood: (row := p._waits()) and row.summary["mood"] == mood,
    r"nobody is asked for": lambda p: p._waits() is None,
    r"a request to (\w+) is on record": lambda p, kind: [r.kind for r in p._asked_of_data()] == [kind],
    r"a request to (\w+) is done": lambda p, kind: [r.kind for r in p._asked_of_data() if r.done_at] == [kind],
    r"no request is on record": lambda p: not p._asked_of_data(),
    r"(\d+) lines? (?:is|are) kept": lambda p, count: p._lines() == int(count),
    r"the ticket has (\d+) files?": lambda p, count: p._files_of_ticket() == int(count),
    r"the bot has the conversation": lambda p: p._owner() == Owner.BOT,
    r"staff have the conversation": lambda p: p._owner() == Owner.STAFF,
}
"""What a line with `=` may say, as patterns."""

"""A conversation with the engine alone, without store and platform; its state goes through JSON as in the product."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fixtures.outside import CODE, OTHER_CODE, Nlu, StoppedClock

from actions.backends.errors import BackendDown
from actions.desk import load_company
from bot.dialogue.commands import Command, PayloadSigner, Slots
from bot.dialogue.engine import Engine
from bot.dialogue.fallback import Thresholds
from bot.dialogue.forms import Abandon, Ask, Form, Invalid
from bot.dialogue.registry import Registry
from bot.dialogue.replies import RenderedButton, ReplyBook
from bot.dialogue.state import DialogueState
from bot.dialogue.turn import Account, Caller, Turn
from bot.messages import Button, ChannelName, Inbound, InboundKind
from bot.pipeline.assembly import DATA

FIRST, SECOND = Account(1, CODE, None), Account(2, OTHER_CODE, "nhà mẹ")
OWN_REPLIES = """
order.ask_size:
  text: "Cỡ nào ạ?"
  buttons: [{title: Cỡ nhỏ, fill: small}, {title: Cỡ lớn, fill: large}, {title: Thôi, run: form.cancel}]
order.ask_code: {text: "Mã nào ạ?"}
order.ask_note: {text: "Ghi chú gì ạ?"}
order.bad_pin: {text: "Sai rồi ạ."}
order.ask_pin: {text: "Số bí mật ạ?"}
order.bad_code: {text: "Mã không dùng được."}
order.closed: {text: "Hôm nay nghỉ."}
order.review:
  text: "{{ size }} {{ code }} {{ note }}"
  buttons: [{title: Gửi, run: form.confirm, with: [form]}, {title: Sửa, run: form.edit}]
order.done: {text: "Xong."}
bill.shown: {text: "{{ code }} {{ period }}", buttons: [{title: Trả tiền, run: pay_bill, with: [link]}]}
hotline.said: {text: "Tổng đài.", buttons: [{title: Xem tiền điện, run: bill_lookup}]}
half.said: {text: "Nửa câu.", buttons: [{title: Nút thừa, run: hotline}]}
danger.said: {text: "Tránh xa."}
form.name.order: {text: đặt hàng}
form.name.claim: {text: khiếu nại}
form.field.size: {text: Cỡ}
form.field.code: {text: Mã số}
form.field.note: {text: Ghi chú}
intent.order: {text: Đặt hàng}
"""
PARTS = ("intent.", "form.name.", "form.field.", "button.retry")
"""Words that stand within other replies."""
REFUSED_CODE, CLOSING_CODE = "PA04GT0000009", "PA04GT0000008"


@dataclass
class Counter:
    """The desk of these tests: what was done, and what goes wrong."""

    done: list[str] = field(default_factory=list)
    orders: list[Any] = field(default_factory=list)
    failure: Exception | None = None

    def work(self, what: str) -> None:
        self.done.append(what)
        if self.failure:
            raise self.failure


registry: Registry[Counter] = Registry()
registry.failure(BackendDown, "failure.backend_down")


def read_size(turn: Turn[Any]) -> str | None:
    return {"nhỏ": "small", "lớn": "large"}.get(turn.text.removeprefix("cỡ "))


@registry.form("order")
class Order(Form):
    intents = frozenset({"order"})
    review = "order.review"

    size: Annotated[Literal["small", "large"], Ask("order.ask_size", read=read_size)]
    code: Annotated[str, Ask("order.ask_code", read=lambda turn: turn.slots.customer_code)]
    note: Annotated[str, Ask("order.ask_note", read=lambda _turn: None, free_text=True)]

    @classmethod
    def prefill(cls, turn: Turn[Any], slots: Slots) -> dict[str, Any]:
        return {"note": "gấp"} if slots.money else {}

    @classmethod
    def filled(cls, turn: Turn[Any], field: str, values: dict[str, Any]) -> None:
        if values.get("code") == REFUSED_CODE:
            raise Invalid("order.bad_code")
        if values.get("code") == CLOSING_CODE:
            raise Abandon("order.closed")

    def submit(self, turn: Turn[Any]) -> None:
        turn.desk.work("order")
        turn.desk.orders.append(self)
        turn.say("order.done")


@registry.form("claim")
class Claim(Form):
    """One question and no review."""

    intents = frozenset({"claim"})

    pin: Annotated[str, Ask("order.ask_pin", read=lambda t: t.text if t.text.isdecimal() else None, secret=True)]

    @classmethod
    def filled(cls, turn: Turn[Any], field: str, values: dict[str, Any]) -> None:
        if values["pin"].startswith("0"):
            raise Invalid("order.bad_pin")

    def submit(self, turn: Turn[Any]) -> None:
        turn.desk.work("claim")
        turn.say("order.done")


@registry.handles("bill_lookup", "debt_check")
def bill(turn: Turn[Counter], slots: Slots) -> None:
    account = turn.account(slots)
    turn.say("half.said")
    turn.desk.work(f"bill {account.customer_code} {slots.period.first:%m}" if slots.period else f"bill {account.label}")
    turn.say("bill.shown", code=account.label, period=slots.period, link=account.link_id)


@registry.handles("pay_bill")
def pay(turn: Turn[Counter], slots: Slots) -> None:
    turn.desk.work(f"pay {turn.account(slots).customer_code}")
    turn.say("order.done")


@registry.handles("usage_daily")
def usage(turn: Turn[Counter], slots: Slots) -> None:
    """Reads from the words how much is asked about."""
    about = slots.field or turn.text
    turn.request = slots.merged(Slots(field=about))
    account = turn.account(slots)
    turn.desk.work(f"usage {about} {account.customer_code} {slots.energy}")
    turn.say("order.done")


registry.belongs("energy", "usage_daily")


@registry.handles("usage_alert")
def alert(turn: Turn[Counter], slots: Slots) -> Command:
    """Says the request as a command."""
    return Command(name="alert.set", slots=slots.merged(Slots(value=turn.text)))


@registry.handles("alert.set")
def set_alert(turn: Turn[Counter], slots: Slots) -> None:
    turn.desk.work(f"alert {turn.account(slots).label} {slots.value}")
    turn.say("order.done")


@registry.handles("hotline")
def hotline(turn: Turn[Counter], _slots: Slots) -> None:
    turn.desk.work("hotline")
    turn.say("hotline.said")


@registry.handles("hazard_report")
def danger(turn: Turn[Counter], _slots: Slots) -> None:
    turn.desk.work("danger")
    turn.say("danger.said")


@registry.advises
def advise(turn: Turn[Counter], intent: str | None) -> Command | None:
    """Knows one question better than its intent, and one that was not understood."""
    known = {("hạn sao", "bill_lookup"): "hotline", ("số nào đấy", None): "hotline"}
    name = known.get((turn.text, intent))
    return Command(name=name) if name else None


def _plain(name: str) -> None:
    @registry.handles(name)
    def say(turn: Turn[Counter], _slots: Slots) -> None:
        turn.desk.work(name)
        turn.say("talk.help" if name == "help" else "talk.thank")


for _name in (
    "help",
    "thank",
    "greet",
    "affirm",
    "deny",
    "cancel",
    "human",
    "inform",
    "consent.give",
    "consent.refuse",
):
    _plain(_name)


class Book(ReplyBook):
    """Remembers which replies were rendered."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ZoneInfo("Asia/Ho_Chi_Minh"), load_company(DATA).model_dump())
        self.rendered: list[str] = []

    def render(self, key: str, **values: Any) -> tuple[str, list[RenderedButton]]:
        if not key.startswith(PARTS):
            self.rendered.append(key)
        return super().render(key, **values)


@dataclass
class Talk:
    engine: Engine[Counter]
    book: Book
    nlu: Nlu
    desk: Counter
    clock: StoppedClock
    conversation_id: int = 7
    accounts: tuple[Account, ...] = (FIRST,)
    consents: frozenset[str] = frozenset({"account"})
    state: DialogueState = field(default_factory=lambda: DialogueState(greeted=True))
    turns: list[Turn[Counter]] = field(default_factory=list)

    def says(self, text: str, intent: str | None = None, confidence: float = 0.95, **slots: Any) -> list[str]:
        """The customer writes `text`, which the NLU understands as told. Returns the keys of the replies."""
        ranking = slots.pop("ranking", ())
        if intent:
            self.nlu.teach(text, intent, confidence, ranking=ranking, **slots)
        return self.hears(text=text)

    def hears(
        self, kind: InboundKind = InboundKind.TEXT, *, text: str = "", payload: str | None = None, **more: Any
    ) -> list[str]:
        number = len(self.turns) + 1
        turn: Turn[Counter] = Turn(
            caller=Caller(1, self.conversation_id, ChannelName.ZALO, self.accounts, self.consents),
            inbound=Inbound(key=f"k{number}", name="n", kind=kind, at=self.clock(), text=text, payload=payload, **more),
            event_id=number,
            now=self.clock(),
            state=self.state,
            desk=self.desk,
            replies=self.book,
            signer=self.engine.signer,
        )
        self.book.rendered.clear()
        self.engine.respond(turn)
        self.state = DialogueState.model_validate(turn.state.model_dump(mode="json", exclude_defaults=True))
        self.turns.append(turn)
        return list(self.book.rendered)

    def taps(self, title: str) -> list[str]:
        """The newest button of that title."""
        return self.taps_payload(self.button(title).payload)

    def taps_payload(self, payload: str | None) -> list[str]:
        return self.hears(InboundKind.BUTTON, text="một nút", payload=payload)

    def button(self, title: str) -> Button:
        for turn in reversed(self.turns):
            for draft in reversed(turn.drafts):
                for button in draft.message.buttons:
                    if button.title == title:
                        return button
        raise AssertionError(f"no button {title!r} was shown")

    def payload(self, name: str, *, conversation: int | None = None, **slots: Any) -> str:
        command = Command(name=name, slots=Slots(**slots))
        return self.engine.signer.sign(conversation or self.conversation_id, command)

    @property
    def texts(self) -> list[str]:
        return [draft.message.text for draft in self.turns[-1].drafts]

    @property
    def titles(self) -> list[str]:
        return [button.title for draft in self.turns[-1].drafts for button in draft.message.buttons]


def write_book(folder: Path) -> Book:
    """The product's replies and those of this module's own registry."""
    for file in (DATA / "replies").glob("*.yml"):
        (folder / file.name).write_text(file.read_text("utf-8"), "utf-8")
    (folder / "own.yml").write_text(OWN_REPLIES, "utf-8")
    return Book(folder)


def open_talk(book: Book) -> Talk:
    nlu = Nlu()
    thresholds = Thresholds(act=0.6, suggest=0.3, lead=0.1)
    engine = Engine(registry, book, PayloadSigner("a secret"), nlu, thresholds)  # type: ignore[arg-type]
    return Talk(engine, book, nlu, Counter(), StoppedClock(datetime(2026, 11, 24, 3, tzinfo=UTC)))

"""Payments that went wrong (F4): what the system shows is said first; what that does not settle becomes a case."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from actions import photos
from actions.backends.errors import BackendError
from actions.backends.models import Case, Payment, RequestDetail
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.payment_answers import (
    LONGEST_ANSWER,
    SKIPPED,
    read_amount,
    read_channel,
    read_day,
    read_kind,
    read_link,
    read_told_code,
    read_wrong,
)
from actions.payment_receipts import MOST_PHOTOS, attach, read_photos
from actions.payment_records import records_of
from bot.dialogue.commands import Command, Slots
from bot.dialogue.forms import Abandon, Ask, Form, Invalid
from bot.dialogue.replies import day as shown_day
from bot.dialogue.replies import money
from bot.dialogue.turn import Account, NeedsAccountChoice
from bot.logs import get_logger

Kind = Literal["not_seen", "twice", "wrong_code", "refund", "part", "other"]

NOT_SEEN: Final = "not_seen"
ANYWAY, LINK_FIRST = "anyway", "link"
"""What a tap says: the case is wanted though the system shows nothing wrong; the code is to be linked first."""
LONGEST_NOTE: Final = 1_000
SHOWN_PAYMENTS: Final = 2
HOW = ("amount", "day", "channel")
"""How it was paid: asked for together, and singly for what the answer leaves out."""

log = get_logger(__name__)


@registry.form("payment_problem")
class PaymentProblem(Form):
    """Whose bill, what went wrong and, unless the system shows it, how it was paid; a case with its number.

    `told_code` and `wrong` are codes as the customer says them: nothing is looked up for them.
    """

    intents = frozenset({"payment_problem"})
    review = "payment_problem.review"

    filing: str
    anyway: bool = False
    note: str = ""
    found: tuple[str, ...] = ()
    link: Annotated[int | None, Ask("payment_problem.ask_account", read=read_link)]
    told_code: Annotated[
        str | None, Ask("payment_problem.ask_code", read=read_told_code, free_text=True, opening=False)
    ] = None
    kind: Annotated[Kind, Ask("payment_problem.ask_kind", read=read_kind)]
    wrong: Annotated[str | int | None, Ask("payment_problem.ask_wrong", read=read_wrong, opening=False)] = None
    amount: Annotated[int | None, Ask("payment_problem.ask_amount", read=read_amount)] = None
    day: Annotated[str | None, Ask("payment_problem.ask_day", read=read_day)] = None
    channel: Annotated[str | None, Ask("payment_problem.ask_channel", read=read_channel)] = None
    receipt: Annotated[list[str] | None, Ask("payment_problem.ask_receipt", read=read_photos)] = None

    @classmethod
    def applicable(cls, values: Mapping[str, Any]) -> list[str]:
        left_out = {
            "told_code": values.get("link", 0) is not None,
            "wrong": values.get("kind") != "wrong_code",
            **dict.fromkeys(HOW, bool(values.get("found"))),
        }
        return [name for name in cls.asks() if not left_out.get(name)]

    @classmethod
    def prefill(cls, turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        told = turn.text if turn.intent == "payment_problem" else ""
        values: dict[str, Any] = {
            "filing": turn.idempotency_key("payment-problem"),
            "anyway": slots.field == ANYWAY,
            "note": told[:LONGEST_NOTE],
        }
        kind = slots.value or (read_kind(turn) if told else None)
        paid = {"kind": kind, "amount": slots.money, "day": slots.date.isoformat() if slots.date else None}
        values |= {name: value for name, value in paid.items() if value is not None}
        if sent := turn.state.take_files():
            values["receipt"] = [file.url for file in sent][:MOST_PHOTOS]
        cls._whose(turn, slots, values)
        if "kind" in values:
            _say_what_the_system_shows(turn, values)
        return values

    @classmethod
    def _whose(cls, turn: DeskTurn, slots: Slots, values: dict[str, Any]) -> None:
        """The account in trouble, and the code that was said: of a payment by mistake it is where the money went."""
        accounts, code = turn.caller.accounts, slots.customer_code
        own = next((account.link_id for account in accounts if account.customer_code == code), None)
        by_mistake = values.get("kind") == "wrong_code"
        if code and by_mistake:
            values["wrong"] = own or code
            rest = [account.link_id for account in accounts if account.link_id != own]
            if len(rest) == 1:
                values["link"] = rest[0]
        elif code:
            values |= {"link": own} if own else {"link": None, "told_code": code}
        if "link" in values:
            return
        if not accounts and slots.field != LINK_FIRST:
            values["link"] = None
            return
        try:
            values["link"] = turn.account(Slots(link=slots.link)).link_id
        except NeedsAccountChoice:
            return

    @classmethod
    def ask(cls, turn: DeskTurn, field: str, values: Mapping[str, Any]) -> None:
        if field == "told_code":
            known = Slots(
                field=LINK_FIRST, value=values.get("kind"), money=values.get("amount"), date=values.get("day")
            )
            link = (turn.replies.render("payment_problem.link_first")[0], Command(name="payment_problem", slots=known))
            turn.offer("payment_problem.ask_code", [link])
            return
        together = field == HOW[0] and not any(name in values for name in HOW)
        options = [
            (title, Command(name="form.fill", slots=Slots(form="payment_problem", field=field, value=value)))
            for title, value in _options(turn, field, values)
        ]
        turn.offer("payment_problem.ask_how" if together else cls.asks()[field].reply, options)

    @classmethod
    def filled(cls, turn: DeskTurn, field: str, values: dict[str, Any]) -> None:
        value = values[field]
        if value in (SKIPPED, None) and field in {"link", "told_code", "kind"}:
            raise Invalid("service.is_needed")
        values[field] = None if value == SKIPPED else value
        match field:
            case "link":
                values["link"] = turn.account(Slots(link=int(value))).link_id
            case "wrong" if values["wrong"]:
                values["wrong"] = _where_it_went(turn, values["wrong"])
            case "told_code":
                values["told_code"] = " ".join(str(value).split())[:LONGEST_ANSWER]
        if field in {"kind", "wrong"}:
            values["note"] = _with_words(turn, values)
        if field in {"kind", *HOW}:
            _read_the_rest(cls, turn, values)
        if field in {"link", "kind", "wrong"} and values.get("kind"):
            _say_what_the_system_shows(turn, values)

    @classmethod
    def show(cls, turn: DeskTurn, name: str, values: Mapping[str, Any]) -> None:
        turn.say("payment_problem.review", form=name, answers=_answers(cls, turn, values))

    def submit(self, turn: DeskTurn) -> None:
        account = turn.account(Slots(link=self.link)) if self.link is not None else None
        answers = _answers(type(self), turn, self.model_dump(mode="json"))
        text, _ = turn.replies.render("case.payment_problem", answers=answers, verified=account is not None)
        case = Case(
            kind="payment_problem",
            customer_code=account.customer_code if account else None,
            text=text,
            amount=self.amount,
        )
        ticket = turn.desk.service.open_case(case, idempotency_key=f"{self.filing}-{_fingerprint(case)}")
        receipts = self.receipt or []
        lost = bool(receipts) and not attach(turn, ticket.code, receipts)
        turn.say(
            "payment_problem.filed",
            ticket=ticket,
            request_code=ticket.code,
            kept=0 if lost else len(receipts),
            lost=len(receipts) if lost else 0,
        )
        photos.attach(turn, ticket)


def _say_what_the_system_shows(turn: DeskTurn, values: dict[str, Any]) -> None:
    """What is owed and was received, before anything is asked; the form ends where that answers it (Abandon).

    Payments that the system shows need not be told again. A system that is away stops nobody from telling.
    """
    link, kind = values.get("link"), values.get("kind")
    if link is None:
        return
    account = turn.account(Slots(link=link))
    values["found"] = []
    try:
        if kind == "wrong_code":
            _look_where_it_went(turn, values)
            return
        records = records_of(turn, account)
    except BackendError as error:
        log.warning("payments_not_looked_up", error=type(error).__name__)
        turn.say("payment_problem.not_looked_up")
        return
    shown: dict[str, Any] = {"records": records, "account": account, "payments": records.payments[:SHOWN_PAYMENTS]}
    settled = {"not_seen": not records.debt.total, "part": bool(records.partly_paid)}.get(str(kind), False)
    if settled and not values["anyway"]:
        raise Abandon(
            "payment_problem.settled" if kind == NOT_SEEN else "payment_problem.partly",
            link=link,
            field=ANYWAY,
            value=kind,
            **shown,
        )
    turn.say("payment_problem.shown", **shown)
    if kind in {"twice", "refund"}:
        _keep_found(turn, values, records.for_overpaid())


def _look_where_it_went(turn: DeskTurn, values: dict[str, Any]) -> None:
    """Payments of the customer's own other account, once that is named; of a stranger's code nothing is asked."""
    if not isinstance(values.get("wrong"), int):
        return
    account = turn.account(Slots(link=values["wrong"]))
    records = records_of(turn, account)
    payments = records.just_paid(turn.now)[:SHOWN_PAYMENTS]
    turn.say("payment_problem.went_there", account=account, payments=payments, as_of=records.as_of)
    if len(payments) == 1:
        _keep_found(turn, values, payments)


def _keep_found(turn: DeskTurn, values: dict[str, Any], payments: list[Payment]) -> None:
    """Payments that the system shows need no telling and no photo; one that is sent is taken all the same."""
    values["found"] = [turn.replies.render("payment_problem.payment", payment=payment)[0] for payment in payments]
    if payments:
        values.setdefault("receipt", None)


def _where_it_went(turn: DeskTurn, told: Any) -> int | str:
    """An account of this chat, or the customer's own words for somebody else's code."""
    mine: dict[str, Account] = {}
    for account in turn.caller.accounts:
        mine |= {str(account.link_id): account, account.customer_code: account}
    said = " ".join(str(told).split())
    return mine[said].link_id if said in mine else said[:LONGEST_ANSWER]


def _read_the_rest(form: type[Form], turn: DeskTurn, values: dict[str, Any]) -> None:
    """One answer may hold all of how it was paid: "250 nghìn, hôm qua, qua MoMo"."""
    for name in HOW:
        if name not in values and (told := form.asks()[name].read(turn)) is not None:
            values[name] = told or None


def _with_words(turn: DeskTurn, values: Mapping[str, Any]) -> str:
    """The customer's own words go with the case."""
    note = str(values.get("note", ""))
    told = turn.text if turn.understanding and turn.text not in note else ""
    return "; ".join(filter(None, (note, told)))[:LONGEST_NOTE]


def _options(turn: DeskTurn, field: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Titles and values of what may be tapped as the answer."""
    accounts = [(account.label, str(account.link_id)) for account in turn.caller.accounts]
    unknown = (turn.replies.render("payment_problem.unknown")[0], SKIPPED)
    match field:
        case "link":
            return accounts
        case "wrong":
            return [*((title, link) for title, link in accounts if link != str(values["link"])), unknown]
        case "receipt":
            return [(turn.replies.render("payment_problem.no_photo")[0], SKIPPED)]
        case "kind":
            return []
    return [unknown]


def _answers(form: type[Form], turn: DeskTurn, values: Mapping[str, Any]) -> list[RequestDetail]:
    """All that was told, and what the system shows of it, as customer and clerk read it."""
    shown: dict[str, str | None] = {
        "link": turn.account(Slots(link=values["link"])).label if values["link"] is not None else None,
        "told_code": values.get("told_code"),
        "kind": turn.replies.render("payment_problem.kind", trouble=values["kind"])[0],
        "wrong": _code_shown(turn, values.get("wrong")),
        "amount": money(values["amount"]) if values.get("amount") else None,
        "day": _day_shown(date.fromisoformat(values["day"])) if values.get("day") else None,
        "channel": values.get("channel"),
        "receipt": turn.replies.render("service.papers_shown", count=len(values["receipt"]))[0]
        if values.get("receipt")
        else None,
    }
    asked = form.applicable(values)
    labelled = [(form.title_of(turn.replies, name), text) for name, text in shown.items() if text and name in asked]
    found = turn.replies.render("payment_problem.found_label")[0]
    labelled += [(found, payment) for payment in values.get("found") or ()]
    if values.get("note"):
        labelled.append((turn.replies.render("payment_problem.words_label")[0], values["note"]))
    return [RequestDetail(label=label, value=text) for label, text in labelled]


def _code_shown(turn: DeskTurn, wrong: int | str | None) -> str | None:
    return turn.account(Slots(link=wrong)).customer_code if isinstance(wrong, int) else wrong


def _day_shown(paid: date) -> str:
    return f"{shown_day(paid)}/{paid.year}"


def _fingerprint(case: Case) -> str:
    return hashlib.sha256(case.model_dump_json().encode()).hexdigest()[:16]

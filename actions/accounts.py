"""Which customer codes a chat may ask about (F1): linking by one-time password or by a code from staff, listing,
choosing, naming, unlinking."""

import re
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Literal

from sqlalchemy.orm import Session

from actions.answers import option_meant
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.privacy import give_consent
from bot.dialogue import filling
from bot.dialogue.commands import Command, Slots
from bot.dialogue.forms import Abandon, Ask, Form, Invalid
from bot.dialogue.turn import Account, Turn
from bot.messages import InboundKind
from bot.store import conversations
from bot.store.conversations import ACCOUNT_PURPOSE
from bot.store.link_codes import NoSuchCode, TooManyGuesses, find_code, is_mistyped
from bot.store.otp import DIGITS, TooManySends, TooSoon, Verdict
from bot.text import fold

LONGEST_NAME = 20
"""Letters of a nickname; buttons show no more."""
CARRY_REFERRALS = frozenset({InboundKind.OPENED, InboundKind.BUTTON, InboundKind.FOLLOW})
MEANT_AS_CODE = re.compile(r"[A-Za-z]{0,4}\d{5,}|[Pp][A-Za-z]?\d{2}[A-Za-z0-9]{3,}")


def _read_consent(turn: Turn[Any]) -> str | None:
    return {"affirm": "yes", "deny": "no"}.get(turn.intent) if turn.asks_for("consent") else None


def _read_code(turn: Turn[Any]) -> str | None:
    """The code the NLU found; a text that seems to be one but is not gets explained."""
    if turn.slots.customer_code:
        return turn.slots.customer_code
    bare = re.sub(r"[\s.\-]", "", turn.text)
    if MEANT_AS_CODE.fullmatch(bare):
        raise Invalid("link.code_format")
    return None


def _read_password(turn: Turn[Any]) -> str | None:
    """The digits of the one-time password, however spaced; another count of digits is explained."""
    digits = re.sub(r"\D", "", turn.text)
    letters = re.sub(r"[\W\d_]", "", turn.text)
    if len(digits) == DIGITS and len(letters) <= 20:
        return digits
    if digits and not letters:
        raise Invalid("link.otp_format")
    return None


@registry.form("link_account")
class LinkAccount(Form):
    """Consent, the customer code, and the one-time password sent to the phone on its contract.

    Nothing here tells whether a code exists: the answers are the same (electricity.md §8.2).
    """

    intents = frozenset({"link_account", "list_accounts"})

    consent: Annotated[Literal["yes"], Ask("link.ask_consent", read=_read_consent)]
    customer_code: Annotated[str, Ask("link.ask_code", read=_read_code)]
    password: Annotated[str, Ask("link.ask_otp", read=_read_password, secret=True)]

    @classmethod
    def prefill(cls, turn: DeskTurn, _slots: Slots) -> dict[str, Any]:
        return {"consent": "yes"} if ACCOUNT_PURPOSE in turn.caller.consents else {}

    @classmethod
    def filled(cls, turn: DeskTurn, field: str, values: dict[str, Any]) -> None:
        match field:
            case "consent":
                if values["consent"] != "yes":
                    turn.state.pending = None
                    raise Abandon("link.no_consent")
                give_consent(turn)
            case "customer_code":
                values.pop("password", None)
                _check_code(turn, values["customer_code"])
            case "password":
                _check_password(turn, values["customer_code"], values["password"])
        if values.get("consent") == "yes" and "customer_code" in values and field in {"consent", "customer_code"}:
            with suppress(TooSoon):  # the password of a moment ago still holds
                send_password(turn, values["customer_code"])

    def submit(self, turn: DeskTurn) -> None:
        with turn.desk.database.begin() as session:
            link = conversations.add_link(
                session,
                contact_id=turn.caller.contact_id,
                customer_code=self.customer_code,
                method="otp",
                at=turn.now,
            )
        account = Account(link.id, link.customer_code, link.nickname)
        _greet(turn, account)


@registry.recognises
def link_code_given(turn: DeskTurn) -> Command | None:
    """A code from staff: typed, or carried by the link of a QR (messenger.md §8; on Zalo it is always typed)."""
    told = turn.inbound.referral if turn.inbound.kind in CARRY_REFERRALS else None
    if turn.inbound.kind is InboundKind.TEXT:
        told = turn.text
    code = find_code(told or "")
    if code:
        return Command(name="link.code", slots=Slots(value=turn.desk.link_codes.seal(code)))
    mistyped = told and is_mistyped(told) and not turn.desk.company.looks_like_our_code(told)
    return Command(name="link.code_mistyped") if mistyped else None


@registry.form("link.code")
class LinkByCode(Form):
    """Consent, and the link that the code gives. Whether it is wrong, used or old is not told."""

    consent: Annotated[Literal["yes"], Ask("link.ask_consent", read=_read_consent)]
    seal: str

    @classmethod
    def prefill(cls, turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        turn.secret = True
        agreed = {"consent": "yes"} if ACCOUNT_PURPOSE in turn.caller.consents else {}
        return {"seal": slots.value or "", **agreed}

    @classmethod
    def filled(cls, turn: DeskTurn, _field: str, values: dict[str, Any]) -> None:
        if values["consent"] != "yes":
            turn.state.pending = None
            raise Abandon("link.no_consent")
        give_consent(turn)

    def submit(self, turn: DeskTurn) -> None:
        desk = turn.desk
        try:
            link = desk.link_codes.redeem(
                desk.database,
                seal=self.seal,
                contact_id=turn.caller.contact_id,
                event_id=turn.event_id,
                now=turn.now,
                limit=desk.company.link_codes.limit(),
            )
        except NoSuchCode:
            turn.say("link.staff_code_wrong")
            return
        except TooManyGuesses:
            turn.say("link.staff_code_too_many")
            return
        account = Account(link.id, link.customer_code, link.nickname)
        turn.state.paused = [form for form in turn.state.paused if form.name != "link_account"]
        _greet(turn, account)


@registry.handles("link.code_mistyped")
def link_code_mistyped(turn: DeskTurn, _slots: Slots) -> None:
    turn.secret = True
    turn.say("link.staff_code_mistyped")


def _greet(turn: DeskTurn, account: Account) -> None:
    """Say that the account is linked, have the request that waits be about it, and offer a name for a second one."""
    turn.verified(account)
    turn.state.default_link = account.link_id
    waiting = turn.state.pending
    if waiting:
        turn.state.pending = waiting.with_slots(link=account.link_id)
    several = len(turn.caller.accounts) > 1
    turn.say("link.done", account=account, link=account.link_id, first=waiting is None, several=several)
    if several and account.nickname is None and waiting is None:
        _offer_names(turn, account)


@registry.handles("link.resend")
def resend_password(turn: DeskTurn, _slots: Slots) -> None:
    form = turn.state.form
    if form is None or form.name != "link_account" or "customer_code" not in form.values:
        turn.say("button.stale")
        return
    try:
        send_password(turn, form.values["customer_code"])
    except TooSoon as pause:
        turn.say("link.resend_pause", seconds=pause.seconds)
    except Abandon as abandon:
        turn.state.form = None
        turn.say(abandon.reply, **abandon.values)
    else:
        turn.say("link.resent")


@registry.handles("link.change_code")
def change_code(turn: DeskTurn, _slots: Slots) -> None:
    """Ask for the customer code again."""
    if turn.state.form is None or turn.state.form.name != "link_account":
        turn.say("button.stale")
        return
    turn.state.form.values.pop("password", None)
    filling.edit(registry, turn, Slots(field="customer_code"))


@registry.handles("list_accounts")
def list_accounts(turn: DeskTurn, _slots: Slots) -> None:
    accounts = turn.caller.accounts
    if not accounts:
        turn.say("account.none")
        return
    several = len(accounts) > 1
    choices = [(a.label, Command(name="account.use", slots=Slots(link=a.link_id))) for a in accounts]
    default = turn.state.default_link if several else None
    turn.offer("account.list", choices if several else [], accounts=accounts, default=default, several=several)


@registry.handles("account.use")
def use_account(turn: DeskTurn, slots: Slots) -> None:
    """Ask about this account from now on, unless another is named."""
    account = turn.account(slots)
    turn.state.default_link = account.link_id
    if topic := turn.state.topic:
        turn.state.topic = topic.about(link=account.link_id)
    turn.say("account.chosen", account=account, link=account.link_id)


@registry.handles("unlink_account")
def unlink_account(turn: DeskTurn, slots: Slots) -> None:
    """Asks first; with several codes and none named, which one, or all of them."""
    accounts = turn.caller.accounts
    if not accounts:
        turn.say("account.none")
        return
    if len(accounts) > 1 and option_meant(turn.desk.answers, "account.unlink", turn.text) == "all":
        ask_to_unlink_all(turn, slots)
        return
    if len(accounts) > 1 and slots.without_account() == slots and not turn.named_account():
        choices = [(a.label, Command(name="unlink_account", slots=Slots(link=a.link_id))) for a in accounts]
        turn.offer("account.which_to_unlink", choices)
        return
    account = turn.account(slots)
    turn.say("account.confirm_unlink", account=account, link=account.link_id)
    turn.ask_yes_no(yes=Command(name="account.unlink", slots=Slots(link=account.link_id)), no=Command(name="cancel"))


@registry.handles("account.unlink")
def unlink(turn: DeskTurn, slots: Slots) -> None:
    account = turn.account(slots)
    end_links(turn, account)
    turn.say("account.unlinked", account=account, accounts=turn.caller.accounts)


@registry.handles("account.ask_unlink_all")
def ask_to_unlink_all(turn: DeskTurn, _slots: Slots) -> None:
    turn.say("account.confirm_unlink_all", accounts=turn.caller.accounts)
    turn.ask_yes_no(yes=Command(name="account.unlink_all"), no=Command(name="cancel"))


@registry.handles("account.unlink_all")
def unlink_all(turn: DeskTurn, _slots: Slots) -> None:
    if not turn.caller.accounts:
        turn.say("account.none")
        return
    end_links(turn, *turn.caller.accounts)
    turn.say("account.unlinked_all")


@registry.handles("find_customer_code")
def find_customer_code(turn: DeskTurn, _slots: Slots) -> None:
    turn.say("account.where_is_the_code")


@registry.recognises
def naming_asked(turn: DeskTurn) -> Command | None:
    """ "Đặt tên mã này là nhà mẹ", "bỏ tên nhà mẹ": said of linked codes, and of nothing else."""
    if turn.inbound.kind is not InboundKind.TEXT or not turn.caller.accounts:
        return None
    words = turn.desk.answers["account.naming"]
    text = " ".join(turn.text.split())
    said = fold(text)
    start, about, link, drop = ("|".join(words[name]) for name in ("start", "about", "link", "drop"))
    if re.fullmatch(rf".*\b(?:{drop})\b.*", said) and (turn.named_account() or re.search(rf"\b(?:{about})\b", said)):
        return Command(name="account.unname", slots=_link_named(turn, said))
    found = re.search(rf"\b(?:{start}) (?P<which>(?:cho |cua )?(?:{about})\b.*?)(?: (?:{link}) (?P<name>.+))?$", said)
    if found is None:
        return None
    slots = _link_named(turn, found["which"])
    if found["name"] is None or len(said) != len(text):
        return Command(name="account.rename", slots=slots)
    return Command(name="account.name", slots=slots.merged(Slots(value=text[found.start("name") :])))


@registry.handles("account.name")
def name_account(turn: DeskTurn, slots: Slots) -> None:
    """Call an account by the name in `value`; a name that cannot be one is explained and asked for again."""
    account = turn.account(slots)
    try:
        _give_name(turn, account, _checked_name(turn, slots.value or "", account.link_id))
    except Invalid as invalid:
        turn.say(invalid.reply, **invalid.values)
        filling.start(registry, turn, Rename, slots=Slots(link=account.link_id, value=slots.value))


@registry.form("account.rename")
class Rename(Form):
    """Asks what the customer calls one of the accounts."""

    link: int
    nickname: Annotated[str, Ask("account.ask_name", read=lambda _turn: None, free_text=True)]

    @classmethod
    def prefill(cls, turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        return {"link": turn.account(slots).link_id}

    @classmethod
    def filled(cls, turn: DeskTurn, _field: str, values: dict[str, Any]) -> None:
        values["nickname"] = _checked_name(turn, values["nickname"], values["link"])

    def submit(self, turn: DeskTurn) -> None:
        account = turn.account(Slots(link=self.link))
        _give_name(turn, account, self.nickname)


@registry.handles("account.unname")
def drop_name(turn: DeskTurn, slots: Slots) -> None:
    account = turn.account(slots)
    _set_name(turn, account, None)
    turn.say("account.unnamed", account=account)


def end_links(turn: DeskTurn, *accounts: Account) -> None:
    """End these links, in the store and in what the dialogue remembers; other people's of the same codes stay."""
    contact_id, at, state = turn.caller.contact_id, turn.now, turn.state
    ended = {account.link_id for account in accounts}

    def end(session: Session) -> None:
        for link_id in sorted(ended):
            conversations.end_link(session, contact_id=contact_id, link_id=link_id, at=at)

    turn.change(end)
    left = tuple(known for known in turn.caller.accounts if known.link_id not in ended)
    turn.caller = replace(turn.caller, accounts=left)
    if state.default_link in ended:
        state.default_link = None
    if state.topic and state.topic.command.slots.link in ended:
        state.topic = None
    state.paused = [form for form in state.paused if not ended & {form.values.get("link"), form.values.get("wrong")}]


def _offer_names(turn: DeskTurn, account: Account) -> None:
    taken = {fold(known.nickname) for known in turn.caller.accounts if known.nickname}
    names = [name for name in turn.desk.company.nicknames if fold(name) not in taken]
    options = [(name, Command(name="account.name", slots=Slots(link=account.link_id, value=name))) for name in names]
    turn.offer("account.offer_name", options, account=account, link=account.link_id)


def _checked_name(turn: DeskTurn, told: str, link_id: int) -> str:
    """The name in what was told. Raises Invalid."""
    name = " ".join(told.strip(" .,!?\"'“”‘’()").split())
    said = fold(name)
    reserved = turn.desk.answers["account.naming"]["reserved"]
    others = {fold(a.nickname) for a in turn.caller.accounts if a.nickname and a.link_id != link_id}
    if not 2 <= len(name) <= LONGEST_NAME or said in reserved or re.search(r"\d{4,}", name) or not said[0].isalpha():
        raise Invalid("account.bad_name")
    if said in others:
        raise Invalid("account.name_taken", name=name)
    return name


def _give_name(turn: DeskTurn, account: Account, name: str) -> None:
    _set_name(turn, account, name)
    turn.say("account.named", account=account, name=name, link=account.link_id)


def _set_name(turn: DeskTurn, account: Account, name: str | None) -> None:
    contact_id, link_id = turn.caller.contact_id, account.link_id
    turn.change(lambda session: conversations.name_link(session, contact_id=contact_id, link_id=link_id, nickname=name))
    renamed = [replace(a, nickname=name) if a.link_id == link_id else a for a in turn.caller.accounts]
    turn.caller = replace(turn.caller, accounts=tuple(renamed))


def _link_named(turn: DeskTurn, said: str) -> Slots:
    """The linked account that a part of the message names, by its code or its name; else the one in use."""
    bare = re.sub(r"[\s.\-]", "", said).upper()
    accounts = turn.caller.accounts
    named = [a for a in accounts if a.customer_code in bare or (a.nickname and f" {fold(a.nickname)}" in f" {said}")]
    if len(named) == 1:
        return Slots(link=named[0].link_id)
    return Slots(link=turn.state.default_link) if turn.state.default_link and not named else Slots()


def send_password(turn: DeskTurn, customer_code: str) -> None:
    """Have a new one-time password sent to the phone on the contract.

    Raises Abandon when a limit is reached, TooSoon while the last one was just sent.
    """
    desk = turn.desk
    try:
        password = desk.otp.issue(
            contact_id=turn.caller.contact_id,
            customer_code=customer_code,
            phone_ref=desk.service.phone_ref(customer_code),
            event_id=turn.event_id,
            now=turn.now,
        )
    except TooManySends:
        raise Abandon("link.too_many_sends") from None
    text, _buttons = turn.replies.render("sms.otp", password=password)
    desk.service.send_sms(customer_code, text, idempotency_key=turn.idempotency_key("otp"))


def _check_code(turn: DeskTurn, code: str) -> None:
    company = turn.desk.company
    if any(account.customer_code == code for account in turn.caller.accounts):
        raise Abandon("link.already", customer_code=code)
    if company.is_our_code(code):
        return
    if other := company.other_company(code):
        raise Invalid("link.other_company", other=other, prefix=code[:4])
    raise Invalid("link.code_format")


def _check_password(turn: DeskTurn, customer_code: str, password: str) -> None:
    desk, contact = turn.desk, turn.caller.contact_id
    verdict = desk.otp.check(
        contact_id=contact, customer_code=customer_code, password=password, event_id=turn.event_id, now=turn.now
    )
    match verdict:
        case Verdict.WRONG:
            raise Invalid("link.otp_wrong", left=desk.otp.guesses_left(contact))
        case Verdict.EXPIRED:
            raise Invalid("link.otp_expired")
        case Verdict.TOO_MANY:
            turn.state.pending = None
            raise Abandon("link.otp_too_many")

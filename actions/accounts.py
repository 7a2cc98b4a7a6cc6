"""Which customer codes a chat may ask about (F1): linking by one-time password, listing, choosing, unlinking."""

import re
from typing import Annotated, Any, Literal

from actions.desk import DeskTurn
from actions.handlers import registry
from actions.privacy import ACCOUNT_PURPOSE, give_consent
from bot.dialogue import filling
from bot.dialogue.commands import Command, Slots
from bot.dialogue.forms import Abandon, Ask, Form, Invalid
from bot.dialogue.turn import Account, Turn
from bot.store import conversations
from bot.store.otp import DIGITS, TooManySends, Verdict

OURS = re.compile(r"PA\d{2}[A-Z0-9]{2}[0-9]{7}")
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
        turn.verified(account)
        turn.state.default_link = account.link_id
        turn.say("link.done", account=account, link=account.link_id, first=turn.state.pending is None)


@registry.handles("link.resend")
def resend_password(turn: DeskTurn, _slots: Slots) -> None:
    form = turn.state.form
    if form is None or form.name != "link_account" or "customer_code" not in form.values:
        turn.say("button.stale")
        return
    try:
        send_password(turn, form.values["customer_code"])
    except Abandon as abandon:
        turn.state.form = None
        turn.say(abandon.reply, **abandon.values)
        return
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
    choices = [(a.label, Command(name="account.use", slots=Slots(link=a.link_id))) for a in accounts]
    default = turn.state.default_link if len(accounts) > 1 else None
    turn.offer("account.list", choices if len(accounts) > 1 else [], accounts=accounts, default=default)


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
    if not turn.caller.accounts:
        turn.say("account.none")
        return
    account = turn.account(slots)
    turn.say("account.confirm_unlink", account=account, link=account.link_id)
    turn.ask_yes_no(yes=Command(name="account.unlink", slots=Slots(link=account.link_id)), no=Command(name="cancel"))


@registry.handles("account.unlink")
def unlink(turn: DeskTurn, slots: Slots) -> None:
    account = turn.account(slots)
    contact_id, at = turn.caller.contact_id, turn.now
    turn.change(lambda session: conversations.end_link(session, contact_id=contact_id, link_id=account.link_id, at=at))
    if turn.state.default_link == account.link_id:
        turn.state.default_link = None
    turn.say("account.unlinked", account=account)


@registry.handles("find_customer_code")
def find_customer_code(turn: DeskTurn, _slots: Slots) -> None:
    turn.say("account.where_is_the_code")


def send_password(turn: DeskTurn, customer_code: str) -> None:
    """Have a new one-time password sent to the phone on the contract. Raises Abandon when a limit is reached."""
    desk = turn.desk
    try:
        password = desk.otp.issue(
            contact_id=turn.caller.contact_id, customer_code=customer_code, event_id=turn.event_id, now=turn.now
        )
    except TooManySends:
        raise Abandon("link.too_many_sends") from None
    text, _buttons = turn.replies.render("sms.otp", password=password)
    desk.service.send_sms(customer_code, text, idempotency_key=turn.idempotency_key("otp"))


def _check_code(turn: DeskTurn, code: str) -> None:
    company = turn.desk.company
    if any(account.customer_code == code for account in turn.caller.accounts):
        raise Abandon("link.already", customer_code=code)
    if code.startswith(company.code_prefixes) and OURS.fullmatch(code):
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

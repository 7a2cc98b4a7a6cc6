"""One turn of a conversation: who speaks, what was said, and what is to be answered and changed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from bot.dialogue.commands import Command, PayloadSigner, Slots
from bot.dialogue.replies import RenderedButton, ReplyBook
from bot.dialogue.state import Choice, DialogueState
from bot.dialogue.understanding import Understanding
from bot.messages import Button, ChannelName, Inbound, OutMessage
from bot.store.models import Owner
from bot.text import fold

D = TypeVar("D")
"""What handlers work with: clients, limits, company data. The engine only passes it on."""

MAX_CHOICES = 20
_WORD = re.compile(r"\w+")
THE_OTHER = re.compile(r"\b(?:nha|ma|tai khoan|ho|cai|hop dong) (?:kia|con lai)\b")
"""Without tone marks: "nhà kia", "mã còn lại"."""


@dataclass(frozen=True)
class Account:
    """A customer code that this contact is verified for. The only way to one is `Turn.account`."""

    link_id: int
    customer_code: str
    nickname: str | None

    @property
    def label(self) -> str:
        return self.nickname or self.customer_code


@dataclass(frozen=True)
class Caller:
    """The contact as stored when the turn began."""

    contact_id: int
    conversation_id: int
    channel: ChannelName
    accounts: tuple[Account, ...]
    consents: frozenset[str]
    owner: Owner = Owner.BOT


class NeedsLink(Exception):
    """The request is about an account and none is linked, or not the one that was named."""

    def __init__(self, customer_code: str | None = None) -> None:
        self.customer_code = customer_code


class NeedsAccountChoice(Exception):
    """Several accounts are linked and the request does not say which."""


class AccountGone(Exception):
    """A button names a link that is not (or no longer) this contact's."""


@dataclass
class Draft:
    """An outgoing message, and the picture that goes with it before it has a row."""

    message: OutMessage
    picture: bytes | None = None


Change = Callable[[Session], None]


@dataclass
class Turn(Generic[D]):
    """Handed to handlers and forms. They read, call backends through `desk`, `say` replies and `change` the store.

    `to_person`: a person is to answer next, so nothing else is offered. `secret`: the message holds a secret and its
    text is not kept. `has_verified`: an account was verified in this turn (perhaps in a run of it that was lost).
    `asks_which`: the answer depends on the account, which is asked for.
    `tapped`: the title of the button, or what it does if that is no longer known.
    `about`: the link of the account that was asked for last.
    `told`: what we wrote to the customer of since their last message.
    `request`: what is asked; a handler may add what it has read from the words, so that it holds when asked again.
    """

    caller: Caller
    inbound: Inbound
    event_id: int
    now: datetime
    state: DialogueState
    desk: D
    replies: ReplyBook
    signer: PayloadSigner
    understanding: Understanding | None = None
    drafts: list[Draft] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    handled_by: list[str] = field(default_factory=list)
    to_person: bool = False
    secret: bool = False
    has_verified: bool = False
    asks_which: bool = False
    tapped: str | None = None
    about: int | None = None
    told: Command | None = None
    request: Slots = field(default_factory=Slots)

    def say(self, key: str, *, picture: bytes | None = None, **values: Any) -> None:
        """Answer with a reply of data/replies, its buttons signed for this conversation."""
        text, buttons = self.replies.render(key, **values)
        self.drafts.append(Draft(OutMessage(text=text, buttons=self._offer(buttons)), picture))

    def offer(self, key: str, options: Sequence[tuple[str, Command]], **values: Any) -> None:
        """Answer with a reply and one button per option before the reply's own."""
        text, buttons = self.replies.render(key, **values)
        offered = [
            RenderedButton(title=title[:100], run=command.name, slots=command.slots.model_dump(exclude_none=True))
            for title, command in options
        ]
        self.drafts.append(Draft(OutMessage(text=text, buttons=self._offer([*offered, *buttons]))))

    def ask_yes_no(self, *, yes: Command, no: Command) -> None:
        """What "vâng" and "không" will mean in the next message."""
        self.state.on_yes, self.state.on_no = yes, no

    def change(self, change: Change) -> None:
        """Have `change` run in the transaction that commits this turn."""
        self.changes.append(change)

    def idempotency_key(self, purpose: str) -> str:
        """The same in every replay of this turn: an unsafe backend call is done once."""
        return f"event-{self.event_id}-{purpose}"

    @property
    def text(self) -> str:
        return self.inbound.text

    @property
    def slots(self) -> Slots:
        """What was said, or what the tapped button carries."""
        return self.understanding.slots if self.understanding else self.request

    @property
    def intent(self) -> str:
        """What the message means; empty when nothing was written."""
        return self.understanding.intent if self.understanding else ""

    def asks_for(self, field: str) -> bool:
        """Is this the question of the running form?"""
        return self.state.form is not None and self.state.form.asking == field

    def account(self, slots: Slots) -> Account:
        """The verified account that the request is about.

        Raises NeedsLink, NeedsAccountChoice or AccountGone, which the engine turns into the right question.
        """
        meant = self._meant(slots)
        self.about = meant.link_id
        return meant

    def named_account(self) -> Account | None:
        """The account that the message names in the customer's own way: by its nickname, or as the other one of two."""
        said = f" {' '.join(_WORD.findall(fold(self.text)))} "
        named = {a.link_id: f" {fold(a.nickname)} " for a in self.caller.accounts if a.nickname}
        found = [a for a in self.caller.accounts if named.get(a.link_id, "\0") in said]
        longest = [a for a in found if not any(named[a.link_id] in named[o.link_id] for o in found if o is not a)]
        if len(longest) == 1:
            return longest[0]
        return self._the_other() if not found and THE_OTHER.search(said) else None

    def _meant(self, slots: Slots) -> Account:
        accounts = self.caller.accounts
        if slots.link is not None:
            named = next((account for account in accounts if account.link_id == slots.link), None)
            if named is None:
                raise AccountGone
            return named
        if slots.customer_code:
            named = next((account for account in accounts if account.customer_code == slots.customer_code), None)
            if named is None:
                raise NeedsLink(slots.customer_code)
            return named
        if not accounts:
            raise NeedsLink
        if called := self.named_account():
            return called
        if len(accounts) == 1:
            return accounts[0]
        default = next((a for a in accounts if a.link_id == self.state.default_link), None)
        if default is None:
            raise NeedsAccountChoice
        return default

    def _the_other(self) -> Account | None:
        topic = self.state.topic
        current = (topic.command.slots.link if topic else None) or self.state.default_link
        others = [a for a in self.caller.accounts if a.link_id != current]
        return others[0] if current is not None and len(others) == 1 else None

    def verified(self, account: Account) -> None:
        """Count `account` among the caller's from now on (its link is stored)."""
        others = tuple(known for known in self.caller.accounts if known.link_id != account.link_id)
        self.caller = replace(self.caller, accounts=(*others, account))
        self.has_verified = True

    def _offer(self, buttons: Sequence[RenderedButton]) -> tuple[Button, ...]:
        offered, choices = [], []
        for button in buttons:
            command = self._command(button)
            if command:
                choices.append(Choice(title=button.title, command=command))
            offered.append(button.offered(command, self.signer, self.caller.conversation_id))
        self.state.choices = [*choices, *self.state.choices][:MAX_CHOICES]
        return tuple(offered)

    def _command(self, button: RenderedButton) -> Command | None:
        if button.run is not None:
            return Command(name=button.run, slots=Slots.model_validate(button.slots))
        form = self.state.form
        if button.fill is not None and form and form.asking:
            return Command(name="form.fill", slots=Slots(form=form.name, field=form.asking, value=button.fill))
        return None

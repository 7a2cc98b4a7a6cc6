# ruff: noqa: ARG002 (hooks: each kind of field uses what it needs)
"""The kinds of fields that a service's form may have: how each is read, checked and shown (data/services.yml).

A value is in JSON terms. `SKIPPED` is what a customer says who leaves an optional field out; it is kept as None.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from actions.answers import option_meant
from actions.backends.models import ServiceKind
from actions.desk import DeskTurn
from actions.where import titles
from bot.dialogue.commands import Slots
from bot.dialogue.filling import WORDS_OF_A_BARE_ANSWER
from bot.dialogue.forms import Invalid
from bot.dialogue.replies import day, number
from bot.dialogue.turn import AccountGone, NeedsAccountChoice, NeedsLink
from bot.messages import InboundKind
from bot.text import fold

SKIPPED = ""
MOST_PAPERS = 6
FURTHEST_DAY = timedelta(days=366)
BUTTON_LETTERS = 20
OTHER_ACCOUNT = "other"

Option = tuple[str, str]
"""Title and value."""
ButtonTitle = Annotated[str, StringConstraints(min_length=1, max_length=BUTTON_LETTERS)]


class Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldData(Data):
    """What all kinds have. `when`: asked only if these fields have one of these values.

    `free_text`: whatever is written is the value. `opening`: may be read from the request that opens the form.
    """

    label: str
    ask: str
    optional: bool = False
    when: Mapping[str, tuple[str | None, ...]] = {}

    value_type: ClassVar[Any] = str
    free_text: ClassVar[bool] = False
    opening: ClassVar[bool] = True
    picks_by_number: ClassVar[bool] = True

    def applies(self, values: Mapping[str, Any]) -> bool:
        return all(values.get(name) in wanted for name, wanted in self.when.items())

    def read(self, turn: DeskTurn, *, asked: bool, known: Any) -> Any:
        """The value in the customer's message, None if there is none.

        `asked`: the message answers this field's question. `known`: the value so far.
        """
        return None

    def check(self, turn: DeskTurn, value: Any) -> Any:
        """The value as it is kept. Raises Invalid."""
        return value

    def options(self, turn: DeskTurn) -> list[Option]:
        return []

    def shown(self, turn: DeskTurn, value: Any) -> str:
        """The value as customer and clerk read it."""
        return str(value)


class TextField(FieldData):
    kind: Literal["text"]
    shortest: int = 1
    longest: int = 300
    pattern: str | None = None
    hint: str | None = None

    free_text: ClassVar[bool] = True
    opening: ClassVar[bool] = False

    def check(self, turn: DeskTurn, value: Any) -> Any:
        text = " ".join(str(value).split())
        if len(text) < self.shortest:
            raise Invalid("service.text_too_short")
        if len(text) > self.longest:
            raise Invalid("service.text_too_long", longest=self.longest)
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise Invalid("service.text_wrong", hint=self.hint)
        return text


class PhoneField(FieldData):
    """`on_contract`: the phone on the contract is offered as an answer."""

    kind: Literal["phone"]
    on_contract: bool = False

    ON_CONTRACT: ClassVar[str] = "contract"
    picks_by_number: ClassVar[bool] = False

    def read(self, turn: DeskTurn, *, asked: bool, known: Any) -> Any:
        if turn.slots.phone:
            return turn.slots.phone
        if asked and self.on_contract and option_meant(turn.desk.answers, "service.phone", turn.text):
            return self.ON_CONTRACT
        if asked and any(letter.isdigit() for letter in turn.text):
            raise Invalid("service.phone_wrong")
        return None

    def options(self, turn: DeskTurn) -> list[Option]:
        return [(turn.replies.render("service.on_contract")[0], self.ON_CONTRACT)] if self.on_contract else []

    def shown(self, turn: DeskTurn, value: Any) -> str:
        return turn.replies.render("service.on_contract")[0] if value == self.ON_CONTRACT else str(value)


class PlaceField(FieldData):
    """A commune or ward; kept as its code and name."""

    kind: Literal["place"]
    value_type: ClassVar[Any] = dict[str, str]

    def read(self, turn: DeskTurn, *, asked: bool, known: Any) -> Any:
        place = turn.slots.place
        if place and place.choices and not place.code:
            codes = (choice.code for choice in place.choices)
            options = list(zip(titles(place.choices), codes, strict=True))
            raise Invalid("place.which", options=options, name=place.name, choices=place.choices)
        return {"code": place.code, "name": place.name} if place and place.code else None

    def check(self, turn: DeskTurn, value: Any) -> Any:
        code = value["code"] if isinstance(value, dict) else value
        return {"code": code, "name": turn.desk.gazetteer.title(code)}

    def shown(self, turn: DeskTurn, value: Any) -> str:
        return str(value["name"])


class NumberField(FieldData):
    """A number with its unit; `units` are the words for it without tone marks."""

    kind: Literal["number"]
    unit: str
    units: tuple[str, ...]
    least: float
    most: float
    whole: bool = False

    value_type: ClassVar[Any] = float
    picks_by_number: ClassVar[bool] = False

    def read(self, turn: DeskTurn, *, asked: bool, known: Any) -> Any:
        said = fold(turn.text)
        units = "|".join(map(re.escape, self.units))
        if found := re.search(rf"(?<![\w.,]){_NUMBER}\s*(?:{units})(?!\w)", said):
            return _as_number(found[1])
        if not asked or len(said.split()) > WORDS_OF_A_BARE_ANSWER:
            return None
        numbers = re.findall(_NUMBER, said)
        if len(numbers) == 1:
            return _as_number(numbers[0])
        word = option_meant(turn.desk.answers, "service.number", turn.text) if not numbers else None
        return float(word) if word else None

    def check(self, turn: DeskTurn, value: Any) -> Any:
        amount = float(value)
        if not self.least <= amount <= self.most or (self.whole and not amount.is_integer()):
            raise Invalid("service.number_wrong", least=number(self.least), most=number(self.most), unit=self.unit)
        return amount

    def shown(self, turn: DeskTurn, value: Any) -> str:
        return f"{number(value)} {self.unit}"


class OptionData(Data):
    """An answer that may be picked; it may change what is filed, and how long that takes."""

    title: ButtonTitle
    means: tuple[str, ...]
    files_as: ServiceKind | None = None
    days: int | None = None


class ChoiceField(FieldData):
    kind: Literal["choice"]
    choices: Mapping[str, OptionData] = Field(alias="options")

    def read(self, turn: DeskTurn, *, asked: bool, known: Any) -> Any:
        phrases = {key: [*option.means, fold(option.title)] for key, option in self.choices.items()}
        return option_meant({"": phrases}, "", turn.text)

    def options(self, turn: DeskTurn) -> list[Option]:
        return [(option.title, key) for key, option in self.choices.items()]

    def shown(self, turn: DeskTurn, value: Any) -> str:
        return self.choices[value].title


class YesNoField(FieldData):
    kind: Literal["yes_no"]
    opening: ClassVar[bool] = False

    def read(self, turn: DeskTurn, *, asked: bool, known: Any) -> Any:
        if not asked:
            return None
        by_intent = {"affirm": "yes", "deny": "no"}.get(turn.intent)
        return by_intent or option_meant(turn.desk.answers, "service.yes_no", turn.text)

    def options(self, turn: DeskTurn) -> list[Option]:
        return [(self.shown(turn, value), value) for value in ("yes", "no")]

    def shown(self, turn: DeskTurn, value: Any) -> str:
        return turn.replies.render("service.yes" if value == "yes" else "service.no")[0]


class DateField(FieldData):
    """A day from today on, kept in ISO form."""

    kind: Literal["date"]

    def read(self, turn: DeskTurn, *, asked: bool, known: Any) -> Any:
        return turn.slots.date.isoformat() if turn.slots.date else None

    def check(self, turn: DeskTurn, value: Any) -> Any:
        today = turn.desk.today(turn.now)
        if not today <= date.fromisoformat(value) <= today + FURTHEST_DAY:
            raise Invalid("service.day_wrong", today=today)
        return value

    def shown(self, turn: DeskTurn, value: Any) -> str:
        when = date.fromisoformat(value)
        return f"{day(when)}/{when.year}"


class PapersField(FieldData):
    """Photos or files; those that come later are added. Kept as what the platform said about them."""

    kind: Literal["papers"]
    value_type: ClassVar[Any] = list[dict[str, Any]]

    def read(self, turn: DeskTurn, *, asked: bool, known: Any) -> Any:
        if turn.inbound.kind not in {InboundKind.IMAGE, InboundKind.FILE}:
            return None
        sent = [{"url": each.url, "size": each.size} for each in turn.inbound.attachments if each.url]
        return [*(known or []), *sent] if sent else None

    def check(self, turn: DeskTurn, value: Any) -> Any:
        if len(value) > MOST_PAPERS:
            raise Invalid("service.too_many_papers", most=MOST_PAPERS)
        return value

    def shown(self, turn: DeskTurn, value: Any) -> str:
        return turn.replies.render("service.papers_shown", count=len(value))[0]


class AccountField(FieldData):
    """Which linked account the service is for: kept as the link; None for a place that is not linked."""

    kind: Literal["account"]
    value_type: ClassVar[Any] = int

    def read(self, turn: DeskTurn, *, asked: bool, known: Any) -> Any:
        if not turn.slots.customer_code and not asked:
            return None
        try:
            return turn.account(Slots(customer_code=turn.slots.customer_code)).link_id
        except NeedsLink:
            raise Invalid("service.code_not_linked") from None
        except NeedsAccountChoice:
            return None

    def check(self, turn: DeskTurn, value: Any) -> Any:
        if value == OTHER_ACCOUNT:
            return None
        try:
            return turn.account(Slots(link=int(value))).link_id
        except AccountGone:
            raise Invalid("service.code_not_linked") from None

    def options(self, turn: DeskTurn) -> list[Option]:
        linked = [(account.label, str(account.link_id)) for account in turn.caller.accounts]
        return [*linked, (turn.replies.render("service.other_account")[0], OTHER_ACCOUNT)] if self.optional else linked

    def shown(self, turn: DeskTurn, value: Any) -> str:
        return turn.account(Slots(link=value)).label


ServiceField = Annotated[
    TextField
    | PhoneField
    | PlaceField
    | NumberField
    | ChoiceField
    | YesNoField
    | DateField
    | PapersField
    | AccountField,
    Field(discriminator="kind"),
]

_NUMBER = r"(\d+(?:[.,]\d+)*)"


def _as_number(text: str) -> float:
    """`3,3` and `3.3` are decimals, `1.000` is a thousand."""
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", text):
        return float(re.sub(r"[.,]", "", text))
    return float(text.replace(",", ".")) if text.count(".") + text.count(",") == 1 else float(re.sub(r"[.,]", "", text))

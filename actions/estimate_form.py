"""What an estimate lacks is asked for: how many households or tenants, how many kWh."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from actions.answers import option_meant
from actions.desk import DeskTurn
from actions.estimates import MISSING, UNDECLARED, amount_told, entities, estimate, most_kwh, title, use_told
from actions.handlers import registry
from actions.use import Count, Use
from actions.use_told import MOST_COUNTED, counted, lone_number
from bot.dialogue.commands import Command, Period, Slots
from bot.dialogue.forms import Ask, Form, Invalid, Reader
from bot.dialogue.turn import Turn

OFFERED: Final[Mapping[Count, tuple[int, ...]]] = {"households": (2, 3, 4), "people": (1, 2, 3, 4)}


def _read_count(what: Count) -> Reader:
    """Reads "3 hộ", and "3" or "ba" alone; of tenants also that they are not declared."""

    def read(turn: Turn[Any]) -> str | None:
        answers = turn.desk.answers
        if what == "people" and option_meant(answers, "use.declared", turn.text) == "not":
            return UNDECLARED
        number = counted(turn.text, entities(turn), answers, what) or lone_number(turn.text, answers)
        return str(number) if number is not None else None

    return read


def _read_energy(turn: Turn[Any]) -> float | None:
    told = amount_told(turn, turn.slots)
    number = told if told is not None else lone_number(turn.text, turn.desk.answers)
    return float(number) if number is not None else None


@registry.form(MISSING)
class Missing(Form):
    """The use and the month are known; the count is asked for where the use lacks one, then the kWh."""

    intents = frozenset({"bill_estimate"})

    use: str
    period: Period | None = None
    households: Annotated[str, Ask("estimate.ask_households", _read_count("households"), opening=False)] = ""
    people: Annotated[str, Ask("estimate.ask_people", _read_count("people"), opening=False)] = ""
    energy: Annotated[float, Ask("estimate.ask_energy", _read_energy, opening=False)]

    @classmethod
    def applicable(cls, values: Mapping[str, Any]) -> list[str]:
        lacks = Use.unpacked(values.get("use")).lacks
        return [lacks, "energy"] if lacks else ["energy"]

    @classmethod
    def prefill(cls, turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        values: dict[str, Any] = {"use": slots.value or Use().packed()}
        if slots.period:
            values["period"] = slots.period.model_dump(mode="json")
        if slots.energy is None:
            return values
        if turn.state.form:
            turn.state.form.values = dict(values)
        return {**values, "energy": _checked(slots.energy, values)}

    @classmethod
    def ask(cls, turn: DeskTurn, field: str, values: Mapping[str, Any]) -> None:
        if field == "households":
            turn.offer("estimate.ask_households", _counts(turn, "households"))
        elif field == "people":
            undeclared = (title(turn, UNDECLARED), _fill("people", UNDECLARED))
            turn.offer("estimate.ask_people", [*_counts(turn, "people"), undeclared])
        else:
            household = Use.unpacked(values["use"]).kind == "household"
            turn.say("estimate.ask_energy", household=household, unlinked=not turn.caller.accounts)
        turn.state.choices = []  # a bare number is the answer, not the place of a button

    @classmethod
    def filled(cls, _turn: DeskTurn, field: str, values: dict[str, Any]) -> None:
        if field == "energy":
            values["energy"] = _checked(values["energy"], values)
        else:
            values["use"] = _with_count(Use.unpacked(values["use"]), field, values[field]).packed()

    def submit(self, turn: DeskTurn) -> None:
        turn.state.form = None
        estimate(turn, use_told(turn, Use.unpacked(self.use)), Decimal(str(self.energy)), self.period)


def _checked(energy: float, values: Mapping[str, Any]) -> float:
    most = most_kwh(Use.unpacked(values["use"]))
    if not 0 < energy <= most:
        raise Invalid("estimate.absurd", most=most)
    return energy


def _with_count(use: Use, field: str, count: str) -> Use:
    if count == UNDECLARED:
        return Use(kind="tenants", undeclared=True)
    number = Decimal(count)
    if not 0 < number <= MOST_COUNTED or (field == "people" and number != int(number)):
        raise Invalid("estimate.wrong_count", most=MOST_COUNTED)
    return use.model_copy(update={"norms": number} if field == "households" else {"people": int(number)})


def _counts(turn: DeskTurn, what: Count) -> list[tuple[str, Command]]:
    def shown(count: int) -> str:
        return turn.replies.render("use.households" if what == "households" else "use.people", count=count)[0]

    return [(shown(count), _fill(what, str(count))) for count in OFFERED[what]]


def _fill(field: Count, value: str) -> Command:
    return Command(name="form.fill", slots=Slots(form=MISSING, field=field, value=value))

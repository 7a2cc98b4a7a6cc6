"""What so many kWh cost (F8), for any use and month. What is missing is asked for, what is assumed is said."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

from actions.answers import option_meant
from actions.backends.models import Invoice
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.periods import month_of, shifted
from actions.tariff import Charge, TariffUnknown, tariffs
from actions.use import WITH_THREE_PRICES, Kind, Use
from actions.use_told import MOST, bands_told, counted, figures, in_words, told
from bot.dialogue import filling
from bot.dialogue.commands import Command, Period, Slots
from bot.dialogue.forms import Ask, Form, Invalid
from bot.dialogue.state import Topic
from bot.dialogue.turn import Turn

MOST_KWH: Final = 100_000
MOST_KWH_OF_A_GROUP: Final = 100_000_000
"""kWh of a month; more are a slip."""
UNDECLARED: Final = "undeclared"
OFFERED: Final[tuple[Kind, ...]] = ("household", "shared", "tenants", "business")
RARE: Final[tuple[Kind, ...]] = ("production", "prepaid", "hospital_school", "administration")
TITLED: Final = (*OFFERED, *RARE, UNDECLARED, "other", "table", "voltage", "one_price", "three_prices")
USUAL_MONTHS: Final = (100, 200, 300)
"""kWh of months that more use is shown on top of, where nobody knows how much is used."""


def use_told(turn: DeskTurn, before: Use) -> Use:
    """What the message says of the use, over what was known; a tap says nothing more."""
    return told(turn.text, _entities(turn), turn.desk.answers, before) if turn.understanding else before


def amount_told(turn: DeskTurn, slots: Slots) -> Decimal | None:
    """The kWh that are asked about: of all bands together where each is given."""
    if turn.understanding and (bands := bands_told(turn.text, _entities(turn), turn.desk.answers)):
        return sum(bands.values(), Decimal(0))
    return Decimal(str(slots.energy)) if slots.energy is not None else None


def estimate(turn: DeskTurn, use: Use, kwh: Decimal | None, period: Period | None, *, of: str | None = None) -> None:
    """Say what it costs, or ask for what is missing. `of`: the account whose prices these are."""
    if use.lacks or kwh is None or not 0 < kwh <= _most(use):
        slots = Slots(value=use.packed(), energy=float(kwh) if kwh is not None else None, period=period)
        filling.start(registry, turn, Missing, slots=slots)
        return
    first, last = month_span(turn, period)
    try:
        charge = use.charge(kwh, first=first, last=last)
    except TariffUnknown:
        turn.say("estimate.no_price", month=first)
        return
    slots = Slots(value=use.packed(), energy=float(kwh), period=period)
    turn.state.topic = Topic(command=Command(name="bill_estimate", slots=slots), at=turn.now)
    turn.offer(
        "estimate.answer",
        _other_uses(turn, use, slots),
        charge=charge,
        said=use_said(turn, use, last),
        used_for=use,
        sources=sources(charge),
        month=first if period else None,
        of=of,
    )


def estimate_change(turn: DeskTurn, use: Use, change: Decimal, bill: Invoice | None) -> None:
    """What more (or, below zero, less) use costs a month against that of a bill, or against some usual months."""
    first, last = month_span(turn, None)
    bases = [Decimal(each) for each in ([bill.kwh] if bill else USUAL_MONTHS)]

    def total(kwh: Decimal) -> int:
        return use.charge(kwh, first=first, last=last).total

    turn.say(
        "estimate.change",
        change=change,
        said=use_said(turn, use, last),
        rows=[(each, abs(total(max(each + change, Decimal(0))) - total(each))) for each in bases],
        bill=bill,
        vat=tariffs().vat.percent_on(last),
        sources=sources(use.charge(bases[0] + abs(change), first=first, last=last)),
    )


def estimate_for_money(turn: DeskTurn, use: Use, amount: int) -> None:
    """How many kWh so much money buys in a month."""
    first, last = month_span(turn, None)
    low, high = 0, MOST_KWH  # kWh that cost no more than the amount, and more than it
    while high - low > 1:
        middle = (low + high) // 2
        fits = use.charge(Decimal(middle), first=first, last=last).total <= amount
        low, high = (middle, high) if fits else (low, middle)
    charge = use.charge(Decimal(low), first=first, last=last)
    said = use_said(turn, use, last)
    turn.say("estimate.for_money", money=amount, charge=charge, said=said, sources=sources(charge))


def month_span(turn: DeskTurn, period: Period | None) -> tuple[date, date]:
    """First and last day of the month that is asked about, or of the present one."""
    month = period.last if period else month_of(turn.desk.today(turn.now))
    return month, shifted(month, 1) - timedelta(days=1)


def sources(charge: Charge) -> list[tuple[str, date | None]]:
    """The decisions of a charge's prices, each with its first day."""
    since = {each.decision: each.in_force_from for each in tariffs().residential}
    since |= {each.decision: each.in_force_from for each in tariffs().non_residential}
    return [(decision, since[decision]) for decision in dict.fromkeys(line.decision for line in charge.lines)]


@registry.handles("estimate.kinds")
def kinds(turn: DeskTurn, slots: Slots) -> None:
    """The rarer uses, to pick from."""
    turn.offer("estimate.which_kind", [_as(turn, kind, slots) for kind in RARE])


@registry.handles("estimate.voltages")
def voltages(turn: DeskTurn, slots: Slots) -> None:
    """The voltage classes of the use, to pick from."""
    use, today = Use.unpacked(slots.value), turn.desk.today(turn.now)
    rows = tariffs().non_residential_on(today).groups[use.group] if use.group else ()
    turn.offer("estimate.which_voltage", [_with(row.label, slots, use, kv=row.lowest_kv) for row in rows])


def _other_uses(turn: DeskTurn, use: Use, slots: Slots) -> list[tuple[str, Command]]:
    """Buttons for the same kWh otherwise used."""
    if not use.group:
        options = [_as(turn, kind, slots) for kind in OFFERED if kind != use.kind]
        return [*options[:3], (_title(turn, "other"), Command(name="estimate.kinds", slots=slots)), _table(turn)]
    other = (_title(turn, "voltage"), Command(name="estimate.voltages", slots=slots))
    if use.kind not in WITH_THREE_PRICES:
        return [other, _as(turn, "household", slots), _table(turn)]
    prices = (
        _with(_title(turn, "one_price"), slots, use, split=None, evenly=False)
        if use.three_prices
        else _with(_title(turn, "three_prices"), slots, use, evenly=True)
    )
    swapped = "business" if use.kind == "production" else "production"
    return [prices, other, _with(_title(turn, swapped), slots, use, kind=swapped), _table(turn)]


def _as(turn: DeskTurn, kind: Kind, slots: Slots) -> tuple[str, Command]:
    return _with(_title(turn, kind), slots, Use(kind=kind))


def _with(title: str, slots: Slots, use: Use, **changes: Any) -> tuple[str, Command]:
    value = use.model_copy(update=changes).packed()
    return title, Command(name="bill_estimate", slots=slots.merged(Slots(value=value)))


def _table(turn: DeskTurn) -> tuple[str, Command]:
    return _title(turn, "table"), Command(name="tariff_ask")


def _title(turn: DeskTurn, name: str) -> str:
    return turn.replies.render(f"use.title.{name}")[0]


def use_said(turn: DeskTurn, use: Use, on: date) -> str:
    """What an estimate assumes, in words; the voltage by its class in force on a day."""
    voltage = tariffs().non_residential_on(on).prices(use.group, use.kv).label if use.group else None
    return turn.replies.render("use.said", used_for=use, voltage=voltage)[0]


def _most(use: Use) -> int:
    return MOST_KWH_OF_A_GROUP if use.group else MOST_KWH


def _entities(turn: DeskTurn) -> tuple[dict[str, Any], ...]:
    return turn.understanding.entities if turn.understanding else ()


def _read_count(what: Any) -> Any:
    """Reads "3 hộ", and "3" or "ba" alone; for tenants also that they are not declared."""

    def read(turn: Turn[Any]) -> str | None:
        answers = turn.desk.answers
        if what == "people" and option_meant(answers, "use.declared", turn.text) == "not":
            return UNDECLARED
        number = counted(turn.text, _entities(turn), answers, what)
        if number is None and len(found := figures(turn.text)) == 1:
            number = found[0]
        if number is None and (word := option_meant(answers, "service.number", turn.text)):
            number = in_words(word, answers)
        return str(number) if number is not None else None

    return read


def _read_energy(turn: Turn[Any]) -> float | None:
    told = amount_told(turn, turn.slots)
    if told is None and len(found := figures(turn.text)) == 1:
        told = found[0]
    return float(told) if told is not None else None


@registry.form("estimate.missing")
class Missing(Form):
    """What an estimate lacks: how many households or tenants, how many kWh."""

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
            turn.offer("estimate.ask_households", _counts(turn, field, (2, 3, 4)))
        elif field == "people":
            undeclared = (_title(turn, UNDECLARED), _fill(field, UNDECLARED))
            turn.offer("estimate.ask_people", [*_counts(turn, field, (1, 2, 3, 4)), undeclared])
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
    most = _most(Use.unpacked(values["use"]))
    if not 0 < energy <= most:
        raise Invalid("estimate.absurd", most=most)
    return energy


def _with_count(use: Use, field: str, count: str) -> Use:
    if count == UNDECLARED:
        return Use(kind="tenants", undeclared=True)
    number = Decimal(count)
    whole = number if field == "households" else int(number)
    if not 0 < whole <= MOST["people"] or whole != number:
        raise Invalid("estimate.wrong_count", most=MOST["people"])
    return use.model_copy(update={"norms" if field == "households" else "people": whole})


def _counts(turn: DeskTurn, field: str, numbers: tuple[int, ...]) -> list[tuple[str, Command]]:
    def title(number: int) -> str:
        return turn.replies.render("use.households" if field == "households" else "use.people", count=number)[0]

    return [(title(number), _fill(field, str(number))) for number in numbers]


def _fill(field: str, value: str) -> Command:
    return Command(name="form.fill", slots=Slots(form="estimate.missing", field=field, value=value))

"""What so many kWh cost (F8), for any use and month. What is missing is asked for, what is assumed is said."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from actions.backends.models import Invoice
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.periods import month_of, shifted
from actions.tariff import Charge, TariffUnknown, tariffs
from actions.use import WITH_THREE_PRICES, Kind, Use
from actions.use_told import bands_told, told
from bot.dialogue import filling
from bot.dialogue.commands import Command, Period, Slots
from bot.dialogue.state import Topic

MOST_KWH: Final = 100_000
MOST_KWH_OF_A_GROUP: Final = 100_000_000
"""kWh of a month; more are a slip."""
MISSING: Final = "estimate.missing"
"""The form that asks for what an estimate lacks."""
UNDECLARED: Final = "undeclared"
OFFERED: Final[tuple[Kind, ...]] = ("household", "shared", "tenants", "business")
RARE: Final[tuple[Kind, ...]] = ("production", "prepaid", "hospital_school", "administration")
TITLED: Final = (*OFFERED, *RARE, UNDECLARED, "other", "table", "voltage", "one_price", "three_prices")
USUAL_MONTHS: Final = (100, 200, 300)
"""kWh of months that more use is shown on top of, where nobody knows how much is used."""


def use_told(turn: DeskTurn, before: Use) -> Use:
    """What the message says of the use, over what was known; a tap says nothing more."""
    return told(turn.text, entities(turn), turn.desk.answers, before) if turn.understanding else before


def amount_told(turn: DeskTurn, slots: Slots) -> Decimal | None:
    """The kWh that are asked about: of all bands together where each is given."""
    if turn.understanding and (bands := bands_told(turn.text, entities(turn), turn.desk.answers)):
        return sum(bands.values(), Decimal(0))
    return Decimal(str(slots.energy)) if slots.energy is not None else None


def estimate(turn: DeskTurn, use: Use, kwh: Decimal | None, period: Period | None, *, of: str | None = None) -> None:
    """Say what it costs, or ask for what is missing. `of`: the account whose prices these are."""
    if use.lacks or kwh is None or not 0 < kwh <= most_kwh(use):
        slots = Slots(value=use.packed(), energy=float(kwh) if kwh is not None else None, period=period)
        filling.start(registry, turn, registry.forms[MISSING], slots=slots)
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
        return [*options[:3], (title(turn, "other"), Command(name="estimate.kinds", slots=slots)), _table(turn)]
    other = (title(turn, "voltage"), Command(name="estimate.voltages", slots=slots))
    if use.kind not in WITH_THREE_PRICES:
        return [other, _as(turn, "household", slots), _table(turn)]
    prices = (
        _with(title(turn, "one_price"), slots, use, split=None, evenly=False)
        if use.three_prices
        else _with(title(turn, "three_prices"), slots, use, evenly=True)
    )
    swapped = "business" if use.kind == "production" else "production"
    return [prices, other, _with(title(turn, swapped), slots, use, kind=swapped), _table(turn)]


def _as(turn: DeskTurn, kind: Kind, slots: Slots) -> tuple[str, Command]:
    return _with(title(turn, kind), slots, Use(kind=kind))


def _with(shown: str, slots: Slots, use: Use, **changes: Any) -> tuple[str, Command]:
    value = use.model_copy(update=changes).packed()
    return shown, Command(name="bill_estimate", slots=slots.merged(Slots(value=value)))


def _table(turn: DeskTurn) -> tuple[str, Command]:
    return title(turn, "table"), Command(name="tariff_ask")


def title(turn: DeskTurn, name: str) -> str:
    return turn.replies.render(f"use.title.{name}")[0]


def use_said(turn: DeskTurn, use: Use, on: date) -> str:
    """What an estimate assumes, in words; the voltage by its class in force on a day."""
    voltage = tariffs().non_residential_on(on).prices(use.group, use.kv).label if use.group else None
    return turn.replies.render("use.said", used_for=use, voltage=voltage)[0]


def most_kwh(use: Use) -> int:
    return MOST_KWH_OF_A_GROUP if use.group else MOST_KWH


def entities(turn: DeskTurn) -> tuple[dict[str, Any], ...]:
    return turn.understanding.entities if turn.understanding else ()

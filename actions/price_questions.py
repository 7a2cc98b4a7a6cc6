"""Which of prices, an estimate or the month so far is asked (intents `tariff_ask` and `bill_estimate`)."""

import re
from decimal import Decimal
from typing import cast, get_args

from actions.account_use import newest_bill, use_of
from actions.answers import option_meant
from actions.backends.errors import BackendError
from actions.backends.models import Invoice
from actions.bills import bill_lookup
from actions.desk import DeskTurn
from actions.estimates import amount_told, estimate, estimate_change, estimate_for_money, use_told
from actions.handlers import registry
from actions.periods import month_of, shifted
from actions.prices import TOPICS, say_prices
from actions.questions import TOPIC
from actions.this_month import say_next_kwh, say_so_far
from actions.use import Kind, Use
from bot.dialogue.commands import Command, Period, Slots
from bot.dialogue.state import Topic
from bot.dialogue.turn import NeedsAccountChoice, NeedsLink

HALF_A_YEAR = 6
YEAR = re.compile(r"20\d\d|\d/\d\d")
ABOUT_PRICES = frozenset({"tariff_ask", "bill_estimate"})

registry.belongs("energy", *ABOUT_PRICES, "usage_alert")


@registry.handles("tariff_ask")
def tariff_ask(turn: DeskTurn, slots: Slots) -> Command | None:
    """The prices that are asked about; what an amount of kWh costs if one was named."""
    meant = _meant(turn, "tariff.about")
    about = meant or slots.field
    turn.request = slots.merged(Slots(field=about))
    if slots.energy is not None and meant in {None, *get_args(Kind)}:
        kind = Slots(value=Use(kind=cast(Kind, about)).packed()) if about in get_args(Kind) else Slots()
        bill_estimate(turn, kind.merged(slots))
    elif about == "next_kwh":
        account = turn.account(slots)
        say_next_kwh(turn, account)
    elif about in TOPICS:
        return Command(name=TOPIC, slots=Slots(value=TOPICS[about]))
    else:
        say_prices(turn, about)
    return None


@registry.handles("bill_estimate")
def bill_estimate(turn: DeskTurn, slots: Slots) -> None:
    """What so many kWh cost, or so many more; how far some money goes; without a number, the month so far."""
    if _meant(turn, "tariff.about") == "five_tiers":
        say_prices(turn, "five_tiers")
        return
    slots = _looking_ahead(turn, slots)
    if turn.understanding and turn.named_account() and turn.slots.energy is None:
        slots = slots.model_copy(update={"energy": None, "value": None})
    about, month = _meant(turn, "estimate.about"), _meant(turn, "estimate.month")
    use, kwh = use_told(turn, Use.unpacked(slots.value)), amount_told(turn, slots)
    is_told = bool(slots.value or _meant(turn, "use.kind") or use != Use())
    if kwh is not None and about in {"more", "less"}:
        _change(turn, slots, use, kwh if about == "more" else -kwh)
    elif slots.money is not None and about == "how_far":
        estimate_for_money(turn, use if is_told and not use.lacks else _own(turn, slots)[0], slots.money)
    elif kwh is not None:
        own, of = (use, None) if is_told else _own(turn, slots)
        estimate(turn, own, kwh, slots.period, of=of)
    elif is_told and not month:
        estimate(turn, use, None, slots.period)
    elif about == "device" and not month:
        turn.say("estimate.device")
    elif month or turn.caller.accounts:
        _say_month(turn, slots)
    else:
        estimate(turn, use, None, slots.period)


def _looking_ahead(turn: DeskTurn, slots: Slots) -> Slots:
    """A month without its year is the one to come, unless it has just been: who reckons looks ahead."""
    month = slots.period.first if slots.period and slots.period.is_one_month else None
    with_year = YEAR.search(turn.text) or _meant(turn, "estimate.year")
    if month is None or with_year or month > shifted(month_of(turn.desk.today(turn.now)), -HALF_A_YEAR):
        return slots
    return slots.merged(Slots(period=Period.of(shifted(month, 12))))


def goes_on(turn: DeskTurn) -> Slots | None:
    """The last question about prices with another use, where the message tells one ("6 người", "2 hộ")."""
    topic = turn.state.topic
    if topic is None or topic.command.name not in ABOUT_PRICES or topic.command.slots.energy is None:
        return None
    before = Use.unpacked(topic.command.slots.value)
    use = use_told(turn, before)
    return topic.command.slots.merged(Slots(value=use.packed())) if use != before else None


def _say_month(turn: DeskTurn, slots: Slots) -> None:
    """The running month of an account; of a month that is over, its bill."""
    account = turn.account(slots)
    if slots.period and slots.period.last < month_of(turn.desk.today(turn.now)):
        bill_lookup(turn, slots)
        turn.state.topic = Topic(command=Command(name="bill_lookup", slots=slots), at=turn.now)
    else:
        say_so_far(turn, account, slots.period)


def _change(turn: DeskTurn, slots: Slots, use: Use, change: Decimal) -> None:
    """Against the newest bill of the account; of another use or of nobody in particular, against some usual months."""
    bill = None
    if use == Use() or use.lacks:
        use, _ = _own(turn, slots)
        bill = _newest_bill(turn, slots)
    estimate_change(turn, use, change, bill)


def _newest_bill(turn: DeskTurn, slots: Slots) -> Invoice | None:
    try:
        account = turn.account(slots)
        return newest_bill(turn, account)
    except (NeedsLink, NeedsAccountChoice, BackendError):
        return None


def _own(turn: DeskTurn, slots: Slots) -> tuple[Use, str | None]:
    """How the customer's own account is billed, and what it is called; a household where nobody can tell now."""
    try:
        account = turn.account(slots)
        use = use_of(turn, account)
    except (NeedsLink, NeedsAccountChoice, BackendError):
        return Use(), None
    return (use, account.label) if use else (Use(), None)


def _meant(turn: DeskTurn, question: str) -> str | None:
    """The option that the message names; a tap names none."""
    return option_meant(turn.desk.answers, question, turn.text) if turn.understanding else None

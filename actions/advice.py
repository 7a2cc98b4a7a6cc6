"""Prices, and what an amount of electricity costs (F8, F9)."""

from datetime import timedelta
from decimal import Decimal

from actions.desk import DeskTurn
from actions.handlers import registry
from actions.periods import month_of
from actions.tariff import residential_charge, tariffs, tiers
from bot.dialogue.commands import Slots

MOST_KWH = 100_000


@registry.handles("tariff_ask")
def tariff_ask(turn: DeskTurn, slots: Slots) -> None:
    """Today's household tiers before VAT; what an amount of kWh costs if one was named."""
    if slots.energy is not None:
        _estimate(turn, slots.energy)
        return
    today = turn.desk.today(turn.now)
    data = tariffs()
    decision = data.residential_on(today)
    turn.say(
        "tariff.tiers",
        tiers=tiers(today),
        decision=decision.decision,
        since=decision.in_force_from,
        vat=data.vat.percent_on(today),
        energy=100.0,
    )


@registry.handles("bill_estimate")
def bill_estimate(turn: DeskTurn, slots: Slots) -> None:
    """What so many kWh cost a household; without a number, what the linked account used this month so far."""
    if slots.energy is not None:
        _estimate(turn, slots.energy)
        return
    if not turn.caller.accounts:
        turn.say("estimate.how_much")
        return
    account = turn.account(slots)
    today = turn.desk.today(turn.now)
    first, yesterday = month_of(today), today - timedelta(days=1)
    if yesterday < first:
        turn.say("estimate.month_just_begun", account=account)
        return
    customer = turn.desk.billing.customer(account.customer_code)
    found = turn.desk.billing.readings(account.customer_code, first=first, last=yesterday)
    if customer.tariff_group != "residential" or not found.items:
        turn.say("estimate.not_for_this", account=account)
        return
    used = sum((reading.kwh for reading in found.items), Decimal(0))
    charge = residential_charge(used, first_day=today, last_day=today, norms=customer.household_norms)
    turn.say(
        "estimate.so_far",
        link=account.link_id,
        account=account,
        charge=charge,
        until=found.items[-1].day,
        as_of=found.as_of,
    )


def _estimate(turn: DeskTurn, energy: float) -> None:
    if not 0 < energy <= MOST_KWH:
        turn.say("estimate.how_much")
        return
    today = turn.desk.today(turn.now)
    turn.say("estimate.for_kwh", charge=residential_charge(Decimal(str(energy)), first_day=today, last_day=today))

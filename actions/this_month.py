"""The running month of an account (F8): used and owed so far, how it is likely to end, how far the next tier is."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from actions.account_use import use_of
from actions.desk import DeskTurn
from actions.estimates import month_span, sources
from actions.forecast import MonthSoFar, month_so_far
from actions.periods import month_of
from actions.tariff import Charge, Tier, tariffs, tiers
from actions.use import Use
from bot.dialogue.commands import Period
from bot.dialogue.turn import Account

ABOUT: int = 1_000
"""đ: likely amounts are told in thousands."""


@dataclass(frozen=True, slots=True)
class NextTier:
    """The tier in use, the one after it with how many kWh are `left` before it, and the day it is likely passed."""

    tier: Tier
    following: Tier | None
    left: Decimal | None
    on: date | None


def say_so_far(turn: DeskTurn, account: Account, period: Period | None = None) -> None:
    """kWh and money of the month to the last reading, the likely end with its range, the next tier."""
    today = turn.desk.today(turn.now)
    month, last = month_span(turn, None)
    to_come = period.first if period and period.first > month else None
    first = month - timedelta(days=turn.desk.company.usage.baseline_days)
    found = turn.desk.billing.readings(account.customer_code, first=first, last=today - timedelta(days=1))
    so_far = month_so_far(found.items, month)
    if so_far is None:
        begun = today.day > 1
        turn.say("estimate.none_read", link=account.link_id, account=account, begun=begun, to_come=to_come)
        return
    use = use_of(turn, account)

    def cost(kwh: Decimal) -> Charge | None:
        return use.charge(kwh, first=month, last=last) if use else None

    charge, outlook = cost(so_far.used), so_far.outlook
    turn.say(
        "estimate.so_far",
        link=account.link_id,
        account=account,
        so_far=so_far,
        charge=charge,
        likely=[_about(cost(kwh)) for kwh in (outlook.low, outlook.kwh, outlook.high)] if outlook and use else [],
        next_tier=next_tier(so_far, use, today),
        sources=sources(charge) if charge else [],
        to_come=to_come,
        as_of=found.as_of,
    )


def say_next_kwh(turn: DeskTurn, account: Account) -> None:
    """What one more kWh costs the account now."""
    today = turn.desk.today(turn.now)
    found = turn.desk.billing.readings(account.customer_code, first=month_of(today), last=today)
    so_far, use = month_so_far(found.items, month_of(today)), use_of(turn, account)
    if use is None:
        turn.say("price.next_unknown", link=account.link_id, account=account)
        return
    used = so_far.used if so_far else Decimal(0)
    reached = next_tier(so_far, use, today) if so_far else None
    one = use.charge(used + 1, first=today, last=today).total - use.charge(used, first=today, last=today).total
    turn.say(
        "price.next",
        link=account.link_id,
        account=account,
        used=used,
        reached=reached,
        total=one,
        vat=tariffs().vat.percent_on(today),
        as_of=found.as_of,
    )


def next_tier(so_far: MonthSoFar, use: Use | None, on: date) -> NextTier | None:
    """None for those who have no tiers."""
    if use is None or use.group or use.undeclared or use.kind == "prepaid":
        return None
    steps = tiers(on, use.counted_norms)
    place = next(n for n, tier in enumerate(steps) if tier.upper is None or so_far.used < tier.upper)
    upper = steps[place].upper
    if upper is None:
        return NextTier(steps[place], None, None, None)
    return NextTier(steps[place], steps[place + 1], upper - so_far.used, so_far.day_at(upper))


def _about(charge: Charge | None) -> int:
    assert charge
    return int((Decimal(charge.total) / ABOUT).quantize(Decimal(1), ROUND_HALF_UP)) * ABOUT

"""Electricity prices as they are in force (F9): each question about them has a reply of its own, from data/tariffs."""

from collections.abc import Callable
from datetime import date
from typing import Final

from actions.desk import DeskTurn
from actions.tariff import Group, Tariffs, tariffs, tiers
from actions.tariff_data import ResidentialDecision
from bot.dialogue.commands import Command, Slots

OFFERED: Final = ("household", "business", "hours", "tenants", "vat")
"""What buttons lead to; the others are reached by words."""
THREE_PRICED: Final[tuple[Group, ...]] = ("business", "production")
ONE_PRICED: Final[tuple[Group, ...]] = ("hospital_school", "administration")

TOPICS: Final = {
    "prepaid": "price.prepaid",
    "poor": "price.poor",
    "home_shop": "price.shop_at_home",
    "increase": "price.rise",
}
"""Questions that a topic of data/faq answers."""
TITLED: Final = (*OFFERED, "production", *ONE_PRICED, "estimate")

_Say = Callable[[DeskTurn, date, Tariffs], None]
_SAYING: Final[dict[str, _Say]] = {}


def say_prices(turn: DeskTurn, about: str | None) -> None:
    """The reply to a question about prices (`tariff.about` of data/answers.yml); the tiers if it is none of them."""
    say = _SAYING.get(about or "household", _SAYING["household"])
    say(turn, turn.desk.today(turn.now), tariffs())


def title(turn: DeskTurn, about: str) -> str:
    return turn.replies.render(f"price.title.{about}")[0]


def _about(*names: str) -> Callable[[_Say], _Say]:
    def register(say: _Say) -> _Say:
        _SAYING.update(dict.fromkeys(names, say))
        return say

    return register


def _others(turn: DeskTurn, about: str, most: int = 4) -> list[tuple[str, Command]]:
    """Buttons to so many other questions, and to trying out an amount."""
    asks = [
        (title(turn, each), Command(name="tariff_ask", slots=Slots(field=each))) for each in OFFERED if each != about
    ]
    return [*asks[:most], (title(turn, "estimate"), Command(name="estimate.missing"))]


@_about("household")
def _household(turn: DeskTurn, today: date, data: Tariffs) -> None:
    decision = data.residential_on(today)
    turn.offer(
        "tariff.tiers",
        _others(turn, "household"),
        tiers=tiers(today),
        decision=decision,
        vat=data.vat.percent_on(today),
    )


@_about("business", "production")
def _three_priced(turn: DeskTurn, today: date, data: Tariffs) -> None:
    """Both groups: many who ask do not know which is theirs."""
    decision = data.non_residential_on(today)
    turn.offer(
        "price.business",
        _others(turn, "business"),
        priced=[(title(turn, group), decision.groups[group]) for group in THREE_PRICED],
        decision=decision,
        vat=data.vat.percent_on(today),
        obliged=data.obliged,
    )


@_about("hospital_school", "administration")
def _one_priced(turn: DeskTurn, today: date, data: Tariffs) -> None:
    decision = data.non_residential_on(today)
    turn.offer(
        "price.one_price",
        _others(turn, "administration"),
        priced=[(title(turn, group), decision.groups[group]) for group in ONE_PRICED],
        decision=decision,
        vat=data.vat.percent_on(today),
    )


@_about("hours")
def _hours(turn: DeskTurn, today: date, data: Tariffs) -> None:
    schedule, coming, decision = data.schedule_on(today), data.schedule_to_come, data.non_residential_on(today)
    turn.offer(
        "price.hours",
        _others(turn, "hours"),
        peak=spans(schedule.monday_to_saturday.peak),
        off_peak=spans(schedule.monday_to_saturday.off_peak),
        sunday_peak=spans(schedule.sunday.peak),
        new_hours=coming,
        new_peak=spans(coming.monday_to_saturday.peak) if coming else [],
        lowest=[(title(turn, group), decision.groups[group][-1]) for group in THREE_PRICED],
        obliged=data.obliged,
    )


@_about("tenants")
def _tenants(turn: DeskTurn, today: date, data: Tariffs) -> None:
    decision = data.residential_on(today)
    tier = data.structure_of(decision).undeclared_tier
    turn.offer(
        "price.tenants",
        _others(turn, "tenants", 3),
        tier=tiers(today)[tier - 1],
        decision=decision,
        vat=data.vat.percent_on(today),
    )


@_about("norms")
def _norms(turn: DeskTurn, today: date, _data: Tariffs) -> None:
    turn.offer("price.norms", _others(turn, "norms", 3), first_tier=tiers(today)[0], doubled=tiers(today, 2)[0])


@_about("vat")
def _vat(turn: DeskTurn, today: date, data: Tariffs) -> None:
    reduced = data.vat.reduced_on(today)
    turn.offer(
        "price.vat",
        _others(turn, "vat"),
        vat=data.vat.percent_on(today),
        reduced=reduced,
        ordinary=data.vat.ordinary_percent,
        after=date.fromordinal(reduced.last.toordinal() + 1) if reduced else None,
    )


@_about("everywhere")
def _everywhere(turn: DeskTurn, today: date, data: Tariffs) -> None:
    turn.offer("price.everywhere", _others(turn, "everywhere"), decision=data.residential_on(today))


@_about("five_tiers")
def _five_tiers(turn: DeskTurn, today: date, data: Tariffs) -> None:
    """What is decided and not in force; once it is, the tiers themselves."""
    coming = data.residential_to_come
    if coming is None:
        _household(turn, today, data)
        return
    now = data.residential_on(today)
    turn.offer(
        "price.to_come",
        _others(turn, "five_tiers"),
        coming=coming,
        limits=_limits(coming, data),
        decision=now,
        tiers_now=len(_limits(now, data)),
    )


def _limits(decision: ResidentialDecision, data: Tariffs) -> list[int | None]:
    return list(data.structure_of(decision).limits)


def spans(hours: tuple[str, ...]) -> list[str]:
    """The spans of a day to be read, as 9:30–11:30; one before midnight and one after it are one of the night."""
    late, early = (next((span for span in hours if edge in span), None) for edge in ("-24:00", "00:00-"))
    found = [*hours]
    if late and early:
        found = [*(span for span in hours if span not in {late, early}), late[:6] + early[6:]]
    return ["–".join(clock.removeprefix("0") for clock in span.split("-")) for span in found]

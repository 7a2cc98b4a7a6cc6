"""Warnings of use (F19, F20): from which use in a month on, of what else; and what a warning that came means."""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy.orm import Session

from actions.consumption import DAYS_TO_BE_USUAL, daily_use
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.notice_view import kinds_shown, toggles
from actions.notice_wishes import Wish
from actions.notices import account_said, chosen, told
from actions.periods import month_of
from actions.said import Said
from actions.tariff import residential_charge
from bot.dialogue.commands import Command, Slots
from bot.dialogue.forms import Abandon, Ask, Form, Invalid
from bot.dialogue.turn import Turn
from bot.store import preferences
from bot.store.conversations import ACCOUNT_PURPOSE
from bot.store.preferences import Level, Scope

BY_LEVEL = "usage_level"
BARE_NUMBER = re.compile(r"\D{0,4}(\d{1,7})\D{0,4}")


@registry.handles("usage_alert")
def usage_alert(turn: DeskTurn, slots: Slots) -> Command:
    """A level to set or remove, another warning to turn on, a warning to explain; else what is on now."""
    words, said = turn.desk.notice_words.usage, Said(told(turn))
    about = account_said(turn, slots)
    level = _level_named(turn, slots)
    if said.has(words.explain) and not (level.said() and said.has(words.set)):
        return Command(name="usage.explain", slots=about)
    if level.said():
        return Command(
            name="usage.no_daily_level" if said.has(words.per_day) else "usage.level", slots=about.merged(level)
        )
    if said.has(words.remove):
        return Command(name="usage.no_level", slots=about)
    if said.has(words.show):
        return Command(name="usage.alerts", slots=about)
    others = {"leak_suspected": words.leak, "usage_tier": words.tier, "usage_unusual": words.unusual}
    if other := next((kind for kind, phrases in others.items() if said.has(phrases)), None):
        return Command(name="notice.set", slots=about.merged(Slots(value=str(Wish(on=(other,))))))
    return Command(name="usage.level" if said.has(words.set) else "usage.alerts", slots=about)


def _level_named(turn: DeskTurn, slots: Slots) -> Slots:
    """The last level that the message names ("bỏ 250 số, đổi thành 350"), in kWh if it names any."""
    entities = turn.understanding.entities if turn.understanding else ()
    energies, sums = ([e["value"] for e in entities if e["entity"] == kind] for kind in ("energy", "money"))
    if energies or slots.energy is not None:
        return Slots(energy=energies[-1] if energies else slots.energy)
    return Slots(money=sums[-1] if sums else slots.money)


@registry.handles("usage.alerts")
def show_alerts(turn: DeskTurn, slots: Slots) -> None:
    """The level and the other warnings of one account; a tap turns one on or off."""
    account = turn.account(slots)
    known, kinds = chosen(turn), turn.desk.notice_kinds
    warnings = [kind for kind in kinds.named("usage") if not kind.unasked]
    by_level, *others = kinds_shown(warnings, known, [account])
    level = known.levels.get(account.link_id)
    turn.offer(
        "usage.alerts",
        toggles(turn, others, link=account.link_id),
        account=account,
        link=account.link_id,
        level=level,
        level_off=level is not None and by_level.states[0][1] == "off",
        shown=others,
    )


def _read_level(turn: Turn[Any]) -> str | None:
    """Of kWh or đồng; a number alone is kWh. Raises Invalid."""
    said = turn.slots
    if not said.energy and not said.money and (bare := BARE_NUMBER.fullmatch(told(turn).strip())):
        said = Slots(energy=float(bare[1]))
    if said.energy is None and said.money is None:
        return None
    if not _is_sane(turn, said):
        raise Invalid("usage.level_absurd", **_limits(turn))
    return _encoded(said)


def _is_sane(turn: DeskTurn, said: Slots) -> bool:
    rules = turn.desk.company.notices
    value, (least, most) = (
        (said.energy, rules.level_kwh) if said.energy is not None else (said.money or 0, rules.level_dong)
    )
    return least <= value <= most


def _limits(turn: DeskTurn) -> dict[str, Any]:
    rules = turn.desk.company.notices
    return dict(
        zip(("least_kwh", "most_kwh", "least_dong", "most_dong"), (*rules.level_kwh, *rules.level_dong), strict=True)
    )


def _encoded(said: Slots) -> str:
    return f"kwh {round(said.energy)}" if said.energy is not None else f"dong {said.money}"


def _decoded(level: str) -> Level:
    unit, number = level.split()
    return Level(**{unit: int(number)})


@registry.form("usage.level")
class UsageLevel(Form):
    """From which use in a month on an account's customer is told. What it is reckoned by is the sender's business."""

    intents = frozenset({"usage_alert"})

    link: int
    level: Annotated[str, Ask("usage.ask_level", read=_read_level, opening=False)]

    @classmethod
    def prefill(cls, turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        account = turn.account(slots)
        if ACCOUNT_PURPOSE not in turn.caller.consents:
            carried = {"value": str(Wish(on=(BY_LEVEL,))), "link": account.link_id, "form": ACCOUNT_PURPOSE}
            raise Abandon("notice.ask_account_consent", **carried, field=None, place=None)
        values: dict[str, Any] = {"link": account.link_id}
        told = Slots(energy=slots.energy, money=slots.money)
        if told.said() and _is_sane(turn, told):
            values["level"] = _encoded(told)
        elif told.said():
            turn.say("usage.level_absurd", **_limits(turn))
        return values

    def submit(self, turn: DeskTurn) -> None:
        account = turn.account(Slots(link=self.link))
        level, before = _decoded(self.level), chosen(turn).levels.get(self.link)
        contact_id, words = turn.caller.contact_id, turn.desk.notice_kinds.words

        def keep(session: Session) -> None:
            said: Mapping[str, Any] = {"event_id": turn.event_id, "at": turn.now}
            preferences.set_level(session, contact_id, self.link, level, **said)
            preferences.choose(session, contact_id, [BY_LEVEL], Scope(self.link), wanted=True, words=words, **said)

        turn.change(keep)
        turn.say("usage.level_set", account=account, link=account.link_id, level=level, before_level=before)


@registry.handles("usage.no_level")
def remove_level(turn: DeskTurn, slots: Slots) -> None:
    account = turn.account(slots)
    before = chosen(turn).levels.get(account.link_id)
    contact_id, link_id = turn.caller.contact_id, account.link_id
    turn.change(
        lambda session: preferences.set_level(session, contact_id, link_id, None, event_id=turn.event_id, at=turn.now)
    )
    turn.say("usage.level_removed", account=account, link=link_id, before_level=before)


@registry.handles("usage.no_daily_level")
def no_daily_level(turn: DeskTurn, slots: Slots) -> None:
    """A level is of a month; of single days those that stand out can be told."""
    account = turn.account(slots)
    wish = Slots(value=str(Wish(on=("usage_unusual",))), link=account.link_id)
    turn.say("usage.no_daily_level", value=wish.value, link=account.link_id)
    turn.ask_yes_no(yes=Command(name="notice.set", slots=wish), no=Command(name="deny"))


@registry.handles("usage.explain")
def explain_warning(turn: DeskTurn, slots: Slots) -> None:
    """This month's use so far against the level and the usual day, from the readings of this turn."""
    account = turn.account(slots)
    rules, billing = turn.desk.company.usage, turn.desk.billing
    today = turn.desk.today(turn.now)
    month, yesterday = month_of(today), today - timedelta(days=1)
    first = min(month, today - timedelta(days=DAYS_TO_BE_USUAL))
    customer = billing.customer(account.customer_code)
    found = billing.readings(account.customer_code, first=first - timedelta(days=rules.baseline_days), last=yesterday)
    read = [reading for reading in found.items if reading.day >= month]
    used = sum((reading.kwh for reading in read), Decimal(0))
    charge = None
    if read and customer.tariff_group == "residential":
        charge = residential_charge(used, first_day=today, last_day=today, norms=customer.household_norms)
    turn.say(
        "usage.warning_explained",
        account=account,
        link=account.link_id,
        used=used if read else None,
        until=read[-1].day if read else None,
        charge=charge,
        level=chosen(turn).levels.get(account.link_id),
        use=daily_use(found.items, first, yesterday, times=rules.unusual_day_times, kwh=rules.unusual_day_kwh),
        as_of=found.as_of,
    )

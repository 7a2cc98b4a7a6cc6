"""Which notices come, about what, when and how often (F20), chosen by saying so or by tapping.

What a message says becomes a command that says it all (`notice.set` with a `Wish`), so that it can wait for an account
to be linked or chosen, or for a consent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import time
from typing import Annotated, Any

from sqlalchemy.orm import Session

from actions.desk import DeskTurn
from actions.handlers import registry
from actions.notice_view import groups_shown, kept, kinds_shown, titles, toggles
from actions.notice_wishes import ALL, Aim, Mention, Wish, aims, kinds_named, wish_said
from actions.privacy import give_consent
from actions.quiet_hours import BadHours, hours_said
from actions.said import Said
from actions.where import AREAS, ask_which, codes_of
from bot.dialogue.commands import Command, Slots
from bot.dialogue.forms import Ask, Form, Invalid
from bot.dialogue.turn import NeedsLink, Turn
from bot.store import preferences
from bot.store.conversations import ACCOUNT_PURPOSE
from bot.store.preferences import Preferences, QuietHours, Scope

AGREED = "agreed"
"""In `form` of the slots: the consent that the kinds need was just given."""
USUAL = "usual"
"""As the company sets it."""
SURE = "sure"
"""In `field`: what is changed by it need not be asked."""


def chosen(turn: DeskTurn) -> Preferences:
    """What this contact chose so far."""
    with turn.desk.database.begin() as session:
        return preferences.of_contact(session, turn.caller.contact_id)


def told(turn: DeskTurn) -> str:
    """What the customer wrote; nothing where a button was tapped, whose text is what is behind it."""
    return turn.text if turn.understanding else ""


@registry.handles("notice_subscribe")
def notice_subscribe(turn: DeskTurn, slots: Slots) -> Command:
    return _set(turn, slots, _wish(turn, slots, otherwise=True) or Wish(on=("outage",) if slots.place else (ALL,)))


@registry.handles("notice_unsubscribe")
def notice_unsubscribe(turn: DeskTurn, slots: Slots) -> Command:
    hours = _about_hours(turn)
    wish = _wish(turn, slots, otherwise=False)
    if hours or wish:
        return hours or _set(turn, slots, wish or Wish())
    if slots.place:
        return _set(turn, slots, Wish(off=("outage",)))
    return Command(name="notice.stop", slots=account_said(turn, slots))


@registry.handles("notice_settings")
def notice_settings(turn: DeskTurn, slots: Slots) -> Command:
    """Shows what is on, unless something else is said: hours, how many, kinds, or what cannot be chosen."""
    words, said = turn.desk.notice_words, Said(told(turn))
    groups = {mention.group for mention in _mentions(turn)}
    if said.has(words.show):
        return Command(name="notice.group", slots=Slots(value=min(groups))) if len(groups) == 1 else _list()
    if said.has(words.fewer):
        counts = [count for count, phrases in words.most_per_day.items() if said.has(phrases)]
        asked = counts[0] if counts and not said.has(words.per_longer) else None
        return Command(name="notice.fewer", slots=Slots(value=str(asked) if asked else None))
    if said.has(words.not_settable):
        return Command(name="notice.not_settable")
    if hours := _about_hours(turn):
        return hours
    if wish := _wish(turn, slots, otherwise=None):
        return _set(turn, slots, wish)
    if said.has(words.all) and said.has(words.off):
        return Command(name="notice.stop", slots=account_said(turn, slots))
    return _list()


def _list() -> Command:
    return Command(name="notice.list")


def _set(turn: DeskTurn, slots: Slots, wish: Wish) -> Command:
    return Command(name="notice.set", slots=account_said(turn, slots).merged(Slots(value=str(wish), place=slots.place)))


def account_said(turn: DeskTurn, slots: Slots) -> Slots:
    named = turn.named_account()
    return Slots(link=named.link_id if named else slots.link, customer_code=slots.customer_code)


def _mentions(turn: DeskTurn) -> list[Mention]:
    entities = turn.understanding.entities if turn.understanding else ()
    return [Mention(e["value"], e["start"], e["end"]) for e in entities if e["entity"] == "notice_kind"]


def _wish(turn: DeskTurn, slots: Slots, *, otherwise: bool | None) -> Wish | None:
    """What is said of the kinds that the message names. A single one is meant as the whole message, if that tells.

    Of two requests in one message, or of one that had to wait, what its own slots hold is left.
    """
    mentions = _mentions(turn)
    if slots.notice and (not mentions or (turn.understanding and turn.understanding.requests)):
        mentions = [Mention(slots.notice, 0, 0)]
    groups = {mention.group for mention in mentions}
    if len(groups) == 1 and otherwise is not None:
        return Wish(on=tuple(groups)) if otherwise else Wish(off=tuple(groups))
    return wish_said(turn.desk.notice_words, turn.desk.notice_kinds, told(turn), mentions, otherwise=otherwise)


@registry.handles("notice.set")
def set_notices(turn: DeskTurn, slots: Slots) -> None:
    """Turn on and off what the wish in `value` names: of a place, of one account, or (`field` all) of all."""
    kinds, wish = turn.desk.notice_kinds, Wish.read(slots.value or "")
    codes = _places(turn, slots, wish)
    if codes is None:
        return
    wanted = aims(kinds, wish, codes, slots.link)
    if any(aim.of_account for aim in wanted):
        if _lacks_account(turn, slots, wanted):
            return
        if slots.link is not None or slots.customer_code:
            account = turn.account(slots)
            wanted = aims(kinds, wish, codes, account.link_id)
            slots = slots.without_account().merged(Slots(link=account.link_id))
        elif len(turn.caller.accounts) > 1 and slots.field != ALL:
            _ask_which_account(turn, slots)
            return
    known = chosen(turn)
    if _asks_for_consent(turn, slots, known, wanted):
        return
    places = [aim for aim in wanted if aim.scope.place_code]
    if places and not any(aim.wanted or known.follows(aim.kind, aim.scope.place_code or "") for aim in places):
        turn.say("notice.not_followed", where=_where(turn, slots, codes), linked=bool(turn.caller.accounts))
        return
    _choose(turn, wanted)
    _say_changed(turn, slots, wish, wanted, codes)


def _places(turn: DeskTurn, slots: Slots, wish: Wish) -> frozenset[str] | None:
    """The communes and wards that the wish is about; none if it is about no place, None after asking which."""
    place = slots.place
    if place is None or not any("place" in kind.per for kind in kinds_named(turn.desk.notice_kinds, wish.names)):
        return frozenset()
    if place.code or place.kind in AREAS:
        return codes_of(place)
    if place.choices:
        ask_which(turn, slots, place, "notice.set")
        turn.asks_which = True
        return None
    if turn.caller.accounts:
        return frozenset()
    turn.say("place.of_which_commune", name=place.name)
    return None


def _lacks_account(turn: DeskTurn, slots: Slots, wanted: Sequence[Aim]) -> bool:
    """Is there no account for what is to be turned on, and has the place been asked for instead?

    Raises NeedsLink where only an account will do. Turning off needs none.
    """
    own = {account.customer_code for account in turn.caller.accounts}
    on = [aim for aim in wanted if aim.of_account and aim.wanted]
    if not on and slots.customer_code and slots.customer_code not in own:
        turn.say("notice.code_not_linked", customer_code=slots.customer_code)
        return True
    if not on or own or slots.customer_code:
        return False
    if all("place" in aim.kind.per for aim in on):
        turn.say("notice.which_place")
        return True
    raise NeedsLink


def _ask_which_account(turn: DeskTurn, slots: Slots) -> None:
    turn.asks_which = True
    command = Command(name="notice.set", slots=slots)
    each = [(account.label, command.with_slots(link=account.link_id)) for account in turn.caller.accounts]
    every = (turn.replies.render("notice.all_accounts")[0], command.with_slots(field=ALL))
    turn.offer("notice.which_account", [*each, every])


def _asks_for_consent(turn: DeskTurn, slots: Slots, known: Preferences, wanted: Sequence[Aim]) -> bool:
    """Ask for what must be agreed to first, if anything."""
    on = [aim for aim in wanted if aim.wanted]
    own = [aim.kind for aim in on if aim.kind.own_consent and not known.is_on(aim.kind, None)]
    if any(aim.of_account for aim in on) and ACCOUNT_PURPOSE not in turn.caller.consents:
        slots = slots.merged(Slots(form=ACCOUNT_PURPOSE))
        turn.say("notice.ask_account_consent", **_carried(slots))
    elif own and slots.form != AGREED:
        slots = slots.merged(Slots(form=AGREED))
        turn.say("notice.ask_own_consent", kinds=own, **_carried(slots))
    else:
        return False
    turn.ask_yes_no(yes=Command(name="notice.agree", slots=slots), no=Command(name="deny"))
    return True


def _carried(slots: Slots) -> dict[str, Any]:
    """What a button of a question needs to go on with the request."""
    return {name: getattr(slots, name) for name in ("value", "link", "field", "place", "form")}


@registry.handles("notice.agree")
def agree(turn: DeskTurn, slots: Slots) -> Command:
    """The consent that was asked for is given; then what it was asked for is done."""
    if slots.form == ACCOUNT_PURPOSE:
        give_consent(turn)
        turn.caller = replace(turn.caller, consents=turn.caller.consents | {ACCOUNT_PURPOSE})
    return Command(name="notice.set", slots=slots)


def _choose(turn: DeskTurn, wanted: Iterable[Aim]) -> None:
    by_scope: dict[tuple[Scope, bool], list[str]] = {}
    for aim in wanted:
        by_scope.setdefault((aim.scope, aim.wanted), []).append(aim.kind.key)
    contact_id, words = turn.caller.contact_id, turn.desk.notice_kinds.words

    def choose(session: Session) -> None:
        for (scope, on), keys in by_scope.items():
            preferences.choose(
                session, contact_id, keys, scope, wanted=on, words=words, event_id=turn.event_id, at=turn.now
            )

    turn.change(choose)


def _say_changed(turn: DeskTurn, slots: Slots, wish: Wish, wanted: Sequence[Aim], codes: frozenset[str]) -> None:
    kinds = turn.desk.notice_kinds
    values: dict[str, Any] = {
        **_carried(slots.merged(Slots(value=str(wish.undone)))),
        "where": _where(turn, slots, codes),
        "still": kept(kinds, wish.off) if turn.caller.accounts and not codes else [],
    }
    if wish.off == (ALL,):
        turn.say("notice.stopped", **values)
        return
    turn.say(
        "notice.changed",
        turned_on=titles(kinds, {aim.kind for aim in wanted if aim.wanted}),
        turned_off=titles(kinds, {aim.kind for aim in wanted if not aim.wanted}),
        undo=not (wish.on and wish.off),
        alerts=bool({"usage", "usage_level"} & set(wish.on)),
        **values,
    )


def _where(turn: DeskTurn, slots: Slots, codes: Iterable[str] = ()) -> str:
    """The places, or the account; nothing where it is about all."""
    if codes:
        return ", ".join(turn.desk.gazetteer.title(code) for code in sorted(codes))
    return turn.account(slots).label if slots.link is not None else ""


# --- All of them at once, and what is on ---


@registry.handles("notice.stop")
def stop(turn: DeskTurn, slots: Slots) -> None:
    """Asks once, and says what still comes and why."""
    if slots.customer_code and _lacks_account(turn, slots, ()):
        return
    about = Slots(value=str(Wish(off=(ALL,))), field=ALL)
    if slots != Slots():
        account = turn.account(slots)
        about = Slots(value=about.value, link=account.link_id)
    still = kept(turn.desk.notice_kinds, (ALL,)) if turn.caller.accounts else []
    turn.say("notice.confirm_stop", where=_where(turn, about), still=still, **_carried(about))
    turn.ask_yes_no(yes=Command(name="notice.set", slots=about), no=Command(name="deny"))


@registry.handles("notice.list")
def show(turn: DeskTurn, _slots: Slots) -> None:
    """Every group with its state, the places, the hours; a tap turns a group on or off."""
    known, kinds = chosen(turn), turn.desk.notice_kinds
    groups = groups_shown(kinds, known, turn.caller.accounts)
    turn.offer(
        "notice.list",
        toggles(turn, groups),
        shown=groups,
        places=[turn.desk.gazetteer.title(code) for code in known.places],
        still=kept(kinds, (ALL,)) if turn.caller.accounts else [],
        not_linked=not turn.caller.accounts,
        most=known.most_per_day or turn.desk.company.notices.most_per_day,
        **_shown_hours(_hours(turn, known)),
    )


@registry.handles("notice.group")
def show_group(turn: DeskTurn, slots: Slots) -> None:
    """The kinds of one group; a tap turns one on or off."""
    name = slots.value or ""
    shown = kinds_shown(turn.desk.notice_kinds.named(name), chosen(turn), turn.caller.accounts)
    group = next(group for key, group in turn.desk.notice_kinds.groups.items() if key == name)
    turn.offer(
        "notice.group", toggles(turn, shown), title=group.title, shown=shown, not_linked=not turn.caller.accounts
    )


@registry.handles("notice.not_settable")
def not_settable(turn: DeskTurn, _slots: Slots) -> None:
    turn.say("notice.not_settable")


@registry.handles("notice.fewer")
def fewer(turn: DeskTurn, slots: Slots) -> None:
    """How many a day: as said in `value`, as usual, or what can be chosen."""
    usual = turn.desk.company.notices.most_per_day
    if slots.value == USUAL or (slots.value and int(slots.value) <= usual):
        most = None if slots.value == USUAL else int(slots.value)
        contact_id = turn.caller.contact_id
        turn.change(lambda session: preferences.set_most_per_day(session, contact_id, most))
        turn.say("notice.fewer_set", most=most or usual, changed=most is not None, value=USUAL)
        return
    counts = [
        (
            turn.replies.render("notice.a_day", count=count)[0],
            Command(name="notice.fewer", slots=Slots(value=str(count))),
        )
        for count in range(1, usual + 1)
    ]
    turn.offer("notice.fewer", counts, most=chosen(turn).most_per_day or usual)


# --- Quiet hours ---


def _hours(turn: DeskTurn, known: Preferences) -> QuietHours:
    return known.hours or turn.desk.company.notices.quiet


def _shown_hours(hours: QuietHours) -> dict[str, Any]:
    """As `starts` and `ends`; empty where nothing is quiet."""
    shown = (f"{hours.starts:%H:%M}", f"{hours.ends:%H:%M}") if hours.minutes else ("", "")
    return dict(zip(("starts", "ends"), shown, strict=True))


def _span(hours: QuietHours) -> str:
    return f"{hours.starts:%H:%M}-{hours.ends:%H:%M}"


def _read_span(span: str) -> QuietHours:
    return QuietHours(*map(time.fromisoformat, span.split("-")))


def _about_hours(turn: DeskTurn) -> Command | None:
    """What the message says of quiet hours; the question for them where it speaks of hours and says none."""
    words = turn.desk.notice_words
    try:
        hours = hours_said(words, told(turn), _hours(turn, chosen(turn)), by_clock=bool(_mentions(turn)))
    except BadHours:
        return Command(name="notice.quiet")
    if hours:
        return Command(name="notice.hours", slots=Slots(value=_span(hours)))
    said = Said(told(turn))
    if said.has(words.hours.usual):
        return Command(name="notice.hours", slots=Slots(value=USUAL, field=SURE))
    return Command(name="notice.quiet") if said.has(words.hours.about) else None


@registry.handles("notice.hours")
def set_hours(turn: DeskTurn, slots: Slots) -> None:
    """Keep the quiet hours in `value`. Where they would end others of another time of day, asks first."""
    contact_id, usual = turn.caller.contact_id, turn.desk.company.notices.quiet
    hours = None if slots.value == USUAL else _read_span(slots.value or "")
    present = _hours(turn, chosen(turn))
    if hours and slots.field != SURE and hours.minutes and present.minutes and not hours.touch(present):
        turn.say("notice.hours_instead", present=_span(present), wanted=_span(hours), value=slots.value, field=SURE)
        turn.ask_yes_no(
            yes=Command(name="notice.hours", slots=slots.merged(Slots(field=SURE))), no=Command(name="deny")
        )
        return
    turn.change(lambda session: preferences.set_hours(session, contact_id, hours))
    turn.say("notice.hours_set", **_shown_hours(hours or usual), value=USUAL, field=SURE, changed=hours is not None)


def _read_hours(turn: Turn[Any]) -> str | None:
    try:
        hours = hours_said(turn.desk.notice_words, told(turn), _hours(turn, chosen(turn)), asked=True)
    except BadHours:
        raise Invalid("notice.bad_hours") from None
    return _span(hours) if hours else None


@registry.form("notice.quiet")
class AskQuietHours(Form):
    """Asks from when until when nothing is to be sent."""

    intents = frozenset({"notice_settings", "notice_unsubscribe"})

    quiet: Annotated[str, Ask("notice.ask_hours", read=_read_hours)]

    @classmethod
    def ask(cls, turn: DeskTurn, field: str, values: Any) -> None:  # noqa: ARG003 (there is one field)
        spans = [_span(turn.desk.company.notices.quiet), *turn.desk.company.notices.quiet_offered]
        fills = [
            (
                span.replace("-", " – "),
                Command(name="form.fill", slots=Slots(form="notice.quiet", field=field, value=span)),
            )
            for span in dict.fromkeys(spans)
        ]
        turn.offer("notice.ask_hours", fills, **_shown_hours(_hours(turn, chosen(turn))))

    def submit(self, turn: DeskTurn) -> None:
        set_hours(turn, Slots(value=self.quiet, field=SURE))

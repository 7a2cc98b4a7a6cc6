"""What the customer is shown of their notices."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from actions.desk import DeskTurn
from actions.notice_wishes import Wish, kinds_named
from bot.dialogue.commands import Command, Slots
from bot.dialogue.turn import Account
from bot.notice_kinds import NoticeKind, NoticeKinds
from bot.store.preferences import Preferences

State = Literal["on", "off", "some", "unlinked"]


@dataclass(frozen=True)
class Shown:
    """Notices by one name, and whether they are on: by account where accounts differ, else once, without a label.

    `why` they cannot be turned off, if so.
    """

    name: str
    title: str
    short: str
    states: tuple[tuple[str, State], ...]
    why: str | None = None

    @property
    def toggle(self) -> Wish | None:
        """What a tap turns on, or off if anything is on; None where there is nothing to choose."""
        if self.why or any(state == "unlinked" for _, state in self.states):
            return None
        wanted = all(state == "off" for _, state in self.states)
        return Wish(on=(self.name,)) if wanted else Wish(off=(self.name,))


def groups_shown(kinds: NoticeKinds, known: Preferences, accounts: Sequence[Account]) -> list[Shown]:
    return [
        Shown(name, group.title, group.short, _states(kinds_named(kinds, [name]), known, accounts))
        for name, group in kinds.groups.items()
    ]


def kinds_shown(kinds: Iterable[NoticeKind], known: Preferences, accounts: Sequence[Account]) -> list[Shown]:
    return [Shown(kind.key, kind.title, kind.title, _states([kind], known, accounts), kind.why) for kind in kinds]


def toggles(turn: DeskTurn, shown: Iterable[Shown], *, link: int | None = None) -> list[tuple[str, Command]]:
    """A button for each that can be turned on or off, for one account or for what is then asked.

    Of what is partly on, the parts can be seen.
    """
    options = []
    for each in shown:
        if any(state == "some" for _, state in each.states):
            title = turn.replies.render("notice.pick", name=each.short)[0]
            options.append((title, Command(name="notice.group", slots=Slots(value=each.name))))
        elif wish := each.toggle:
            title = turn.replies.render("notice.toggle", name=each.short, wanted=bool(wish.on))[0]
            options.append((title, Command(name="notice.set", slots=Slots(value=str(wish), link=link))))
    return options


def titles(kinds: NoticeKinds, chosen: Set[NoticeKind]) -> list[str]:
    """What kinds are called: by the group where all of it that can be chosen is there, else each by itself."""
    found = []
    for name, group in kinds.groups.items():
        own = [kind for kind in kinds.named(name) if kind in chosen]
        whole = chosen >= {kind for kind in kinds.named(name) if not kind.always}
        found += [group.title] if own and whole else [kind.title for kind in own]
    return found


def kept(kinds: NoticeKinds, names: Sequence[str]) -> list[NoticeKind]:
    """What comes although these are off."""
    return [kind for kind in kinds_named(kinds, names) if kind.always]


def _states(
    kinds: Sequence[NoticeKind], known: Preferences, accounts: Sequence[Account]
) -> tuple[tuple[str, State], ...]:
    if all("contact" in kind.per for kind in kinds):
        return (("", _state(kinds, known, None)),)
    if not accounts:
        return (("", "unlinked"),)
    states = [(account.label, _state(kinds, known, account.link_id)) for account in accounts]
    same = len({state for _, state in states}) == 1
    return (("", states[0][1]),) if same else tuple(states)


def _state(kinds: Sequence[NoticeKind], known: Preferences, link_id: int | None) -> State:
    """Of what can be chosen; where nothing can, it is on."""
    on = {known.is_on(kind, link_id) for kind in kinds if not kind.always}
    return "some" if len(on) > 1 else "off" if on == {False} else "on"

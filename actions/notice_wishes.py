"""Which kinds of notices a message turns on and off: "bật hóa đơn, tắt nhắc nợ", "chỉ báo mất điện thôi"."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from actions.notice_words import NoticeWords
from actions.said import Said
from bot.notice_kinds import NoticeKind, NoticeKinds
from bot.store.preferences import GENERAL, Scope

ALL = "all"
THEN = ("thì",)
STOPS = (",", ".", ";", "!", "?", ":")


@dataclass(frozen=True)
class Mention:
    """A group of notices that a message names, with its place in the text."""

    group: str
    start: int
    end: int


@dataclass(frozen=True)
class Wish:
    """What to turn on and off: names of groups or kinds, or `all`. As a text: `+bill -news`."""

    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        signed = [(name[0], name[1:]) for name in text.split()]
        return cls(*(tuple(name for sign, name in signed if sign == wanted) for wanted in "+-"))

    def __str__(self) -> str:
        return " ".join([*(f"+{name}" for name in self.on), *(f"-{name}" for name in self.off)])

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.on, *self.off)

    @property
    def undone(self) -> "Wish":
        return Wish(on=self.off, off=self.on)


@dataclass(frozen=True)
class Aim:
    """One kind to turn on or off for one scope."""

    kind: NoticeKind
    scope: Scope
    wanted: bool

    @property
    def of_account(self) -> bool:
        return "account" in self.kind.per and self.scope.place_code is None


def aims(kinds: NoticeKinds, wish: Wish, places: Iterable[str], link_id: int | None) -> list[Aim]:
    """What a wish comes to. With places named, what has places is about those.

    All of an account, or of a place, is no more than what belongs to it; all on is what comes unasked.
    """
    codes = sorted(places)
    found = []
    for wanted, names in ((True, wish.on), (False, wish.off)):
        everything = ALL in names
        for kind in kinds_named(kinds, names):
            if everything and wanted and not kind.unasked:
                continue
            if codes and "place" in kind.per:
                found += [Aim(kind, Scope(place_code=code), wanted) for code in codes]
            elif "account" in kind.per and not (everything and codes):
                found.append(Aim(kind, Scope(link_id), wanted))
            elif "contact" in kind.per and not (everything and (codes or link_id is not None)):
                found.append(Aim(kind, GENERAL, wanted))
    return found


def kinds_named(kinds: NoticeKinds, names: Sequence[str]) -> list[NoticeKind]:
    return [kind for kind in kinds.kinds if {kind.key, kind.group, ALL} & set(names)]


def wish_said(
    words: NoticeWords, kinds: NoticeKinds, text: str, mentions: Sequence[Mention], *, otherwise: bool | None
) -> Wish | None:
    """What a message turns on and off; None if that is not clear.

    A kind's own words are those before it in its clause, else those after it; else it is meant as the one before it.
    `otherwise` is how all are meant that no word tells of. With "chỉ" and the like what is not turned on goes off.
    """
    said = Said(text)
    spans = [(said.word_at(mention.start), said.word_at(mention.end - 1) + 1) for mention in mentions]
    edges = [0, *(edge for span in spans for edge in span), len(said.words)]
    gaps = list(zip(edges[::2], edges[1::2], strict=True))
    only = any(said.find(words.only, *gap) for gap in gaps)
    told: list[bool | None] = []
    for before, after in pairwise(gaps):
        own = _told_before(words, said, *before)
        own = _told_after(words, said, *after, only=only) if own is None else own
        told.append(own if own is not None or not told else told[-1])
    meant = [(True if only else otherwise) if own is None else own for own in told]
    wanted: dict[str, set[bool | None]] = {}
    for mention, way in zip(mentions, meant, strict=True):
        wanted.setdefault(mention.group, set()).add(way)
    on = tuple(group for group, ways in wanted.items() if ways == {True})
    off = tuple(group for group, ways in wanted.items() if ways == {False})
    if on and only:
        off = tuple(group for group in kinds.groups if group not in on)
    return Wish(on, off) if on or off else None


def _told_before(words: NoticeWords, said: Said, first: int, end: int) -> bool | None:
    clause = max((found.end for found in said.find((*words.clause, *STOPS), first, end)), default=first)
    if said.find(words.off, clause, end) and not said.find(words.instead, clause, end):
        return False
    return True if said.find((*words.on, *words.instead), clause, end) else None


def _told_after(words: NoticeWords, said: Said, first: int, end: int, *, only: bool) -> bool | None:
    """After "thì", or, where nothing else is said to be left out, in the rest of the message's last clause."""
    clause = min((found.first for found in said.find((*words.clause, *STOPS), first, end)), default=end)
    then = said.find(THEN, first, first + 1)
    if not then and (only or (clause == end and end < len(said.words))):
        return None
    if said.find(words.off, first, clause):
        return False
    return True if said.find(words.on, first, clause) else None

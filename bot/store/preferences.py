"""Which notices a contact wants, when, and how often: the rule as Python for one contact, as SQL for many.

A kind that cannot be turned off always comes. Else what was said of the account counts, else what was said in general,
else the kind's own default; and nothing of an account without the consent to use it. A place is followed only by who
said so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, delete, func, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.notice_kinds import NoticeKind
from bot.store.conversations import ACCOUNT_PURPOSE, audit, granted_purposes
from bot.store.models import Consent, Link, NoticeLimits, NoticePreference, UsageAlert

MINUTES_OF_A_DAY = 24 * 60


@dataclass(frozen=True)
class Scope:
    """What a wish is about: one linked account, one place, or neither, which is in general."""

    link_id: int | None = None
    place_code: str | None = None

    @property
    def is_general(self) -> bool:
        return self == GENERAL

    def __str__(self) -> str:
        """As it stands in the consent log."""
        if self.link_id is not None:
            return f":link:{self.link_id}"
        return f":place:{self.place_code}" if self.place_code else ""


GENERAL = Scope()


@dataclass(frozen=True)
class QuietHours:
    """Local times of day between which nothing is sent that can wait; none where they are equal."""

    starts: time
    ends: time

    @property
    def minutes(self) -> int:
        return (_minute(self.ends) - _minute(self.starts)) % MINUTES_OF_A_DAY

    def cover(self, at: time) -> bool:
        return (_minute(at) - _minute(self.starts)) % MINUTES_OF_A_DAY < self.minutes

    def touch(self, other: "QuietHours") -> bool:
        """Do the two overlap, or does one begin where the other ends?"""
        meet = self.ends == other.starts or other.ends == self.starts
        return meet or self.cover(other.starts) or other.cover(self.starts)


@dataclass(frozen=True)
class Level:
    """The use in a month from which the customer is to be told: whole kWh or đồng, one of the two."""

    kwh: int | None = None
    dong: int | None = None


@dataclass(frozen=True)
class Preferences:
    """What one contact chose. `agreed`: to the use of linked accounts. `hours` and `most_per_day` None: not chosen."""

    wishes: Mapping[tuple[str, Scope], bool] = field(default_factory=dict)
    agreed: bool = False
    hours: QuietHours | None = None
    most_per_day: int | None = None
    levels: Mapping[int, Level] = field(default_factory=dict)

    def is_on(self, kind: NoticeKind, link_id: int | None) -> bool:
        """Is `kind` sent to this contact about its link (None: about none)? `is_on` below in Python."""
        if kind.always:
            return True
        in_general = self.wishes.get((kind.key, GENERAL), kind.unasked)
        wanted = self.wishes.get((kind.key, Scope(link_id)), in_general)
        return wanted and (self.agreed or "account" not in kind.per)

    def follows(self, kind: NoticeKind, place_code: str) -> bool:
        """Does this contact get `kind` of this place? `followers` below in Python."""
        return self.wishes.get((kind.key, Scope(place_code=place_code)), False)

    @property
    def places(self) -> list[str]:
        """The places of which at least one kind is wanted."""
        return sorted({s.place_code for (_, s), wanted in self.wishes.items() if wanted and s.place_code})

    def with_wish(self, kinds: Iterable[str], scope: Scope, *, wanted: bool) -> "Preferences":
        """After `choose` with the same."""
        keys = set(kinds)
        kept = {
            (kind, known): before
            for (kind, known), before in self.wishes.items()
            if not (scope.is_general and kind in keys and before != wanted)
        }
        return replace(self, wishes={**kept, **{(key, scope): wanted for key in keys}})


def of_contact(session: Session, contact_id: int) -> Preferences:
    rows = session.execute(
        select(
            NoticePreference.kind, NoticePreference.link_id, NoticePreference.place_code, NoticePreference.wanted
        ).where(NoticePreference.contact_id == contact_id)
    )
    levels = session.execute(
        select(UsageAlert.link_id, UsageAlert.kwh, UsageAlert.dong)
        .join(Link, Link.id == UsageAlert.link_id)
        .where(Link.contact_id == contact_id, Link.ended_at.is_(None))
    )
    limits = session.get(NoticeLimits, contact_id)
    quiet = (limits.quiet_from, limits.quiet_until) if limits else (None, None)
    return Preferences(
        wishes={(kind, Scope(link_id, place_code)): wanted for kind, link_id, place_code, wanted in rows},
        agreed=ACCOUNT_PURPOSE in granted_purposes(session, contact_id),
        hours=QuietHours(quiet[0], quiet[1]) if quiet[0] is not None and quiet[1] is not None else None,
        most_per_day=limits.most_per_day if limits else None,
        levels={link_id: Level(kwh, dong) for link_id, kwh, dong in levels},
    )


def choose(
    session: Session,
    contact_id: int,
    kinds: Iterable[str],
    scope: Scope,
    *,
    wanted: bool,
    words: str,
    event_id: int,
    at: datetime,
) -> None:
    """Keep a wish, and write down that it was said. In general it ends what was said otherwise of one account
    or place."""
    keys = sorted(set(kinds))
    if not keys:
        return
    if scope.is_general:
        session.execute(
            delete(NoticePreference).where(
                NoticePreference.contact_id == contact_id,
                NoticePreference.kind.in_(keys),
                NoticePreference.wanted.is_(not wanted),
            )
        )
    said = {"wanted": wanted, "at": at, "inbound_event_id": event_id}
    rows = [
        {"contact_id": contact_id, "kind": key, "link_id": scope.link_id, "place_code": scope.place_code, **said}
        for key in keys
    ]
    session.execute(
        insert(NoticePreference)
        .values(rows)
        .on_conflict_do_update(index_elements=["contact_id", "kind", "link_id", "place_code"], set_=said)
    )
    session.add_all(
        Consent(
            contact_id=contact_id,
            purpose=f"notice:{key}{scope}",
            granted=wanted,
            text_version=words,
            inbound_event_id=event_id,
            at=at,
        )
        for key in keys
    )


def set_hours(session: Session, contact_id: int, hours: QuietHours | None) -> None:
    """None for the company's own."""
    starts, ends = (hours.starts, hours.ends) if hours else (None, None)
    _limit(session, contact_id, quiet_from=starts, quiet_until=ends)
    audit(
        session,
        actor=f"contact:{contact_id}",
        action="notice.hours",
        contact_id=contact_id,
        quiet=f"{starts:%H:%M}-{ends:%H:%M}" if starts and ends else None,
    )


def set_most_per_day(session: Session, contact_id: int, most: int | None) -> None:
    """None for the company's own."""
    _limit(session, contact_id, most_per_day=most)
    audit(
        session, actor=f"contact:{contact_id}", action="notice.most_per_day", contact_id=contact_id, most_per_day=most
    )


def set_level(
    session: Session, contact_id: int, link_id: int, level: Level | None, *, event_id: int, at: datetime
) -> None:
    """None for no level any more."""
    if level is None:
        session.execute(delete(UsageAlert).where(UsageAlert.link_id == link_id))
    else:
        said = {"kwh": level.kwh, "dong": level.dong, "at": at, "inbound_event_id": event_id}
        row = insert(UsageAlert).values(link_id=link_id, **said)
        session.execute(row.on_conflict_do_update(index_elements=["link_id"], set_=said))
    audit(
        session,
        actor=f"contact:{contact_id}",
        action="notice.level",
        contact_id=contact_id,
        link=link_id,
        kwh=level.kwh if level else None,
        dong=level.dong if level else None,
    )


def is_on(
    kind: NoticeKind,
    contact_id: SQLColumnExpression[int] | int,
    link_id: SQLColumnExpression[int] | SQLColumnExpression[int | None] | int | None,
) -> ColumnElement[bool]:
    """Is `kind` sent to a contact about its link? For the WHERE of a statement over contacts and links.

    Two look-ups in unique indexes for each row; see docs/notices.md.
    """
    if kind.always:
        return true()
    about = or_(NoticePreference.link_id == link_id, NoticePreference.link_id.is_(None))
    said = (
        select(NoticePreference.wanted)
        .where(NoticePreference.contact_id == contact_id, NoticePreference.kind == kind.key)
        .where(NoticePreference.place_code.is_(None), about)
        .order_by(NoticePreference.link_id.nulls_last())
        .limit(1)
        .correlate_except(NoticePreference)
        .scalar_subquery()
    )
    wanted = func.coalesce(said, kind.unasked)
    return and_(wanted, agreed(contact_id)) if "account" in kind.per else wanted


def followers(kind: NoticeKind, place_codes: Iterable[str]) -> Select[int]:
    """The contacts that follow `kind` in any of the places, each once."""
    return (
        select(NoticePreference.contact_id)
        .where(NoticePreference.kind == kind.key, NoticePreference.place_code.in_(list(place_codes)))
        .where(NoticePreference.wanted, NoticePreference.place_code.is_not(None))
        .distinct()
    )


def agreed(contact_id: SQLColumnExpression[int] | int) -> ColumnElement[bool]:
    """Is the latest word on the use of linked accounts yes?"""
    latest = (
        select(Consent.granted)
        .where(Consent.contact_id == contact_id, Consent.purpose == ACCOUNT_PURPOSE)
        .order_by(Consent.id.desc())
        .limit(1)
        .correlate_except(Consent)
        .scalar_subquery()
    )
    return func.coalesce(latest, False)


def _limit(session: Session, contact_id: int, **values: time | int | None) -> None:
    row = insert(NoticeLimits).values(contact_id=contact_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["contact_id"], set_=values))


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute

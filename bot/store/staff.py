"""Members of staff, their sessions, and what each may see of whom for how long (F29)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.store.conversations import audit
from bot.store.models import Audit, Opening, Role, Staff, StaffSession

MOST_FAILURES: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
SESSION_LIFETIME: Final = timedelta(hours=12)
SESSION_IDLE: Final = timedelta(hours=2)
SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly it is known when a session was last used: not every request writes."""
OPEN_FOR: Final = timedelta(minutes=30)


class LoginTaken(Exception):
    """Somebody has this login already."""


def actor(staff_id: int) -> str:
    """How the audit names a member of staff."""
    return f"staff:{staff_id}"


def add(
    session: Session, *, login: str, name: str, roles: Sequence[Role], password_hash: str, by: str, at: datetime
) -> Staff:
    """A new member of staff, who must choose a password at the first sign-in. Raises LoginTaken."""
    added = session.scalars(
        insert(Staff)
        .values(login=login.lower(), name=name, roles=list(roles), password_hash=password_hash, created_at=at)
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(Staff)
    ).one_or_none()
    if added is None:
        raise LoginTaken
    audit(session, actor=by, action="staff.added", contact_id=None, staff=added.id, roles=sorted(roles))
    return added


def by_login(session: Session, login: str) -> Staff | None:
    """Held until the transaction ends, so that guesses are counted one after the other."""
    return session.scalars(select(Staff).where(Staff.login == login.lower()).with_for_update()).one_or_none()


def everybody(session: Session) -> Sequence[Staff]:
    return session.scalars(select(Staff).order_by(Staff.disabled_at.is_not(None), Staff.name, Staff.id)).all()


def names(session: Session) -> dict[int, str]:
    return dict(session.execute(select(Staff.id, Staff.name)).all())


def helpers(session: Session) -> Sequence[Staff]:
    """Those who speak with customers."""
    return session.scalars(
        select(Staff)
        .where(Staff.roles.overlap([Role.AGENT, Role.SUPERVISOR]), Staff.disabled_at.is_(None))
        .order_by(Staff.name, Staff.id)
    ).all()


def count_failure(session: Session, member: Staff, now: datetime) -> bool:
    """One more wrong password or code. True when that locks the account for a while."""
    member.failures += 1
    if member.failures % MOST_FAILURES:
        return False
    member.locked_until = now + LOCKED_FOR
    audit(session, actor=actor(member.id), action="staff.locked", contact_id=None)
    return True


def count_success(member: Staff, now: datetime) -> None:
    member.failures, member.locked_until, member.signed_in_at = 0, None, now


def is_locked(member: Staff, now: datetime) -> bool:
    return member.locked_until is not None and member.locked_until > now


def set_password(session: Session, member: Staff, password_hash: str, *, by: str, temporary: bool) -> None:
    """All sessions end: whoever knew the old password is out."""
    member.password_hash, member.must_change_password = password_hash, temporary
    member.failures, member.locked_until = 0, None
    end_sessions(session, member.id)
    audit(session, actor=by, action="staff.password_set", contact_id=None, staff=member.id, temporary=temporary)


def end_sessions(session: Session, staff_id: int) -> None:
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))


@dataclass(frozen=True)
class SignedIn:
    """Who asks. `proved`: with the second factor, too, where one is asked for."""

    session_id: int
    id: int
    login: str
    name: str
    roles: frozenset[Role]
    proved: bool
    must_change_password: bool
    has_totp: bool

    @property
    def actor(self) -> str:
        return actor(self.id)

    def may(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)


def begin_session(session: Session, *, staff_id: int, token: str, proved: bool, now: datetime) -> None:
    session.execute(delete(StaffSession).where(StaffSession.expires_at < now))
    session.add(
        StaffSession(
            token_hash=_hash(token),
            staff_id=staff_id,
            proved=proved,
            created_at=now,
            seen_at=now,
            expires_at=now + SESSION_LIFETIME,
        )
    )


def end_session(session: Session, token: str) -> None:
    session.execute(delete(StaffSession).where(StaffSession.token_hash == _hash(token)))


def who(session: Session, token: str, now: datetime) -> SignedIn | None:
    """The member of staff whose session this is, if it holds and they still work here."""
    found = session.execute(
        select(StaffSession, Staff)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(StaffSession.token_hash == _hash(token), StaffSession.expires_at > now)
        .where(StaffSession.seen_at > now - SESSION_IDLE, Staff.disabled_at.is_(None))
    ).one_or_none()
    if found is None:
        return None
    held, member = found
    if now - held.seen_at > SEEN_EVERY:
        session.execute(
            update(StaffSession).where(StaffSession.id == held.id).values(seen_at=now),
            execution_options={"synchronize_session": False},
        )
    return SignedIn(
        session_id=held.id,
        id=member.id,
        login=member.login,
        name=member.name,
        roles=frozenset(Role(role) for role in member.roles),
        proved=held.proved,
        must_change_password=member.must_change_password,
        has_totp=member.totp_secret is not None,
    )


def open_personal_data(session: Session, *, staff_id: int, contact_id: int, reason: str, now: datetime) -> None:
    """From now on, for a while, this person sees this contact's data unmasked. The audit keeps who, whose and why."""
    session.add(Opening(staff_id=staff_id, contact_id=contact_id, reason=reason, at=now, until=now + OPEN_FOR))
    audit(session, actor=actor(staff_id), action="data.opened", contact_id=contact_id, reason=reason)


def open_now(session: Session, *, staff_id: int, now: datetime) -> dict[int, datetime]:
    """The contacts whose data this person has open, and until when."""
    rows = session.execute(
        select(Opening.contact_id, func.max(Opening.until))
        .where(Opening.staff_id == staff_id, Opening.until > now)
        .group_by(Opening.contact_id)
    )
    return dict(rows.all())


def trail(session: Session, *, before: int | None, by: str | None, action: str | None, limit: int) -> Sequence[Audit]:
    """The audit, newest first; `before` is the id that the last page ended with."""
    query = select(Audit).order_by(Audit.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Audit.id < before)
    if by:
        query = query.where(Audit.actor == by)
    if action:
        query = query.where(Audit.action == action)
    return session.scalars(query).all()


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()

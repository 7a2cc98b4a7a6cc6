"""Codes that were handed out, as staff look at them: what became of each, and who linked (F27)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from bot.store.models import Contact, LinkCode, LinkSheet


class State(StrEnum):
    """What became of a code."""

    WAITING = "waiting"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Handed:
    """A code that was handed out. `channel` and `name` are of the chat that used it, where it still is one."""

    id: int
    customer_code: str
    place: str | None
    sheet_id: int | None
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    state: State
    contact_id: int | None
    channel: str | None
    name: str | None


@dataclass(frozen=True)
class Sheet:
    """A sheet and what became of its codes."""

    id: int
    place: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    codes: int
    used: int
    waiting: int


def codes(
    session: Session,
    now: datetime,
    *,
    limit: int,
    before: int | None = None,
    state: State | None = None,
    sheet_id: int | None = None,
    issued_by: str | None = None,
    customer_code: str | None = None,
) -> list[Handed]:
    """The newest first; `before` is the id that the last page ended with."""
    conditions = [
        LinkCode.id < before if before is not None else None,
        _is(state, now) if state else None,
        LinkCode.sheet_id == sheet_id if sheet_id is not None else None,
        LinkCode.issued_by == issued_by if issued_by else None,
        LinkCode.customer_code == customer_code if customer_code else None,
    ]
    rows = session.execute(
        select(
            LinkCode.id,
            LinkCode.customer_code,
            LinkSheet.place,
            LinkCode.sheet_id,
            LinkCode.issued_by,
            LinkCode.issued_at,
            LinkCode.expires_at,
            LinkCode.used_at,
            LinkCode.revoked_at,
            _state(now).label("state"),
            LinkCode.used_by_contact_id.label("contact_id"),
            Contact.channel,
            Contact.display_name.label("name"),
        )
        .outerjoin(LinkSheet, LinkSheet.id == LinkCode.sheet_id)
        .outerjoin(Contact, Contact.id == LinkCode.used_by_contact_id)
        .where(*(condition for condition in conditions if condition is not None))
        .order_by(LinkCode.id.desc())
        .limit(limit)
    )
    return [Handed(**{**row, "state": State(row["state"])}) for row in rows.mappings()]


def sheets(session: Session, now: datetime, *, limit: int, before: int | None = None) -> list[Sheet]:
    """The newest first; `before` is the id that the last page ended with."""
    page = select(LinkSheet.id).order_by(LinkSheet.id.desc()).limit(limit)
    if before is not None:
        page = page.where(LinkSheet.id < before)
    return _counted(session, _sheets(now).where(LinkSheet.id.in_(page)))


def sheet(session: Session, now: datetime, sheet_id: int) -> Sheet | None:
    return next(iter(_counted(session, _sheets(now).where(LinkSheet.id == sheet_id))), None)


def _sheets(now: datetime) -> Select[int, str, str, datetime, datetime, int, int, int]:
    return (
        select(
            LinkSheet.id,
            LinkSheet.place,
            LinkSheet.issued_by,
            LinkSheet.issued_at,
            LinkSheet.expires_at,
            func.count(),
            func.count().filter(LinkCode.used_at.is_not(None)),
            func.count().filter(_is(State.WAITING, now)),
        )
        .join(LinkCode, LinkCode.sheet_id == LinkSheet.id)
        .group_by(LinkSheet.id)
        .order_by(LinkSheet.id.desc())
    )


def _counted(session: Session, chosen: Select[int, str, str, datetime, datetime, int, int, int]) -> list[Sheet]:
    return [Sheet(*row) for row in session.execute(chosen)]


def _is(state: State, now: datetime) -> ColumnElement[bool]:
    return _state(now) == state


def _state(now: datetime) -> ColumnElement[str]:
    """Used goes before all else: a code that linked somebody is not taken back."""
    return case(
        (LinkCode.used_at.is_not(None), State.USED),
        (LinkCode.revoked_at.is_not(None), State.REVOKED),
        (LinkCode.expires_at <= now, State.EXPIRED),
        else_=State.WAITING,
    )

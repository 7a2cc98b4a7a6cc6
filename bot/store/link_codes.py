"""Codes that staff hand out at the counter or in the hamlet: made, given up for a link once, revoked (design F1).

A code is eight letters and digits and a check character, in two groups: `KMT7 3VQXH`. Its alphabet has no look-alikes,
and no letter that a Vietnamese keyboard turns into another one (vowels, d, w, s, z).
"""

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.store.conversations import add_link, audit
from bot.store.database import Database
from bot.store.limits import Rate, hold
from bot.store.models import Link, LinkCode, LinkCodeGuess

ALPHABET = "CFHJKLMNPQRTVX234679"
LENGTH = 8
SHAPE = re.compile(r"(?<![A-Z0-9])([A-Z0-9]{4})[ .\-]?([A-Z0-9]{5})(?![A-Z0-9])")
METHOD = "staff_code"


class NoSuchCode(Exception):
    """The code links nothing: never issued, used, revoked or expired. Which of these is nobody's business."""


class TooManyGuesses(Exception):
    """The contact tried too many codes that link nothing."""


@dataclass(frozen=True)
class IssuedCode:
    """`code` is told once, to be handed out; the store keeps its hash."""

    id: int
    customer_code: str
    expires_at: datetime
    code: str = field(repr=False)


def find_code(text: str) -> str | None:
    """The code in a text, without spaces and dashes; None if there is none, or if it is mistyped."""
    for found in SHAPE.finditer(text.upper()):
        bare = found[1] + found[2]
        if set(bare) <= set(ALPHABET) and check_character(bare[:-1]) == bare[-1]:
            return bare
    return None


def is_mistyped(text: str) -> bool:
    """Is the text nothing but letters and digits in the two groups of a code, and none?"""
    found = SHAPE.fullmatch(text.upper().strip(" .!"))
    mixed = found and any(map(str.isdigit, found[0])) and any(map(str.isalpha, found[0]))
    return bool(mixed) and find_code(text) is None


def check_character(body: str) -> str:
    """Luhn's algorithm modulo the alphabet's size: every single mistyped character is seen."""
    size, total, factor = len(ALPHABET), 0, 2
    for character in reversed(body):
        addend = factor * ALPHABET.index(character)
        total += addend // size + addend % size
        factor = 3 - factor
    return ALPHABET[-total % size]


def grouped(code: str) -> str:
    """As it is printed: `KMT7 3VQXH`."""
    return f"{code[:4]} {code[4:]}"


def _new_code() -> str:
    """With letters and digits both, so that it is no word and no number."""
    while True:
        body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        if not body.isalpha() and not body.isdigit():
            return body + check_character(body)


class LinkCodes:
    """The hash is keyed with `secret`: whoever reads the table learns no code."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def seal(self, code: str) -> str:
        """What is kept of a code, and passed on while consent is asked for."""
        return digest(self._secret, f"link-code:{code}".encode(), sha256).hex()

    def issue(
        self,
        session: Session,
        *,
        customer_code: str,
        issued_by: str,
        now: datetime,
        lifetime: timedelta,
        sheet_id: int | None = None,
    ) -> IssuedCode:
        """A new code for a customer whom staff have identified, or whose house they will hand it out at."""
        code = _new_code()
        row = LinkCode(
            code_hash=self.seal(code),
            customer_code=customer_code,
            issued_by=issued_by,
            issued_at=now,
            expires_at=now + lifetime,
            sheet_id=sheet_id,
        )
        session.add(row)
        session.flush()
        audit(session, actor=issued_by, action="link_code.issued", contact_id=None, link_code=row.id)
        return IssuedCode(row.id, customer_code, row.expires_at, code)

    def revoke(self, session: Session, *, link_code_id: int, by: str, now: datetime) -> bool:
        """False when the code is used, expired or revoked already."""
        return self._revoke(session, LinkCode.id == link_code_id, by=by, now=now) > 0

    def revoke_sheet(self, session: Session, *, sheet_id: int, by: str, now: datetime) -> int:
        """All codes of a sheet that nobody has used yet. Returns how many there were."""
        return self._revoke(session, LinkCode.sheet_id == sheet_id, by=by, now=now)

    @staticmethod
    def _revoke(session: Session, which: ColumnElement[bool], *, by: str, now: datetime) -> int:
        rows = session.scalars(
            select(LinkCode)
            .where(which, LinkCode.used_at.is_(None), LinkCode.revoked_at.is_(None), LinkCode.expires_at > now)
            .order_by(LinkCode.id)
            .with_for_update()
        ).all()
        for row in rows:
            row.revoked_at, row.revoked_by = now, by
            audit(session, actor=by, action="link_code.revoked", contact_id=None, link_code=row.id)
        return len(rows)

    def redeem(
        self, database: Database, *, seal: str, contact_id: int, event_id: int, now: datetime, limit: Rate
    ) -> Link:
        """The link that the code gives, once. The same contact may say it again while the link lives (a replay).

        Commits at once, so that nothing that fails later gives a guess back. Raises NoSuchCode, TooManyGuesses.
        """
        with database.begin() as session:
            hold(session, f"link-code:{contact_id}")
            if self._guesses(session, contact_id, event_id, now - limit.window) >= limit.count:
                raise TooManyGuesses
            row = session.scalars(select(LinkCode).where(LinkCode.code_hash == seal).with_for_update()).one_or_none()
            if row is not None and self._gives_a_link(session, row, contact_id, now):
                if row.used_at is None:
                    row.used_at, row.used_by_contact_id = now, contact_id
                    audit(
                        session,
                        actor=f"contact:{contact_id}",
                        action="link_code.used",
                        contact_id=contact_id,
                        link_code=row.id,
                    )
                return add_link(session, contact_id=contact_id, customer_code=row.customer_code, method=METHOD, at=now)
            session.execute(
                insert(LinkCodeGuess).values(contact_id=contact_id, event_id=event_id, at=now).on_conflict_do_nothing()
            )
        raise NoSuchCode

    @staticmethod
    def _guesses(session: Session, contact_id: int, event_id: int, since: datetime) -> int:
        counted = (
            select(func.count())
            .select_from(LinkCodeGuess)
            .where(LinkCodeGuess.contact_id == contact_id, LinkCodeGuess.at > since, LinkCodeGuess.event_id != event_id)
        )
        return session.scalar(counted) or 0

    @staticmethod
    def _gives_a_link(session: Session, row: LinkCode, contact_id: int, now: datetime) -> bool:
        if row.revoked_at is not None:
            return False
        if row.used_at is None:
            return now < row.expires_at
        live = select(Link.id).where(
            Link.contact_id == contact_id, Link.customer_code == row.customer_code, Link.ended_at.is_(None)
        )
        return row.used_by_contact_id == contact_id and session.scalar(live) is not None

"""One-time passwords: issuing within limits, checking with a bounded number of guesses. Each call commits at once,
so that nothing that fails later in a turn gives a guess back."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest, digest

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.store.database import Database
from bot.store.models import OtpChallenge

DIGITS = 6
BARE_PASSWORD = re.compile(rf"\s*(\d[\s.\-]*){{{DIGITS}}}")


class Verdict(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    TOO_MANY = "too_many"


class TooManySends(Exception):
    """A limit of sends is reached, for this contact or this code."""


@dataclass(frozen=True)
class Limits:
    lifetime: timedelta
    guesses: int
    per_contact: int
    per_contact_window: timedelta
    per_code: int
    per_code_window: timedelta


def is_password(session: Session, contact_id: int, text: str, now: datetime) -> bool:
    """Is this bare number a one-time password that the contact was sent and may have typed to whoever answers?"""
    if not BARE_PASSWORD.fullmatch(text):
        return False
    live = select(OtpChallenge.id).where(OtpChallenge.contact_id == contact_id, OtpChallenge.expires_at > now)
    return session.scalar(live.limit(1)) is not None


class OtpStore:
    """Passwords derive from `secret` and the event that asked for one, so that a replayed event sends the same."""

    def __init__(self, database: Database, secret: str, limits: Limits) -> None:
        self._database = database
        self._secret = secret.encode()
        self._limits = limits

    def issue(self, *, contact_id: int, customer_code: str, event_id: int, now: datetime) -> str:
        """A new password for the contact and code; earlier ones end. Raises TooManySends."""
        password = self._password(f"{event_id}:{contact_id}:{customer_code}")
        with self._database.begin() as session:
            latest = self._latest(session, contact_id)
            if latest and latest.event_id == event_id and latest.customer_code == customer_code:
                return password
            limits = self._limits
            by_contact = self._sent(session, OtpChallenge.contact_id == contact_id, now - limits.per_contact_window)
            by_code = self._sent(session, OtpChallenge.customer_code == customer_code, now - limits.per_code_window)
            if by_contact >= limits.per_contact or by_code >= limits.per_code:
                raise TooManySends
            session.add(
                OtpChallenge(
                    contact_id=contact_id,
                    customer_code=customer_code,
                    event_id=event_id,
                    otp_hash=self._hash(password, contact_id),
                    sent_at=now,
                    expires_at=now + limits.lifetime,
                )
            )
        return password

    def check(self, *, contact_id: int, customer_code: str, password: str, event_id: int, now: datetime) -> Verdict:
        """Is this the password last sent to the contact for the code? A right one works once; a replay repeats."""
        with self._database.begin() as session:
            challenge = self._latest(session, contact_id)
            if challenge is None or challenge.customer_code != customer_code:
                return Verdict.EXPIRED
            right = compare_digest(challenge.otp_hash, self._hash(password, contact_id))
            if challenge.used_at is not None:
                return Verdict.RIGHT if right and challenge.used_by_event_id == event_id else Verdict.EXPIRED
            if challenge.wrong_guesses >= self._limits.guesses:
                return Verdict.TOO_MANY
            if now >= challenge.expires_at:
                return Verdict.EXPIRED
            if right:
                challenge.used_at, challenge.used_by_event_id = now, event_id
                return Verdict.RIGHT
            challenge.wrong_guesses += 1
            return Verdict.TOO_MANY if challenge.wrong_guesses >= self._limits.guesses else Verdict.WRONG

    def guesses_left(self, contact_id: int) -> int:
        with self._database.begin() as session:
            challenge = self._latest(session, contact_id)
            return max(0, self._limits.guesses - challenge.wrong_guesses) if challenge else 0

    @staticmethod
    def _latest(session: Session, contact_id: int) -> OtpChallenge | None:
        return session.scalars(
            select(OtpChallenge)
            .where(OtpChallenge.contact_id == contact_id)
            .order_by(OtpChallenge.id.desc())
            .limit(1)
            .with_for_update()
        ).one_or_none()

    @staticmethod
    def _sent(session: Session, condition: ColumnElement[bool], since: datetime) -> int:
        counted = select(func.count()).select_from(OtpChallenge).where(condition, OtpChallenge.sent_at > since)
        return session.scalar(counted) or 0

    def _password(self, purpose: str) -> str:
        number = int.from_bytes(digest(self._secret, f"otp:{purpose}".encode(), sha256)[:8], "big")
        return f"{number % 10**DIGITS:0{DIGITS}d}"

    def _hash(self, password: str, contact_id: int) -> str:
        return digest(self._secret, f"otp-check:{contact_id}:{password}".encode(), sha256).hex()

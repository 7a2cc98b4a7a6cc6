"""Passwords and second factors of staff: argon2id, TOTP (RFC 6238), secrets encrypted under SECRET_KEY."""

import base64
import secrets
from datetime import datetime
from hashlib import sha256
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken
from zxcvbn import zxcvbn

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 128
"""More would only keep the hash busy; zxcvbn takes no more than 72 of them."""
STRONG: Final = 3
"""zxcvbn's score, of 4: safe from offline guessing for a while."""
STEP_SECONDS: Final = 30
STEPS_ASIDE: Final = 1
"""A telephone's clock may be half a minute off."""

_HASHER = PasswordHasher()
_NOBODYS: Final = _HASHER.hash(secrets.token_hex())


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """Without a hash (no such login) it takes as long, and is wrong."""
    try:
        return _HASHER.verify(password_hash or _NOBODYS, password[:LONGEST_PASSWORD]) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    return _HASHER.check_needs_rehash(password_hash)


def is_strong(password: str, *, known: tuple[str, ...]) -> bool:
    """Long enough, and not to be guessed from dictionaries or from what is `known` of the person."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return False
    return int(zxcvbn(password[:72], user_inputs=list(known))["score"]) >= STRONG


def temporary_password() -> str:
    """To be told once and changed at the first sign-in."""
    return "-".join(secrets.token_hex(3) for _ in range(3))


class SecondFactors:
    """TOTP secrets as they are kept: encrypted, so that a copy of the database opens nothing."""

    def __init__(self, secret_key: str, issuer: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(sha256(f"totp:{secret_key}".encode()).digest()))
        self._issuer = issuer

    def new(self) -> bytes:
        return self._fernet.encrypt(pyotp.random_base32().encode())

    def address(self, kept: bytes, login: str) -> str:
        """What the QR for the authenticator says."""
        return self._totp(kept).provisioning_uri(name=login, issuer_name=self._issuer)

    def plain(self, kept: bytes) -> str:
        """For typing it in by hand."""
        return self._fernet.decrypt(kept).decode()

    def step_of(self, kept: bytes, code: str, now: datetime, *, after: int) -> int | None:
        """The time step that the code is of, if it is right and later than `after`: none is taken twice."""
        try:
            totp = self._totp(kept)
        except InvalidToken:
            return None
        present = int(now.timestamp()) // STEP_SECONDS
        for step in range(present - STEPS_ASIDE, present + STEPS_ASIDE + 1):
            if step > after and secrets.compare_digest(totp.generate_otp(step), code.strip().replace(" ", "")):
                return step
        return None

    def _totp(self, kept: bytes) -> pyotp.TOTP:
        return pyotp.TOTP(self.plain(kept), interval=STEP_SECONDS)

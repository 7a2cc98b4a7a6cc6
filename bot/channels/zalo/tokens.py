"""The OA's access token, and the chain of single-use refresh tokens behind it (zalo.md §1.2–1.4).

A refresh token works once, and its successor comes in the very answer. So only one refresh runs at a time among all
processes (the row of `platform_token` is locked while it does), the successor is committed before it is used, and
nothing but the platform's own word ends a chain. When the answer to a refresh is lost the chain is broken: the access
token serves until it expires, and a person has to consent again.
"""

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from prometheus_client import Counter
from psycopg.errors import LockNotAvailable
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, OperationalError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from bot.channels.http import HttpClient, raise_for_status
from bot.channels.outcomes import Reauthorise, Retry, SendError
from bot.channels.zalo.errors import REFRESH_TOKEN_DEAD, error_code, oauth_error
from bot.clock import Clock
from bot.logs import get_logger
from bot.messages import ChannelName
from bot.settings import ZaloSettings
from bot.store.database import Database
from bot.store.models import PlatformToken

PROVIDER = ChannelName.ZALO.value

REFRESH_AFTER = 0.8
"""Share of a token's life after which it is renewed: 20 of 25 hours."""

USUAL_LIFE = timedelta(seconds=90_000)
EXPIRY_MARGIN = timedelta(seconds=60)
RENEWAL_INTERVAL = timedelta(seconds=30)
"""A token that replaced a refused one and is refused too, this soon, will not be helped by yet another."""

SHORT_PAUSE = timedelta(seconds=10)
LONG_PAUSE = timedelta(seconds=60)
"""How long a failed refresh is not tried again: short while nothing can be sent and only the way there is broken."""

LOCK_TIMEOUT_MS = 20_000

REFRESHES = Counter("zalo_token_refreshes_total", "Refreshes of the Zalo access token, by outcome", ["outcome"])

log = get_logger(__name__)


@dataclass(frozen=True)
class _Pair:
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class _Failure:
    """A refresh that failed lately: told again to whoever asks before `until`, without another call."""

    error: SendError
    until: datetime


class ZaloTokens:
    """Hands out the access token and keeps it alive. Shared by the threads of a process."""

    def __init__(self, settings: ZaloSettings, database: Database, clock: Clock, http: HttpClient) -> None:
        self._url = f"{settings.oauth_url}/v4/oa/access_token"
        self._app_id = settings.app_id
        self._app_secret = settings.app_secret
        self._setting = settings.refresh_token.get_secret_value() if settings.refresh_token else None
        self._setting_hash = sha256(self._setting.encode()).hexdigest() if self._setting else None
        self._setting_followed = self._setting is None
        self._database = database
        self._clock = clock
        self._http = http
        self._refreshing = threading.Lock()
        self._failure: _Failure | None = None
        self._renewed_at: datetime | None = None

    def access_token(self) -> str:
        """A token to call with, renewed first when it is due.

        Raises Reauthorise when only a person can bring one, Retry when the token endpoint is out of reach; neither
        while the token at hand still serves.
        """
        row = self._row()
        if not self._usable(row):
            return self._refresh(seen=None, wait=True)
        assert row is not None
        assert row.access_token is not None
        if self._due(row):
            with suppress(SendError):
                return self._refresh(seen=row.access_token, wait=False)
        return row.access_token

    def renew(self, rejected: str) -> str:
        """Another token than `rejected`, which the platform has just refused. Raises Reauthorise or Retry."""
        return self._refresh(seen=rejected, wait=True, rejected=True)

    def refresh_if_due(self) -> None:
        """For the clock: keep the chain alive when nothing is sent.

        Raises Reauthorise as long as a person is needed, even while the token at hand still serves; Retry.
        """
        row = self._row()
        if row is None or not self._usable(row) or self._due(row):
            self._refresh(seen=row.access_token if row and self._usable(row) else None, wait=False)
        elif row.needs_consent_since:
            raise _consent_needed()

    def _row(self) -> PlatformToken | None:
        with self._database.begin() as session:
            return session.get(PlatformToken, PROVIDER)

    def _usable(self, row: PlatformToken | None) -> bool:
        return (
            row is not None
            and row.access_token is not None
            and row.access_expires_at is not None
            and self._clock() < row.access_expires_at - EXPIRY_MARGIN
        )

    def _due(self, row: PlatformToken) -> bool:
        """A new setting to follow, or most of the token's life gone (and not known to be without successor)."""
        if self._starts_new_chain(row):
            return True
        if row.needs_consent_since or row.access_expires_at is None:
            return False
        life = row.access_expires_at - row.updated_at
        return self._clock() >= row.updated_at + life * REFRESH_AFTER

    def _starts_new_chain(self, row: PlatformToken) -> bool:
        """True when ZALO_REFRESH_TOKEN is another than the one the chain began with.

        Asked of a setting once in a process's life: a process that still has yesterday's setting must not drag
        the others back to it.
        """
        if not self._setting_followed and row.bootstrap_hash == self._setting_hash:
            self._setting_followed = True
        return not self._setting_followed

    def _refresh(self, *, seen: str | None, wait: bool, rejected: bool = False) -> str:
        """The token after `seen`: another process's, if it was quicker, else one we fetch.

        With `wait` false and the refresh under way elsewhere, `seen` stays good.
        """
        if not self._refreshing.acquire(blocking=wait or seen is None):
            assert seen is not None
            return seen
        try:
            outcome = self._refresh_alone(seen, wait=wait or seen is None, rejected=rejected)
        finally:
            self._refreshing.release()
        if isinstance(outcome, SendError):
            raise outcome
        return outcome

    def _refresh_alone(self, seen: str | None, *, wait: bool, rejected: bool) -> str | SendError:
        self._make_row()
        received: list[_Pair] = []
        try:
            with self._database.begin() as session:
                session.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
                row = session.scalar(
                    select(PlatformToken)
                    .where(PlatformToken.provider == PROVIDER)
                    .with_for_update(skip_locked=not wait)
                )
                if row is None:
                    assert seen is not None
                    return seen
                return self._refresh_locked(row, seen, rejected=rejected, received=received)
        except OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):
                return Retry("token-busy", "token refresh under way elsewhere", after=SHORT_PAUSE)
            if not received:
                raise
        except DBAPIError:
            if not received:
                raise
        log.warning("zalo token pair stored again after a lost connection to the database")
        self._store_again(received[-1])
        return received[-1].access_token

    def _refresh_locked(
        self, row: PlatformToken, seen: str | None, *, rejected: bool, received: list[_Pair]
    ) -> str | SendError:
        """With the row locked: everything is looked at anew, since another process may have been here."""
        now = self._clock()
        if row.access_token is not None and row.access_token != seen and self._usable(row):
            return row.access_token
        if rejected and self._renewed_at and timedelta(0) <= now - self._renewed_at < RENEWAL_INTERVAL:
            return Reauthorise("fresh-token-refused", "the platform refuses a token it has just issued")
        if self._failure and now < self._failure.until:
            return self._failure.error
        self._failure = None
        outcome = None
        if self._starts_new_chain(row):
            outcome = self._start_chain(row, now, rejected=rejected, received=received)
        if outcome is None:
            outcome = self._continue_chain(row, now, rejected=rejected, received=received)
        if rejected and received:
            self._renewed_at = now
        return outcome

    def _start_chain(
        self, row: PlatformToken, now: datetime, *, rejected: bool, received: list[_Pair]
    ) -> str | SendError | None:
        """Trade the setting's token for the first pair; None when it is refused and the row's own chain must go on."""
        assert self._setting is not None
        outcome = self._exchange(self._setting, now)
        if isinstance(outcome, _Pair):
            self._follow_setting(row)
            return self._keep(row, outcome, received)
        if not _is_final(outcome):
            return self._failed(row, outcome, now)
        self._follow_setting(row)
        if row.refresh_token is None or row.needs_consent_since:
            return self._failed(row, outcome, now)
        log.error("ZALO_REFRESH_TOKEN is refused; the running chain goes on", code=outcome.code)
        return row.access_token if self._usable(row) and not rejected else None

    def _continue_chain(
        self, row: PlatformToken, now: datetime, *, rejected: bool, received: list[_Pair]
    ) -> str | SendError:
        if row.needs_consent_since is None and row.refresh_token is not None:
            outcome = self._exchange(row.refresh_token, now)
            if isinstance(outcome, _Pair):
                return self._keep(row, outcome, received)
            error = self._failed(row, outcome, now)
        elif row.needs_consent_since is None:
            return Reauthorise("no-refresh-token", "no consent yet: ZALO_REFRESH_TOKEN is not set")
        else:
            error = _consent_needed()
        if rejected and row.needs_consent_since:
            row.access_expires_at = now
        return error

    def _follow_setting(self, row: PlatformToken) -> None:
        self._setting_followed = True
        row.bootstrap_hash = self._setting_hash

    def _keep(self, row: PlatformToken, pair: _Pair, received: list[_Pair]) -> str:
        received.append(pair)
        _write(row, pair)
        REFRESHES.labels("ok").inc()
        log.info("zalo token refreshed", expires_at=pair.expires_at.isoformat())
        return pair.access_token

    def _failed(self, row: PlatformToken, error: SendError, now: datetime) -> SendError:
        REFRESHES.labels(type(error).__name__).inc()
        log.error("zalo token refresh failed", code=error.code, reason=error.reason)
        if _is_final(error):
            row.needs_consent_since = row.needs_consent_since or now
        else:
            pause = LONG_PAUSE if isinstance(error, Reauthorise) or self._usable(row) else SHORT_PAUSE
            self._failure = _Failure(error, now + pause)
        return error

    def _exchange(self, refresh_token: str, now: datetime) -> _Pair | SendError:
        """Trade a refresh token for the next pair. The one call that must never be made twice with one token."""
        try:
            answer = self._http.request(
                "oauth",
                "POST",
                self._url,
                sends=False,
                headers={"secret_key": self._app_secret.get_secret_value()},
                data={"refresh_token": refresh_token, "app_id": self._app_id, "grant_type": "refresh_token"},
            )
            body = answer.body or {}
            if body.get("access_token"):
                life = _life(body.get("expires_in"))
                return _Pair(body["access_token"], body.get("refresh_token") or refresh_token, now, now + life)
            if code := error_code(body):
                return oauth_error(code, now)
            raise_for_status(answer, sends=False)
        except SendError as error:
            return error

    def _make_row(self) -> None:
        with self._database.begin() as session:
            session.execute(
                insert(PlatformToken)
                .values(provider=PROVIDER, updated_at=self._clock())
                .on_conflict_do_nothing(index_elements=[PlatformToken.provider])
            )

    @retry(
        retry=retry_if_exception_type(DBAPIError),
        stop=stop_after_attempt(12),
        wait=wait_exponential(multiplier=0.2, max=5),
        reraise=True,
    )
    def _store_again(self, pair: _Pair) -> None:
        """The connection broke with a new pair in hand. Nobody else can have a better one: it is written as it is."""
        with self._database.begin() as session:
            row = session.get_one(PlatformToken, PROVIDER, with_for_update=True)
            _write(row, pair)
            row.bootstrap_hash = self._setting_hash or row.bootstrap_hash


def _write(row: PlatformToken, pair: _Pair) -> None:
    row.access_token = pair.access_token
    row.refresh_token = pair.refresh_token
    row.access_expires_at = pair.expires_at
    row.updated_at = pair.issued_at
    row.needs_consent_since = None


def _consent_needed() -> Reauthorise:
    return Reauthorise("consent-needed", "an administrator of the OA must consent again")


def _is_final(error: SendError) -> bool:
    return error.code in {str(code) for code in REFRESH_TOKEN_DEAD}


def _life(expires_in: object) -> timedelta:
    """`expires_in` is a string of seconds, sometimes a number (zalo.md §1.2)."""
    try:
        seconds = int(str(expires_in))
    except ValueError:
        return USUAL_LIFE
    return timedelta(seconds=seconds) if seconds > 0 else USUAL_LIFE

"""Says what stands between this installation and its work: one line for each thing it needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from actions.backends.probe import NO_SUCH_CUSTOMER, System
from bot.channels.outcomes import SendError
from bot.channels.registry import build_channels
from bot.clock import system_clock
from bot.settings import Settings
from bot.store import migrate
from bot.store.database import Database

PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Finding:
    """`problem` is None when all is well."""

    what: str
    problem: str | None

    def line(self) -> str:
        return f"{'✗' if self.problem else '✓'} {self.what}: {self.problem or 'ok'}"


def examine(settings: Settings, database: Database) -> Iterator[Finding]:
    """All findings, as they come in. Writes nothing but tokens that Zalo renews on being asked."""
    yield Finding("settings", None)
    yield Finding("database", _database(database))
    yield Finding(f"understanding ({settings.nlu_url})", _understanding(settings.nlu_url))
    token = settings.backend_token.get_secret_value()
    billing = System("billing", settings.billing_url, token).get(f"/v1/customers/{NO_SUCH_CUSTOMER}")
    service = System("service", settings.service_url, token).get("/v1/offices")
    yield Finding(f"billing ({settings.billing_url})", billing.refuses(404))
    yield Finding(f"service ({settings.service_url})", service.problem or _unless(service.status, 200))
    channels = build_channels(settings, database, system_clock(settings.trolydien_now))
    if not channels:
        yield Finding("channels", "neither ZALO_… nor MESSENGER_… is set")
    for name, channel in channels.items():
        yield Finding(f"channel {name.value}", _credentials(channel.check))


def _database(database: Database) -> str | None:
    newest = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations")).get_current_head()
    try:
        with database.engine.connect() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        return f"does not answer ({type(error).__name__})"
    if revision != newest:
        return f"at revision {revision or 'none'} instead of {newest}: run `trolydien migrate`"
    return None


def _understanding(url: str) -> str | None:
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{url}/model/parse", json={"text": "xin chào"}, timeout=PATIENCE_SECONDS)
            understood = answer.json()["intent"]["name"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        return f"no usable answer ({type(error).__name__})"
    return None if understood else "names no intent"


def _credentials(check: Callable[[], None]) -> str | None:
    try:
        check()
    except SendError as error:
        return f"{type(error).__name__}: {error}"
    return None


def _unless(status: int, wanted: int) -> str | None:
    return None if status == wanted else f"status {status} instead of {wanted}"

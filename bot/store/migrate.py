"""Bring a database's schema to a revision. Several processes may try at once: they queue behind one lock."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from bot.store.database import Database
from bot.store.models import Base

MIGRATION_LOCK = 4_501_279
"""Key of the advisory lock that migrations queue behind."""


def migrate(database: Database, revision: str = "head") -> None:
    """Upgrade to `revision`. A statement that waits 5 s for a table lock fails rather than block the traffic."""
    with database.engine.begin() as connection:
        _prepare(connection)
        command.upgrade(_config(connection), revision)


def rollback(database: Database, revision: str = "base") -> None:
    """Downgrade to `revision`; `base` leaves an empty database."""
    with database.engine.begin() as connection:
        _prepare(connection)
        command.downgrade(_config(connection), revision)


def make_revision(database: Database, message: str) -> None:
    """Write a new migration from the difference between the models and the database."""
    with database.engine.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True)


def differences(database: Database) -> list[object]:
    """What the models have and the database has not, or the other way round."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": lambda _o, name, *_: not str(name).startswith("procrastinate_")}
        )
        return list(compare_metadata(context, Base.metadata))


def _prepare(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config

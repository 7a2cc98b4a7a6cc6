"""The console as a browser without a screen sees it: a client over a real database, signed in as whoever is wanted."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fixtures.console import ENVIRONMENT, Console

from bot.app import create_app
from bot.settings import load_settings
from bot.store.database import Database
from bot.store.embedded import create_database
from bot.store.models import Base

TEMPLATE = "trolydien_template"
SHARED = "console_of_this_run"


@pytest.fixture(scope="session")
def shared_database(postgres: str) -> Iterator[Database]:
    create_database(postgres.replace(TEMPLATE, "postgres", 1), SHARED, template=TEMPLATE)
    database = Database(postgres.replace(TEMPLATE, SHARED, 1), pool_size=5)
    yield database
    database.close()


@pytest.fixture
def console(shared_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Console:
    """An empty store, and a console over it in which nobody is signed in."""
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with shared_database.engine.begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.exec_driver_sql(f"TRUNCATE {tables}, procrastinate_jobs RESTART IDENTITY CASCADE")
        connection.exec_driver_sql("SET session_replication_role = DEFAULT")
    at = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    found = Console(shared_database, load_settings(), at)
    found.app = create_app(found.settings, shared_database, clock=lambda: found.now)
    return found

from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway import ENVIRONMENT, Gateway
from sqlalchemy import text

from bot.app import create_app
from bot.settings import load_settings
from bot.store.database import Database
from bot.store.embedded import create_database

TEMPLATE = "trolydien_template"
SHARED = "webhooks_of_this_run"


@pytest.fixture(scope="session")
def shared_database(postgres: str) -> Iterator[Database]:
    """One database for all tests of this folder: they see only what webhooks write, emptied before each."""
    create_database(postgres.replace(TEMPLATE, "postgres", 1), SHARED, template=TEMPLATE)
    database = Database(postgres.replace(TEMPLATE, SHARED, 1), pool_size=5)
    yield database
    database.close()


@pytest.fixture
def gateway(shared_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gateway:
    """The gateway with both channels set up, and nothing stored."""
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with shared_database.begin() as session:
        session.execute(text("DELETE FROM inbound_event"))
        session.execute(text("DELETE FROM procrastinate_events"))
        session.execute(text("DELETE FROM procrastinate_jobs"))
    return Gateway(create_app(load_settings(), shared_database).test_client(), shared_database)

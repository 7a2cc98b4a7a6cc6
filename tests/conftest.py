"""What every test may ask for: a migrated PostgreSQL database of its own."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from stack import Stack, running_stack

from bot.store.database import Database
from bot.store.embedded import create_database, start_embedded
from bot.store.migrate import migrate

TEMPLATE = "trolydien_template"

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell's background job starts with SIGINT ignored, and so would all that the tests start and interrupt."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of the migrated template database of this run: DATABASE_URL's server, or an embedded one."""
    given = os.environ.get("DATABASE_URL")
    folder = Path(tempfile.mkdtemp(prefix="trolydien-test-"))
    if given:
        create_database(given, TEMPLATE)
        url = given.rsplit("/", 1)[0] + f"/{TEMPLATE}"
    else:
        url = start_embedded(folder, TEMPLATE)
    database = Database(url)
    migrate(database)
    database.close()
    yield url
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres: str) -> Iterator[Database]:
    """An empty, migrated database that this test has to itself."""
    name = f"test_{uuid4().hex}"
    admin = postgres.replace(TEMPLATE, "postgres", 1)
    create_database(admin, name, template=TEMPLATE)
    own = Database(postgres.replace(TEMPLATE, name, 1), pool_size=5)
    yield own
    own.close()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def stack(postgres: str) -> Iterator[Stack]:
    """The whole product, running, with the sandbox around it."""
    with running_stack(postgres) as running:
        yield running

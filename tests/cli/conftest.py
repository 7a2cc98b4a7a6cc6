from collections.abc import Iterator
from pathlib import Path

import pytest
from trolydien_command import Trolydien

from bot.store.database import Database


@pytest.fixture
def trolydien(tmp_path: Path) -> Iterator[Trolydien]:
    """The command with an embedded database of its own."""
    command = Trolydien(tmp_path)
    yield command
    command.close()


@pytest.fixture
def with_database(trolydien: Trolydien, database: Database) -> Trolydien:
    """The command with a database that is migrated."""
    trolydien.env["DATABASE_URL"] = database.url
    return trolydien

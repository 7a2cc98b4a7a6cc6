from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.stage import ENVIRONMENT, Stage, set_stage
from structlog.testing import capture_logs

from bot.settings import load_settings
from bot.store.database import Database


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What is logged meanwhile."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def stage(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return set_stage(database, load_settings())

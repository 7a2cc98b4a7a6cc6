from pathlib import Path

import pytest
from fixtures.stage import ENVIRONMENT, Stage, set_stage

from bot.settings import load_settings
from bot.store.database import Database


@pytest.fixture
def stage(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return set_stage(database, load_settings())

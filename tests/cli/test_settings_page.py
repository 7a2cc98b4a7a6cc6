"""docs/settings.md and .env.example against the settings themselves."""

import re
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from bot.settings import MessengerSettings, Settings, ZaloSettings

PROJECT = Path(__file__).resolve().parents[2]
GROUPS: list[type[BaseSettings]] = [Settings, ZaloSettings, MessengerSettings]
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def default_of(value: Any, *, required: bool) -> str:
    if required:
        return "none: must be set"
    if value is None:
        return "not set"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def expected() -> dict[str, str]:
    return {
        f"{group.model_config.get('env_prefix', '')}{name}".upper(): default_of(
            field.default, required=field.is_required()
        )
        for group in GROUPS
        for name, field in group.model_fields.items()
    }


def test_every_setting_is_explained_with_its_default() -> None:
    rows = ROW.findall((PROJECT / "docs" / "settings.md").read_text())
    told = {name: default.split(":")[0] if default.startswith("not set") else default for name, _, default, _ in rows}
    assert told == expected()
    assert len(rows) == len(told), "a setting is explained twice"
    assert all(len(meaning) > 10 and source for _, meaning, _, source in rows)


def test_the_example_names_every_setting_that_must_be_set() -> None:
    named = set(re.findall(r"^#?([A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    settings = expected()
    assert named <= settings.keys()
    assert {name for name, default in settings.items() if default == "none: must be set"} <= named

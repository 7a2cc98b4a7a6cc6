"""What the pages of the console work with."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from flask import current_app

from actions.desk import Company, load_company
from bot.clock import Clock
from bot.console.factors import SecondFactors
from bot.pipeline.assembly import DATA, Product, assemble
from bot.settings import Settings
from bot.store.database import Database


class Words:
    """The texts of the console that are not in its pages: data/console/*.yml, by file and name."""

    def __init__(self, folder: Path) -> None:
        self._texts: dict[str, Any] = {
            file.stem: yaml.safe_load(file.read_text("utf-8")) for file in sorted(folder.glob("*.yml"))
        }

    def says(self, name: str, **values: object) -> str:
        """A message to whoever works with the console. Raises KeyError for one that is not there."""
        return str(self._texts["messages"][name]).format(**values)

    def __getitem__(self, file: str) -> Any:
        return self._texts[file]


@dataclass(frozen=True)
class Office:
    """`product` is put together at its first use: most pages only read."""

    settings: Settings
    database: Database
    clock: Clock

    @cached_property
    def company(self) -> Company:
        return load_company(DATA)

    @cached_property
    def product(self) -> Product:
        return assemble(self.settings, self.database, clock=self.clock)

    @cached_property
    def words(self) -> Words:
        return Words(DATA / "console")

    @cached_property
    def intents(self) -> dict[str, str]:
        """What each intent is called."""
        titles = yaml.safe_load((DATA / "replies" / "intents.yml").read_text("utf-8"))
        said = {name.removeprefix("intent."): str(reply["text"]) for name, reply in titles.items()}
        said.update(self.words["intents"])
        return said

    @cached_property
    def factors(self) -> SecondFactors:
        return SecondFactors(self.settings.secret_key.get_secret_value(), self.company.short_name)


def office() -> Office:
    """Of the present request's application."""
    found: Office = current_app.extensions["office"]
    return found

"""The word lists under ``data/``, read once per process."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).resolve().parents[1] / "data"
LEXICON = DATA / "nlu_lexicon"
PLACES = DATA / "places.yml"


@cache
def read(name: str) -> Any:
    """The parsed content of ``data/nlu_lexicon/<name>.yml``; do not change the returned object."""
    return read_file(LEXICON / f"{name}.yml")


@cache
def read_file(path: Path) -> Any:
    """The parsed content of a YAML file; do not change the returned object."""
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=yaml.CSafeLoader)

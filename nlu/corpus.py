"""The annotated training data, read without Rasa: for checking and measuring."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nlu import lexicon

DATA = lexicon.DATA / "nlu"
TEST_SET = lexicon.DATA / "nlu_test"
DOMAIN = Path(__file__).resolve().parent / "domain.yml"

_ANNOTATION = re.compile(r"\[([^\]]+)\](?:\(([^)]*)\)|(\{[^}]*\}))")


@dataclass(frozen=True)
class Span:
    """An annotated entity of an example's text."""

    entity: str
    start: int
    end: int


@dataclass(frozen=True)
class Annotated:
    """One example: where it stands, its intent, the plain text, the annotated entities."""

    file: str
    intent: str
    text: str
    entities: "tuple[Span, ...]"


def parse_example(line: str) -> "tuple[str, tuple[Span, ...]]":
    """The plain text and the spans of ``tiền điện [tháng này](period)``."""
    out, spans, at = "", [], 0
    for match in _ANNOTATION.finditer(line):
        out += line[at : match.start()]
        entity = match[2] if match[2] is not None else str(json.loads(match[3]).get("entity"))
        spans.append(Span(entity, len(out), len(out) + len(match[1])))
        out += match[1]
        at = match.end()
    return out + line[at:], tuple(spans)


def read(folder: Path = DATA) -> Iterator[Annotated]:
    """All examples of the intents in the folder's YAML files, in the order of file name and line.

    Raises:
        ValueError: when a file is not in Rasa's training data format.
    """
    for path in sorted(folder.rglob("*.yml")):
        content: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if not isinstance(content, dict) or not isinstance(content.get("nlu"), list):
            raise ValueError(f"{path.name}: no list of training examples under 'nlu'")
        for item in content["nlu"]:
            for line in str(item["examples"]).splitlines():
                if line.strip():
                    text, spans = parse_example(line.strip().removeprefix("- ").strip())
                    yield Annotated(path.name, item["intent"], text, spans)


def held_out_texts(folder: Path = TEST_SET) -> "list[str]":
    """The texts of the test set."""
    files = [yaml.load(p.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) for p in sorted(folder.glob("*.yml"))]
    return [item["text"] for content in files for item in content["examples"]]


def domain() -> "tuple[list[str], list[str]]":
    """The intents and the entities of ``domain.yml``."""
    content = lexicon.read_file(DOMAIN)
    return list(content["intents"]), list(content["entities"])

"""Reading which option of a question is meant (data/answers.yml)."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from bot.dialogue.turn import Turn
from bot.text import fold

Answers = Mapping[str, Mapping[str, list[str]]]
"""Question → option → phrases without tone marks."""

WORD = re.compile(r"\w+")


def load_answers(file: Path) -> Answers:
    """Raises ValueError for a phrase that YAML reads as something else than text, as an unquoted `no`."""
    return TypeAdapter(dict[str, dict[str, list[str]]]).validate_python(yaml.safe_load(file.read_text("utf-8")))


def option_meant(answers: Answers, question: str, text: str) -> str | None:
    """The option whose longest phrase stands in the text as whole words; None if none does."""
    said = _words(text)
    found = [
        (len(phrase), option)
        for option, phrases in answers[question].items()
        for phrase in map(_phrase, phrases)
        if phrase in said
    ]
    return max(found)[1] if found else None


def _words(text: str) -> str:
    """The words between single spaces: what stands between them ends a word, too ("có, làm giúp tôi")."""
    return f" {' '.join(WORD.findall(fold(text)))} "


_phrase = cache(_words)
"""Phrases are few, and the same in every message."""


def option_of(question: str) -> Callable[[Turn[Any]], str | None]:
    """Reads a form's answer as an option of the question."""
    return lambda turn: option_meant(turn.desk.answers, question, turn.text)

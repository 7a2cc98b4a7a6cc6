"""The concepts of the trade in a message, from ``data/nlu_lexicon/concepts.yml``."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from nlu import lexicon
from nlu.text.marks import fold
from nlu.text.views import normalise

Phrase: TypeAlias = "tuple[tuple[str, ...], str]"


@lru_cache(maxsize=1)
def _phrases() -> "dict[str, list[Phrase]]":
    """First word → the phrases that begin with it and their concepts, the longest first; as written, and (where no
    other concept claims it) without marks."""
    table = lexicon.read("concepts")
    concept_of: dict[str, str] = {}
    for concept, row in table.items():
        for phrase in row:
            concept_of.setdefault(normalise(str(phrase)).accented, concept)
    for phrase, concept in list(concept_of.items()):
        concept_of.setdefault(fold(phrase), concept)
    by_first: dict[str, list[Phrase]] = {}
    for phrase, concept in concept_of.items():
        words = tuple(phrase.split())
        by_first.setdefault(words[0], []).append((words, concept))
    for phrases in by_first.values():
        phrases.sort(key=lambda phrase: -len(phrase[0]))
    return by_first


def concepts(words: Sequence[str]) -> "list[str]":
    """The concepts named by the words of an accented view, in their order; the longest phrase wins."""
    by_first = _phrases()
    found, i = [], 0
    while i < len(words):
        for phrase, concept in by_first.get(words[i], ()):
            if tuple(words[i : i + len(phrase)]) == phrase:
                found.append(concept)
                i += len(phrase)
                break
        else:
            i += 1
    return found

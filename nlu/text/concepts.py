"""The concepts of the trade in a message, from ``data/nlu_lexicon/concepts.yml``."""

from collections.abc import Sequence
from functools import lru_cache

from nlu import lexicon
from nlu.text.marks import fold
from nlu.text.views import normalise


@lru_cache(maxsize=1)
def _phrases() -> "tuple[dict[str, str], int]":
    """Phrase → concept, as written and (where no other claims it) without marks; the words of the longest one."""
    table = lexicon.read("concepts")
    phrases: dict[str, str] = {}
    for concept, row in table.items():
        for phrase in row:
            phrases.setdefault(normalise(str(phrase)).accented, concept)
    for phrase, concept in list(phrases.items()):
        phrases.setdefault(fold(phrase), concept)
    return phrases, max(len(phrase.split()) for phrase in phrases)


def concepts(words: Sequence[str]) -> "list[str]":
    """The concepts named by the words of an accented view, in their order; the longest phrase wins."""
    phrases, longest = _phrases()
    found, i = [], 0
    while i < len(words):
        for size in range(min(longest, len(words) - i), 0, -1):
            concept = phrases.get(" ".join(words[i : i + size]))
            if concept:
                found.append(concept)
                i += size
                break
        else:
            i += 1
    return found

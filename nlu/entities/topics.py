"""Kinds of notices and services named in general talk, from ``data/nlu_lexicon/topics.yml``."""

import re
from collections.abc import Iterator
from functools import lru_cache

from nlu import lexicon
from nlu.entities.match import B, E, Match, words
from nlu.text.align import AlignedText
from nlu.text.marks import fold, has_marks


@lru_cache(maxsize=1)
def _rules() -> "dict[str, tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]]":
    rules = {}
    for entity, rule in lexicon.read("topics").items():
        keys = {fold(phrase).replace(" ", ""): key for key, phrases in rule["phrases"].items() for phrase in phrases}
        spoken = [fold(phrase) for phrases in rule["phrases"].values() for phrase in phrases]
        context = re.compile(B + words(*map(fold, rule["context"])) + E)
        rules[entity] = (context, re.compile(B + r"(?<!thong )" + words(*spoken) + E), keys)
    return rules


def topics(aligned: AlignedText) -> Iterator[Match]:
    """``notice_kind`` and ``service`` where the message speaks of notices or services, or says nothing else."""
    text = aligned.folded
    for entity, (context, phrases, keys) in _rules().items():
        found = list(phrases.finditer(text))
        if not found:
            continue
        alone = len(found) == 1 and found[0][0] == text.strip(" .,!?")
        if not alone and not any(_outside(said, found) for said in _said(context, aligned, entity)):
            continue
        for match in found:
            if not _spelt(aligned, match):
                continue
            yield Match(entity, match.start(), match.end(), keys[re.sub(r"\s+", "", match[0])])


def _spelt(aligned: AlignedText, match: "re.Match[str]") -> bool:
    """Whether the marks written are those of the phrase ("đòi tiền" is not in "theo dõi tiền điện")."""
    first, *_ = aligned.accented[match.start() : match.end()].split()
    return not has_marks(first) or first in _firsts().get(fold(first), ())


@lru_cache(maxsize=1)
def _firsts() -> "dict[str, set[str]]":
    """The first words of all phrases, by their spelling without marks."""
    firsts: dict[str, set[str]] = {}
    for rule in lexicon.read("topics").values():
        for phrases in rule["phrases"].values():
            for phrase in phrases:
                firsts.setdefault(fold(phrase.split()[0]), set()).add(phrase.split()[0])
    return firsts


def _said(context: "re.Pattern[str]", aligned: AlignedText, entity: str) -> "Iterator[re.Match[str]]":
    """The context words of the text; where marks are written they must be the word's own."""
    spelt = set(lexicon.read("topics")[entity]["context"])
    for match in context.finditer(aligned.folded):
        if aligned.says(match.start(), match.end(), *spelt):
            yield match


def _outside(said: "re.Match[str]", found: "list[re.Match[str]]") -> bool:
    """Whether the context word is more than a part of one of the phrases."""
    return not any(match.start() <= said.start() and said.end() <= match.end() for match in found)

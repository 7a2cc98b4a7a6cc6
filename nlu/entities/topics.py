"""Kinds of notices and services named in general talk, from ``data/nlu_lexicon/topics.yml``.

Whether the customer speaks of notices or services at all is told by the intent: :mod:`nlu.entities.judge`.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from nlu import lexicon
from nlu.entities.match import B, E, Match, words
from nlu.text.align import AlignedText
from nlu.text.marks import fold, has_marks

_SAYING = re.compile(r"(?:(?:lich|nich|bao|tin)\s*)+")
"""Words before the kind itself: "báo cắt điện", "lịch cắt điện"."""
_REGIONAL = (("s", "x"), ("d", "r"), ("d", "gi"), ("gi", "d"), ("n", "l"), ("l", "n"))


@lru_cache(maxsize=1)
def _rules() -> "dict[str, tuple[re.Pattern[str], dict[str, str], frozenset[str]]]":
    """Per entity: the pattern of its phrases, their keys by the phrase without marks and spaces, their first words."""
    rules = {}
    for entity, phrases in lexicon.read("topics").items():
        said = {spelt: key for key, row in phrases.items() for phrase in row for spelt in (*_regional(phrase), phrase)}
        keys = {fold(spelt).replace(" ", ""): key for spelt, key in said.items()}
        pattern = re.compile(B + r"(?<!thong )" + words(*{fold(spelt) for spelt in said}) + E)
        rules[entity] = (pattern, keys, frozenset(spelt.split()[0] for spelt in said))
    return rules


def _regional(phrase: str) -> "Iterator[str]":
    """The phrase as said where sounds are mixed up: "xang tên", "di rời công tơ"."""
    for written, other in _REGIONAL:
        yield re.sub(rf"\b{written}(?![ghi\W])", other, phrase)


def topics(aligned: AlignedText) -> Iterator[Match]:
    """Every phrase that may be a ``notice_kind`` or a ``service``."""
    for entity, (pattern, keys, firsts) in _rules().items():
        for match in pattern.finditer(aligned.folded):
            start, end = match.span()
            saying = _SAYING.match(match[0])
            if saying and _joined(match[0][saying.end() :]) in keys:
                start += saying.end()
            first, *_ = aligned.accented[start:end].split()
            if not has_marks(first) or first in firsts:
                yield Match(entity, start, end, keys[_joined(aligned.folded[start:end])])


def _joined(phrase: str) -> str:
    return re.sub(r"\s+", "", phrase)

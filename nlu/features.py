"""Sparse features of a message: words, letters inside words, and concepts of the trade.

A message becomes nine blocks, each a tf-idf vector of length 1 times the block's weight:

* of the accented view, and again of the folded view: words, pairs of words next to each other or with one or two words
  between, the first and the last word, the number of words;
* of the accented view, and again of the folded view: letter n-grams inside the padded words;
* concepts, pairs of neighbouring concepts, and pairs of concepts anywhere in the message;
* the words of the folded view again, with the kind of each value (a place, a month, a code) in the place of its words:
  no name or number votes for an intent;
* the kinds of the values;
* the words of the last clause: after a story comes what is wanted;
* the words with the beginnings made equal that northern speech mixes up.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nlu.text.concepts import concepts
from nlu.text.reading import Reading
from nlu.text.sounds import sound

Ids: TypeAlias = NDArray[np.int32]
Values: TypeAlias = NDArray[np.float32]

_FARTHEST = 3
_MANY_WORDS = 12


@dataclass(frozen=True)
class Shape:
    """What is counted: the letter n-grams, the rarest feature kept, the blocks' weights."""

    letters_from: int = 2
    letters_to: int = 5
    seen_at_least: int = 2
    word_weight: float = 1.0
    letter_weight: float = 1.0
    concept_weight: float = 1.0
    masked_weight: float = 1.0
    kind_weight: float = 0.3
    asked_weight: float = 0.7
    sound_weight: float = 0.7


@lru_cache(maxsize=32768)
def _letters(word: str, shortest: int, longest: int, tag: str) -> "tuple[str, ...]":
    padded = f" {word} "
    size = len(padded)
    return tuple(tag + padded[i : i + n] for n in range(shortest, min(longest, size) + 1) for i in range(size - n + 1))


def _words(words: "list[str]", tag: str) -> "list[str]":
    if not words:
        return []
    grams = [tag + word for word in words]
    for gap in range(1, _FARTHEST + 1):
        grams.extend(f"{tag}{gap}{a} {b}" for a, b in zip(words, words[gap:], strict=False))
    return [*grams, f"{tag}^{words[0]}", f"{tag}${words[-1]}", f"{tag}#{min(len(words), _MANY_WORDS)}"]


def _kinds(kinds: Sequence[str]) -> "list[str]":
    return [*("K" + kind for kind in kinds), f"K#{len(kinds)}"]


def _concepts(words: "list[str]", tag: str) -> "list[str]":
    named = concepts(words)
    pairs = combinations(sorted(set(named)), 2)
    return [
        *(tag + name for name in named),
        *(f"{tag}>{a} {b}" for a, b in pairwise(named)),
        *(f"{tag}&{a} {b}" for a, b in pairs),
    ]


@dataclass
class Vectoriser:
    """Turns views into sparse vectors over a fixed vocabulary. Build with :meth:`fit` or from stored parts."""

    shape: Shape
    vocabulary: "dict[str, int]"
    idf: NDArray[np.float32]
    _letter_ids: "Callable[[str, str], Ids]" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._letter_ids = lru_cache(maxsize=16384)(self._find_letter_ids)

    @classmethod
    def fit(cls, shape: Shape, texts: Sequence[Reading]) -> "Vectoriser":
        """Learn vocabulary and idf from the texts."""
        counts: Counter[str] = Counter()
        for reading in texts:
            counts.update(set(_grams(shape, reading)))
        kept = sorted(gram for gram, count in counts.items() if count >= shape.seen_at_least)
        total = len(texts)
        idf = np.array([math.log((1 + total) / (1 + counts[gram])) + 1 for gram in kept], dtype=np.float32)
        return cls(shape, {gram: i for i, gram in enumerate(kept)}, idf)

    def transform(self, reading: Reading) -> "tuple[Ids, Values]":
        """Feature ids and values of one message; both empty when nothing in it is known."""
        accented, folded = reading.views.accented.split(), reading.views.folded.split()
        shape = self.shape
        blocks = (
            (self._ids(_words(accented, "W")), shape.word_weight),
            (self._ids(_words(folded, "w")), shape.word_weight),
            (self._all_letter_ids(accented, "L"), shape.letter_weight),
            (self._all_letter_ids(folded, "l"), shape.letter_weight),
            (self._ids(_concepts(accented, "C")), shape.concept_weight),
            (self._ids(_words(reading.masked.split(), "m")), shape.masked_weight),
            (self._ids(_kinds(reading.kinds)), shape.kind_weight),
            (self._ids(_words(reading.asked.split(), "e")), shape.asked_weight),
            (self._ids(_words(sound(reading.views.folded).split(), "r")), shape.sound_weight),
        )
        ids, values = [], []
        for found, weight in blocks:
            if not (len(found) and weight):
                continue
            unique, counts = np.unique(found, return_counts=True)
            tfidf = (1.0 + np.log(counts)) * self.idf[unique]
            ids.append(unique)
            values.append(tfidf * (weight / math.sqrt(float(tfidf @ tfidf))))
        if not ids:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        return np.concatenate(ids), np.concatenate(values).astype(np.float32)

    def _ids(self, grams: Sequence[str]) -> Ids:
        find = self.vocabulary.get
        return np.array([i for i in map(find, grams) if i is not None], dtype=np.int32)

    def _find_letter_ids(self, word: str, tag: str) -> Ids:
        return self._ids(_letters(word, self.shape.letters_from, self.shape.letters_to, tag))

    def _all_letter_ids(self, words: "list[str]", tag: str) -> Ids:
        found = [self._letter_ids(word, tag) for word in words]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)


def _grams(shape: Shape, reading: Reading) -> Iterator[str]:
    views = reading.views
    for tag, words in (("w", views.folded.split()), ("W", views.accented.split())):
        yield from _words(words, tag)
        letters = "L" if tag == "W" else "l"
        for word in set(words):
            yield from _letters(word, shape.letters_from, shape.letters_to, letters)
    yield from _concepts(views.accented.split(), "C")
    yield from _words(reading.masked.split(), "m")
    yield from _kinds(reading.kinds)
    yield from _words(reading.asked.split(), "e")
    yield from _words(sound(views.folded).split(), "r")

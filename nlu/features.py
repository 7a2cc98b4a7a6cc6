"""Sparse features of a message: words, pairs of words, and the letters inside words, with and without marks.

A message becomes four blocks, each a tf-idf vector of length 1 times the block's weight:

* words and word pairs of the accented view, and of the folded view;
* letter n-grams inside the padded words of the accented view, and of the folded view.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from nlu.text.views import Views

Ids = NDArray[np.int32]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class Shape:
    """What is counted: the longest run of words, the letter n-grams, the rarest feature kept, the blocks' weights."""

    words: int = 2
    letters_from: int = 2
    letters_to: int = 5
    seen_at_least: int = 2
    word_weight: float = 1.0
    letter_weight: float = 1.0


@lru_cache(maxsize=32768)
def _letters(word: str, shortest: int, longest: int, tag: str) -> "tuple[str, ...]":
    padded = f" {word} "
    size = len(padded)
    grams = [
        tag + padded[i : i + n]
        for n in range(shortest, min(longest, size) + 1)
        for i in range(size - n + 1)
    ]
    return tuple(grams)


def _words(words: "list[str]", longest: int, tag: str) -> "list[str]":
    grams = [tag + word for word in words]
    for n in range(2, longest + 1):
        grams.extend(tag + " ".join(words[i : i + n]) for i in range(len(words) - n + 1))
    return grams


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
    def fit(cls, shape: Shape, texts: Sequence[Views]) -> "Vectoriser":
        """Learn vocabulary and idf from the texts."""
        counts: "Counter[str]" = Counter()
        for views in texts:
            counts.update({gram for block in _blocks(shape, views) for gram in block})
        kept = sorted(gram for gram, count in counts.items() if count >= shape.seen_at_least)
        total = len(texts)
        idf = np.array([math.log((1 + total) / (1 + counts[gram])) + 1 for gram in kept], dtype=np.float32)
        return cls(shape, {gram: i for i, gram in enumerate(kept)}, idf)

    def _find_letter_ids(self, word: str, tag: str) -> Ids:
        find = self.vocabulary.get
        grams = _letters(word, self.shape.letters_from, self.shape.letters_to, tag)
        return np.array([i for i in map(find, grams) if i is not None], dtype=np.int32)

    def _word_ids(self, words: "list[str]", tag: str) -> Ids:
        find = self.vocabulary.get
        grams = _words(words, self.shape.words, tag)
        return np.array([i for i in map(find, grams) if i is not None], dtype=np.int32)

    def transform(self, views: Views) -> "tuple[Ids, Values]":
        """Feature ids and values of one message; both empty when nothing in it is known."""
        accented, folded = views.accented.split(), views.folded.split()
        shape = self.shape
        blocks = (
            (self._word_ids(accented, "W"), shape.word_weight),
            (self._word_ids(folded, "w"), shape.word_weight),
            (self._all_letter_ids(accented, "L"), shape.letter_weight),
            (self._all_letter_ids(folded, "l"), shape.letter_weight),
        )
        ids, values = [], []
        for found, weight in blocks:
            if not len(found):
                continue
            unique, counts = np.unique(found, return_counts=True)
            tfidf = (1.0 + np.log(counts)) * self.idf[unique]
            ids.append(unique)
            values.append(tfidf * (weight / math.sqrt(float(tfidf @ tfidf))))
        if not ids:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        return np.concatenate(ids), np.concatenate(values).astype(np.float32)

    def _all_letter_ids(self, words: "list[str]", tag: str) -> Ids:
        found = [self._letter_ids(word, tag) for word in words]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)


def _blocks(shape: Shape, views: Views) -> "Iterable[Iterable[str]]":
    accented, folded = views.accented.split(), views.folded.split()
    yield _words(accented, shape.words, "W")
    yield _words(folded, shape.words, "w")
    for word in set(accented):
        yield _letters(word, shape.letters_from, shape.letters_to, "L")
    for word in set(folded):
        yield _letters(word, shape.letters_from, shape.letters_to, "l")

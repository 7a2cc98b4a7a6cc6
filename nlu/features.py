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

A feature is one 64-bit number: block, form (a word alone, a pair at some distance, the first word…), and the numbers of
one or two terms (words, letter n-grams, concepts, kinds). So a message is counted in a few steps over whole arrays.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nlu.text.concepts import concepts
from nlu.text.reading import Reading
from nlu.text.sounds import sound

Codes: TypeAlias = NDArray[np.int64]

_FARTHEST = 3
_MANY_WORDS = 12
_TERM_BITS, _FORM_BITS = 26, 4
_FORM_AT = 2 * _TERM_BITS
_BLOCK_AT = _FORM_AT + _FORM_BITS
_UNKNOWN = (1 << _TERM_BITS) - 1
"""The number of a term that no feature has."""


_BLOCKS = range(9)
(
    _ACCENTED_WORDS,
    _FOLDED_WORDS,
    _ACCENTED_LETTERS,
    _FOLDED_LETTERS,
    _CONCEPTS,
    _MASKED,
    _KINDS,
    _ASKED,
    _SOUNDS,
) = _BLOCKS

_ALONE, _NEXT, _FIRST, _LAST, _COUNT, _TOGETHER = 0, 1, 4, 5, 6, 7
"""The forms; a pair of words has the distance of the two (1 to 3)."""


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

    @property
    def weights(self) -> NDArray[np.float32]:
        """The blocks' weights in their order."""
        words, letters = [self.word_weight] * 2, [self.letter_weight] * 2
        rest = [self.concept_weight, self.masked_weight, self.kind_weight, self.asked_weight, self.sound_weight]
        return np.array([*words, *letters, *rest], dtype=np.float32)


class Rows(NamedTuple):
    """Sparse vectors: ``ids`` and ``values`` of all rows one after the other, and how many of them each row has."""

    ids: NDArray[np.int32]
    values: NDArray[np.float32]
    sizes: NDArray[np.int64]


def _tag(block: int, form: int) -> int:
    """The upper bits of a code; the lower ones hold two terms of ``_TERM_BITS`` each."""
    return ((block << _FORM_BITS) + form) << _FORM_AT


@lru_cache(maxsize=32768)
def _letters(word: str, shortest: int, longest: int) -> "tuple[str, ...]":
    padded = f" {word} "
    size = len(padded)
    return tuple(padded[i : i + n] for n in range(shortest, min(longest, size) + 1) for i in range(size - n + 1))


class _Coder:
    """Writes what stands in a message as codes, given the number of each term."""

    def __init__(self, shape: Shape, number_of: "Callable[[str], int]") -> None:
        self._shape = shape
        self._number_of = number_of
        self._letters_of = lru_cache(maxsize=16384)(self._letter_codes)

    def counted(self, reading: Reading) -> "tuple[Codes, NDArray[np.int64]]":
        """The codes of a message, ascending, and how often each stands in it."""
        codes, counts = np.unique(np.fromiter(self._codes(reading), dtype=np.int64), return_counts=True)
        return codes, counts

    def _codes(self, reading: Reading) -> Iterator[int]:
        accented, folded = reading.views.accented.split(), reading.views.folded.split()
        yield from self._words(_ACCENTED_WORDS, accented)
        yield from self._words(_FOLDED_WORDS, folded)
        for word in accented:
            yield from self._letters_of(_ACCENTED_LETTERS, word)
        for word in folded:
            yield from self._letters_of(_FOLDED_LETTERS, word)
        yield from self._concepts(accented)
        yield from self._words(_MASKED, reading.masked.split())
        yield from self._each(_tag(_KINDS, _ALONE), map(self._number_of, reading.kinds))
        yield _tag(_KINDS, _COUNT) + len(reading.kinds)
        yield from self._words(_ASKED, reading.asked.split())
        yield from self._words(_SOUNDS, sound(reading.views.folded).split())

    def _words(self, block: int, words: Sequence[str]) -> "list[int]":
        if not words:
            return []
        numbers = [self._number_of(word) for word in words]
        codes = self._each(_tag(block, _ALONE), numbers)
        for distance in range(1, _FARTHEST + 1):
            codes += self._pairs(_tag(block, distance), zip(numbers, numbers[distance:], strict=False))
        codes += self._each(_tag(block, _FIRST), numbers[:1])
        codes += self._each(_tag(block, _LAST), numbers[-1:])
        codes.append(_tag(block, _COUNT) + min(len(words), _MANY_WORDS))
        return codes

    def _letter_codes(self, block: int, word: str) -> "list[int]":
        grams = _letters(word, self._shape.letters_from, self._shape.letters_to)
        return self._each(_tag(block, _ALONE), map(self._number_of, grams))

    def _concepts(self, words: Sequence[str]) -> "list[int]":
        numbers = [self._number_of(concept) for concept in concepts(words)]
        return [
            *self._each(_tag(_CONCEPTS, _ALONE), numbers),
            *self._pairs(_tag(_CONCEPTS, _NEXT), pairwise(numbers)),
            *self._pairs(_tag(_CONCEPTS, _TOGETHER), combinations(sorted(set(numbers)), 2)),
        ]

    @staticmethod
    def _each(tag: int, terms: Iterable[int]) -> "list[int]":
        return [tag + (term << _TERM_BITS) for term in terms]

    @staticmethod
    def _pairs(tag: int, terms: "Iterable[tuple[int, int]]") -> "list[int]":
        return [tag + (first << _TERM_BITS) + second for first, second in terms]


@dataclass
class Vectoriser:
    """Turns messages into sparse vectors over fixed features. Build with :meth:`fit` or from stored parts.

    ``terms`` are numbered by their place; ``features`` are codes, ascending; ``idf`` belongs to them.
    """

    shape: Shape
    terms: "list[str]"
    features: Codes
    idf: NDArray[np.float32]
    _coder: _Coder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = {term: number for number, term in enumerate(self.terms)}
        self._coder = _Coder(self.shape, lambda term: numbers.get(term, _UNKNOWN))

    @classmethod
    def fit(cls, shape: Shape, readings: Sequence[Reading]) -> "tuple[Vectoriser, Rows]":
        """Learn terms, features and idf from messages; also the messages' vectors."""
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        coder = _Coder(shape, numbers.__getitem__)
        counted = [coder.counted(reading) for reading in readings]
        codes = np.concatenate([codes for codes, _ in counted])
        counts = np.concatenate([counts.astype(np.int32) for _, counts in counted])
        row = np.repeat(np.arange(len(readings)), [len(codes) for codes, _ in counted])
        features, messages = np.unique(codes, return_counts=True)
        often = messages >= shape.seen_at_least
        idf = (np.log((1 + len(readings)) / (1 + messages[often])) + 1).astype(np.float32)
        vectoriser = cls(shape, list(numbers), features[often], idf)
        return vectoriser, vectoriser._vectors(codes, counts, row, len(readings))

    def transform(self, reading: Reading) -> Rows:
        """The vector of one message; empty when nothing in it is known."""
        codes, counts = self._coder.counted(reading)
        return self._vectors(codes, counts, np.zeros(len(codes), dtype=np.int64), 1)

    def only(self, kept: NDArray[np.int64]) -> "Vectoriser":
        """With some of the features: their places, ascending."""
        return Vectoriser(self.shape, self.terms, self.features[kept], self.idf[kept])

    def _vectors(self, codes: Codes, counts: NDArray[np.int32], row: NDArray[np.int64], rows: int) -> Rows:
        if not len(self.features):
            return Rows(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(rows, np.int64))
        place = np.minimum(np.searchsorted(self.features, codes), len(self.features) - 1)
        known = self.features[place] == codes
        ids, row = place[known], row[known]
        block = codes[known] >> _BLOCK_AT
        tfidf = (1.0 + np.log(counts[known])) * self.idf[ids]
        cell = row * len(_BLOCKS) + block
        length = np.sqrt(np.bincount(cell, tfidf * tfidf, minlength=rows * len(_BLOCKS)))
        values = tfidf * self.shape.weights[block] / length[cell]
        return Rows(ids.astype(np.int32), values.astype(np.float32), np.bincount(row, minlength=rows))

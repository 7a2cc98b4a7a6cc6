"""Learning the intent model: noisy copies, linear separators, calibration. Deterministic for equal input."""

import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from nlu.entities.mentions import understood
from nlu.features import Shape, Vectoriser
from nlu.linear import LinearModel, softmax
from nlu.noise import generator, rewrite
from nlu.text.marks import fold
from nlu.text.reading import Reading

_SHRINKING = 0.3


@dataclass(frozen=True)
class Recipe:
    """How to learn: noisy copies of each example, slack of the separators, how many of the examples are held out
    for the calibration (one in ``folds``), how many features are kept (those that weigh most for any label), and by
    how much of a margin a label is preferred: for one that stands for more than its examples can show."""

    shape: Shape = field(default_factory=Shape)
    copies: int = 1
    slack: float = 0.5
    folds: int = 3
    seed: int = 20261
    features: int = 450_000
    lean: "Mapping[str, float]" = field(default_factory=dict)

    @classmethod
    def of(cls, settings: "Mapping[str, Any]") -> "Recipe":
        """The recipe that a pipeline's configuration asks for."""
        return cls(**{**settings, "shape": Shape(**settings.get("shape", {}))})


@dataclass(frozen=True)
class Example:
    """A text and its label."""

    text: str
    label: str


@dataclass(frozen=True)
class Spellings:
    """The spellings of all examples as rows of features; ``owner`` is the example of each row.

    The first row of an example is its text as given, the last one a noisy rewriting.
    """

    vectoriser: Vectoriser
    matrix: csr_matrix
    owner: NDArray[np.int64]


def learn(examples: Sequence[Example], recipe: Recipe) -> LinearModel:
    """The calibrated model of the examples.

    Raises:
        ValueError: when there are fewer than two labels.
    """
    labels = sorted({example.label for example in examples})
    if len(labels) < 2:
        raise ValueError("an intent model needs examples of at least two intents")
    truth = np.array([labels.index(example.label) for example in examples])
    spellings = spell(examples, recipe)
    sharpness, offsets = calibration(*held_out(spellings, truth, len(labels), recipe))
    weights, bias = separate(spellings.matrix, truth[spellings.owner], len(labels), recipe)
    vectoriser, weights = weightiest(spellings.vectoriser, weights, recipe.features)
    lean = np.array([recipe.lean.get(label, 0.0) for label in labels], dtype=np.float32)
    return LinearModel(vectoriser, labels, weights, bias + offsets + lean, sharpness)


def weightiest(
    vectoriser: Vectoriser, weights: NDArray[np.float32], count: int
) -> "tuple[Vectoriser, NDArray[np.float32]]":
    """The ``count`` features that weigh most for any label: half of the memory at no loss (docs/nlu.md)."""
    kept = np.sort(np.argsort(-np.abs(weights).max(axis=1), kind="stable")[:count])
    return vectoriser.only(kept), weights[kept]


def spell(examples: Sequence[Example], recipe: Recipe) -> Spellings:
    """Each example as given, without marks, and rewritten ``copies`` times; equal spellings once."""
    readings: list[Reading] = []
    owner: list[int] = []
    with two_processes() as workers:
        for number, spelt in enumerate(workers.map(partial(_spelt, recipe), examples, chunksize=200)):
            readings.extend(spelt)
            owner.extend([number] * len(spelt))
    vectoriser, rows = Vectoriser.fit(recipe.shape, readings)
    ends = np.concatenate([[0], np.cumsum(rows.sizes)]).astype(np.int32)
    matrix = csr_matrix(
        (rows.values, rows.ids, ends), shape=(len(readings), len(vectoriser.features)), dtype=np.float64
    )
    return Spellings(vectoriser, matrix, np.array(owner, dtype=np.int64))


def _spelt(recipe: Recipe, example: Example) -> "list[Reading]":
    texts = [example.text, fold(example.text)]
    texts += [rewrite(example.text, generator(recipe.seed, example.text, copy)) for copy in range(recipe.copies)]
    return list(dict.fromkeys(map(understood, texts)))


def two_processes() -> ProcessPoolExecutor:
    """Workers that inherit what this process holds."""
    return ProcessPoolExecutor(max_workers=2, mp_context=multiprocessing.get_context("fork"))


_shared: "dict[str, Any]" = {}
"""What a worker process inherits: the matrix, the answers, the recipe."""


def _separator(label: int) -> "tuple[NDArray[np.float32], float]":
    matrix, recipe = _shared["matrix"], _shared["recipe"]
    side = np.where(_shared["answers"] == label, 1, -1)
    if side.max() < 0:
        return np.zeros(matrix.shape[1], dtype=np.float32), -1.0
    machine = LinearSVC(C=recipe.slack, tol=0.2, max_iter=100, random_state=recipe.seed)
    machine.fit(matrix, side)
    return machine.coef_[0].astype(np.float32), float(machine.intercept_[0])


def separate(
    matrix: csr_matrix, answers: NDArray[np.int64], count: int, recipe: Recipe
) -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
    """Weights (features × labels) and biases of one separator per label.

    Learnt in two processes: the solver's random numbers are global to its process, so threads would make the result
    depend on their timing.
    """
    _shared.update(matrix=matrix, answers=answers, recipe=recipe)
    with two_processes() as workers:
        found = list(workers.map(_separator, range(count)))
    _shared.clear()
    weights = np.ascontiguousarray(np.array([w for w, _ in found], dtype=np.float32).T)
    return weights, np.array([b for _, b in found], dtype=np.float32)


def spread(truth: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """The fold of each example; every label is spread evenly, in the order of the examples."""
    turn: dict[int, int] = {}
    out = np.zeros(len(truth), dtype=np.int64)
    for i, label in enumerate(truth.tolist()):
        out[i] = turn.get(label, 0) % folds
        turn[label] = turn.get(label, 0) + 1
    return out


def held_out(
    spellings: Spellings, truth: NDArray[np.int64], count: int, recipe: Recipe
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Margins for the first and the last spelling of the examples of one fold, by a model of those of the other folds,
    and their true labels."""
    fold_of_row = spread(truth, recipe.folds)[spellings.owner]
    first = np.flatnonzero(np.diff(spellings.owner, prepend=-1))
    last = np.append(first[1:], len(spellings.owner)) - 1
    rows = np.unique(np.concatenate([first, last]))
    asked, seen = rows[fold_of_row[rows] == 0], rows[fold_of_row[rows] != 0]
    weights, bias = separate(spellings.matrix[seen], truth[spellings.owner[seen]], count, recipe)
    return spellings.matrix[asked] @ weights + bias, truth[spellings.owner[asked]]


def calibration(margins: NDArray[np.float64], truth: NDArray[np.int64]) -> "tuple[float, NDArray[np.float32]]":
    """The factor on the margins and the offset of each label that make the softmax's likelihood of the held-out truth
    largest. The offsets help rare labels, whose separators stay further away from their examples; they are held small,
    so that a label seen a few times only is not moved far."""
    rows = np.arange(len(truth))

    def loss(at: NDArray[np.float64]) -> "tuple[float, NDArray[np.float64]]":
        factor, offsets = np.exp(at[0]), at[1:]
        guesses = softmax(factor * margins + offsets)
        likelihood = np.log(guesses[rows, truth] + 1e-12).sum()
        guesses[rows, truth] -= 1.0
        slope = np.concatenate([[factor * (guesses * margins).sum()], guesses.sum(axis=0) + 2 * _SHRINKING * offsets])
        return float(_SHRINKING * (offsets @ offsets) - likelihood), slope

    best = minimize(loss, np.zeros(1 + margins.shape[1]), jac=True, method="L-BFGS-B").x
    factor = float(np.exp(best[0]))
    return factor, (best[1:] / factor).astype(np.float32)

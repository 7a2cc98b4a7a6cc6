"""Learning the intent model: noisy copies, linear separators, calibration. Deterministic for equal input."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from nlu.features import Shape, Vectoriser
from nlu.linear import LinearModel, softmax
from nlu.noise import generator, rewrite
from nlu.text.marks import fold
from nlu.text.views import Views, normalise


@dataclass(frozen=True)
class Recipe:
    """How to learn: noisy copies of each example, slack of the separators, folds of the calibration."""

    shape: Shape = Shape()
    copies: int = 2
    slack: float = 1.0
    folds: int = 3
    seed: int = 20261


@dataclass(frozen=True)
class Example:
    """A text and its label."""

    text: str
    label: str


def augmented(examples: Sequence[Example], copies: int, seed: int) -> "tuple[list[Views], list[str]]":
    """Views and labels of the examples, of their unmarked spelling, and of ``copies`` rewritings of each."""
    views: "list[Views]" = []
    labels: "list[str]" = []
    for example in examples:
        spellings = [example.text, fold(example.text)]
        spellings += [rewrite(example.text, generator(seed, example.text, copy)) for copy in range(copies)]
        for spelling in dict.fromkeys(map(normalise, spellings)):
            views.append(spelling)
            labels.append(example.label)
    return views, labels


def learn(examples: Sequence[Example], recipe: Recipe) -> LinearModel:
    """The calibrated model of the examples.

    Raises:
        ValueError: when there are fewer than two labels.
    """
    labels = sorted({example.label for example in examples})
    if len(labels) < 2:
        raise ValueError("an intent model needs examples of at least two intents")
    margins, truth = held_out_margins(examples, labels, recipe)
    model = separate(examples, labels, recipe)
    model.sharpness = sharpness(margins, truth)
    return model


def separate(examples: Sequence[Example], labels: "list[str]", recipe: Recipe) -> LinearModel:
    """The model of the examples with uncalibrated sharpness 1; one separator per label, learnt in two threads."""
    views, truth = augmented(examples, recipe.copies, recipe.seed)
    vectoriser = Vectoriser.fit(recipe.shape, views)
    matrix = stack(vectoriser, views)
    answers = np.array(truth)

    def separator(label: str) -> "tuple[NDArray[np.float32], float]":
        side = np.where(answers == label, 1, -1)
        if side.max() < 0:
            return np.zeros(matrix.shape[1], dtype=np.float32), -1.0
        machine = LinearSVC(C=recipe.slack, tol=1e-2, max_iter=300, random_state=recipe.seed)
        machine.fit(matrix, side)
        return machine.coef_[0].astype(np.float32), float(machine.intercept_[0])

    with ThreadPoolExecutor(max_workers=2) as threads:
        found = list(threads.map(separator, labels))
    weights = np.ascontiguousarray(np.array([w for w, _ in found], dtype=np.float32).T)
    return LinearModel(vectoriser, labels, weights, np.array([b for _, b in found], dtype=np.float32), 1.0)


def stack(vectoriser: Vectoriser, views: Sequence[Views]) -> csr_matrix:
    """The feature vectors of the views as rows."""
    rows = [vectoriser.transform(view) for view in views]
    ends = np.cumsum([0, *(len(ids) for ids, _ in rows)], dtype=np.int64)
    ids = np.concatenate([ids for ids, _ in rows])
    values = np.concatenate([values for _, values in rows]).astype(np.float64)
    return csr_matrix((values, ids, ends.astype(np.int32)), shape=(len(views), len(vectoriser.vocabulary)))


def folds(examples: Sequence[Example], count: int) -> "list[list[int]]":
    """Indices of the examples in ``count`` folds; each label is spread evenly, in the order of the examples."""
    parts: "list[list[int]]" = [[] for _ in range(count)]
    seen: "dict[str, int]" = {}
    for i, example in enumerate(examples):
        turn = seen.get(example.label, 0)
        seen[example.label] = turn + 1
        parts[turn % count].append(i)
    return parts


def held_out_margins(
    examples: Sequence[Example], labels: "list[str]", recipe: Recipe
) -> "tuple[NDArray[np.float64], NDArray[np.int64]]":
    """Margins of models that have not seen the example, for its clean and one noisy spelling, and the true label's index."""
    place = {label: i for i, label in enumerate(labels)}
    margins, truth = [], []
    for part in folds(examples, recipe.folds):
        held = set(part)
        model = separate([example for i, example in enumerate(examples) if i not in held], labels, recipe)
        for i in part:
            text = examples[i].text
            for spelling in (text, rewrite(text, generator(recipe.seed, text, copy=-1))):
                margins.append(model.margins(normalise(spelling)))
                truth.append(place[examples[i].label])
    return np.array(margins), np.array(truth)


def sharpness(margins: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The factor on the margins that makes the softmax's log-likelihood of the held-out truth largest."""
    rows = np.arange(len(truth))

    def loss(factor: float) -> float:
        return float(-np.mean(np.log(softmax(factor * margins)[rows, truth] + 1e-12)))

    return float(minimize_scalar(loss, bounds=(0.1, 30.0), method="bounded").x)

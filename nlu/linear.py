"""The intent model: one linear separator per label over sparse features, with calibrated probabilities."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlu.features import Shape, Vectoriser
from nlu.text.reading import Reading


@dataclass
class LinearModel:
    """Labels, separators (features × labels) and the sharpness of the softmax over their margins.

    A stored model's separators stay in half precision: half the memory.
    """

    vectoriser: Vectoriser
    labels: "list[str]"
    weights: NDArray[np.float16] | NDArray[np.float32]
    bias: NDArray[np.float32]
    sharpness: float

    def margins(self, reading: Reading) -> NDArray[np.float64]:
        """The signed distance of the message to each label's separator, in the order of ``labels``."""
        row = self.vectoriser.transform(reading)
        return np.asarray(row.values @ self.weights[row.ids].astype(np.float32) + self.bias, dtype=np.float64)

    def probabilities(self, reading: Reading) -> NDArray[np.float64]:
        """Calibrated probabilities in the order of ``labels``; they sum to 1."""
        return softmax(self.sharpness * self.margins(reading))

    def save(self, folder: Path) -> None:
        """Write the model into a folder as text and arrays (no pickles)."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "terms.txt").write_text("\n".join(self.vectoriser.terms), encoding="utf-8")
        meta = {"labels": self.labels, "sharpness": self.sharpness, "shape": asdict(self.vectoriser.shape)}
        (folder / "model.json").write_text(json.dumps(meta, ensure_ascii=False, indent=1), encoding="utf-8")
        np.save(folder / "weights.npy", self.weights.astype(np.float16))
        np.save(folder / "bias.npy", self.bias)
        np.save(folder / "features.npy", self.vectoriser.features)
        np.save(folder / "idf.npy", self.vectoriser.idf)

    @classmethod
    def load(cls, folder: Path) -> "LinearModel":
        """Read what :meth:`save` wrote."""
        meta = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        terms = (folder / "terms.txt").read_text(encoding="utf-8").split("\n")
        features, idf = np.load(folder / "features.npy"), np.load(folder / "idf.npy")
        vectoriser = Vectoriser(Shape(**meta["shape"]), terms, features, idf)
        weights = np.load(folder / "weights.npy")
        return cls(vectoriser, meta["labels"], weights, np.load(folder / "bias.npy"), meta["sharpness"])


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def ranking(labels: Sequence[str], probabilities: NDArray[np.float64]) -> "list[tuple[str, float]]":
    """Labels with their probability, the likeliest first; equal ones in alphabetical order."""
    pairs = zip(labels, map(float, probabilities), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

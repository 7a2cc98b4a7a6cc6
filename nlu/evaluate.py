"""Measures the understanding by cross-validation on the training data: ``python -m nlu.evaluate``.

Intents: accuracy and macro-F1 on held-out examples as written, without marks, and rewritten with noise; precision and
recall per intent; the most frequent confusions; calibration error. Entities: how many annotated spans the rules find
exactly, and how many of the rules' finds are annotated.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from nlu.corpus import DATA, Annotated, read
from nlu.entities import extract
from nlu.entities.mentions import understood
from nlu.learning import Example, Recipe, learn, spread
from nlu.linear import LinearModel
from nlu.noise import generator, rewrite
from nlu.text.marks import fold

CONFIG = Path(__file__).resolve().parent / "config.yml"
_NOISE_SEED = 777
_TODAY = date(2026, 11, 24)

SPELLINGS: "dict[str, Callable[[str], str]]" = {
    "as written": lambda text: text,
    "without marks": fold,
    "noisy": lambda text: rewrite(text, generator(_NOISE_SEED, text)),
}


@dataclass(frozen=True)
class Answers:
    """Held-out answers in one way of writing: probabilities (examples × labels) and the true labels' indices."""

    probabilities: NDArray[np.float64]
    truth: NDArray[np.int64]

    @property
    def guesses(self) -> NDArray[np.int64]:
        """The likeliest label of each example."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def accuracy(self) -> float:
        """Share of right guesses."""
        return float(np.mean(self.guesses == self.truth))

    def within(self, count: int) -> float:
        """Share of examples whose true label is among the ``count`` likeliest."""
        best = np.argsort(-self.probabilities, axis=1)[:, :count]
        return float(np.mean((best == self.truth[:, None]).any(axis=1)))

    def calibration_error(self, bins: int = 10) -> float:
        """Mean distance between confidence and accuracy over bins of confidence, weighted by their size."""
        confidence = self.probabilities.max(axis=1)
        right = self.guesses == self.truth
        place = np.minimum((confidence * bins).astype(int), bins - 1)
        gaps = [
            abs(confidence[place == b].mean() - right[place == b].mean()) * np.mean(place == b)
            for b in range(bins)
            if (place == b).any()
        ]
        return float(sum(gaps))

    def scores(self, label: int) -> "tuple[float, float, float]":
        """Precision, recall and F1 of one label (0 where undefined)."""
        hits = int(np.sum((self.guesses == label) & (self.truth == label)))
        guessed, real = int(np.sum(self.guesses == label)), int(np.sum(self.truth == label))
        precision, recall = hits / guessed if guessed else 0.0, hits / real if real else 0.0
        return precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0


def recipe_of(config: Path) -> Recipe:
    """The classifier's recipe in a pipeline configuration."""
    pipeline = yaml.safe_load(config.read_text(encoding="utf-8"))["pipeline"]
    settings = next(item for item in pipeline if item["name"].endswith("LinearIntentClassifier"))
    return Recipe.of(settings.get("recipe", {}))


def cross_validate(
    examples: Sequence[Example], recipe: Recipe, folds: int, progress: Callable[[str], None]
) -> "tuple[list[str], dict[str, Answers]]":
    """Labels, and the held-out answers for each way of writing."""
    labels = sorted({example.label for example in examples})
    truth = np.array([labels.index(example.label) for example in examples])
    part_of = spread(truth, folds)
    found = {name: np.zeros((len(examples), len(labels))) for name in SPELLINGS}
    for part in range(folds):
        started = time.monotonic()
        model = learn([e for e, p in zip(examples, part_of, strict=True) if p != part], recipe)
        for i in np.flatnonzero(part_of == part):
            for name, spelling in SPELLINGS.items():
                found[name][i] = _probabilities(model, labels, spelling(examples[i].text))
        progress(f"fold {part + 1} of {folds}: {time.monotonic() - started:.0f} s")
    return labels, {name: Answers(probabilities, truth) for name, probabilities in found.items()}


def _probabilities(model: LinearModel, labels: "list[str]", text: str) -> NDArray[np.float64]:
    known = dict(zip(model.labels, model.probabilities(understood(text)), strict=True))
    return np.array([known.get(label, 0.0) for label in labels])


def entity_scores(examples: Sequence[Annotated]) -> "dict[str, dict[str, int]]":
    """Per entity: annotated spans, spans found exactly, found overlapping, and finds that nobody annotated."""
    scores: dict[str, Counter[str]] = {}
    for example in examples:
        annotated = {(span.entity, span.start, span.end) for span in example.entities}
        found = {(entity.entity, entity.start, entity.end) for entity in extract(example.text, _TODAY)}
        for name, start, end in annotated:
            count = scores.setdefault(name, Counter())
            count["annotated"] += 1
            count["exact"] += (name, start, end) in found
            count["touched"] += any(n == name and s < end and start < e for n, s, e in found)
        for name, start, end in found:
            if not any(n == name and s < end and start < e for n, s, e in annotated):
                scores.setdefault(name, Counter())["unannotated"] += 1
    return {name: dict(count) for name, count in sorted(scores.items())}


def report(
    labels: "list[str]", answers: "dict[str, Answers]", entities: "dict[str, dict[str, int]]"
) -> "dict[str, Any]":
    """Everything measured, as plain data."""
    clean = answers["as written"]
    confusions = Counter(
        (labels[t], labels[g]) for t, g in zip(clean.truth.tolist(), clean.guesses.tolist(), strict=True) if t != g
    )
    per_intent = {
        label: dict(zip(("precision", "recall", "f1"), clean.scores(i), strict=True)) for i, label in enumerate(labels)
    }
    return {
        "examples": len(clean.truth),
        "intents": len(labels),
        "spellings": {
            name: {
                "accuracy": answer.accuracy(),
                "in_first_3": answer.within(3),
                "macro_f1": float(np.mean([answer.scores(i)[2] for i in range(len(labels))])),
                "calibration_error": answer.calibration_error(),
            }
            for name, answer in answers.items()
        },
        "per_intent": per_intent,
        "confusions": [{"true": t, "guessed": g, "count": n} for (t, g), n in confusions.most_common(40)],
        "entities": entities,
    }


def show(measured: "dict[str, Any]") -> None:
    """Print the report for people."""
    print(f"{measured['examples']} examples of {measured['intents']} intents\n")
    print(f"{'':16}accuracy  in first 3  macro-F1  calibration error")
    for name, row in measured["spellings"].items():
        print(
            f"{name:16}{row['accuracy']:8.1%}{row['in_first_3']:12.1%}{row['macro_f1']:10.3f}{row['calibration_error']:19.3f}"
        )
    print(f"\n{'intent':26}precision  recall     F1")
    for label, row in sorted(measured["per_intent"].items(), key=lambda item: item[1]["f1"]):
        print(f"{label:26}{row['precision']:9.2f}{row['recall']:8.2f}{row['f1']:7.2f}")
    print("\nmost frequent confusions (true → guessed)")
    for row in measured["confusions"]:
        print(f"{row['count']:4}  {row['true']} → {row['guessed']}")
    print(f"\n{'entity':16}annotated  exact  touched  unannotated")
    for name, row in measured["entities"].items():
        counts = [row.get(key, 0) for key in ("annotated", "exact", "touched", "unannotated")]
        print(f"{name:16}{counts[0]:9}{counts[1]:7}{counts[2]:9}{counts[3]:13}")


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="nlu.evaluate", description="Measure the understanding by cross-validation.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the training data (default: data/nlu)")
    parser.add_argument("--config", type=Path, default=CONFIG, help="pipeline (default: nlu/config.yml)")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the report to this file")
    options = parser.parse_args(arguments)
    annotated = list(read(options.data))
    examples = [Example(example.text, example.intent) for example in annotated]
    labels, answers = cross_validate(
        examples, recipe_of(options.config), options.folds, lambda line: print(line, file=sys.stderr, flush=True)
    )
    measured = report(labels, answers, entity_scores(annotated))
    show(measured)
    if options.json:
        options.json.write_text(json.dumps(measured, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Measures the trained understanding on the project's test set, beside stock Rasa: ``python -m nlu.report``.

The test set (``data/nlu_test``) is written apart from the training data and never trained on. Stock Rasa is a pipeline
of its own components (words and letters counted, logistic regression) trained on the same data in the same run. It
prints a table and saves everything measured as JSON; ``tests/nlu/test_gate.py`` holds later models to the saved report.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from nlu.corpus import TEST_SET
from nlu.engine import Engine
from nlu.train import DATA, MODELS, PROJECT, train

REPORT = PROJECT / "docs" / "nlu-report.json"
DAY = date(2026, 11, 23)
"""The day on which the messages of the test set were sent."""
NOT_OURS = "out_of_scope"
STOCK = {
    "recipe": "default.v1",
    "language": "vi",
    "assistant_id": "stock",
    "pipeline": [
        {"name": "WhitespaceTokenizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        {"name": "LogisticRegressionClassifier"},
    ],
}
_BINS = 10

Parse = Callable[[str], "dict[str, Any]"]


@dataclass(frozen=True)
class Asked:
    """A message of the test set: how it is written, the intents that are right, the texts of its entities."""

    style: str
    text: str
    intent: str
    right: "tuple[str, ...]"
    entities: "tuple[tuple[str, str], ...]"


@dataclass(frozen=True)
class Outcome:
    """What was understood of a message, and in how many seconds."""

    asked: Asked
    intent: str | None
    confidence: float
    entities: "tuple[tuple[str, str], ...]"
    seconds: float
    requests: "tuple[str, ...]" = ()

    @property
    def right(self) -> bool:
        return self.intent in self.asked.right


def held_out_set(folder: Path = TEST_SET) -> "list[Asked]":
    """The messages of the test set, style by style."""
    asked = []
    for path in sorted(folder.glob("*.yml")):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        for item in content["examples"]:
            entities = tuple((entity["entity"], entity["text"]) for entity in item.get("entities", ()))
            right = tuple(item.get("intents") or [item["intent"]])
            asked.append(Asked(content["style"], item["text"], item["intent"], right, entities))
    return asked


def ask(parse: Parse, messages: Sequence[Asked]) -> "list[Outcome]":
    """Every message parsed."""
    outcomes = []
    for message in messages:
        started = time.perf_counter()
        answer = parse(message.text)
        seconds = time.perf_counter() - started
        found = tuple(
            (entity["entity"], message.text[entity["start"] : entity["end"]]) for entity in answer["entities"]
        )
        intent = answer["intent"]
        requests = tuple(request["name"] for request in answer.get("intents", ()))
        outcomes.append(Outcome(message, intent["name"], float(intent["confidence"]), found, seconds, requests))
    return outcomes


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _f1(hits: int, found: int, wanted: int) -> float | None:
    return _share(2 * hits, found + wanted)


def macro_f1(outcomes: Sequence[Outcome]) -> float:
    """The mean F1 of the intents that are asked for; a second intent of a message counts as right."""
    guesses = [(o.asked.intent, o.asked.intent if o.right else o.intent) for o in outcomes]
    labels = sorted({intent for intent, _ in guesses})
    scores = []
    for label in labels:
        hits = sum(want == got == label for want, got in guesses)
        scores.append(
            2 * hits / (sum(want == label for want, _ in guesses) + sum(got == label for _, got in guesses) or 1)
        )
    return round(sum(scores) / len(scores), 4)


def entity_scores(outcomes: Sequence[Outcome]) -> "dict[str, float | None]":
    """Precision, recall and micro-F1 of entities with their exact text."""
    hits = sum(sum((Counter(o.entities) & Counter(o.asked.entities)).values()) for o in outcomes)
    found, wanted = sum(len(o.entities) for o in outcomes), sum(len(o.asked.entities) for o in outcomes)
    return {"precision": _share(hits, found), "recall": _share(hits, wanted), "f1": _f1(hits, found, wanted)}


def calibration(outcomes: Sequence[Outcome]) -> "tuple[float, list[dict[str, float]]]":
    """The expected calibration error, and per bin of confidence: how many, mean confidence, share right."""
    error, bins = 0.0, []
    for b in range(_BINS):
        inside = [o for o in outcomes if min(int(o.confidence * _BINS), _BINS - 1) == b]
        if not inside:
            continue
        sure = sum(o.confidence for o in inside) / len(inside)
        right = sum(o.right for o in inside) / len(inside)
        error += abs(sure - right) * len(inside) / len(outcomes)
        bins.append({"count": len(inside), "confidence": round(sure, 3), "right": round(right, 3)})
    return round(error, 4), bins


def two_requests(outcomes: Sequence[Outcome]) -> "dict[str, float | int | None]":
    """Of the messages with two requests: how many are understood as these two, in the order of handling; of the
    others: how many are wrongly taken for two."""
    two = [o for o in outcomes if len(o.asked.right) > 1]
    one = [o for o in outcomes if len(o.asked.right) == 1]
    return {
        "messages": len(two),
        "both": _share(sum(set(o.requests) == set(o.asked.right) for o in two), len(two)),
        "in_order": _share(sum(o.requests == o.asked.right for o in two), len(two)),
        "false": _share(sum(bool(o.requests) for o in one), len(one)),
    }


def measured(outcomes: Sequence[Outcome]) -> "dict[str, Any]":
    """Everything measured, as plain data."""
    styles = {}
    for style in dict.fromkeys(o.asked.style for o in outcomes):
        own = [o for o in outcomes if o.asked.style == style]
        styles[style] = {
            "messages": len(own),
            "accuracy": _share(sum(o.right for o in own), len(own)),
            "macro_f1": macro_f1(own),
            "entity_f1": entity_scores(own)["f1"],
            **_scope(own),
        }
    error, bins = calibration(outcomes)
    wrong = Counter((o.asked.intent, str(o.intent)) for o in outcomes if not o.right)
    times = sorted(o.seconds for o in outcomes)
    return {
        "messages": len(outcomes),
        "accuracy": _share(sum(o.right for o in outcomes), len(outcomes)),
        "macro_f1": macro_f1(outcomes),
        "entities": entity_scores(outcomes),
        **_scope(outcomes),
        "two_requests": two_requests(outcomes),
        "calibration_error": error,
        "reliability": bins,
        "styles": styles,
        "confusions": [{"true": t, "guessed": g, "count": n} for (t, g), n in sorted(wrong.items(), key=_often)[:20]],
        "milliseconds": {"p50": round(_at(times, 0.5), 2), "p95": round(_at(times, 0.95), 2)},
    }


def _often(item: "tuple[tuple[str, str], int]") -> "tuple[int, tuple[str, str]]":
    return -item[1], item[0]


def _at(times: Sequence[float], share: float) -> float:
    return 1000 * times[min(len(times) - 1, int(share * len(times)))]


def _scope(outcomes: Sequence[Outcome]) -> "dict[str, float | None]":
    """Recall of what is not this utility's business, and the share of its business that is taken for that."""
    ours = [o for o in outcomes if o.asked.intent != NOT_OURS]
    others = [o for o in outcomes if o.asked.intent == NOT_OURS]
    return {
        "out_of_scope_recall": _share(sum(o.right for o in others), len(others)),
        "false_fallback": _share(sum(o.intent == NOT_OURS and not o.right for o in ours), len(ours)),
    }


def ladder(outcomes: Sequence[Outcome], act: float, suggest: float) -> "dict[str, float]":
    """Of the messages acted on: the share, and how many of them rightly; of those offered a choice: the share."""
    acted = [o for o in outcomes if o.confidence >= act]
    offered = [o for o in outcomes if suggest <= o.confidence < act]
    return {
        "act_from": act,
        "acted": _share(len(acted), len(outcomes)) or 0.0,
        "acted_rightly": _share(sum(o.right for o in acted), len(acted)) or 0.0,
        "offered": _share(len(offered), len(outcomes)) or 0.0,
    }


def stock_parse(data: Path, folder: Path) -> Parse:
    """Stock Rasa trained on the data: imports Rasa's own components, and with them TensorFlow."""
    from rasa.core.channels.channel import UserMessage  # noqa: PLC0415 - only where stock Rasa is measured
    from rasa.engine.constants import PLACEHOLDER_MESSAGE  # noqa: PLC0415
    from rasa.engine.loader import load_predict_graph_runner  # noqa: PLC0415
    from rasa.engine.runner.dask import DaskGraphRunner  # noqa: PLC0415
    from rasa.engine.storage.local_model_storage import LocalModelStorage  # noqa: PLC0415
    from rasa.model_training import train_nlu  # noqa: PLC0415

    config = folder / "stock.yml"
    config.write_text(yaml.safe_dump(STOCK), encoding="utf-8")
    archive = train_nlu(str(config), str(data), str(folder), fixed_model_name="stock")
    metadata, runner = load_predict_graph_runner(
        folder / "unpacked", Path(str(archive)), LocalModelStorage, DaskGraphRunner
    )

    def parse(text: str) -> "dict[str, Any]":
        inputs = {PLACEHOLDER_MESSAGE: [UserMessage(text=text)]}
        message = runner.run(inputs=inputs, targets=[metadata.nlu_target])[metadata.nlu_target][0]
        return {"entities": [], **message.as_dict(only_output_properties=True)}

    return parse


def own_parse(model: Path) -> Parse:
    """Our model; nothing is answered from memory."""
    engine = Engine(model, remembered=0)
    return lambda text: engine.parse(text, DAY)


def show(ours: "dict[str, Any]", stock: "dict[str, Any] | None") -> None:
    """Print the report for people."""
    print(f"{'style':13}messages  accuracy  stock  macro-F1  entity F1")
    for style, row in ours["styles"].items():
        theirs = f"{stock['styles'][style]['accuracy']:7.1%}" if stock else f"{'':7}"
        entity = f"{row['entity_f1']:.3f}" if row["entity_f1"] is not None else "-"
        print(f"{style:13}{row['messages']:8}{row['accuracy']:10.1%}{theirs}{row['macro_f1']:10.3f}{entity:>11}")
    for name, table in (("ours", ours), ("stock Rasa", stock)):
        if table:
            print(
                f"{name}: accuracy {table['accuracy']:.1%}, macro-F1 {table['macro_f1']:.3f},"
                f" entity F1 {table['entities']['f1']}, out-of-scope recall {table['out_of_scope_recall']:.2f},"
                f" false fallback {table['false_fallback']:.1%}, calibration error {table['calibration_error']:.3f},"
                f" p50 {table['milliseconds']['p50']} ms, p95 {table['milliseconds']['p95']} ms"
            )
    two = ours["two_requests"]
    print(
        f"two requests in one message: both found in {two['both']:.1%}, in their order {two['in_order']:.1%}"
        f" of {two['messages']}; found where there is one: {two['false']:.1%}"
    )
    print("confusions (true → guessed)")
    for row in ours["confusions"]:
        print(f"{row['count']:4}  {row['true']} → {row['guessed']}")
    for row in ours["ladder"]:
        print(
            f"act from {row['act_from']:.2f}: acted on {row['acted']:.1%}, rightly {row['acted_rightly']:.1%},"
            f" offered a choice {row['offered']:.1%}"
        )


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="nlu.report", description="Measure the understanding beside stock Rasa.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the training data (default: data/nlu)")
    parser.add_argument("--out", type=Path, default=REPORT, help="the report (default: docs/nlu-report.json)")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of the models (default: .data/models)")
    parser.add_argument("--without-stock", action="store_true", help="leave stock Rasa out")
    options = parser.parse_args(arguments)
    messages = held_out_set()
    model, _ = train(options.models, options.data)
    outcomes = ask(own_parse(model), messages)
    ours = measured(outcomes)
    ours["ladder"] = [ladder(outcomes, act / 100, 0.3) for act in range(40, 75, 5)]
    stock = None
    if not options.without_stock:
        with tempfile.TemporaryDirectory() as folder:
            stock = measured(ask(stock_parse(options.data, Path(folder)), messages))
    show(ours, stock)
    report = {"test_set": len(messages), "ours": ours, **({"stock": stock} if stock else {})}
    options.out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""A change of data or code may not make the understanding worse than the committed report says."""

import json
from typing import Any

import pytest

from nlu.report import REPORT, Outcome, ask, calibration, entity_scores, held_out_set, macro_f1, measured, own_parse
from nlu.report import Asked as Message
from nlu.train import train

ALLOWED = 0.01


@pytest.fixture(scope="module")
def now() -> "dict[str, Any]":
    model, _ = train()
    return measured(ask(own_parse(model), held_out_set()))


@pytest.fixture(scope="module")
def committed() -> "dict[str, Any]":
    report: dict[str, Any] = json.loads(REPORT.read_text(encoding="utf-8"))["ours"]
    return report


def test_no_style_falls_by_more_than_a_point(now: "dict[str, Any]", committed: "dict[str, Any]") -> None:
    fallen = {
        style: (row["accuracy"], now["styles"][style]["accuracy"])
        for style, row in committed["styles"].items()
        if now["styles"][style]["accuracy"] < row["accuracy"] - ALLOWED
    }
    assert not fallen


def test_entities_scope_and_calibration_hold(now: "dict[str, Any]", committed: "dict[str, Any]") -> None:
    assert now["entities"]["f1"] >= committed["entities"]["f1"] - ALLOWED
    assert now["out_of_scope_recall"] >= committed["out_of_scope_recall"] - 0.03
    assert now["false_fallback"] <= committed["false_fallback"] + ALLOWED
    assert now["calibration_error"] <= 0.05


def outcome(want: str, got: str, confidence: float = 1.0, **entities: "tuple[tuple[str, str], ...]") -> Outcome:
    message = Message("clean", "x", want, (want,), entities.get("wanted", ()))
    return Outcome(message, got, confidence, entities.get("found", ()), 0.001)


def test_measures() -> None:
    outcomes = [outcome("a", "a", 0.95), outcome("a", "b", 0.95), outcome("b", "b", 0.45), outcome("b", "b", 0.45)]
    assert macro_f1(outcomes) == pytest.approx((2 / 3 + 4 / 5) / 2, abs=1e-4)
    assert calibration(outcomes)[0] == pytest.approx(0.5 * 0.45 + 0.5 * 0.55)
    scores = entity_scores([outcome("a", "a", wanted=(("date", "mai"),), found=(("date", "mai"), ("place", "x")))])
    assert scores == {"precision": 0.5, "recall": 1.0, "f1": 0.6667}

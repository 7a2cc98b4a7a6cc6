"""The intent model: learning, probabilities, storing, robustness, and that it is repeatable."""

from pathlib import Path

import numpy as np
import pytest
from conftest import EXAMPLES

from nlu.entities.mentions import understood
from nlu.learning import Example, Recipe, calibration, learn, spread
from nlu.linear import LinearModel, ranking, softmax
from nlu.text.marks import fold

SMALL = [Example(text, label) for label, texts in EXAMPLES.items() for text in texts]


@pytest.fixture(scope="module")
def learnt() -> LinearModel:
    return learn(SMALL, Recipe())


def best(model: LinearModel, text: str) -> str:
    return ranking(model.labels, model.probabilities(understood(text)))[0][0]


def test_probabilities_are_a_distribution_for_any_text(learnt: LinearModel) -> None:
    for text in ("tiền điện", "", "😀", "qwrtzx", "a" * 4000):
        probabilities = learnt.probabilities(understood(text))
        assert probabilities.shape == (len(EXAMPLES),)
        assert probabilities.sum() == pytest.approx(1.0)
        assert (probabilities > 0).all()


def test_unseen_wordings_in_several_ways_of_writing(learnt: LinearModel) -> None:
    for text, label in (
        ("cho hỏi tiền điện tháng 8 nhà tôi", "bill_lookup"),
        ("nhà mình mất điện rồi ad ơi", "outage_report"),
        ("cho em gặp cán bộ", "human"),
    ):
        assert best(learnt, text) == label
        assert best(learnt, fold(text)) == label
        assert best(learnt, text.upper()) == label
    assert best(learnt, "tieenf ddieenj thangs nayf") == "bill_lookup"


def test_unknown_text_is_less_sure_than_known(learnt: LinearModel) -> None:
    known = learnt.probabilities(understood("tiền điện tháng này bao nhiêu")).max()
    unknown = learnt.probabilities(understood("qwrtzx")).max()
    assert unknown < 0.75 < known


def test_learning_is_repeatable(learnt: LinearModel) -> None:
    again = learn(SMALL, Recipe())
    assert again.vectoriser.terms == learnt.vectoriser.terms
    assert np.array_equal(again.vectoriser.features, learnt.vectoriser.features)
    assert np.array_equal(again.weights, learnt.weights)
    assert again.sharpness == learnt.sharpness


def test_a_stored_model_answers_alike(learnt: LinearModel, tmp_path: Path) -> None:
    learnt.save(tmp_path)
    loaded = LinearModel.load(tmp_path)
    for text in ("tiền điện tháng này", "mat dien roi", "xin chào"):
        views = understood(text)
        assert loaded.probabilities(views) == pytest.approx(learnt.probabilities(views), abs=2e-3)


def test_one_label_is_refused() -> None:
    with pytest.raises(ValueError, match="two intents"):
        learn([Example("a", "x"), Example("b", "x")], Recipe())


def test_labels_with_fewer_examples_than_folds_are_learnt() -> None:
    model = learn([*SMALL, Example("tạm biệt nhé", "goodbye")], Recipe())
    assert best(model, "tạm biệt nhé") == "goodbye"


def test_folds_spread_each_label() -> None:
    truth = np.array([0, 0, 0, 1, 1, 1, 0])
    assert spread(truth, 3).tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_calibrated_confidence_matches_accuracy() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 4000)
    margins = rng.normal(0, 1, (4000, 3))
    margins[np.arange(4000), truth] += 1.0
    factor, offsets = calibration(margins, truth)
    probabilities = softmax(factor * (margins + offsets))
    confidence, right = probabilities.max(axis=1).mean(), (probabilities.argmax(axis=1) == truth).mean()
    assert confidence == pytest.approx(right, abs=0.03)


def test_a_label_whose_separator_stays_away_is_moved_nearer() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 4000)
    margins = rng.normal(0, 0.3, (4000, 3))
    margins[np.arange(4000), truth] += 1.0
    _, even = calibration(margins, truth)
    _, moved = calibration(margins - [0.0, 0.0, 0.5], truth)
    assert np.ptp(even) < 0.1
    assert moved[2] - moved[:2].max() == pytest.approx(0.5, abs=0.1)


def test_a_label_that_is_leaned_to_is_found_more_often(learnt: LinearModel) -> None:
    leaning = learn(SMALL, Recipe(lean={"human": 0.5}))
    moved = leaning.bias - learnt.bias
    assert moved[leaning.labels.index("human")] == pytest.approx(0.5)
    assert np.count_nonzero(moved) == 1

"""Reading, checking and measuring the training data."""

from pathlib import Path

import numpy as np
import pytest

from nlu.check_data import check, families, leaks
from nlu.corpus import Annotated, Span, domain, parse_example, read
from nlu.evaluate import Answers, cross_validate, entity_scores, report
from nlu.learning import Example, Recipe


def example(text: str, intent: str = "a", entities: "tuple[Span, ...]" = ()) -> Annotated:
    return Annotated("x.yml", intent, text, entities)


def test_annotations_give_plain_text_and_spans() -> None:
    text, spans = parse_example('tiền điện [tháng này](period) mã [PA04](customer_code) [xa]{"entity": "place"}')
    assert text == "tiền điện tháng này mã PA04 xa"
    assert [(span.entity, text[span.start : span.end]) for span in spans] == [
        ("period", "tháng này"),
        ("customer_code", "PA04"),
        ("place", "xa"),
    ]


def test_the_domain_has_the_63_labels_and_11_entities() -> None:
    intents, entities = domain()
    assert len(intents) == len(set(intents)) == 63
    assert len(entities) == len(set(entities)) == 11


def test_files_are_read_in_order(data_folder: Path) -> None:
    examples = list(read(data_folder))
    assert examples[0] == Annotated("small.yml", "bill_lookup", "tiền điện tháng này bao nhiêu", ())
    assert len(examples) == 32


def test_a_file_that_is_no_training_data_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.yml").write_text("a: 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"odd\.yml"):
        list(read(tmp_path))


def test_check_finds_each_fault() -> None:
    enough = [example(f"câu số {i} của nhãn này", "a") for i in range(30)]
    assert check(enough, ["a"], ["place"]).errors == []
    few = check(enough[:29], ["a"], ["place"]).errors
    assert few == ["a: 29 examples, at least 30 are needed"]
    unknown = check([*enough, example("lạ", "b", (Span("thing", 0, 2),))], ["a"], ["place"]).errors
    assert any("b: not an intent" in line for line in unknown)
    assert any("unknown entity 'thing'" in line for line in unknown)
    twice = check([*enough, example("Câu số 3  của nhãn này", "b")], ["a"], ["place"]).errors
    assert any("the same text under a, b" in line for line in twice)


def test_check_remarks_on_repeats_and_near_duplicates() -> None:
    same = check([example("xin chào bạn"), example("Xin chào bạn")], [], [])
    assert any("2 times under a" in line for line in same.remarks)
    near = check([example("cho tôi hỏi tiền điện tháng này"), example("cho toi hoi tien dien thang nay", "b")], [], [])
    assert any(line.startswith("nearly the same") for line in near.remarks)
    apart = check([example("cho tôi hỏi tiền điện tháng này"), example("nhà tôi mất điện từ sáng", "b")], [], [])
    assert apart.remarks == []


def test_measures_of_known_answers() -> None:
    answers = Answers(np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]), np.array([0, 1, 1, 1]))
    assert answers.accuracy() == 0.75
    assert answers.within(2) == 1.0
    assert answers.scores(0) == (0.5, 1.0, pytest.approx(2 / 3))
    assert answers.calibration_error() == pytest.approx((0.1 + 0.8 + 0.3 + 0.4) / 4)


def test_cross_validation_answers_every_example_once() -> None:
    texts = {
        "a": ["tiền điện", "hóa đơn điện", "tiền nhà tôi", "hóa đơn"],
        "b": ["mất điện", "cúp điện", "cúp rồi", "mất rồi"],
    }
    examples = [Example(text, label) for label, row in texts.items() for text in row]
    labels, answers = cross_validate(examples, Recipe(copies=1, folds=2), 2, lambda line: None)
    measured = report(labels, answers, {})
    assert measured["examples"] == 8
    assert set(measured["spellings"]) == {"as written", "without marks", "noisy"}
    for row in answers.values():
        assert row.probabilities.sum(axis=1) == pytest.approx(np.ones(8))


def test_entity_scores_count_exact_touching_and_extra() -> None:
    text = "tháng này ở xã Bình Yên"
    spans = (Span("period", 0, 9), Span("place", 15, 23))
    scores = entity_scores([example(text, "a", spans), example("hôm nay", "a")])
    assert scores["period"] == {"annotated": 1, "exact": 1, "touched": 1}
    assert scores["place"] == {"annotated": 1, "exact": 0, "touched": 1}
    assert scores["date"] == {"unannotated": 1}


def test_leaks_into_the_test_set_are_found_whatever_the_marks_and_values() -> None:
    found = leaks([example("tiền điện tháng 5 nhà tôi bao nhiêu")], ["tien dien thang 9 nha toi bao nhieu"])
    assert len(found.remarks) == len(found.errors) == 1
    assert not leaks([example("xin chào các bạn")], ["xin chào các bạn"]).remarks


def test_families_of_one_template_are_found() -> None:
    same = [example(f"tiền điện tháng {month} bao nhiêu") for month in range(1, 5)]
    assert len(families(same)) == 1
    assert not families(same[:3])

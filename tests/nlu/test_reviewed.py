"""Reviewed messages go into the training data, or nothing changes at all."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nlu.corpus import Annotated, Span, read
from nlu.review import REVIEWED, Outcome, Reviewed, apply, losses, read_reviewed, show, sort_out, written
from nlu.train import PROJECT

GOOD: "dict[str, Any]" = {
    "messages": 500,
    "accuracy": 0.95,
    "entities": {"f1": 0.99},
    "out_of_scope_recall": 0.9,
    "styles": {
        "clean": {"messages": 250, "accuracy": 0.97, "entity_f1": 1.0, "out_of_scope_recall": 0.9},
        "voice": {"messages": 250, "accuracy": 0.93, "entity_f1": None, "out_of_scope_recall": None},
    },
}
FILE = """version: "3.1"
nlu:
- intent: bill_lookup
  metadata: {message: 7}
  examples: |
    - xem hộ tiền điện [tháng 8](period) mã [PA04HQ8259791](customer_code)
- intent: greet
  metadata: {message: 8}
  examples: |
    - Xin  chào
- intent: human
  examples: |
    - chào em
- intent: human
  metadata: {message: 9}
  examples: |
    - cho gặp anh trực ban với nhé PA04HQ8259791
- intent: outage_report
  metadata: {message: 9}
  examples: |
    - mất điện rồi anh ơi
"""
HELD_OUT = ["cho gặp anh trực ban với nhé PA04DH0000001"]


def worse(**change: Any) -> "dict[str, Any]":
    """A measurement with other values, those of a style under its name."""
    found = copy.deepcopy(GOOD)
    for name, value in change.items():
        found["styles"].get(name, found).update(value)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "export.yml"
    found.write_text(FILE, encoding="utf-8")
    return found


@pytest.fixture
def data(tmp_path: Path, data_folder: Path) -> Path:
    found = tmp_path / "data"
    found.mkdir()
    (found / "small.yml").write_bytes((data_folder / "small.yml").read_bytes())
    return found


def contents(folder: Path) -> "dict[str, bytes]":
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(file: Path, data: Path, after: "dict[str, Any]", errors: "tuple[str, ...]" = ()) -> Outcome:
    """Apply with models that are measured as told; a model's content is the data that it was made from."""
    models = data.parent / "models"

    def train(out: Path, folder: Path) -> "tuple[Path, bool]":
        out.mkdir(exist_ok=True)
        model = out / f"nlu-{len(list(read(folder)))}.tar.gz"
        model.write_text("model", encoding="utf-8")
        return model, True

    return apply(
        read_reviewed(file),
        data,
        models,
        HELD_OUT,
        train=train,
        measure=lambda model: GOOD if model.parent == models else after,
        check=lambda folder: list(errors),
    )


def test_each_example_goes_where_it_belongs(file: Path, data_folder: Path) -> None:
    found = sort_out(read_reviewed(file), read(data_folder), HELD_OUT)
    assert [each.example.text for each in found.new] == [
        "xem hộ tiền điện tháng 8 mã PA04HQ8259791",
        "mất điện rồi anh ơi",
    ]
    assert [each.message for each in found.known] == [8]
    assert [each.example.text for each in found.held_out] == ["cho gặp anh trực ban với nhé PA04HQ8259791"]
    assert [each.example.text for each in found.contradicting] == ["chào em"]
    assert found.settled() == [7, 8, 9]


def test_two_reviewers_of_two_minds_settle_nothing() -> None:
    both = [Reviewed(Annotated("f", intent, "Câu này", ()), n) for n, intent in enumerate(("greet", "human"))]
    found = sort_out([*both, Reviewed(Annotated("f", "greet", "câu khác", ()), 0)], [], [])
    assert (len(found.contradicting), len(found.new), found.settled()) == (2, 1, [])


def test_the_same_twice_is_one_example() -> None:
    twice = [Reviewed(Annotated("f", "greet", text, ()), n) for n, text in enumerate(("Câu này", "câu này"))]
    found = sort_out(twice, [], [])
    assert (len(found.new), len(found.known), found.settled()) == (1, 1, [0, 1])


def test_what_is_written_can_be_read_again_sorted_and_once(tmp_path: Path) -> None:
    examples = [
        Annotated("f", "human", "gặp người", ()),
        Annotated("f", "bill_lookup", "tiền tháng 8 😀", (Span("period", 5, 12),)),
        Annotated("f", "bill_lookup", "tiền tháng 8 😀", (Span("period", 5, 12),)),
        Annotated("f", "bill_lookup", "- bao nhiêu: # thế", ()),
    ]
    (tmp_path / "f.yml").write_text(written(examples), encoding="utf-8")
    again = [(each.intent, each.text, each.entities) for each in read(tmp_path)]
    assert again == [
        ("bill_lookup", "- bao nhiêu: # thế", ()),
        ("bill_lookup", "tiền tháng 8 😀", (Span("period", 5, 12),)),
        ("human", "gặp người", ()),
    ]


def test_a_candidate_that_loses_nothing_takes_the_place(file: Path, data: Path) -> None:
    assert run(file, data, GOOD) == Outcome(True, [7, 8, 9])
    merged = [each for each in read(data) if each.file == REVIEWED]
    assert [each.text for each in merged] == ["xem hộ tiền điện tháng 8 mã PA04HQ8259791", "mất điện rồi anh ơi"]
    assert [span.entity for span in merged[0].entities] == ["period", "customer_code"]
    assert sorted(contents(data.parent / "models")) == ["nlu-32.tar.gz", "nlu-34.tar.gz"]


def test_what_was_reviewed_before_stays_and_nothing_new_changes_nothing(file: Path, data: Path) -> None:
    run(file, data, GOOD)
    before = contents(data)
    assert run(file, data, worse(clean={"accuracy": 0.1})) == Outcome(True, [7, 8, 9])
    assert contents(data) == before
    file.write_text(FILE.replace("xem hộ", "coi hộ"), encoding="utf-8")
    run(file, data, GOOD)
    assert len([each for each in read(data) if each.file == REVIEWED]) == 3


@pytest.mark.parametrize(
    ("after", "errors"),
    [(worse(clean={"accuracy": 0.95}), ()), (GOOD, ("human: 8 examples, at least 30 are needed",))],
    ids=["a loss", "wrong data"],
)
def test_refused_means_that_nothing_changed(
    file: Path, data: Path, after: "dict[str, Any]", errors: "tuple[str, ...]", capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(data)
    assert run(file, data, after, errors) == Outcome(False, [])
    assert contents(data) == before
    assert set(contents(data.parent / "models")) <= {"nlu-32.tar.gz"}
    assert "refused" in capsys.readouterr().out


def test_training_that_breaks_off_changes_nothing(file: Path, data: Path) -> None:
    before = contents(data)

    def broken(model: Path) -> "dict[str, Any]":
        raise KeyboardInterrupt

    def train(out: Path, folder: Path) -> "tuple[Path, bool]":
        (out / "nlu-1.tar.gz").write_text("model", encoding="utf-8")
        return out / "nlu-1.tar.gz", True

    models = data.parent / "models"
    with pytest.raises(KeyboardInterrupt):
        apply(read_reviewed(file), data, models, [], train=train, measure=broken, check=lambda _: [])
    assert contents(data) == before
    assert len(list(models.iterdir())) == 1


def test_losses_beyond_chance_are_named() -> None:
    assert losses(GOOD, worse(accuracy={"accuracy": 0.949})) == []
    assert losses(GOOD, {**GOOD, "accuracy": 0.947}) == ["all: intent accuracy 95.0% → 94.7%"]
    assert losses(GOOD, {**GOOD, "entities": {"f1": 0.98}}) == ["all: entity F1 99.0% → 98.0%"]
    assert losses(GOOD, worse(clean={"accuracy": 0.961}, voice={"accuracy": 0.99})) == []
    assert losses(GOOD, worse(voice={"accuracy": 0.91})) == ["voice: intent accuracy 93.0% → 91.0%"]
    assert losses(GOOD, worse(clean={"entity_f1": 0.9})) == ["clean: entity F1 100.0% → 90.0%"]


def test_the_table_shows_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    show(GOOD, worse(clean={"accuracy": 0.98}))
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["clean", "250", "97.0%", "98.0%", "+1.0", "1.000", "1.000", "+0.000", "0.90", "0.90"]
    assert lines[3].split() == ["voice", "250", "93.0%", "93.0%", "+0.0", "–", "–", "–", "–", "–"]
    assert lines[4].split()[:2] == ["all", "500"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    odd, outcome = tmp_path / "odd.yml", tmp_path / "outcome.json"
    odd.write_text("a: 1\n", encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-m", "nlu.review", str(odd), "--outcome", str(outcome)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, "no list of training examples" in done.stderr, outcome.exists()) == (1, True, False)


def test_what_has_all_been_learnt_ends_well_without_training(tmp_path: Path) -> None:
    first = next(iter(read()))
    file, outcome = tmp_path / "f.yml", tmp_path / "outcome.json"
    content = f"nlu:\n- intent: {first.intent}\n  metadata: {{message: 3}}\n  examples: |\n    - {first.text}\n"
    file.write_text(content, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-m", "nlu.review", str(file), "--outcome", str(outcome)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(outcome.read_text("utf-8"))) == (0, {"settled": [3]}), done.stderr

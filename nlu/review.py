"""Takes reviewed messages into the training data unless the understanding gets worse: ``python -m nlu.review FILE``.

FILE is training data in Rasa's format; ``metadata: {message: 12}`` beside an intent tells the message that its examples
come from. They are merged into ``data/nlu/reviewed.yml``. A candidate model is trained on a copy of the data and
measured on the test set beside the present model; only when it loses nothing the copy's file and the model take their
places, so that an interruption at any time changes nothing. Ends with status 1 when the candidate is refused.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from nlu.check_data import check, leaks
from nlu.corpus import DATA, TEST_SET, Annotated, domain, held_out_texts, parse_example, read
from nlu.entities.mentions import understood

MODELS = DATA.parents[1] / ".data" / "models"
REVIEWED = "reviewed.yml"
LOST_AT_MOST = 0.002
"""Of intent accuracy and of entity F1 over the whole test set: five of its 2,250 messages."""
LOST_AT_MOST_IN_A_STYLE = 0.01
"""Two or three of the 250 messages of a style: fewer are chance."""
_LEAST_WORDS = 5
"""A shorter message ("alo") may stand in both sets: everybody writes it."""
_HEAD = "# Messages of customers as reviewers understood them, personal data replaced (`trolydien nlu-review`).\n"

Train = Callable[[Path, Path], "tuple[Path, bool]"]
Measure = Callable[[Path], "dict[str, Any]"]
Check = Callable[[Path], "list[str]"]


@dataclass(frozen=True)
class Reviewed:
    """An example and the number of the message that it comes from, if that is known."""

    example: Annotated
    message: int | None


@dataclass
class Sorted:
    """Reviewed examples by what becomes of them."""

    new: "list[Reviewed]" = field(default_factory=list)
    known: "list[Reviewed]" = field(default_factory=list)
    held_out: "list[Reviewed]" = field(default_factory=list)
    contradicting: "list[Reviewed]" = field(default_factory=list)

    def settled(self) -> "list[int]":
        """The messages of which nothing is left to do."""
        done = {each.message for each in (*self.new, *self.known, *self.held_out)}
        done -= {each.message for each in self.contradicting}
        return sorted(message for message in done if message is not None)


@dataclass(frozen=True)
class Outcome:
    """Whether the candidate took the present model's place, and the messages that are settled by it."""

    accepted: bool
    settled: "list[int]"


def read_reviewed(file: Path) -> "list[Reviewed]":
    """Raises ValueError when the file is not in Rasa's training data format."""
    content: Any = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    if not isinstance(content, dict) or not isinstance(content.get("nlu"), list):
        raise ValueError(f"{file.name}: no list of training examples under 'nlu'")
    found = []
    for item in content["nlu"]:
        message = (item.get("metadata") or {}).get("message")
        for line in filter(str.strip, str(item["examples"]).splitlines()):
            text, spans = parse_example(line.strip().removeprefix("- ").strip())
            found.append(Reviewed(Annotated(file.name, item["intent"], text, spans), message))
    return found


def sort_out(reviewed: Sequence[Reviewed], training: Iterable[Annotated], held_out: Sequence[str]) -> Sorted:
    """What is new, what stands in the training data, in the test set, or under another label."""
    labels: dict[str, set[str]] = defaultdict(set)
    for example in training:
        labels[_key(example.text)].add(example.intent)
    wanted: dict[str, set[str]] = defaultdict(set)
    for each in reviewed:
        wanted[_key(each.example.text)].add(each.example.intent)
    asked = {_key(text) for text in held_out}
    found = Sorted()

    @cache
    def masked() -> "frozenset[str]":
        return frozenset(map(_masked, held_out))

    for each in reviewed:
        key = _key(each.example.text)
        if len(wanted[key] | labels.get(key, set())) > 1:
            found.contradicting.append(each)
        elif key in labels:
            found.known.append(each)
        elif key in asked or (len(key.split()) >= _LEAST_WORDS and _masked(each.example.text) in masked()):
            found.held_out.append(each)
        else:
            labels[key].add(each.example.intent)
            found.new.append(each)
    return found


def written(examples: Iterable[Annotated]) -> str:
    """The examples as a file of training data, by intent and text."""
    by_intent: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        by_intent[example.intent].add(_line(example))
    lines = [_HEAD + 'version: "3.1"', "nlu:"]
    for intent in sorted(by_intent):
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {line}" for line in sorted(by_intent[intent]))]
    return "\n".join(lines) + "\n"


def losses(before: "dict[str, Any]", after: "dict[str, Any]") -> "list[str]":
    """Where the candidate is worse by more than chance."""
    rows = [("all", before, after, LOST_AT_MOST)]
    rows += [(style, row, after["styles"][style], LOST_AT_MOST_IN_A_STYLE) for style, row in before["styles"].items()]
    return [
        f"{name}: {measure} {was:.1%} → {now:.1%}"
        for name, one, other, allowed in rows
        for measure, was, now in (
            ("intent accuracy", one["accuracy"], other["accuracy"]),
            ("entity F1", _entity_f1(one), _entity_f1(other)),
        )
        if was is not None and now is not None and now < was - allowed - 1e-9
    ]


def show(before: "dict[str, Any]", after: "dict[str, Any]") -> None:
    """The table for people: before, after."""
    print(f"{'':21}   {'intent accuracy':^24}   {'entity F1':^22}   {'out of scope found':^18}")
    columns = f"{'before':>7} {'after':>7}"
    print(f"{'style':13}{'messages':>8}   {columns} {'change':>8}   {columns} {'change':>6}   {columns:>17}")
    rows = [(style, row, after["styles"][style]) for style, row in before["styles"].items()]
    for name, one, other in (*rows, ("all", before, after)):
        was, now = _entity_f1(one), _entity_f1(other)
        print(
            f"{name:13}{one['messages']:8}   {one['accuracy']:7.1%} {other['accuracy']:7.1%}"
            f" {100 * (other['accuracy'] - one['accuracy']):+8.1f}"
            f"   {_number(was, '7.3f')} {_number(now, '7.3f')} {_number(_difference(was, now), '+6.3f')}"
            f"   {_number(one['out_of_scope_recall'], '8.2f')} {_number(other['out_of_scope_recall'], '8.2f')}"
        )


def apply(
    reviewed: Sequence[Reviewed],
    data: Path,
    models: Path,
    held_out: Sequence[str],
    *,
    train: Train,
    measure: Measure,
    check: Check,
) -> Outcome:
    """Merge, train, measure; keep what is no worse."""
    found = sort_out(reviewed, read(data), held_out)
    print(
        f"{len(found.new)} new examples; {len(found.known)} known already, {len(found.held_out)} in the test set,"
        f" {len(found.contradicting)} under another label in the training data or among the reviewed",
        flush=True,
    )
    for each in found.contradicting:
        print(f"  left out, to be mended by hand: {each.example.text!r} as {each.example.intent}")
    if not found.new:
        return Outcome(True, found.settled())
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models) as unfinished:
        copy = Path(unfinished) / "data"
        shutil.copytree(data, copy)
        earlier = [example for example in read(data) if example.file == REVIEWED]
        content = written([*earlier, *(each.example for each in found.new)])
        (copy / REVIEWED).write_text(content, encoding="utf-8")
        if errors := check(copy):
            print("\n".join(["refused: the training data would be wrong", *errors]))
            return Outcome(False, [])
        present, _ = train(models, data)
        candidate, _ = train(Path(unfinished), copy)
        before, after = measure(present), measure(candidate)
        show(before, after)
        if lost := losses(before, after):
            print("\n".join(["refused: worse than the present model", *(f"  {line}" for line in lost)]))
            return Outcome(False, [])
        (copy / REVIEWED).replace(data / REVIEWED)
        candidate.replace(models / candidate.name)
    print(f"accepted: {data / REVIEWED}")
    return Outcome(True, found.settled())


def checked(folder: Path) -> "list[str]":
    """The errors of the training data in a folder."""
    examples = list(read(folder))
    return check(examples, *domain()).errors + leaks(examples, held_out_texts(TEST_SET)).errors


def measured_on_test_set(model: Path) -> "dict[str, Any]":
    """What ``nlu.report`` measures, without stock Rasa."""
    from nlu.report import ask, held_out_set, measured, own_parse  # noqa: PLC0415 - imports Rasa, slowly

    print(f"measuring {model.name}", flush=True)
    return measured(ask(own_parse(model), held_out_set()))


def _told(models: Path, data: Path) -> "tuple[Path, bool]":
    from nlu.train import train  # noqa: PLC0415 - imports Rasa, slowly

    print("training, unless the model is there", flush=True)
    return train(models, data)


def _key(text: str) -> str:
    return " ".join(text.lower().split())


def _masked(text: str) -> str:
    return understood(text).masked


def _line(example: Annotated) -> str:
    out, at = "", 0
    for span in sorted(example.entities, key=lambda each: each.start):
        out += f"{example.text[at : span.start]}[{example.text[span.start : span.end]}]({span.entity})"
        at = span.end
    return out + example.text[at:]


def _entity_f1(row: "dict[str, Any]") -> float | None:
    """Of the whole set, or of a style."""
    found: float | None = row["entities"]["f1"] if "entities" in row else row["entity_f1"]
    return found


def _difference(was: float | None, now: float | None) -> float | None:
    return now - was if was is not None and now is not None else None


def _number(found: float | None, form: str) -> str:
    """In columns: a dash as wide where there is nothing to measure."""
    return f"{'–':>{form.strip('+')[0]}}" if found is None else f"{found:{form}}"


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="nlu.review", description="Take reviewed messages into the training data.")
    parser.add_argument("file", type=Path, help="what `trolydien nlu-review export` wrote")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the training data (default: data/nlu)")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of the models (default: .data/models)")
    parser.add_argument("--outcome", type=Path, help="where to write which messages are settled, as JSON")
    options = parser.parse_args(arguments)
    try:
        reviewed = read_reviewed(options.file)
    except (OSError, ValueError, yaml.YAMLError) as error:
        sys.exit(f"{options.file}: {error}")
    outcome = apply(
        reviewed,
        options.data,
        options.models,
        held_out_texts(TEST_SET),
        train=_told,
        measure=measured_on_test_set,
        check=checked,
    )
    if options.outcome:
        options.outcome.write_text(json.dumps({"settled": outcome.settled}), encoding="utf-8")
    sys.exit(0 if outcome.accepted else 1)


if __name__ == "__main__":
    main()

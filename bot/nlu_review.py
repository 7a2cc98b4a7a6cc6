"""From reviewers' verdicts to training data: written to a file, and taken over by the understanding's own tools (F24).

The understanding lives in an environment of its own, so that `nlu/review.py` merges, trains and measures there.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from actions.desk import load_company
from bot.console.lookalikes import LookAlikes
from bot.console.masking import find_personal
from bot.console.office import Words
from bot.launch import reviewing
from bot.pipeline.assembly import DATA
from bot.processes import CannotStart
from bot.store import reviews
from bot.store.database import Database
from bot.store.reviews import Case

AT_ONCE: Final = 500
"""Verdicts in one look at the store."""
LONGEST: Final = 1_000
"""Characters that the understanding reads of a message (bot/dialogue/understanding.py)."""
REFUSED: Final = 1
"""The status with which `nlu.review` ends when the candidate is worse."""
_NOT_IN_A_LINE: Final = re.compile("[\\s\ufeff\ufffe\uffff]")
_BRACKETS: Final = str.maketrans("[]", "()")
"""Square ones mark the values in training data."""


@dataclass(frozen=True)
class Example:
    """A line of training data, its values marked as Rasa wants them, and the message that it comes from."""

    intent: str
    line: str
    message_id: int


Merge = Callable[[Path], Sequence[int] | None]
"""Takes a file of examples into the training data: the messages that are settled; None when it is refused."""


def export(database: Database, file: Path) -> int:
    """Write all verdicts that are not in the training data yet; returns how many examples."""
    with database.begin() as session:
        examples = list(_examples(session))
    lines = ['version: "3.1"', "nlu:" if examples else "nlu: []"]
    for example in sorted(examples, key=lambda each: (each.intent, each.message_id)):
        lines += [
            f"- intent: {example.intent}",
            f"  metadata: {{message: {example.message_id}}}",
            "  examples: |",
            f"    - {example.line}",
        ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(examples)


def apply(database: Database, file: Path | None, merge: Merge, now: datetime) -> bool:
    """Take a file, or all that waits, into the training data. False when the understanding would be worse."""
    with tempfile.TemporaryDirectory() as folder:
        if file is None:
            file = Path(folder) / "reviewed.yml"
            export(database, file)
        settled = merge(file)
    if settled is None:
        return False
    with database.begin() as session:
        reviews.mark_applied(session, settled, now)
    return True


def merging(data_dir: Path) -> Merge:
    """With the understanding's own tools, the models being in `data_dir`. Raises CannotStart."""

    def merge(file: Path) -> Sequence[int] | None:
        with tempfile.TemporaryDirectory() as folder:
            outcome = Path(folder) / "outcome.json"
            command, environment = reviewing(data_dir, file, outcome)
            status = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603
            with suppress(FileNotFoundError):
                settled: list[int] = json.loads(outcome.read_text("utf-8"))["settled"]
                return None if status == REFUSED else settled
        raise CannotStart(f"{file}: could not be taken into the training data")

    return merge


def _examples(session: Session) -> Iterator[Example]:
    alike = LookAlikes(Words(DATA / "console")["lookalikes"], partial(reviews.is_linked, session))
    public = (load_company(DATA).hotline,)
    after = 0
    while cases := reviews.pending(session, after=after, limit=AT_ONCE):
        for case in cases:
            if len(case.message.text) <= LONGEST:
                yield from _examples_of(case, alike, public)
        after = cases[-1].message.id


def _examples_of(case: Case, alike: LookAlikes, public: Collection[str]) -> Iterator[Example]:
    """One, or two of a message that was split. `public`: numbers that stay as they are."""
    message, review = case.message, case.review
    assert review is not None
    marked = review.entities or []
    understood = (message.understanding or {}).get("entities", ())
    names = [case.contact.display_name]
    spans = find_personal(message.text, entities=[*understood, *marked], names=names, public=public)
    text = _NOT_IN_A_LINE.sub(" ", alike.of(message.text, spans, message_id=message.id)).translate(_BRACKETS)
    whole = {"start": 0, "end": len(text), "intent": review.intent, "entities": marked}
    for part in review.parts or [whole]:
        yield Example(part["intent"], _line(text, part), message.id)


def _line(text: str, part: Mapping[str, Any]) -> str:
    """`tiền điện [tháng này](period)`"""
    out, at = "", part["start"]
    for mark in part["entities"]:
        value = text[mark["start"] : mark["end"]]
        start = mark["start"] + len(value) - len(value.lstrip())
        out += f"{text[at:start]}[{value.strip()}]({mark['entity']})"
        at = start + len(value.strip())
    return f"{out}{text[at : part['end']]}".strip()

"""Which ways the forms of a conversation went, seen from outside: by what the dialogue remembers, and what was said."""

from pathlib import Path
from typing import Any

import yaml

from bot.dialogue.state import DialogueState

HAPPY, CORRECTION, CANCEL, STALE, DOWN = WAYS = ("happy", "correction", "cancel", "stale", "down")
"""Gone through to its end; an answer changed; called off; left until it was dropped; the company's systems away."""
FAILURES = ("failure.backend_down", "failure.backend_wrong", "payment_problem.receipt_lost")
PAPERS_LOST = "ảnh tôi chưa lấy được"
"""Of `service.papers_kept`, which tells that or the opposite."""
_FILES = (Path(__file__).parents[2] / "data" / "replies").glob("*.yml")
REPLIES = {key: reply for file in _FILES for key, reply in yaml.safe_load(file.read_text("utf-8")).items()}


class FormWatch:
    """`seen` holds (form, way). `look` is called with everything answered, before each step and at the end."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()
        self._running: dict[str, dict[str, Any]] = {}
        self._read = 0

    def look(self, state: DialogueState, log: str) -> None:
        """`log` is the conversation so far, as text."""
        said, self._read = log[self._read :], len(log)
        now = {form.name: form.values for form in (*state.paused, state.form) if form}
        failed = PAPERS_LOST in said or any(_beginning(key) in said for key in FAILURES)
        for name, values in now.items():
            before = self._running.get(name, {})
            if any(values.get(field, told) not in (told, None) for field, told in before.items() if told is not None):
                self.seen.add((name, CORRECTION))
        for name in self._running.keys() - now.keys():
            ended = (
                CANCEL
                if _beginning("form.cancelled") in said
                else STALE
                if _beginning("form.expired") in said
                else HAPPY
            )
            self.seen.add((name, ended))
        for name in {*self._running, *now} if failed else ():
            self.seen.add((name, DOWN))
        self._running = {name: {**self._running.get(name, {}), **values} for name, values in now.items()}


def _beginning(key: str) -> str:
    """What a reply begins with, up to its first value."""
    text: str = REPLIES[key]["text"]
    return text.split("{", maxsplit=1)[0].strip()

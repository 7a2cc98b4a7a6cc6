"""Conversations as text files (scripts/*.txt): what customers do, line by line, and what must come back.

A file begins with `# title` and `key: value` lines, then has steps, one a line:

    > text                the customer writes; (sticker), (like), (image), (location 21.59 105.84) … send such a thing,
                          (m.me link REF) opens the chat by a link with that ref
    [Title]               the customer taps the newest button with this title
    < words*more words    the next reply holds these words in this order, upper and lower case as written
      more words          (indented, under `<`) and these
      without: words      and not these
      [One] [Two]         and these buttons, whatever others there are
      (QR 512.340 đ)      and a picture with the QR of a transfer of this amount
      (picture)           and a picture for a phone: PNG, 1080 wide, 80 KB at most
    < nothing             no reply comes
    ! something happens   see play.HAPPENINGS
    = something holds     see play.CHECKS

`2>`, `2[Title]` and `2<` are those of a second customer. {code}, {otp}, … stand for facts, see play.Facts.

Keys: `channels` (of zalo, messenger), `persona` (of the sandbox), `linked` (codes of the persona that are linked from
the start, by their number), `at` (time in Vietnam), `marks: kept` (only as written, not once more without tone marks),
`proves: outage_report cancel stale, complaint happy` (forms, and the ways they go here, see form_watch.py).
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
KEYS = {"channels", "persona", "linked", "at", "marks", "proves"}
ACTION = re.compile(r"(?P<who>2?)(?:(?P<sign>[><])\s*(?P<text>.*)|\[(?P<button>.+)\])")
BUTTONS = re.compile(r"\[([^\[\]]+)\]")


class BadScript(ValueError):
    """A line that is none of the above; the text tells which."""


@dataclass
class Expected:
    """What a reply must be like; `nothing` means that none may come."""

    has: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)
    qr_of: str | None = None
    picture: bool = False

    @property
    def nothing(self) -> bool:
        return self.has == ["nothing"]


@dataclass
class Step:
    """One line: by customer `who` (0 or 1). `reply` is given for `<` only, `text` for all others."""

    line: int
    kind: Literal["say", "tap", "reply", "happens", "check"]
    who: int
    text: str
    reply: Expected = field(default_factory=Expected)


@dataclass
class Script:
    name: str
    title: str
    steps: list[Step]
    channels: list[str]
    persona: str
    linked: list[int]
    at: datetime | None
    marks_kept: bool
    proves: list[tuple[str, str]]


def read(path: Path) -> Script:
    """Raises BadScript."""
    title, keys, steps = "", {}, []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        key, _, value = line.partition(":")
        if not line.strip():
            continue
        if line.startswith("#"):
            title = title or line.lstrip("# ")
        elif not steps and key in KEYS:
            keys[key] = value.strip()
        elif line.startswith("  ") and steps and steps[-1].kind == "reply":
            _further(steps[-1].reply, line.strip())
        else:
            steps.append(_step(path.name, number, line))
    return Script(
        name=path.stem,
        title=title,
        steps=steps,
        channels=keys.get("channels", "zalo messenger").split(),
        persona=keys.get("persona", "Ma Thị Hoa"),
        linked=[int(each) for each in keys.get("linked", "").split()],
        at=datetime.fromisoformat(keys["at"]).replace(tzinfo=VIETNAM) if "at" in keys else None,
        marks_kept=keys.get("marks") == "kept",
        proves=[(form, way) for form, *ways in map(str.split, _parts(keys.get("proves", ""))) for way in ways],
    )


def _parts(listed: str) -> list[str]:
    return [part for part in listed.split(",") if part.strip()]


def _step(file: str, number: int, line: str) -> Step:
    if line[0] in "!=":
        return Step(number, "happens" if line[0] == "!" else "check", 0, line[1:].strip())
    found = ACTION.fullmatch(line.rstrip())
    if found is None:
        raise BadScript(f"{file}:{number}: {line}")
    who = 1 if found["who"] else 0
    if found["button"]:
        return Step(number, "tap", who, found["button"])
    if found["sign"] == ">":
        return Step(number, "say", who, found["text"])
    return Step(number, "reply", who, "", Expected(has=[found["text"]] if found["text"] else []))


def _further(reply: Expected, line: str) -> None:
    if line.startswith("(QR ") and line.endswith(")"):
        reply.qr_of = line.removeprefix("(QR ").removesuffix(")")
    elif line == "(picture)":
        reply.picture = True
    elif line.startswith("without:"):
        reply.lacks.append(line.removeprefix("without:").strip())
    elif line.startswith("[") and not BUTTONS.sub("", line).strip():
        reply.buttons += BUTTONS.findall(line)
    else:
        reply.has.append(line)

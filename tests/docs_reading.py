"""Reading a Markdown page as far as its tests need: links, headings, code, tables."""

import re
from functools import cached_property
from pathlib import Path

_FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NUMBER = re.compile(r"(?<![\w/])-?\d+(?:/\d+)?")
_CLASS = re.compile(r"[A-Z][a-z]+[A-Z]?\w*")


class Page:
    """`codes`: what stands in backticks, and the lines of fenced blocks. `rows`: cells of table rows, backticks off."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._text = file.read_text("utf-8")
        self._prose = _FENCE.sub("", self._text)

    def __str__(self) -> str:
        return self.file.name

    @cached_property
    def links(self) -> list[str]:
        """Targets within the project."""
        return [target for target in _LINK.findall(self._prose) if "://" not in target]

    @cached_property
    def headings(self) -> list[str]:
        return re.findall(r"^#+ (.+)$", self._prose, re.MULTILINE)

    @cached_property
    def codes(self) -> list[str]:
        lines = [line.strip() for block in _FENCE.findall(self._text) for line in block.splitlines()]
        return _CODE.findall(self._prose) + lines

    @cached_property
    def rows(self) -> list[list[str]]:
        found = re.findall(r"^\|(.+)\|$", self._prose, re.MULTILINE)
        return [[cell.strip().strip("`") for cell in row.split("|")] for row in found]


def anchor(heading: str) -> str:
    """The name under which a heading can be linked to."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def codes_by_class(page: Page) -> dict[str, str]:
    """From the table of errors: each platform's code and the class in whose row it stands.

    What is told of HTTP and of the network, and notes after "and" or in parentheses, hold no codes.
    """
    start = next(i for i, row in enumerate(page.rows) if row[:2] == ["Class", "Codes"])
    found: dict[str, str] = {}
    for row in page.rows[start + 2 :]:
        if not _CLASS.fullmatch(row[0]):
            break
        for part in re.sub(r"\(.*?\)| and .*", "", row[1]).split(";"):
            if "HTTP" not in part:
                found.update(dict.fromkeys(_NUMBER.findall(part), row[0]))
    return found

"""The figures of a run, as one table."""

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

HEAD = ("", "measured", "must be", "")


@dataclass(frozen=True)
class Row:
    """One figure. `held` is whether it keeps its bar, None where there is none."""

    what: str
    measured: str
    bar: str = ""
    held: bool | None = None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        return self.what, self.measured, self.bar, {True: "ok", False: "MISSED", None: ""}[self.held]


@dataclass
class Report:
    """Rows under headings, in the order in which they were measured."""

    sections: dict[str, list[Row]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, section: str, *rows: Row) -> None:
        self.sections.setdefault(section, []).extend(rows)

    def note(self, section: str, text: str) -> None:
        """Shown as it is, below the rows of the section."""
        self.notes[section] = text

    @property
    def held(self) -> bool:
        return all(row.held is not False for rows in self.sections.values() for row in rows)

    def as_text(self) -> str:
        rows = [row.cells for rows in self.sections.values() for row in rows]
        widths = [max(len(cells[i]) for cells in [*rows, HEAD]) for i in range(len(HEAD))]
        lines = [_line(HEAD, widths)]
        for section, figures in self.sections.items():
            lines += ["", section, *(_line(row.cells, widths) for row in figures)]
            lines += ["", *self.notes[section].splitlines()] if section in self.notes else []
        return "\n".join(lines)

    def as_markdown(self) -> str:
        lines = []
        for section, rows in self.sections.items():
            lines += ["", f"### {section}", "", "| | measured | must be | |", "|---|---|---|---|"]
            lines += [f"| {' | '.join(row.cells)} |" for row in rows]
            lines += ["", "```", *self.notes[section].splitlines(), "```"] if section in self.notes else []
        return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(seconds: Sequence[float]) -> str:
    """p50, p95, p99 and the longest, in ms."""
    marks = [percentile(seconds, share) for share in (0.5, 0.95, 0.99)]
    return " / ".join(f"{1000 * mark:.1f}" for mark in [*marks, max(seconds)]) + " ms"


def ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"


def shares(before: dict[str, float], after: dict[str, float], seconds: float) -> str:
    """What each part took of one core meanwhile."""
    spent = {name: after[name] - before.get(name, 0.0) for name in after}
    return ", ".join(f"{name} {100 * used / seconds:.0f} %" for name, used in spent.items() if used > 0.005 * seconds)


def machine() -> str:
    """Where and when this was measured."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    return f"{day}, {os.cpu_count()} cores, Python {platform.python_version()}, load average before {load}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

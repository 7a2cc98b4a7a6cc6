"""The charts of the figures: SVG made here, in colours that the colour-blind tell apart (Okabe and Ito)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pygal
from pygal.style import Style

from bot.console import numbers
from bot.console.report import Report
from bot.store.figures import CLASSES_MS, LONGER
from bot.store.models import Lane

BLUE, VERMILION = "#0072b2", "#d55e00"
_FONT: Final = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_STYLE: Final = Style(
    background="#ffffff",
    plot_background="#ffffff",
    foreground="#16222e",
    foreground_strong="#16222e",
    foreground_subtle="#566472",
    colors=(BLUE, VERMILION),
    value_colors=("#16222e", "#16222e"),
    opacity="1",
    font_family=_FONT,
    label_font_size=14,
    major_label_font_size=14,
    value_font_size=14,
    legend_font_size=15,
    no_data_font_size=18,
)
_SIZE: Final = {"width": 760, "height": 340}
_ROW: Final = 34
"""Height of a bar that lies, in pixels."""


def draw(name: str, report: Report, words: Mapping[str, Any], areas: Mapping[str, str]) -> str:
    """The chart of that name as SVG. `words` are those of data/console/figures.yml. Raises KeyError for no chart."""
    match name:
        case "linked":
            labels = [f"{month.number}/{month.year}" for month in report.months]
            return _bars(labels, list(report.months.values()), words)
        case "areas":
            linked = [area for area in report.areas if area.linked]
            return _lying([areas[area.code] for area in linked], [area.linked for area in linked], words)
        case "in_time":
            shares = [(lane, report.now.in_time[lane].share) for lane in Lane]
            labels = [words["lanes"][lane] for lane, _ in shares]
            return _lying(labels, [None if share is None else 100 * share for _, share in shares], words, percent=True)
        case "times":
            return _bars(
                [title for title, _ in times(report, words)], [count for _, count in times(report, words)], words
            )
        case "days":
            return _days(report, words)
    raise KeyError(name)


def times(report: Report, words: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The classes of reply times from the shortest to the longest that holds a reply, with their counts."""
    ends = [*map(str, CLASSES_MS), LONGER]
    filled = [number for number, end in enumerate(ends) if report.now.times[end]]
    shown = ends[: filled[-1] + 1] if filled else []
    return [(class_title(end, words), report.now.times[end]) for end in shown]


def class_title(end: str, words: Mapping[str, Any]) -> str:
    """What a class of reply times is called."""
    if end == LONGER:
        return str(words["longer"]).format(numbers.lasting(CLASSES_MS[-1] / 1000, words))
    return str(words["up_to"]).format(numbers.lasting(int(end) / 1000, words))


def _bars(labels: Sequence[str], values: Sequence[float], words: Mapping[str, Any]) -> str:
    chart = pygal.Bar(**_common(words), **_SIZE, show_legend=False, x_label_rotation=30 if len(labels) > 6 else 0)
    chart.x_labels = labels
    chart.add("", values)
    return _svg(chart)


def _lying(
    labels: Sequence[str], values: Sequence[float | None], words: Mapping[str, Any], *, percent: bool = False
) -> str:
    shape = {"width": _SIZE["width"], "height": 70 + _ROW * max(len(labels), 3)}
    scale = {"range": (0, 100)} if percent else {}
    chart = pygal.HorizontalBar(**_common(words, percent=percent), **shape, **scale, show_legend=False)
    chart.x_labels = labels[::-1]
    chart.add("", values[::-1])
    return _svg(chart)


def _days(report: Report, words: Mapping[str, Any]) -> str:
    chart = pygal.Line(
        **{**_common(words, percent=True), "print_values": False},
        **_SIZE,
        range=(0, 100),
        legend_at_bottom=True,
        legend_at_bottom_columns=2,
        dots_size=4,
        x_label_rotation=0,
        show_minor_x_labels=False,
    )
    chart.x_labels = [str(day.day) for day in report.days]
    chart.x_labels_major = chart.x_labels[:: 2 if len(chart.x_labels) > 16 else 1]
    for number, (name, dash) in enumerate((("served", None), ("understood", "6, 4"))):
        line = [tallies[number].share for tallies in report.days.values()]
        chart.add(
            words["names"][name],
            [None if share is None else 100 * share for share in line],
            stroke_style={"width": 3, **({"dasharray": dash} if dash else {})},
        )
    return _svg(chart)


def _common(words: Mapping[str, Any], *, percent: bool = False) -> dict[str, Any]:
    shown = numbers.tenth if percent else numbers.count
    return {
        "style": _STYLE,
        "js": [],
        "explicit_size": True,
        "disable_xml_declaration": True,
        "print_values": True,
        "print_values_position": "top",
        "value_formatter": lambda value: "" if value is None else shown(value),
        "no_data_text": words["no_data"],
        "margin": 12,
        "include_x_axis": True,
    }


def _svg(chart: Any) -> str:
    return str(chart.render(is_unicode=True))

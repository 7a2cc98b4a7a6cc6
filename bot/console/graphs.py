"""The charts of the figures: SVG made here, in colours that the colour-blind tell apart (Okabe and Ito)."""

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

import pygal
from pygal.style import Style

from bot.console import numbers
from bot.console.report import MONTHS_SHOWN, Report
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
    stroke_width="3",
    stroke_opacity="1",
    guide_stroke_color="#dde4ea",
    guide_stroke_dasharray="none",
    major_guide_stroke_color="#dde4ea",
    major_guide_stroke_dasharray="none",
    font_family=_FONT,
    label_font_size=13,
    major_label_font_size=13,
    value_font_size=13,
    legend_font_size=14,
    title_font_size=13,
    no_data_font_size=18,
)
_SCRIPT: Final = re.compile(r"<script.*?</script>", re.DOTALL)
_SIZE: Final = {"width": 500, "height": 300}
"""Pixels: narrow, so that letters are still read on a phone, where the picture is made smaller."""
_ROW: Final = 32
"""Height of a bar that lies."""
_PERCENT: Final = {"range": (0, 100), "y_labels": (0, 20, 40, 60, 80, 100)}
_FEWEST_MONTHS: Final = 6
"""Have room on the axis, so that the bars of a young product are no walls."""


def draw(name: str, report: Report, words: Mapping[str, Any], areas: Mapping[str, str]) -> str:
    """The chart of that name as SVG. `words` are those of data/console/figures.yml. Raises KeyError for no chart."""
    match name:
        case "linked":
            shown = MONTHS_SHOWN if len(report.months) > _FEWEST_MONTHS else _FEWEST_MONTHS
            months = [report.view.month.back(number) for number in range(shown)]
            labels = [f"{month.number}/{month.year % 100:02}" for month in months]
            return _bars(labels[::-1], [report.months.get(month) for month in months[::-1]], words)
        case "areas":
            linked = [area for area in report.areas if area.linked]
            titles = _without_common_beginning([areas[area.code] for area in linked])
            labels = [f"{title}: {numbers.count(area.linked)}" for title, area in zip(titles, linked, strict=True)]
            return _lying(labels, [area.linked for area in linked], words)
        case "in_time":
            shares = [(words["lanes"][lane], report.now.in_time[lane].share) for lane in Lane]
            labels = [f"{title}: {numbers.percent(share)}" if share is not None else title for title, share in shares]
            return _lying(labels, [None if share is None else 100 * share for _, share in shares], words, percent=True)
        case "times":
            classes = _filled(report)
            labels = [_bare(end) for end in classes]
            return _bars(labels, [report.now.times[end] for end in classes], words, words["charts"]["times"]["below"])
        case "days":
            return _days(report, words)
    raise KeyError(name)


def times(report: Report, words: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The classes of reply times from the shortest to the longest that holds a reply, with their counts."""
    return [(class_title(end, words), report.now.times[end]) for end in _filled(report)]


def class_title(end: str, words: Mapping[str, Any]) -> str:
    """What a class of reply times is called."""
    if end == LONGER:
        return str(words["longer"]).format(numbers.lasting(CLASSES_MS[-1] / 1000, words))
    return str(words["up_to"]).format(numbers.lasting(int(end) / 1000, words))


def _filled(report: Report) -> list[str]:
    ends = [*map(str, CLASSES_MS), LONGER]
    last = max((number for number, end in enumerate(ends) if report.now.times[end]), default=-1)
    return ends[: last + 1]


def _bare(end: str) -> str:
    """The end of a class in seconds, for an axis."""
    if end == LONGER:
        return f"> {_bare(str(CLASSES_MS[-1]))}"
    return numbers.brief(int(end) / 1000)


def _without_common_beginning(names: Sequence[str]) -> list[str]:
    """What the names differ in: `Đội Quản lý Điện lực khu vực` before each of them would leave no room for bars."""
    words = [name.split() for name in names if " " in name]
    shared = takewhile(lambda at: len(set(at)) == 1, zip(*words, strict=False)) if len(words) > 1 else ()
    beginning = "".join(f"{word} " for word, *_ in shared)
    return [name.removeprefix(beginning) for name in names]


def _bars(labels: Sequence[str], values: Sequence[float | None], words: Mapping[str, Any], below: str = "") -> str:
    chart = pygal.Bar(**_common(words), **_SIZE, show_legend=False, x_title=below)
    chart.x_labels = labels
    chart.add("", values)
    return _svg(chart)


def _lying(
    labels: Sequence[str], values: Sequence[float | None], words: Mapping[str, Any], *, percent: bool = False
) -> str:
    shape = {"width": _SIZE["width"], "height": 70 + _ROW * max(len(labels), 3)}
    common = {**_common(words), "print_values": False}
    chart = pygal.HorizontalBar(**common, **shape, **(_PERCENT if percent else {}), show_legend=False)
    chart.x_labels = labels[::-1]
    chart.add("", values[::-1])
    return _svg(chart)


def _days(report: Report, words: Mapping[str, Any]) -> str:
    chart = pygal.Line(
        **{**_common(words), "print_values": False},
        **_SIZE,
        **_PERCENT,
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


def _common(words: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "style": _STYLE,
        "js": [],
        "explicit_size": True,
        "disable_xml_declaration": True,
        "print_values": True,
        "print_values_position": "top",
        "value_formatter": lambda value: "" if value is None else numbers.brief(value),
        "truncate_label": -1,
        "no_data_text": words["no_data"],
        "margin": 12,
        "include_x_axis": True,
    }


def _svg(chart: Any) -> str:
    """Without the script, which an <img> does not run."""
    return _SCRIPT.sub("", chart.render(is_unicode=True))

"""A bar chart as PNG: 1080 pixels wide, large letters, colours that the colour-blind tell apart.

What stands out does so by shape and number, too: unusual bars are hatched and carry their value, days without a reading
are gaps with a dash, lines differ in their dashes.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, floor, log10
from typing import Final

from font_source_sans_pro import SourceSansPro, SourceSansProSemibold  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

from bot.dialogue.replies import number as as_written

WIDTH, HEIGHT = 1080, 1000
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 1056, 150, 800  # of the plot, pixels
_LABELS_TOP = _BOTTOM + 14
_LEGEND_TOP = 914
_COLOURS = 32
_SMALLEST = 26

_PAPER, _INK, _FAINT, _GRID = "#ffffff", "#1a1a1a", "#5f6368", "#dadce0"
_BAR, _ODD, _ODD_STRIPE = "#0072b2", "#d55e00", "#ffffff"  # blue and vermilion of the Okabe-Ito palette
_LINES: Final = (("#1a1a1a", (22, 12)), ("#009e73", (5, 9)))
"""Colour and dash (pixels on, off) of each line over the bars."""
_MOST_VALUES: Final = 13
"""Up to so many bars, each carries its value."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day or month. `kwh` is None where nothing is known; `label` stands below, empty for none."""

    label: str
    kwh: float | None
    unusual: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A level across the chart, named in the legend."""

    label: str
    kwh: float


@dataclass(frozen=True, slots=True)
class ChartTexts:
    """`unusual` names the hatched bars in the legend, `unknown` the gaps; each is only shown where there are some."""

    title: str
    subtitle: str
    unusual: str
    unknown: str


def bar_chart(bars: Sequence[Bar], lines: Sequence[Line], texts: ChartTexts) -> bytes:
    """The picture as PNG. At most two lines; raises ValueError without any bar that has a value."""
    known = [bar.kwh for bar in bars if bar.kwh is not None]
    if not known or len(lines) > len(_LINES):
        raise ValueError("a chart needs a value, and has two lines at most")
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    _headline(draw, 24, texts.title, 50, _INK, bold=True)
    _headline(draw, 88, texts.subtitle, 36, _FAINT)
    top = _axis(draw, max([*known, *(line.kwh for line in lines)]))
    _bars(image, draw, bars, top)
    for line, (colour, dash) in zip(lines, _LINES, strict=False):
        _dashed(draw, (_LEFT, _RIGHT), _height(line.kwh, top), colour, dash)
    _values(draw, bars, top)
    _legend(draw, bars, lines, texts)
    return _png(image)


def _axis(draw: ImageDraw.ImageDraw, highest: float) -> float:
    """Draw the kWh axis; the value at the plot's top."""
    step = _round_step(highest / 4.6)
    top = step * max(1, ceil(highest * 1.04 / step))
    for number in range(round(top / step) + 1):
        level = _height(number * step, top)
        draw.line([(_LEFT, level), (_RIGHT, level)], fill=_GRID if number else _FAINT, width=2)
        draw.text((_LEFT - 14, level), _tenth(number * step), font=_font(32), fill=_FAINT, anchor="rm")
    return top


def _bars(image: Image.Image, draw: ImageDraw.ImageDraw, bars: Sequence[Bar], top: float) -> None:
    slot = (_RIGHT - _LEFT) / len(bars)
    width = max(slot * 0.72, 4)
    size = 32 if slot > 90 else 28
    for number, bar in enumerate(bars):
        middle = _LEFT + slot * (number + 0.5)
        if bar.label:
            draw.text((middle, _LABELS_TOP), bar.label, font=_font(size), fill=_INK, anchor="ma", align="center")
        if bar.kwh is None:
            draw.line([(middle - width / 3, _BOTTOM - 12), (middle + width / 3, _BOTTOM - 12)], fill=_FAINT, width=4)
            continue
        left, right = round(middle - width / 2), round(middle + width / 2)
        above = round(_height(bar.kwh, top))
        if above < _BOTTOM:
            draw.rectangle([left, above, right, _BOTTOM - 1], fill=_ODD if bar.unusual else _BAR)
            if bar.unusual:
                _hatch(image, (left, above, right, _BOTTOM - 1))


def _values(draw: ImageDraw.ImageDraw, bars: Sequence[Bar], top: float) -> None:
    """Over the lines, which would strike them through."""
    slot = (_RIGHT - _LEFT) / len(bars)
    with_values = len(bars) <= _MOST_VALUES
    valued = [(number, _tenth(bars[number].kwh or 0)) for number in _valued(bars, with_values)]
    longest = max((_font(32, bold=True).getlength(value) for _, value in valued), default=1)
    weight = _font(min(32, int(32 * slot * 0.96 / longest)) if with_values else 32, bold=True)
    for number, value in valued:
        bar = bars[number]
        assert bar.kwh is not None
        at = (_LEFT + slot * (number + 0.5), _height(bar.kwh, top) - 6)
        draw.text(at, value, font=weight, fill=_INK, anchor="mb", stroke_width=3, stroke_fill=_PAPER)


def _valued(bars: Sequence[Bar], every: bool) -> Iterator[int]:
    """Which bars carry their value: all of a few; of many the highest, and the unusual ones that have room."""
    known = [number for number, bar in enumerate(bars) if bar.kwh is not None]
    if every:
        yield from known
        return
    by_height = sorted(known, key=lambda number: bars[number].kwh or 0, reverse=True)
    told: list[int] = []
    for number in [*by_height[:1], *(n for n in by_height if bars[n].unusual)]:
        if all(abs(number - other) > 2 for other in told):
            told.append(number)
            yield number


def _hatch(image: Image.Image, box: tuple[int, int, int, int]) -> None:
    """Slanted stripes over a bar."""
    left, above, right, below = box
    width, height = right - left + 1, below - above + 1
    stripes = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(stripes)
    for start in range(-height, width, 18):
        pen.line([(start, height), (start + height, 0)], fill=150, width=4)
    image.paste(Image.new("RGB", (width, height), _ODD_STRIPE), (left, above), stripes)


def _dashed(
    draw: ImageDraw.ImageDraw, span: tuple[float, float], level: float, colour: str, dash: tuple[int, int]
) -> None:
    on, off = dash
    at = span[0]
    while at < span[1]:
        piece = (at, min(at + on, span[1]))
        draw.rectangle([piece[0] - 2, level - 5, piece[1] + 2, level + 5], fill=_PAPER)
        draw.rectangle([piece[0], level - 2, piece[1], level + 3], fill=colour)
        at += on + off


def _legend(draw: ImageDraw.ImageDraw, bars: Sequence[Bar], lines: Sequence[Line], texts: ChartTexts) -> None:
    """One row, or two where it does not fit."""
    entries = [(line.label, number) for number, line in enumerate(lines)]
    if any(bar.unusual for bar in bars):
        entries.append((texts.unusual, len(_LINES)))
    if any(bar.kwh is None for bar in bars):
        entries.append((texts.unknown, len(_LINES) + 1))
    font = _font(30)
    x, y = float(_LEFT - 60), float(_LEGEND_TOP)
    for label, mark in entries:
        needed = 70 + font.getlength(label)
        if x + needed > WIDTH - 16:
            x, y = float(_LEFT - 60), y + 42
        if mark < len(_LINES):
            _dashed(draw, (x, x + 52), y, *_LINES[mark])
        elif mark == len(_LINES):
            draw.rectangle([x + 10, y - 14, x + 42, y + 14], fill=_ODD)
            draw.line([(x + 10, y + 14), (x + 38, y - 14)], fill=_ODD_STRIPE, width=4)
        else:
            draw.line([(x + 14, y), (x + 38, y)], fill=_FAINT, width=4)
        draw.text((x + 62, y), label, font=font, fill=_INK, anchor="lm")
        x += needed + 26


def _height(kwh: float, top: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP - 40) * kwh / top


def _round_step(rough: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten, not below `rough`; at least a tenth."""
    rough = max(rough, 0.1)
    unit = 10.0 ** floor(log10(rough))
    return next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * 0.999)


def _tenth(value: float) -> str:
    return as_written(round(value, 1))


@cache
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(SourceSansProSemibold if bold else SourceSansPro, size)


def _headline(draw: ImageDraw.ImageDraw, above: int, text: str, size: int, colour: str, *, bold: bool = False) -> None:
    """A line over the chart: in smaller letters where it is long, and cut where it is far too long."""
    room = WIDTH - 2 * (_LEFT - 60)
    font = _font(size, bold=bold)
    if font.getlength(text) > room:
        font = _font(max(int(size * room / font.getlength(text)), _SMALLEST), bold=bold)
    if font.getlength(text) > room:
        length = next(n for n in range(len(text), 0, -1) if font.getlength(text[:n] + "…") <= room)
        text = text[:length] + "…"
    draw.text((_LEFT - 60, above), text, font=font, fill=colour)


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        stream, "PNG", optimize=False
    )
    return stream.getvalue()

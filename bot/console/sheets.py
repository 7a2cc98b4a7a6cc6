"""Slips with link codes as an A4 document to print and cut: two columns of four (F27)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import segno
from font_source_sans_pro import font_files_ttf  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.enums import Align
from PIL import Image

from actions.desk import Company
from bot.pipeline.slips import Slip

WIDTH, HEIGHT = 210.0, 297.0
MARGIN: Final = 8.0
"""Of the page and within a slip; all lengths are in mm. Home printers leave 5 mm blank."""
COLUMNS, ROWS = 2, 4
SLIP_WIDTH, SLIP_HEIGHT = (WIDTH - 2 * MARGIN) / COLUMNS, (HEIGHT - 2 * MARGIN) / ROWS
PADDING: Final = 4.0
QR_SIDE: Final = 23.0
GAP: Final = 3.3
"""The white around a QR: four modules, of 27 at the least."""
QR_PIXELS: Final = 8
"""A module's side, so that no viewer blurs it."""
FONT: Final = "sans"
POINT: Final = 25.4 / 72
_FAINT, _INK = (95, 99, 104), (0, 0, 0)


@dataclass(frozen=True)
class Printed:
    """One slip with what tells the house."""

    slip: Slip
    note: str = ""


def pdf(printed: Sequence[Printed], *, place: str, company: Company, words: Mapping[str, Any]) -> bytes:
    """The document. `words` are those of data/console/sheet.yml."""
    return _Sheet(place, company, words).drawn(printed)


@lru_cache(maxsize=4)
def qr_picture(address: str) -> Image.Image:
    """A QR, black on white, without its quiet zone: the slip leaves more white than that."""
    rows = segno.make_qr(address, error="m").matrix
    picture = Image.new("1", (len(rows), len(rows)))
    picture.putdata([not module for row in rows for module in row])
    side = len(rows) * QR_PIXELS
    return picture.resize((side, side), Image.Resampling.NEAREST)


class _Sheet:
    def __init__(self, place: str, company: Company, words: Mapping[str, Any]) -> None:
        self._place = place
        self._company = company
        self._words = words
        self._pdf = FPDF(format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(0)
        self._pdf.c_margin = 0
        self._pdf.add_font(FONT, "", font_files_ttf["SourceSansPro"])
        self._pdf.add_font(FONT, "B", font_files_ttf["SourceSansProSemibold"])
        self._pdf.set_title(f"{words['title']} – {place}" if place else str(words["title"]))
        self._pdf.set_author(company.name)
        self._pdf.set_lang("vi")

    def drawn(self, printed: Sequence[Printed]) -> bytes:
        for first in range(0, len(printed), COLUMNS * ROWS):
            self._pdf.add_page()
            self._cut_lines()
            for number, each in enumerate(printed[first : first + COLUMNS * ROWS]):
                row, column = divmod(number, COLUMNS)
                self._slip(each, MARGIN + column * SLIP_WIDTH, MARGIN + row * SLIP_HEIGHT)
        return bytes(self._pdf.output())

    def _cut_lines(self) -> None:
        self._pdf.set_draw_color(*_FAINT)
        self._pdf.set_line_width(0.2)
        self._pdf.set_dash_pattern(dash=1.5, gap=1.5)
        for column in range(COLUMNS + 1):
            across = MARGIN + column * SLIP_WIDTH
            self._pdf.line(across, MARGIN, across, HEIGHT - MARGIN)
        for row in range(ROWS + 1):
            down = MARGIN + row * SLIP_HEIGHT
            self._pdf.line(MARGIN, down, WIDTH - MARGIN, down)

    def _slip(self, printed: Printed, left: float, top: float) -> None:
        slip, words = printed.slip, self._words
        x, y, width = left + PADDING, top + PADDING, SLIP_WIDTH - 2 * PADDING
        self._text(self._company.name, x, y, 10, width, bold=True)
        self._text(words["customer"].format(code=slip.customer_code), x, y + 4.9, 9, width)
        self._text(" · ".join(filter(None, (printed.note, self._place))), x, y + 9.0, 9, width, colour=_FAINT)
        self._text(words["code"], x, y + 17.2, 9, width, colour=_FAINT)
        self._text(slip.link_code, x + 20, y + 14.0, 24, width - 20, bold=True)
        self._ways(slip, x, y + 26.5, width)
        bottom = top + SLIP_HEIGHT - PADDING
        expires = words["expires"].format(until=f"{slip.expires_at:%H:%M %d/%m/%Y}")
        self._text(expires, x, bottom - 8.6, 9, width)
        self._text(words["help"].format(hotline=self._company.hotline), x, bottom - 8.6, 9, width, align=Align.R)
        self._text(words["warning"], x, bottom - 4.2, 9, width, bold=True)

    def _ways(self, slip: Slip, x: float, y: float, width: float) -> None:
        """For each channel that is on: the QR, and beside it what to do."""
        ways = [(slip.messenger, self._words["messenger"]), (slip.zalo, self._words["zalo"])]
        for number, (address, lines) in enumerate(way for way in ways if way[0]):
            left = x + number * width / 2
            self._pdf.image(qr_picture(address), x=left, y=y, w=QR_SIDE, h=QR_SIDE)
            beside = left + QR_SIDE + GAP
            self._lines(lines, beside, y + 3.0, left + width / 2 - GAP - beside)

    def _lines(self, lines: Iterable[str], x: float, y: float, width: float) -> None:
        for number, line in enumerate(lines):
            self._text(line, x, y + number * 4.2, 8 if number else 9, width, bold=not number)

    def _text(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        width: float,
        *,
        bold: bool = False,
        colour: tuple[int, int, int] = _INK,
        align: Align = Align.L,
    ) -> None:
        """One line; set smaller where it would be too long."""
        self._pdf.set_font(FONT, "B" if bold else "", size)
        if (length := self._pdf.get_string_width(text)) > width:
            self._pdf.set_font_size(size * width / length)
        self._pdf.set_text_color(*colour)
        self._pdf.set_xy(x, y)
        self._pdf.cell(w=width, h=size * POINT * 1.15, text=text, align=align)

"""The pictures: size for a phone, small, quick, and showing what they are given."""

import io
import time

import pytest
from PIL import Image

from actions.charts import Bar, ChartTexts, Line, bar_chart

TEXTS = ChartTexts("Điện dùng từng ngày (kWh)", "Nhà mẹ, từ 25/10/2026 đến 24/11/2026", "khác thường", "chưa có số")
BLUE, VERMILION, GREEN = (0, 114, 178), (213, 94, 0), (0, 158, 115)


def chart(*kwh: float | None, unusual: int | None = None, lines: tuple[Line, ...] = ()) -> bytes:
    return bar_chart([Bar(str(n), used, n == unusual) for n, used in enumerate(kwh)], lines, TEXTS)


def pixels(content: bytes) -> dict[tuple[int, int, int], int]:
    image = Image.open(io.BytesIO(content)).convert("RGB")
    return {colour: count for count, colour in image.getcolors(1 << 20)}  # type: ignore[misc]


def area(content: bytes, wanted: tuple[int, int, int]) -> int:
    """Pixels of about this colour: the palette may move it a little."""
    return sum(n for colour, n in pixels(content).items() if max(abs(a - b) for a, b in zip(colour, wanted)) < 24)  # noqa: B905


@pytest.mark.parametrize("bars", [2, 13, 31])
def test_made_for_a_phone(bars: int) -> None:
    content = chart(*[3 + n % 7 * 1.3 for n in range(bars)], unusual=1, lines=(Line("ngày thường 3,4", 3.4),))
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.width) == ("PNG", 1080)
    assert 900 <= image.height <= 1100
    assert len(content) <= 80 * 1024


def test_quick_enough() -> None:
    """300 ms each on a busy machine; it takes about 30."""
    chart(1, 2)
    fastest = []
    for _ in range(5):
        began = time.perf_counter()
        chart(*range(1, 32), unusual=30, lines=(Line("a", 3), Line("b", 4)))
        fastest.append(time.perf_counter() - began)
    assert min(fastest) < 0.3


def test_bars_are_as_long_as_their_values() -> None:
    half, whole = area(chart(10, 5), BLUE), area(chart(10, 10), BLUE)
    assert half / whole == pytest.approx(0.75, abs=0.02)


def test_what_is_unusual_has_another_colour_and_stripes() -> None:
    usual, odd = chart(5, 5, 5), chart(5, 5, 5, unusual=1)
    assert area(usual, VERMILION) == 0
    assert 0 < area(odd, VERMILION) < area(usual, BLUE) / 3 * 0.9


def test_a_day_without_a_reading_is_a_gap() -> None:
    assert area(chart(5, None, 5), BLUE) == pytest.approx(area(chart(5, 5, 5), BLUE) * 2 / 3, rel=0.02)


def test_lines_are_drawn() -> None:
    assert area(chart(5, 5), GREEN) == 0
    assert area(chart(5, 5, lines=(Line("a", 3), Line("các hộ quanh đây 2,9", 2.9))), GREEN) > 500


@pytest.mark.parametrize("kwh", [(0.0, 0.0), (0.1, 0.0), (123_456.0, 99_000.5), (0.04, 0.02)])
def test_any_size_can_be_drawn(kwh: tuple[float, float]) -> None:
    assert Image.open(io.BytesIO(chart(*kwh))).width == 1080


@pytest.mark.parametrize(("bars", "lines"), [([], 0), ([Bar("a", None)], 0), ([Bar("a", 1)], 3)])
def test_what_cannot_be_drawn_is_refused(bars: list[Bar], lines: int) -> None:
    with pytest.raises(ValueError, match="a chart needs"):
        bar_chart(bars, [Line("a", 1)] * lines, TEXTS)


def test_a_long_name_is_made_to_fit() -> None:
    texts = ChartTexts(TEXTS.title, "Nhà của ông bà ngoại ở xóm Đồng Vượng, " * 4, "khác thường", "chưa có số")
    content = bar_chart([Bar("1", 3), Bar("2", 4)], [], texts)
    image = Image.open(io.BytesIO(content)).convert("L")
    assert all(image.getpixel((1079, y)) > 250 for y in range(80, 140))

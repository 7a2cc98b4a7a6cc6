"""Long text into parts a platform takes, at places where a reader would pause."""

import re
import unicodedata
from collections.abc import Iterator

ELLIPSIS = "…"

_ZWJ = "\u200d"
_BREAKS = (
    re.compile(r"\n\s*\n\s*"),
    re.compile(r"[ \t]*\n\s*"),
    re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+"),
    re.compile(r"(?<=[,;:])\s+"),
    re.compile(r"\s+"),
)
"""Places to break at, the best first: paragraph, line, sentence, clause, word."""

_KEEP_TOGETHER = re.compile(
    r"(?<=\d)[^\S\n]+(?=\d|đ\b|kWh\b|VNĐ\b|VND\b)"
    r"|(?<=\d)(?=\d)|(?<=\d)(?=[.,/:-]\d)|(?<=\d[.,/:-])(?=\d)"
    r"|(?<=\n\d\.)[^\S\n]+"
)
"""No break starts here: inside numbers, between a number and its unit, after the number of a list item."""


def length(text: str) -> int:
    """Length in UTF-16 units: never less than in characters, so it holds however a platform counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` (as `length` counts), none empty, white space at the cuts dropped.

    Never cuts inside a grapheme or a number, unless that alone is longer than `limit`. An empty text has no parts.
    """
    parts = []
    rest = text.strip()
    while length(rest) > limit:
        end, start = _cut(rest, limit)
        parts.append(rest[:end].rstrip())
        rest = rest[start:].lstrip()
    return [*parts, rest] if rest else parts


def split_tail(text: str, limit: int, tail_limit: int) -> list[str]:
    """Like split_text, with the last part no longer than `tail_limit`."""
    *parts, last = split_text(text, limit) or [""]
    *before, tail = split_text(last, tail_limit) or [""]
    if before:
        parts.append(last[: len(last) - len(tail)].rstrip())
    return [*parts, tail] if tail else parts


def cut_title(title: str, limit: int) -> str:
    """The title in at most `limit`, cut after a whole word with an ellipsis when it is longer."""
    title = " ".join(title.split())
    if length(title) <= limit:
        return title
    return split_text(title, limit - 1)[0].rstrip(" ,;:.-–") + ELLIPSIS


def graphemes(text: str) -> Iterator[str]:
    """What readers see as single characters: a base with its marks, joined emoji, flags."""
    start = 0
    for position in range(1, len(text)):
        if _is_boundary(text, position):
            yield text[start:position]
            start = position
    if text:
        yield text[start:]


def _cut(text: str, limit: int) -> tuple[int, int]:
    """Where the first part ends and the rest starts. `text` is longer than `limit`."""
    end = _fitting(text, limit)
    window = text[: end + 1]
    kept = {m.start() for m in _KEEP_TOGETHER.finditer(text, 0, min(len(text), end + 20))}
    best = (0, 0)
    for pattern in _BREAKS:
        places = [m for m in pattern.finditer(window) if 0 < _text_end(m) <= end and m.start() not in kept]
        if not places:
            continue
        last = places[-1]
        if _text_end(last) >= end // 2:
            return _text_end(last), last.end()
        if _text_end(last) > best[0]:
            best = _text_end(last), last.end()
    if best[0]:
        return best
    for position in range(end, 0, -1):
        if _is_boundary(text, position) and position not in kept:
            return position, position
    for position in range(end, 0, -1):
        if _is_boundary(text, position):
            return position, position
    return end, end


def _text_end(gap: re.Match[str]) -> int:
    """The end of the text before a gap: closing quotes at its start belong to that text."""
    return gap.start() + len(gap.group().rstrip())


def _fitting(text: str, limit: int) -> int:
    """How many characters from the start are within `limit` (at least one)."""
    used = 0
    for position, character in enumerate(text):
        used += length(character)
        if used > limit:
            return max(position, 1)
    return len(text)


def _is_boundary(text: str, position: int) -> bool:
    before, after = text[position - 1], text[position]
    if _ZWJ in {before, after} or unicodedata.category(after) in {"Mn", "Me", "Mc"}:
        return False
    if before == "\r" and after == "\n":
        return False
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return False
    if _is_flag_letter(before) and _is_flag_letter(after):
        run = position
        while run and _is_flag_letter(text[run - 1]):
            run -= 1
        return (position - run) % 2 == 0
    return True


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"

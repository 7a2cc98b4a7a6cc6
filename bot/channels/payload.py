"""Reading other people's JSON without trusting its shape."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

MAX_IDENTIFIER = 255
THUMB: Final = "\N{THUMBS UP SIGN}"
SKIN_TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff\ufe0f"


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list; nothing if it is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def embedded(value: Any) -> Mapping[str, Any]:
    """The object that a string holds as JSON, else an empty one."""
    try:
        return mapping(json.loads(value)) if isinstance(value, str) else {}
    except (ValueError, RecursionError):
        return {}


def string(value: Any) -> str | None:
    """A non-empty string, or a whole number as one (platform ids are strings even where they are sent as numbers)."""
    if isinstance(value, str) and value:
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def identifier(value: Any) -> str | None:
    """A string that can be an id or a name: an endless one is none (and fits no database index)."""
    text = string(value)
    return text if text and len(text) <= MAX_IDENTIFIER else None


def is_thumb(text: str) -> bool:
    """Is the text nothing but a thumb, in whatever colour?"""
    return text.strip().rstrip(SKIN_TONES) == THUMB


def strings(value: Any) -> tuple[str, ...]:
    return tuple(text for item in value if (text := string(item))) if isinstance(value, list) else ()


def time(value: Any) -> datetime:
    """Epoch milliseconds as a string or a number, in aware UTC; the present when missing or impossible."""
    try:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def coordinates(place: Mapping[str, Any], latitude: str, longitude: str) -> tuple[float, float] | None:
    """The point named by the two keys (numbers or numerals), if it is on Earth."""
    try:
        point = float(place[latitude]), float(place[longitude])
    except (KeyError, TypeError, ValueError):
        return None
    return point if abs(point[0]) <= 90 and abs(point[1]) <= 180 else None

"""Text as it enters and leaves: Unicode NFC, without characters that a database or a platform refuses."""

import re
import unicodedata

_REFUSED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""The control characters but newline and tab, and surrogates: the categories Cc and Cs, which Unicode never changes."""


def clean(text: str) -> str:
    """NFC, no NUL or other control characters except newline and tab, no lone surrogates."""
    return unicodedata.normalize("NFC", _REFUSED.sub("", text))


def one_line(text: str) -> str:
    """Clean, with single spaces in place of line ends, tabs and runs of spaces."""
    return " ".join(clean(text).split())


def fold(text: str) -> str:
    """Lower case without tone marks and without the bar of đ: for comparing what people typed without accents."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))

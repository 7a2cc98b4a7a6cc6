"""Text as it enters and leaves: Unicode NFC, without characters that a database or a platform refuses."""

import unicodedata

_KEPT_CONTROLS = {"\n", "\t"}


def clean(text: str) -> str:
    """NFC, no NUL or other control characters except newline and tab, no lone surrogates."""
    kept = (c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in {"Cc", "Cs"})
    return unicodedata.normalize("NFC", "".join(kept))


def fold(text: str) -> str:
    """Lower case without tone marks and without the bar of đ: for comparing what people typed without accents."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))

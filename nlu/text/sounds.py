"""Beginnings of words that northern speech mixes up."""

from functools import lru_cache

_SOUNDS = (("ngh", "ng"), ("ng", "ng"), ("nh", "nh"), ("tr", "ch"), ("gi", "d"), ("s", "x"), ("r", "d"), ("n", "l"))


def sound(name: str) -> str:
    """The words of a folded name with the beginnings that northern speech mixes up made equal (l/n, s/x, ch/tr, …)."""
    return " ".join(map(_sound, name.split()))


@lru_cache(maxsize=65536)
def _sound(word: str) -> str:
    for start, other in _SOUNDS:
        if word.startswith(start):
            return other + word[len(start) :]
    return word

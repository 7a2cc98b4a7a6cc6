"""Which strings are written Vietnamese syllables, and the syllables inside a joined string."""

from functools import lru_cache

from nlu import lexicon
from nlu.text.marks import fold, split_tone

_SHARP_OR_HEAVY = ("\u0301", "\u0323")
_LONGEST = 7


@lru_cache(maxsize=1)
def _tables() -> "tuple[frozenset[str], frozenset[str], tuple[str, ...]]":
    data = lexicon.read("syllables")
    bare = {onset + rime for onset in data["onsets"] for row in data["rimes"] for rime in row}
    bare |= {"gi", *("gi" + ending for ending in ("n", "ng"))}
    bare -= {"qua" + "y", "quu"}
    return frozenset(bare | {"quay"}), frozenset(map(fold, bare)), tuple(data["stops"])


@lru_cache(maxsize=65536)
def is_syllable(word: str) -> bool:
    """Whether the lower-case NFC word is a possible syllable as written, marks and tone included."""
    whole, _, stops = _tables()
    bare, tone = split_tone(word)
    if bare not in whole:
        return False
    return not tone or tone in _SHARP_OR_HEAVY or not bare.endswith(stops)


@lru_cache(maxsize=65536)
def is_plain_syllable(word: str) -> bool:
    """Whether the lower-case word is a possible syllable typed without marks."""
    return word in _tables()[1]


@lru_cache(maxsize=16384)
def split_joined(word: str) -> "tuple[str, ...]":
    """The syllables of a joined word ("tiendien" → ("tien", "dien")), or the word alone.

    The fewest syllables win, then the longest first one. Marked letters must fit the syllable they stand in.
    A word that is itself a syllable, is shorter than 6 letters or longer than 40, is left whole.
    """
    if not 6 <= len(word) <= 40 or not word.isalpha() or is_syllable(word) or is_plain_syllable(fold(word)):
        return (word,)
    best: list[tuple[int, int] | None] = [None] * (len(word) + 1)
    best[len(word)] = (0, len(word))
    for start in range(len(word) - 1, -1, -1):
        for end in range(min(len(word), start + _LONGEST), start + 1, -1):
            rest = best[end]
            if rest is None:
                continue
            piece = word[start:end]
            if not (is_syllable(piece) or (piece.isascii() and is_plain_syllable(piece))):
                continue
            if best[start] is None or rest[0] + 1 < best[start][0]:  # type: ignore[index]
                best[start] = (rest[0] + 1, end)
    if best[0] is None:
        return (word,)
    pieces, at = [], 0
    while at < len(word):
        end = best[at][1]  # type: ignore[index]
        pieces.append(word[at:end])
        at = end
    return tuple(pieces)

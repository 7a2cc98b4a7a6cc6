"""Slips in the words of days and months, read as meant beside the word that always goes with them.

"hôm qau" is "hôm qua" because of "hôm", "thsng 5" is "tháng 5" because of the number; alone such a word stays as it is.
The pairs are in ``data/nlu_lexicon/calendar.yml``.
"""

from functools import lru_cache

from nlu import lexicon
from nlu.text.marks import fold, has_marks, split_tone
from nlu.text.sounds import sound
from nlu.text.syllables import is_plain_syllable

_SHORTEST_SLIP = 3


@lru_cache(maxsize=1)
def _pairs() -> "tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]], tuple[str, ...], frozenset[str]]":
    """What follows each word, what precedes each word, what precedes a number, and the words never read so."""
    data = lexicon.read("calendar")
    after: dict[str, tuple[str, ...]] = {}
    before: dict[str, tuple[str, ...]] = {}
    for firsts, seconds in data["pairs"]:
        for word in firsts:
            after[word] = (*after.get(word, ()), *seconds)
        for word in seconds:
            before[word] = (*before.get(word, ()), *firsts)
    for table in (after, before):
        for word, others in list(table.items()):
            table[fold(word)] = (*table.get(fold(word), ()), *others) if fold(word) != word else others
    return after, before, tuple(data["numbered"]), frozenset(data["as_they_stand"])


@lru_cache(maxsize=1)
def _shortened() -> "dict[str, str]":
    spelt = (*lexicon.read("teencode").items(), *lexicon.read("calendar")["spelt"].items())
    return {short: full for full, shorts in spelt for short in shorts}


def dated_as_meant(words: "list[str]") -> "list[str]":
    """The lower-case words of a message with slips in the words of days and months mended, one for one."""
    after, before, numbered, _ = _pairs()
    for i in range(len(words) - 1):
        first, second = words[i], words[i + 1]
        if second in before:
            words[i] = _meant(first, before[second])
        elif second[0].isdigit() and first.isalpha():
            words[i] = _meant(first, numbered)
        if words[i] in after:
            words[i + 1] = _meant(second, after[words[i]])
    return words


@lru_cache(maxsize=65536)
def _meant(word: str, targets: "tuple[str, ...]") -> str:
    """The target that the word is a slip, a shortening or a regional spelling of, or the word itself.

    A word without marks stays without.
    """
    short = _shortened().get(word)
    if short or len(word) < _SHORTEST_SLIP or word in targets or word in _pairs()[3]:
        target = short if short in targets else None
    else:
        target = next((target for target in targets if _means(word, target)), None)
    if target is None:
        return word
    return target if has_marks(word) else fold(target)


def _means(word: str, target: str) -> bool:
    plain, meant = fold(word), fold(target)
    if not is_plain_syllable(plain):
        return _one_slip(plain, meant)
    if not has_marks(word):
        return plain == meant or _swapped(plain, meant)
    tone = split_tone(word)[1]
    toned = tone == split_tone(target)[1] or (not tone and word.endswith("c"))
    return toned and (plain == meant or sound(plain) == sound(meant))


def _swapped(word: str, target: str) -> bool:
    """Whether the two differ by two neighbouring letters that have changed places."""
    return word != target and any(
        word == target[:i] + target[i + 1] + target[i] + target[i + 2 :] for i in range(len(target) - 1)
    )


def _one_slip(word: str, target: str) -> bool:
    """Whether one letter is wrong, missing or too many, or two have changed places."""
    start = 0
    while start < min(len(word), len(target)) and word[start] == target[start]:
        start += 1
    return _swapped(word, target) or any(word[start + w :] == target[start + t :] for w, t in ((1, 1), (0, 1), (1, 0)))

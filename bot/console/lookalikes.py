"""Look-alikes of personal data: what reviewers read, and what training examples hold, in place of the real values.

A look-alike is as long as what it stands for, character by character of its kind, so that a message can still be judged
and every offset in it holds. It is drawn with the message's number alone: nothing of the real value can be worked back.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from bot.console.masking import Kind, Span
from bot.text import fold

OFFICES: Final = "BDGHKLMNPQSTVX"
"""Letters for the two of a customer code that tell the office."""
FAMILIAR: Final = ("thi", "van")
"""Middle names of so many that they tell nothing."""
KNOWN_MAIL: Final = frozenset({"gmail.com", "yahoo.com", "yahoo.com.vn", "icloud.com", "outlook.com", "hotmail.com"})
MOST_DRAWS: Final = 100
"""Of a code that is nobody's: one in ten million is somebody's, unless what is taken for a code has no digits."""
_COMPANY: Final = re.compile(r"p\W?[a-z]\W?\d\W?\d", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W\d_]+|\d+")


def _never(_customer_code: str) -> bool:
    return False


class LookAlikes:
    """`names`: parts of names by length in letters; `taken`: is this customer code, without spaces, somebody's?"""

    def __init__(self, names: Mapping[int, Sequence[str]], taken: Callable[[str], bool] = _never) -> None:
        self._names = names
        self._taken = taken

    def of(self, text: str, spans: Sequence[Span], *, message_id: int) -> str:
        """The text with look-alikes in the spans (in order, not overlapping); the same each time for one message."""
        random, known, parts, at = Random(message_id), dict[str, str](), [], 0  # noqa: S311 (it guards no secret)
        for span in spans:
            original = text[span.start : span.end]
            if original not in known:
                known[original] = self._stand_in(original, span.kind, random)
            parts += [text[at : span.start], known[original]]
            at = span.end
        return "".join([*parts, text[at:]])

    def _stand_in(self, original: str, kind: Kind, random: Random) -> str:
        match kind:
            case Kind.NAME:
                return self._name(original, random)
            case Kind.CODE:
                return self._code(original, random)
            case Kind.PHONE:
                return _digits(original, random, keep=_dialled(original))
            case Kind.EMAIL:
                return _mail(original, random)
            case Kind.MONEY | Kind.ENERGY:
                return _amount(original, random)
            case Kind.NUMBER:
                return _digits(original, random, keep=0)

    def _code(self, original: str, random: Random) -> str:
        """Of the same company: PA04… stays PA04…"""
        company = _COMPANY.match(original)
        at = company.end() if company and company.end() < len(original) else 0
        drawn = original
        for _ in range(MOST_DRAWS):
            drawn = original[:at] + "".join(_alike(each, random) for each in original[at:])
            plain = "".join(filter(str.isalnum, drawn)).upper()
            if drawn != original and not self._taken(plain):
                break
        return drawn

    def _name(self, original: str, random: Random) -> str:
        words = list(_WORD.finditer(original))
        plain = fold(original) == original.lower()
        middle = {word.start() for word in words[1:-1]}

        def stand_in(word: re.Match[str]) -> str:
            said = word[0]
            if said.isdecimal():
                return _digits(said, random, keep=0)
            if word.start() in middle and fold(said) in FAMILIAR:
                return said
            drawn = self._part(said, random)
            return _cased(fold(drawn) if plain else drawn, said)

        return _WORD.sub(stand_in, original)

    def _part(self, said: str, random: Random) -> str:
        """Another part of a name, as long; of one that is longer than any, several together."""
        longest = max(self._names)
        if len(said) > longest:
            return self._part(said[:longest], random) + self._part(said[longest:], random)
        return random.choice([name for name in self._names[len(said)] if fold(name) != fold(said)])


def _cased(drawn: str, like: str) -> str:
    if like.islower():
        return drawn.lower()
    return drawn.upper() if like.isupper() and len(like) > 1 else drawn.capitalize()


def _dialled(original: str) -> int:
    """How many digits of a phone number tell its network or its province: 091, +84 91, 0208."""
    return 4 if original.lstrip("+(").startswith("84") else 3


def _digits(original: str, random: Random, *, keep: int) -> str:
    """Other digits in place of all but the first `keep`; what has none is letters."""
    count = sum(map(str.isdecimal, original))
    if not count:
        return "".join(_alike(each, random) for each in original)
    keep = keep if keep + 4 <= count else 0
    while True:
        seen, drawn = 0, []
        for each in original:
            seen += each.isdecimal()
            drawn.append(_alike(each, random) if each.isdecimal() and seen > keep else each)
        if (found := "".join(drawn)) != original:
            return found


def _amount(original: str, random: Random) -> str:
    """Of the same magnitude and as round: only digits that are not 0 change, each of them."""
    others = {each: "123456789".replace(each, "") for each in "123456789"}
    return "".join(random.choice(others[each]) if each in others else each for each in original)


def _mail(original: str, random: Random) -> str:
    name, _, place = original.partition("@")
    if place.lower() not in KNOWN_MAIL:
        place, dot, top = place.rpartition(".")
        place = f"{''.join(_alike(each, random) for each in place)}{dot}{top}"
    return f"{''.join(_alike(each, random) for each in name)}@{place}"


def _alike(each: str, random: Random) -> str:
    """A digit for a digit, a letter for a letter; other characters stay."""
    if each.isdecimal():
        return random.choice("0123456789")
    if each.isalpha():
        drawn = random.choice(OFFICES)
        return drawn.lower() if each.islower() else drawn
    return each

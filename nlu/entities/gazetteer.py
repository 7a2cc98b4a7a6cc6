"""The gazetteer: what each name of ``data/places.yml`` may mean."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nlu import lexicon
from nlu.text.marks import fold
from nlu.text.sounds import sound

KIND_KEYS = {"xã": "commune", "phường": "ward"}


@dataclass(frozen=True)
class Unit:
    """A commune or ward of today."""

    code: str
    name: str
    kind: str
    districts: "frozenset[str]"

    @property
    def full_name(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class District:
    """A former district or city."""

    name: str
    kind: str

    @property
    def full_name(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Meaning:
    """One thing a name may mean: a unit of today, directly or through a former unit, a district, or a province."""

    name: str
    kind: str
    unit: Unit | None = None
    former_district: str | None = None
    district: District | None = None


@dataclass(frozen=True)
class Gazetteer:
    """Today's units by code, meanings by the name without marks and spaces, all beginnings of these keys, and the keys
    by how they sound in the north and by what is left of them when one letter is lost (both for names of two words or
    more)."""

    units: "tuple[Unit, ...]"
    meanings: "dict[str, tuple[Meaning, ...]]"
    longest: int
    beginnings: "frozenset[str]"
    sounded: "dict[str, tuple[str, ...]]"
    slipped: "dict[str, tuple[str, ...]]"

    def nearly(self, stretch: str) -> "tuple[str, ...]":
        """The keys that the words without marks may be a regional spelling of, else those one letter away."""
        found = self.sounded.get(sound(stretch))
        if found:
            return found
        joined = stretch.replace(" ", "")
        if len(joined) < _SHORTEST_SLIP:
            return ()
        near = [key for part in (joined, *_one_lost(joined)) for key in self.slipped.get(part, ())]
        return tuple(sorted({key for key in near if abs(len(key) - len(joined)) <= 1}))


_SHORTEST_SLIP = 7


def _one_lost(word: str) -> "set[str]":
    return {word[:i] + word[i + 1 :] for i in range(len(word))}


_SPELT = {"hi": "hy", "ki": "ky", "li": "ly", "mi": "my", "si": "sy", "qui": "quy", "can": "kan"}


def official(word: str) -> str:
    """The spelling that the names of units have, of a word without tone: "Đồng Hỉ", "Bắc Cạn"."""
    return _SPELT.get(word, word)


def key(name: str) -> str:
    """The name as an index key: lower case, without marks and spaces."""
    return "".join(map(official, fold(name).lower().split()))


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The gazetteer of ``data/places.yml``.

    Raises:
        ValueError: when the file's counts are not 77 communes and 15 wards, or a district is unknown.
    """
    data = lexicon.read_file(lexicon.PLACES)
    units = [_unit(row) for row in data["units"]]
    kinds = [unit.kind for unit in units]
    if (kinds.count("xã"), kinds.count("phường")) != (77, 15):
        raise ValueError("places.yml must list 77 communes and 15 wards")
    districts = {row["name"]: row for row in data["districts"]}
    meanings: dict[str, list[Meaning]] = {}

    def add(meaning: Meaning) -> None:
        meanings.setdefault(key(meaning.name), []).append(meaning)

    for unit, row in zip(units, data["units"], strict=True):
        add(Meaning(unit.name, unit.kind, unit))
        for former in row["merged_from"]:
            if former["district"] not in districts:
                raise ValueError(f"places.yml: unknown district {former['district']!r}")
            add(Meaning(former["name"], former["kind"], unit, former["district"]))
    for row in districts.values():
        add(Meaning(row["name"], row["kind"], district=District(row["name"], row["kind"])))
    for province in dict.fromkeys(row["province"] for row in districts.values()):
        add(Meaning(province, "tỉnh"))
    longest = max(len(meaning.name.split()) for found in meanings.values() for meaning in found)
    sounded: dict[str, set[str]] = {}
    slipped: dict[str, set[str]] = {}
    for name, found in meanings.items():
        if " " not in found[0].name:
            continue
        sounded.setdefault(sound(fold(found[0].name).lower()), set()).add(name)
        if len(name) >= _SHORTEST_SLIP:
            for part in (name, *_one_lost(name)):
                slipped.setdefault(part, set()).add(name)
    return Gazetteer(
        tuple(units),
        {name: tuple(found) for name, found in meanings.items()},
        longest,
        frozenset(name[:size] for name in meanings for size in range(1, len(name) + 1)),
        {spelt: tuple(sorted(names)) for spelt, names in sounded.items()},
        {spelt: tuple(sorted(names)) for spelt, names in slipped.items()},
    )


def _unit(row: "dict[str, Any]") -> Unit:
    districts = frozenset(former["district"] for former in row["merged_from"])
    return Unit(row["code"], row["name"], row["kind"], districts)

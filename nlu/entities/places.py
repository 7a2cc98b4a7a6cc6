"""Places: communes and wards of today, former ones and districts by their old names, hamlets and streets.

Values: ``{"code", "name", "kind", "matched"}`` with kind ``commune``, ``ward``, ``district``, ``province``, ``hamlet``,
``street`` or ``site``. A former unit adds ``old_name`` and ``district``; a hamlet or street said with its commune adds
``detail``. A district, and a name that may mean several units (kind ``ambiguous``), has no code but ``choices``:
``[{"code", "name", "old_name", "district"}]``. Source of names and traps: electricity.md §5.2.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from nlu import lexicon
from nlu.entities.gazetteer import KIND_KEYS, District, Meaning, Unit, gazetteer, key, official
from nlu.entities.match import Match, words
from nlu.text.align import AlignedText
from nlu.text.marks import fold, has_marks, split_tone
from nlu.text.sounds import sound
from nlu.text.syllables import is_plain_syllable

_TOKEN = re.compile(r"[a-z0-9]+")
_UNIT_KINDS = ("xã", "phường", "thị trấn")
_OLD = re.compile(r"\s+(?P<word>cu)(?![a-z0-9])")
_ENDS = re.compile(r"\s*(?:\Z|[,.?!;)]|(?:huyen|tinh|thuoc|gio|nay|ay|do)(?![a-z]))")
_CUT_AFTER = re.compile(
    r"\s*(?:(?:dang|bi|lai|van|sao|co|khong|chua|moi|hay|hom nay|mai|sang nay|toi nay|bh|bay gio|may gio|khi nao|"
    r"bao gio)\s+){0,3}(?:(?:mat|cup|cat|ngat|ngung cap|co|het|dong)\s*(?:dien|d)|chap chon|toi om|toi thui)(?![a-z])"
)
"""What is said of the power of a place."""
_OPENS = re.compile(
    r"(?:\A|[,.?!;:]|(?<![a-z])(?:sao|ua|alo|oi|ad|bao gio|khi nao|may gio|hom nay|mai|nha|lich (?:cup|cat)(?: dien)?))"
    r"\s*\Z"
)
_TITLE = re.compile(r"(?<![a-z])(?:anh|chi|ong|ba|co|chu|bac|em|chau|cau|ten|di|thay|be|me|bo|vo|chong|con)\s+\Z")
_LOWER_NAME = re.compile(r"(?:\s+[a-z]+){0,3}\s+")
_LONGEST_NAME = 3
_OTHER_KIND = re.compile(r"(?<![a-z])(?:cong|hang|yeu)\s\Z")
"""Before "tổ", "xóm", "cầu": "công tơ" is no block, "hàng xóm" no hamlet, "yêu cầu" no bridge."""
_NEAR = 40
"""How far before a name its words are looked for."""
_LINK = re.compile(r"\s*(?:[,\-–(]\s*)?(?:(?:o|thuoc|cua)\s+)?")


@dataclass(frozen=True)
class _Named:
    """A gazetteer name in the text: where it stands (with its kind), what it may mean, whether it is surely a place."""

    start: int
    end: int
    said: str
    meanings: "tuple[Meaning, ...]"
    sure: bool


@lru_cache(maxsize=1)
def _before_name() -> "re.Pattern[str]":
    return re.compile(r"(?<![a-z0-9])" + words(*map(fold, lexicon.read("place_words")["before"])) + r"\s*[,:]?\s*\Z")


def _is_before_name(text: str, start: int) -> bool:
    return bool(_before_name().search(text, max(0, start - _NEAR), start))


@lru_cache(maxsize=1)
def _kinds() -> "tuple[re.Pattern[str], dict[str, str], dict[str, tuple[str, ...]]]":
    kinds = lexicon.read("place_words")["kinds"]
    spelt = {fold(written).replace(" ", ""): kind for kind, spellings in kinds.items() for written in spellings}
    accented = {kind: tuple(spellings) for kind, spellings in kinds.items()}
    pattern = (
        r"(?<![a-z0-9])(" + words(*(fold(w) for spellings in kinds.values() for w in spellings)) + r")\s?[.\s]\s*\Z"
    )
    return re.compile(pattern), spelt, accented


@lru_cache(maxsize=1)
def _everyday() -> "frozenset[str]":
    return frozenset(key(name) for name in lexicon.read("place_words")["everyday"])


@lru_cache(maxsize=1)
def _everyday_unmarked() -> "frozenset[str]":
    return frozenset(key(name) for name in lexicon.read("place_words")["everyday_unmarked"])


@lru_cache(maxsize=1)
def _surnames() -> "re.Pattern[str]":
    return re.compile(
        r"(?<![a-z0-9])" + words(*map(fold, lexicon.read("place_words")["surnames"])) + r"(?:\s+(?:thi|van))?\s*\Z"
    )


@lru_cache(maxsize=1)
def _small() -> "tuple[re.Pattern[str], dict[str, tuple[str, str]]]":
    kinds = lexicon.read("place_words")["small"]
    spelt = {fold(w).replace(" ", ""): (kind, w) for kind, spellings in kinds.items() for w in spellings}
    return re.compile(r"(?<![a-z0-9])" + words(*(fold(w) for s in kinds.values() for w in s)) + r"(?![a-z])"), spelt


def places(aligned: AlignedText) -> Iterator[Match]:
    """All places of the text; a unit and its district said together are one, and so are a hamlet and its commune."""
    named = _not_elsewhere(aligned, _joined(aligned, _named(aligned)))
    small = list(_small_places(aligned))
    for place in named:
        covering = next((s for s in small if s.start < place.start and s.end >= place.end), None)
        if covering is not None and not place.said:
            if aligned.folded[covering.start : place.start].strip() not in _folded("around"):
                continue
            small.remove(covering)
            covering = None
        inner = None if covering else _inner(aligned, small, place)
        if not place.sure and inner is None:
            continue
        start = place.start if inner is None else inner[0]
        value = _value(aligned, place, start)
        if inner is not None and inner[1] > inner[0]:
            raw_start, raw_end = aligned.span(*inner)
            value["detail"] = aligned.raw[raw_start:raw_end]
        yield Match("place", start, place.end, value)
    others = _others(aligned)
    yield from (s for s in small if not any(start <= s.start < end or end == s.end for start, end in others))


def _inner(aligned: AlignedText, small: "list[Match]", place: "_Named") -> "tuple[int, int] | None":
    """The stretch of the hamlet, street or site said just before its unit."""
    for other in small:
        if other.start < place.start and _LINK.fullmatch(aligned.folded, other.end, place.start):
            return other.start, other.end
    pattern, spelt = _small()
    for match in pattern.finditer(aligned.folded, max(0, place.start - _NEAR), place.start):
        _, written = spelt[re.sub(r"\s+", "", match[0])]
        name = aligned.folded[match.end() : place.start]
        if (
            _says_kind(aligned, match, written)
            and _LOWER_NAME.fullmatch(name)
            and bool(name.strip()) >= (place.said != "" or match[0] in _folded("around"))
            and (place.said or len(name.split()) < _LONGEST_NAME)
            and (_names(aligned, match, place.start) if name.strip() else _is_site(aligned, match))
        ):
            return match.start(), match.end() + len(name.rstrip()) if name.strip() else match.start()
    return None


def _names(aligned: AlignedText, kind: "re.Match[str]", end: int) -> bool:
    """Whether the words from the kind to ``end``, typed in lower case, may name a hamlet or the like."""
    words = aligned.accented[kind.end() : end].split()
    if _ordinary().intersection(words):
        return False
    if kind[0] in _folded("sparing"):
        return words[0] in _folded("highland") or (aligned.marked(*kind.span()) and _is_usual(words[0]))
    return kind[0] not in _folded("unmarked_words") or aligned.marked(*kind.span())


def _is_usual(word: str) -> bool:
    return word in lexicon.read("place_words")["hamlet_names"] or word in _folded("hamlet_names")


def _is_site(aligned: AlignedText, kind: "re.Match[str]") -> bool:
    """Whether the kind belongs to the unit's name said right after it: "chợ Đồn", but not "cho Phổ Yên"."""
    return (
        kind[0] not in _folded("unmarked_words")
        or aligned.marked(*kind.span())
        or _is_before_name(aligned.folded, kind.start())
    )


@lru_cache(maxsize=8)
def _folded(name: str) -> "frozenset[str]":
    return frozenset(map(fold, lexicon.read("place_words")[name]))


def _says_kind(aligned: AlignedText, match: "re.Match[str]", written: str) -> bool:
    if not aligned.says(*match.span(), written) or _OTHER_KIND.search(aligned.folded, 0, match.start()):
        return False
    return aligned.marked(*match.span()) or not (has_marks(written) and has_marks(aligned.accented))


@lru_cache(maxsize=1)
def _ordinary() -> "frozenset[str]":
    words = lexicon.read("place_words")["ordinary"]
    return frozenset((*words, *map(fold, words)))


_QUARTER = re.compile(r"(?<![a-z0-9])quan(?=\s+[a-z])(?![a-z0-9])")
""" "quận": a part of a big city, of which there is none here."""


@lru_cache(maxsize=1)
def _elsewhere() -> "tuple[re.Pattern[str], frozenset[str]]":
    names = [name.lower() for name in lexicon.read("place_words")["elsewhere"]]
    return re.compile(r"(?<![a-z0-9])" + words(*map(fold, names)) + r"(?![a-z0-9])"), frozenset(names)


def _others(aligned: AlignedText) -> "list[tuple[int, int]]":
    """Where other provinces and their quarters are named."""
    pattern, names = _elsewhere()
    quarters = [(m.start(), _capitals_end(aligned, m.end()) or m.end()) for m in _QUARTER.finditer(aligned.folded)]
    return [m.span() for m in pattern.finditer(aligned.folded) if aligned.says(*m.span(), *names)] + [
        (start, end) for start, end in quarters if aligned.accented[start : start + 4] == "quận"
    ]


def _not_elsewhere(aligned: AlignedText, named: "list[_Named]") -> "list[_Named]":
    """Leave out names inside or just before the name of another province."""
    others = _others(aligned)
    return [
        place
        for place in named
        if not any(
            (start < place.end and place.start < end)
            or re.fullmatch(r"[\s,\-]*(?:(?:o|tinh|tp|thanh pho)\s+)?", aligned.folded[place.end : start] or ".")
            for start, end in others
        )
    ]


@lru_cache(maxsize=1)
def _not_before() -> "re.Pattern[str]":
    return re.compile(r"\s*(" + words(*map(fold, lexicon.read("place_words")["not_before"])) + r")(?![a-z0-9])")


def _is_other_word(aligned: AlignedText, end: int) -> bool:
    """Whether what follows makes another word of the name: "xuất hóa đơn"."""
    after = _not_before().match(aligned.folded, end)
    return after is not None and aligned.says(*after.span(1), *lexicon.read("place_words")["not_before"])


def _named(aligned: AlignedText) -> "list[_Named]":
    text = aligned.folded
    tokens = list(_TOKEN.finditer(text))
    said = [token[0] for token in tokens]
    slips = [not is_plain_syllable(word) for word in said]
    index = gazetteer()
    found: list[_Named] = []
    i = 0
    while i < len(tokens):
        start, longest = tokens[i].start(), min(index.longest, len(tokens) - i)
        keys = [joined for joined in _joined_words(said[i : i + longest]) if joined in index.beginnings]
        misspelt = any(slips[i : i + longest]) or _surely_placed(aligned, start, said[i - 1] if i else "")
        for size in range(longest if misspelt else len(keys), 0, -1):
            end = tokens[i + size - 1].end()
            meanings = index.meanings.get(key(text[start:end])) if size <= len(keys) else None
            place = meanings and _understood(aligned, start, end, meanings)
            if not place and misspelt and size > 1:
                place = _misspelt(aligned, start, end)
            if place:
                found.append(place)
                i += size - 1
                break
        i += 1
    return found


def _joined_words(words: "list[str]") -> "Iterator[str]":
    """The first word, the first two joined, and so on, spelt as in the names of units."""
    return itertools.accumulate(map(official, words))


def _surely_placed(aligned: AlignedText, start: int, word_before: str) -> bool:
    """Whether a place is surely meant by what begins here: its kind, or a word of place and a capital."""
    if word_before in _kind_ends() and _said_kind(aligned, start)[1]:
        return True
    return aligned.raw[aligned.starts[start]].isupper() and _is_before_name(aligned.folded, start)


@lru_cache(maxsize=1)
def _kind_ends() -> "frozenset[str]":
    """The last words of the kinds of units, written apart and joined."""
    spelt = _kinds()[1]
    spaced = [fold(w) for spellings in lexicon.read("place_words")["kinds"].values() for w in spellings]
    return frozenset((*spelt, *(re.split(r"[ .]", kind)[-1] for kind in spaced)))


def _misspelt(aligned: AlignedText, start: int, end: int) -> _Named | None:
    """A name in a regional spelling ("Xảng Mộc") or with a slip ("Tânn Cương"), where a place is surely meant."""
    stretch = aligned.folded[start:end]
    raw = aligned.raw[aligned.starts[start] : aligned.ends[end - 1]]
    capitals = raw.replace(" ", "").isalpha() and all(word[:1].isupper() for word in raw.split())
    said_at, said = _said_kind(aligned, start)
    if not (said or (capitals and _is_before_name(aligned.folded, start)) or _CUT_AFTER.match(aligned.folded, end)):
        return None
    index = gazetteer()
    named = [meaning for name in index.nearly(stretch) for meaning in index.meanings[name]]
    written = aligned.accented[start:end]
    if not (capitals or has_marks(aligned.accented)):
        return None
    fitting = tuple(meaning for meaning in named if _sounds_so(written, meaning.name.lower()))
    if not fitting or _is_other_word(aligned, end) or len({key(m.name) for m in fitting}) > 1:
        return None
    return _Named(said_at, end, said, _of_kind(said, fitting) if said else fitting, True)


def _sounds_so(written: str, name: str) -> bool:
    """Whether the marks written are the name's own; a word without marks, and one with a slip, fits any."""
    typed, meant = written.split(), name.split()
    if len(typed) != len(meant):
        return False
    return all(
        not has_marks(t)
        or sound(fold(t)) != sound(fold(m))
        or split_tone(t)[1] == split_tone(m)[1]
        or _loose(t) == _loose(m)
        for t, m in zip(typed, meant, strict=True)
    )


def _is_person(aligned: AlignedText, start: int) -> bool:
    """Whether a surname stands before the name; in the case of the name, for "mà" is no surname in "ma Binh Yen"."""
    surname = _surnames().search(aligned.folded, max(0, start - _NEAR), start)
    raw, starts = aligned.raw, aligned.starts
    return surname is not None and raw[starts[surname.start()]].isupper() == raw[starts[start]].isupper()


def _understood(aligned: AlignedText, start: int, end: int, meanings: "tuple[Meaning, ...]") -> _Named | None:
    """The name with its kind and the meanings that fit marks and kind, or None when it is no place here."""
    written = aligned.accented[start:end]
    fitting = _spelt_so(written, meanings, _toneless_name(aligned, start, end))
    if not fitting or _is_other_word(aligned, end):
        return None
    said_at, said = _said_kind(aligned, start)
    if said:
        fitting = _of_kind(said, fitting)
    elif len(key(written)) <= 3 or _is_person(aligned, start):
        return None
    old = _OLD.match(aligned.folded, end)
    if (
        old
        and aligned.says(*old.span("word"), "cũ")
        and (aligned.marked(*old.span("word")) or _ENDS.match(aligned.folded, old.end()))
    ):
        formers = tuple(m for m in fitting if m.former_district or m.district)
        return _Named(said_at, old.end(), said or "cũ", formers or fitting, True)
    sure = bool(said) or _stands_alone(aligned, start, end, written)
    return _Named(said_at, end, said, fitting, sure)


def _toneless_name(aligned: AlignedText, start: int, end: int) -> bool:
    """Whether a tone may be missing from words with other marks: slips of the keyboard in capitalised words."""
    raw = aligned.raw[aligned.starts[start] : aligned.ends[end - 1]]
    return raw.lower() != aligned.accented[start:end] and all(word[:1].isupper() for word in raw.split())


def _spelt_so(written: str, meanings: "tuple[Meaning, ...]", toneless: bool) -> "tuple[Meaning, ...]":
    """The meanings whose name fits what is written; marks may be missing, hỏi and ngã swapped."""
    if not has_marks(written):
        return meanings
    exact = tuple(m for m in meanings if _loose(m.name.lower()) == _loose(" ".join(written.split())))
    return exact or tuple(m for m in meanings if _partly(written, m.name.lower(), toneless))


def _loose(name: str) -> "list[tuple[str, str]]":
    return [(official(bare), tone.replace("\u0303", "\u0309")) for bare, tone in map(split_tone, name.split())]


def _partly(written: str, name: str, toneless: bool) -> bool:
    """Whether each word is written in full, without any mark or, as allowed, without its tone."""
    typed, meant = written.split(), name.split()
    return len(typed) == len(meant) and all(
        t in (m, fold(m)) or _loose(t) == _loose(m) or (toneless and t == split_tone(m)[0])
        for t, m in zip(typed, meant, strict=True)
    )


def _said_kind(aligned: AlignedText, start: int) -> "tuple[int, str]":
    pattern, spelt, accented = _kinds()
    match = pattern.search(aligned.folded, max(0, start - _NEAR), start)
    if not match:
        return start, ""
    kind = spelt[re.sub(r"\s+", "", match[1])]
    if not aligned.says(match.start(1), match.end(1), *accented[kind]):
        return start, ""
    return match.start(1), kind


def _of_kind(said: str, meanings: "tuple[Meaning, ...]") -> "tuple[Meaning, ...]":
    """The meanings of the kind said; "xã" and "phường" are mixed up easily, so a wrong one still finds a unit."""
    if said in ("huyện", "thành phố"):
        return tuple(m for m in meanings if m.district) or meanings
    if said == "tỉnh":
        return tuple(m for m in meanings if m.kind == "tỉnh") or meanings
    return tuple(m for m in meanings if m.kind == said) or tuple(m for m in meanings if m.unit) or meanings


def _stands_alone(aligned: AlignedText, start: int, end: int, written: str) -> bool:
    """Whether a name without its kind is surely a place here."""
    raw_start, raw_end = aligned.span(start, end)
    raw = aligned.raw[raw_start:raw_end]
    whole = aligned.folded.strip(" .,!?\n")
    if whole == aligned.folded[start:end] and not (key(written) in _everyday() and has_marks(written)):
        return True
    capitals = all(word[:1].isupper() for word in raw.split()) and " " in raw and not aligned.raw.isupper()
    if capitals:
        return True
    if _is_before_name(aligned.folded, start):
        return True
    if key(written) in _everyday() or (not has_marks(written) and key(written) in _everyday_unmarked()):
        return bool(
            _CUT_AFTER.match(aligned.folded, end) and _OPENS.search(aligned.folded, max(0, start - _NEAR), start)
        )
    if has_marks(written):
        return True
    return " " in written and (
        bool(_CUT_AFTER.match(aligned.folded, end)) or not _TITLE.search(aligned.folded, max(0, start - _NEAR), start)
    )


def _joined(aligned: AlignedText, named: "list[_Named]") -> "list[_Named]":
    """Join a unit with the district or province named right after it, which decides among the unit's meanings."""
    out: list[_Named] = []
    for place in named:
        last = out[-1] if out else None
        if last is not None and _LINK.fullmatch(aligned.folded, last.end, place.start):
            inside = _within(last.meanings, place.meanings)
            if inside:
                out[-1] = replace(last, end=place.end, meanings=inside, sure=True, said=last.said or "in")
                continue
        out.append(place)
    return out


def _within(parts: "tuple[Meaning, ...]", wholes: "tuple[Meaning, ...]") -> "tuple[Meaning, ...]":
    districts = {m.district.name for m in wholes if m.district}
    provinces = {m.name for m in wholes if m.kind == "tỉnh"}
    inside = tuple(
        m
        for m in parts
        if m.unit and (m.former_district in districts if m.former_district else m.unit.districts & districts)
    )
    if inside or not provinces:
        return inside
    return tuple(m for m in parts if m.unit or m.district)


def _value(aligned: AlignedText, place: _Named, start: int) -> "dict[str, Any]":
    raw_start, raw_end = aligned.span(start, place.end)
    matched = aligned.raw[raw_start:raw_end]
    district = next((m.district for m in place.meanings if m.district), None)
    units = {m.unit.code: m for m in reversed(place.meanings) if m.unit}
    province = next((m for m in place.meanings if m.kind == "tỉnh"), None)
    if district and province and not place.said and units:
        kind = "ambiguous"
        return {
            "code": None,
            "name": district.name,
            "kind": kind,
            "matched": matched,
            "choices": _units_of(district, units),
        }
    if province and not place.said:
        return {"code": None, "name": f"tỉnh {province.name}", "kind": "province", "matched": matched}
    if district:
        value = {"code": None, "name": district.full_name, "kind": "district", "matched": matched}
        return {**value, "choices": _units_of(district, units)}
    if not units:
        meaning = place.meanings[0]
        return {"code": None, "name": f"tỉnh {meaning.name}", "kind": "province", "matched": matched}
    if len(units) > 1:
        name = place.meanings[0].name
        return {"code": None, "name": name, "kind": "ambiguous", "matched": matched, "choices": _choices(units)}
    meaning = next(iter(units.values()))
    unit = meaning.unit
    assert unit is not None
    value = {"code": unit.code, "name": unit.full_name, "kind": KIND_KEYS[unit.kind], "matched": matched}
    if meaning.former_district and key(meaning.name) != key(unit.name):
        value = {**value, "old_name": f"{meaning.kind} {meaning.name}", "district": meaning.former_district}
    return value


def _units_of(district: District, named: "dict[str, Meaning]") -> "list[dict[str, Any]]":
    """Today's units of the district, the one that has its name first."""
    units = [_choice(unit, None, district.name) for unit in gazetteer().units if district.name in unit.districts]
    return sorted(units, key=lambda choice: choice["code"] not in named)


def _choice(unit: Unit, old_name: str | None, district: str) -> "dict[str, Any]":
    return {"code": unit.code, "name": unit.full_name, "old_name": old_name, "district": district}


def _choices(units: "dict[str, Meaning]") -> "list[dict[str, Any]]":
    choices = []
    for code in sorted(units):
        meaning = units[code]
        assert meaning.unit is not None
        old = f"{meaning.kind} {meaning.name}" if meaning.former_district else None
        district = meaning.former_district or ", ".join(sorted(meaning.unit.districts))
        choices.append(_choice(meaning.unit, old, district))
    return choices


_NUMBER_NAME = re.compile(r"\s*(?:so\s*)?(?:[a-z]{1,2}\d{1,4}|\d{1,4}[a-z]?(?:/\d{1,4})*)(?![a-z0-9])")
_SPOKEN_NAME = re.compile(r"\s+(?:so\s+)?(?:muoi\s+)?(?:mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi)(?![a-z0-9])")
_COUNTED = re.compile(
    r"\s*(?:tieng|lan|cai|phat|cau|tin|ngay|hom|gio|so|tuan|thang|nam|phut|chut|it|nguoi|nha|ho|dong|nghin|trieu|tram)(?![a-z])"
)
"""After a number word that counts and names nothing: "nhắn trưởng bản một tiếng"."""
_STREET_NUMBER = re.compile(
    r"(?<![a-z0-9])so\s*(?:nha\s*)?(?:\d{1,4}[a-z]?|(?:(?:mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi|tram|linh|le|tu|lam)\s*){1,5})\s*\Z"
)


def _small_places(aligned: AlignedText) -> Iterator[Match]:
    """Hamlets, blocks, streets and sites: named by a number or by capitalised words."""
    pattern, spelt = _small()
    opened: Match | None = None
    for match in pattern.finditer(aligned.folded):
        kind, written = spelt[re.sub(r"\s+", "", match[0])]
        if not _says_kind(aligned, match, written):
            continue
        end = _small_name_end(aligned, match, kind)
        if end is None:
            continue
        start = match.start()
        house = _STREET_NUMBER.search(aligned.folded[:start])
        start = house.start() if house else start
        if opened is not None and not aligned.folded[opened.end : start].strip(" ,"):
            start = opened.start
        raw_start, raw_end = aligned.span(start, end)
        name = aligned.raw[raw_start:raw_end]
        opened = Match("place", start, end, {"code": None, "name": name, "kind": kind, "matched": name})
        yield opened


@lru_cache(maxsize=1)
def _streets() -> "re.Pattern[str]":
    names = (fold(name).lower() for name in lexicon.read("place_words")["streets"])
    return re.compile(r"\s+" + words(*names) + r"(?![a-z0-9])")


def _street_end(aligned: AlignedText, at: int) -> int | None:
    """The end of a street's name right after ``at``, in whatever case."""
    street = _streets().match(aligned.folded, at)
    return street.end() if street else None


@lru_cache(maxsize=1)
def _usual_name() -> "re.Pattern[str]":
    firsts = words(*{fold(word) for word in lexicon.read("place_words")["hamlet_names"]})
    return re.compile(rf"\s+{firsts}\s+[a-z]+(?![a-z0-9])")


def _small_name_end(aligned: AlignedText, said: "re.Match[str]", kind: str) -> int | None:
    at = said.end()
    number = _NUMBER_NAME.match(aligned.folded, at)
    if number and kind != "site":
        end = number.end()
        return _street_end(aligned, end) or _capitals_end(aligned, end) or end if kind == "street" else end
    street = None if kind == "hamlet" else _street_end(aligned, at)
    if street is not None:
        return street
    capitals = _capitals_end(aligned, at)
    if capitals is not None:
        return capitals
    usual = _usual_name().match(aligned.folded, at)
    if (
        usual
        and said[0] in _folded("of_usual_names")
        and _is_usual(aligned.accented[usual.start() : usual.end()].split()[0])
        and _names(aligned, said, usual.end())
    ):
        return usual.end()
    spoken = _SPOKEN_NAME.match(aligned.folded, at)
    if (
        spoken
        and kind == "hamlet"
        and aligned.marked(at, spoken.end())
        and not _COUNTED.match(aligned.folded, spoken.end())
    ):
        return spoken.end()
    return None


def _capitals_end(aligned: AlignedText, at: int) -> int | None:
    """The end of up to four capitalised words right after ``at``; kinds ("Xã") end the name."""
    if aligned.raw.isupper():
        return None
    end: int | None = None
    for word in list(_TOKEN.finditer(aligned.folded, at))[:4]:
        raw_start = aligned.starts[word.start()]
        gap = aligned.folded[end or at : word.start()]
        if gap.strip() or not gap or not aligned.raw[raw_start].isupper() or word[0] in ("xa", "phuong", "huyen"):
            break
        if aligned.raw[raw_start : aligned.ends[word.end() - 1]].isupper() and len(word[0]) > 1:
            break
        end = word.end()
    return end

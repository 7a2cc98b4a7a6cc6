"""Amounts: money in đồng and energy in kWh, in figures, shorthand ("1tr2") or words."""

import itertools
import re
from collections.abc import Iterator

from nlu.entities.match import B, E, Match, before, words
from nlu.entities.numbers import NO_NUMBER, Number, numbers, tokens_of, written
from nlu.text.align import AlignedText

_COMPACT = re.compile(
    rf"{B}(\d+(?:[.,]\d{{1,3}})?)\s?(tr|trieu|cu)\s?(\d{{1,3}}|ruoi)(?:\s?(k|nghin|ngan|ng))?(?:\s?(?:d|dong|vnd))?{E}"
)
_THOUSANDS = re.compile(rf"{B}(\d{{1,3}})\s?k(\d){E}")
_PLAIN = re.compile(rf"{B}[1-9]\d{{1,3}}000{E}(?![.,/]\d)")
_FIGURES = re.compile(
    rf"{B}(\d{{1,3}}(?:[.,\s]\d{{3}})+|\d+(?:[.,]\d{{1,2}})?)\s?"
    rf"(k|ka|nghin|ngan|tr|trieu|cu|canh|lit|ty|dong|d|vnd|₫)(?:\s?(?:dong|d|vnd|₫))?{E}"
)
_GROUPED = re.compile(r"(?<![a-z0-9.,])\d{1,3}(?:[.,]\d{3})+(?![a-z0-9]|[.,]\d)")
_SCALES = {"k": 10**3, "ka": 10**3, "nghin": 10**3, "ngan": 10**3, "canh": 10**3, "lit": 10**5}
_SCALES |= {"tr": 10**6, "trieu": 10**6, "cu": 10**6, "ty": 10**9}
_SLANG = {"cu": "củ", "canh": "cành", "lit": "lít"}
_FEW = 20
"""From here on litres are litres, and no hundreds of thousands."""
_LITRES = re.compile(r"\s*(?:nuoc|xang|dau|sua|ruou|bia|mam)" + E)
_DONG = re.compile(r"\s?(?:dong|d|vnd|₫)" + E)

_HUNDRED = re.compile(r"(?:tram|cham)(?![a-z])")
_CLAUSE_END = re.compile(r"\s*(?:[,.?!;]|\Z|(?:ma|thoi|la|roi|a|vay|the|nhi|nhe|hay|thi|chu|day|con)(?![a-z]))")
_CORRECTED = re.compile(r"\s*,?\s*(?:a|o|u)(?:\s*(?:khong|nham|quen|thoi))?\s*,?\s*")
"""Before the number that is meant: "năm trăm à năm trăm hai chục nghìn"."""
_A_YEAR = re.compile(r"(?<![a-z])nam\Z")
_ABOUT_MONEY = re.compile(
    r"(?<![a-z])(?:tien|mat|het|du|thua|dong|nop|tra|chuyen|no|thieu|tinh|bill|hoa don|lan|nham)(?![a-z])"
)
_ENERGY_UNIT = re.compile(
    r"\s?(?:(kwh|kw\s?/?\s?h|k\s?wh|kww?h|kwwh|kilo\s?oat\s?gio|ki\s?lo\s?oat|kilooat|so|xo|sos|ky|ki|chu|kw|kg)(?:\sdien(?!\s*(?:luc|thoai)))?)"
    + E
)
_NOT_ENERGY = re.compile(
    r"\s*"
    + words(
        "dien thoai",
        "dien luc",
        "cuoi",
        "hop dong",
        "tai khoan",
        "nha",
        "may",
        "lan",
        "seri",
        "cong to",
        "tien",
        "ma khach hang",
        "khach hang",
        "voi",
        "vs",
        "cu",
        "moi",
    )
    + E
)
_GOODS = re.compile(r"\s*(?:gao|thit|thoc|che|ngo|lua|ca|lon|ga|rau|sat|dong)" + E)
_LETTERS = re.compile(r"\s*(tu)" + E)
"""The rest of "ký tự"."""
_USED = re.compile(
    words("dung", "het", "tieu thu", "nguong", "qua", "chay", "vuot", "muc", "tinh", "xai") + r"\W*(?:\w+\W+){0,2}\Z"
)


def money(aligned: AlignedText) -> Iterator[Match]:
    """Money as whole đồng: "500k", "1tr2", "350.000đ", "một triệu hai", "hai trăm nghìn"."""
    text = aligned.folded
    yield from _figures(aligned)
    for match in _THOUSANDS.finditer(text):
        yield Match("money", match.start(), match.end(), int(match[1]) * 1000 + int(match[2]) * 100)
    for match in _PLAIN.finditer(text):
        if _ABOUT_MONEY.search(before(text, match.start(), 30)) and not _ENERGY_UNIT.match(text, match.end()):
            yield Match("money", match.start(), match.end(), int(match[0]))
    for match in _GROUPED.finditer(text):
        if not _ENERGY_UNIT.match(text, match.end()):
            yield Match("money", match.start(), match.end(), int(written(match[0])))
    found = numbers(aligned)
    corrected = {
        first.end for first, second in itertools.pairwise(found) if _CORRECTED.fullmatch(text, first.end, second.start)
    }
    for number in found:
        end = _DONG.match(text, number.end)
        if number.scale == 1 and end is None and number.end not in corrected and _hundreds(aligned, number):
            yield Match("money", number.start, number.end, round(number.value) * 1000)
        if number.spoken and _A_YEAR.search(before(text, number.start)) and 1990 <= number.value < 2100:
            continue
        if (number.scale >= 10**3 or (end and number.value >= 100)) and not _ENERGY_UNIT.match(text, number.end):
            yield Match("money", number.start, end.end() if end else number.end, round(number.value))


def _figures(aligned: AlignedText) -> Iterator[Match]:
    """Figures with their unit."""
    text = aligned.folded
    no_units = {token.start for token in tokens_of(aligned) if token.text == NO_NUMBER}
    for match in _COMPACT.finditer(text):
        yield Match("money", match.start(), match.end(), _compact_value(match))
    for match in _FIGURES.finditer(text):
        figure, unit = written(re.sub(r"\s", ".", match[1])), match[2]
        if match.start(2) in no_units:
            continue
        if unit in _SLANG and aligned.accented[match.start(2) : match.end(2)] != _SLANG[unit]:
            continue
        if unit == "lit" and (figure >= _FEW or _LITRES.match(text, match.end())):
            continue
        if unit == "d" and not (match.end() - match.start() > 4 or aligned.accented[match.start(2)] == "đ"):
            continue
        yield Match("money", match.start(), match.end(), round(figure * _SCALES.get(unit, 1)))


def _hundreds(aligned: AlignedText, number: Number) -> bool:
    """Whether hundreds said without unit are thousands of đồng: "mất gần hai trăm", "dư năm trăm rưỡi"."""
    text = aligned.folded
    if not number.spoken or not 100 <= number.value < 1000 or not _HUNDRED.search(text[number.start : number.end]):
        return False
    ends = _CLAUSE_END.match(text, number.end)
    return bool(ends and _ABOUT_MONEY.search(before(text, number.start, 60)))


def _compact_value(match: "re.Match[str]") -> int:
    value = round(written(match[1]) * 10**6)
    if match[3] == "ruoi":
        return value + 500_000
    if match[4]:
        return value + int(match[3]) * 1000
    return value + int(match[3].ljust(6, "0"))


def energy(aligned: AlignedText) -> Iterator[Match]:
    """Energy in kWh: "250 số", "300 kwh", "200 ký điện", "hai trăm rưỡi số"."""
    text = aligned.folded
    for number in numbers(aligned):
        unit = _ENERGY_UNIT.match(text, number.end)
        if unit is None or not _plausible(aligned, number, unit):
            continue
        value = int(number.value) if number.value == int(number.value) else number.value
        yield Match("energy", number.start, unit.end(), value)


def _plausible(aligned: AlignedText, number: Number, unit: "re.Match[str]") -> bool:
    text, name = aligned.folded, re.sub(r"[\s/]", "", unit[1])
    if number.value <= 1:
        return False
    if (name.startswith("kw") and name.endswith("h")) or name == "kilooatgio":
        return True
    if name in ("kw", "kilooat"):
        return number.value >= 10 and bool(_USED.search(before(text, number.start)))
    if name == "kg":
        return "dien" in unit[0]
    if name in ("so", "xo", "sos", "chu"):
        if not aligned.says(unit.start(1), unit.end(1), "số", "chữ", "xố", "sô") or aligned.accented[
            : number.start
        ].endswith(("mã ", "ma ")):
            return False
        return (number.value >= 10 or "dien" in unit[0]) and not _NOT_ENERGY.match(text, unit.end(1))
    if _GOODS.match(text, unit.end(1)):
        return False
    letters = _LETTERS.match(text, unit.end(1))
    if letters and aligned.says(letters.start(1), letters.end(1), "tự"):
        return False
    named = aligned.says(unit.start(1), unit.end(1), "ký", "kí", "kỳ" if "dien" in unit[0] else "ký")
    return named and number.value >= 5

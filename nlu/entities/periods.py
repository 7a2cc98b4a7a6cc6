"""Billing periods: months and spans of months, counted from the local day of the message.

A bare month is the latest such month not after the present one: bills are about the past. Values are
``{"from": "YYYY-MM", "to": "YYYY-MM"}``, both inclusive.
"""

import itertools
import re
from collections.abc import Iterator
from datetime import date

from nlu.entities.match import B, E, Match, before, words
from nlu.entities.numbers import numbers
from nlu.text.align import AlignedText

_MONTH = r"(?:thang|thnag|tahng|htang|thag|thg|th|tháq|tag|t)"
_NAMED = {
    "gieng": 1,
    "mot": 1,
    "hai": 2,
    "ba": 3,
    "tu": 4,
    "bon": 4,
    "nam": 5,
    "sau": 6,
    "bay": 7,
    "tam": 8,
    "chin": 9,
    "muoi": 10,
    "muoi mot": 11,
    "muoi hai": 12,
    "chap": 12,
}
_NAMED_MARKED = {
    "tu": ("tư",),
    "bay": ("bảy", "bẩy"),
    "muoi": ("mười",),
    "nam": ("năm",),
    "sau": ("sáu",),
    "tam": ("tám",),
}
_YEAR = (
    r"(?:\s*(?:/|-|\.|nam)\s*(?:nam\s*)?(?P<year>20\d\d|\d\d)(?!\d)"
    r"|\s+(?:cua\s+)?(?:(?:nam|lam)\s+(?P<said>ngoai|nay|truoc|roi|kia|sau|toi)|(?P<over>sang\s+nam))"
    r"|\s+(?P<bare>20[0-3]\d))?"
)
_NUMBERED = re.compile(
    rf"{B}(?:k[yi]\s*[1-3]\s*)?(?:{_MONTH}\s*[.\-]?\s*0?(?P<n>1[0-2]|[1-9])(?![0-9])(?!\s*(?:[.:h]\s*\d|,\s*\d{{3}}|%)){_YEAR}){E}"
)
_WORDED = re.compile(
    rf"{B}(?:thang|thag|thg)\s*(?P<name>gieng|chap|muoi\s*(?:mot|hai)?|mot|hai|ba|tu|bon|nam|sau|bay|tam|chin){_YEAR}{E}"
)
_FIGURES = re.compile(rf"(?<![a-z0-9/.\-,])(?P<n>0?[1-9]|1[0-2])\s?[/\-.]\s?(?P<year>20[0-3]\d){E}")
_SHORT_FIGURES = re.compile(r"(?<![a-z0-9/.\-,])(?P<n>0?[1-9]|1[0-2])/(?P<year>(?:1[3-9]|2\d|3\d))(?![a-z0-9/])")
_ISO = re.compile(r"(?<![0-9])(?P<year>20[0-3]\d)-(?P<n>0[1-9]|1[0-2])(?![0-9\-])")

_LAST = words(
    "truoc",
    "chuoc",
    "trc",
    "trk",
    "roi",
    "vua roi",
    "vua qua",
    "qua",
    "vua xong",
    "truoc do",
    "gan nhat",
    "moi nhat",
    "gan day",
)
_LATELY = words(
    "gan day",
    "gan nhat",
    "gan day nhat",
    "moi nhat",
    "vua qua",
    "vua roi",
    "qua",
    "roi",
    "truoc",
    "chuoc",
    "nay",
    "lay",
    "lien",
    "lien tiep",
    "lien tuc",
    "lai day",
    "tro lai day",
    "do lai day",
    "cuoi cung",
)
_THIS = words("nay", "lay", "ni", "nai", "hien tai", "hien nay")
_RELATIVE = re.compile(
    rf"{B}(?P<unit>thang|thanh|thnag|tahng|htang|thag|thg|ky|ki|t\.?|th)\s*(?:"
    rf"(?P<two>{words('truoc nua', 'truoc do nua', 'truoc truoc', 'kia', 'truoc kia')})"
    rf"|(?P<last>{_LAST})"
    rf"|(?P<this>{_THIS})|(?P<new>moi)(?=\s*(?:nhat|ve|co|$|[,.?]))"
    rf"|(?P<next>{words('sau', 'toi', 'sap toi', 'ke tiep', 'tiep theo')}))" + E
)
_SPAN = re.compile(rf"\s*(?:thang|thag|thg|ky|ki)\s*(?!roi{E}){_LATELY}{E}")
_YEARS_SPAN = re.compile(rf"\s*nam\s*{words('vua roi', 'vua qua', 'gan day', 'gan nhat', 'qua', 'tro lai day')}{E}")
_SOME = re.compile(
    rf"{B}(?P<some>may|vai|cac|nhung)\s*(?P<unit>thang|thag|thg|ky|ki)\s*"
    rf"{_LATELY}{E}"
)
_QUARTER = re.compile(
    rf"{B}(?:quy|qui|q(?=[1-4]))\s*"
    rf"(?:(?P<n>[1-4]|iv|iii|ii|i|mot|hai|ba|tu|bon)(?![a-z0-9])|(?P<rel>nay|truoc|roi|vua roi|vua qua)){_YEAR}{E}"
)
_YEARS = re.compile(
    rf"{B}(?:ca\s*)?(?:nam|lam)\s*"
    rf"(?:(?P<year>20[0-3]\d)|(?P<rel>nay|lay|sau|toi|ngoai|ngoaj|truoc|chuoc|roi|vua roi|vua qua|kia|qua)){E}"
)
_HALF = re.compile(
    rf"{B}(?P<months>6|sau|3|ba)\s*(?:thang|thag|thg)\s*(?P<half>dau|cuoi)\s*nam(?:\s*(?P<year>20\d\d|nay|ngoai|truoc))?{E}"
)
_HALF_YEAR = re.compile(rf"{B}nua\s*nam\s*{words('qua', 'nay', 'vua qua', 'gan day', 'vua roi', 'tro lai day')}{E}")
_SAME_MONTH = re.compile(rf"{B}(?:cung\s*(?:ky|thang)|thang\s*nay)\s*(?:nam|lam)\s*(?:truoc|ngoai){E}")
_SINCE = re.compile(
    rf"{B}(?:tu\s*)?dau\s*nam\s*(?:(?P<year>20\d\d)?\s*(?:den|toi|cho\s*den|cho\s*toi)\s*(?:gio|nay|hien\s*tai|bay\s*gio)|nay|(?P<of>20\d\d))?{E}"
)
_NEXT_YEAR = re.compile(rf"{B}sang\s*nam{E}")
_TILL_NOW = r"(?:den|toi|cho\s*den|cho\s*toi)\s*(?:gio|nay|hien\s*tai|bay\s*gio|hom\s*nay)"
_SINCE_MONTH = re.compile(rf"\s*{_TILL_NOW}{E}")
_THIS_MONTH_SO_FAR = re.compile(rf"{B}(?:tu\s*)?dau\s*(?:thang|ky)\s*{_TILL_NOW}{E}")
_FROM = re.compile(r"(?<![a-z0-9])tu\s*\Z")
_FROM_THEN = re.compile(r"\s*(?:thang|dau|ngay|hom|luc|khi|hoi|nam|t\s?\d|\d)")
_TO = re.compile(r"\s*(?:-|–|—|den|toi|->|cho den|cho toi|\.\.)\s*")
_WEEKDAY_CONTEXT = re.compile(
    words(
        "cup",
        "cat",
        "mat dien",
        "lich",
        "sang",
        "trua",
        "chieu",
        "toi",
        "dem",
        "tuan",
        "ngung cap",
        "co dien",
        "lam viec",
        "mo cua",
        "den nha",
        "hen",
    )
)
_OPEN_ON = re.compile(r".{0,16}(?<![a-z])(?:co mo|mo cua|lam viec|co lam)(?![a-z])")
_TO_MONTH = re.compile(r"\s*(?:den|toi|-|va|,)?\s*t\s?(?:[89]|1[0-2])" + E)
"""A month that is no day of the week: "t7" in "t7 tới t9" is July."""
_WEEKDAY_AFTER = re.compile(r"\s*(?:nay|toi|sau|tuan|cn|-\s*t|\s*,\s*cn)" + E)


def month(today: date, back: int) -> str:
    """The month ``back`` months before the present one, as ``YYYY-MM``."""
    count = today.year * 12 + today.month - 1 - back
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def _value(first: str, last: str | None = None) -> "dict[str, str]":
    return {"from": first, "to": last or first}


def _year_of(match: "re.Match[str]", today: date) -> int | None:
    groups = match.groupdict()
    said = groups.get("said")
    if said:
        return today.year - {"nay": 0, "kia": 2, "sau": -1, "toi": -1}.get(said, 1)
    if groups.get("over"):
        return today.year + 1
    year = groups.get("year") or groups.get("bare")
    if not year:
        return None
    return int(year) + (2000 if len(year) == 2 else 0)


def _month_value(number: int, year: int | None, today: date) -> "dict[str, str]":
    if year is None:
        year = today.year if number <= today.month else today.year - 1
    return _value(f"{year:04d}-{number:02d}")


def periods(aligned: AlignedText, today: date) -> Iterator[Match]:
    """All periods of the text; two months joined by "đến" or a dash are one span."""
    months = sorted(_months(aligned, today), key=lambda match: match.start)
    yield from months
    for first, second in itertools.pairwise(months):
        between = aligned.folded[first.end : second.start]
        if _TO.fullmatch(between) and first.value["from"] != second.value["from"]:
            yield Match("period", first.start, second.end, _span(first, second))
    for match in months:
        rest = re.compile(_TO.pattern + r"(?P<n>1[0-2]|[1-9])(?![0-9a-z/])").match(aligned.folded, match.end)
        if rest and match.value["from"] == match.value["to"]:
            year, number = int(match.value["from"][:4]), int(match.value["from"][5:])
            last = int(rest["n"])
            if last > number:
                yield Match("period", match.start, rest.end(), _value(match.value["from"], f"{year:04d}-{last:02d}"))
        so_far = _SINCE_MONTH.match(aligned.folded, match.end)
        if so_far and _FROM.search(aligned.folded, 0, match.start):
            yield Match("period", match.start, so_far.end(), _value(match.value["from"], month(today, 0)))
    yield from _relative(aligned, today)
    yield from _longer(aligned, today)


def _span(first: Match, second: Match) -> "dict[str, str]":
    begin, end = first.value["from"], second.value["to"]
    if begin > end:
        begin = f"{int(end[:4]) - (begin[5:] > end[5:]):04d}{begin[4:]}"
    return _value(begin, end)


def _months(aligned: AlignedText, today: date) -> Iterator[Match]:
    text = aligned.folded
    for match in _NUMBERED.finditer(text):
        if _is_month(aligned, match):
            yield Match(
                "period", match.start(), match.end(), _month_value(int(match["n"]), _year_of(match, today), today)
            )
    for match in _WORDED.finditer(text):
        name = re.sub(r"\s+", " ", re.sub(r"muoi(?=\S)", "muoi ", match["name"])).strip()
        if re.search(r"(?<![a-z0-9])(?:tung|ngay)\Z", before(text, match.start())):
            continue
        marked = _NAMED_MARKED.get(name)
        if aligned.marked(*match.span("name")) and marked and not aligned.says(*match.span("name"), *marked):
            continue
        if not aligned.says(match.start(), match.start("name"), "tháng ", "thág ", "tháng", "thág"):
            continue
        if name in ("hai", "ba", "mot", "nam") and re.match(r"\s*(?:thang|nam|lan)" + E, text[match.end() :]):
            continue
        if name == "tu" and not aligned.marked(*match.span("name")) and _FROM_THEN.match(text, match.end()):
            continue
        if (
            name == "sau"
            and aligned.marked(match.start(), match.start("name"))
            and not aligned.marked(*match.span("name"))
        ):
            continue
        if (
            name == "nam"
            and not aligned.marked(*match.span("name"))
            and re.match(r"\s*(?:nay|ngoai|truoc|20)", text[match.end() :])
        ):
            continue
        yield Match("period", match.start(), match.end(), _month_value(_NAMED[name], _year_of(match, today), today))
    for pattern in (_FIGURES, _SHORT_FIGURES, _ISO):
        for match in pattern.finditer(text):
            yield Match(
                "period", match.start(), match.end(), _month_value(int(match["n"]), _year_of(match, today), today)
            )


def _is_month(aligned: AlignedText, match: "re.Match[str]") -> bool:
    """Whether "T5" is May and not Thursday, and "th 5" no ordinal."""
    text = aligned.folded
    head = re.match(r"[a-z]+", re.sub(r"^k[yi]\s*[1-3]\s*", "", match[0]))
    prefix = head[0] if head else ""
    if (
        prefix in ("thang", "thag", "thg")
        and match[0].startswith(prefix)
        and not aligned.says(match.start(), match.start() + len(prefix), "tháng", "thág", "thàng", "thag", "tháq")
    ):
        return False
    if prefix == "th" and re.search(r"[a-z]", before(text, match.start(), 1)):
        return False
    if re.search(r"(?:ngay|mung|hom)\s*\d{1,2}\s*[/\-]?\s*\Z", text[: match.start()]) and prefix != "t":
        return False
    if prefix == "t" and _OPEN_ON.match(text, match.end()):
        return False
    if prefix == "t" and match["n"] in "234567" and not match.groupdict()["year"] and not match.groupdict()["said"]:
        near = text[max(0, match.start() - 20) : match.start()]
        if _TO_MONTH.match(text, match.end()):
            return True
        if _WEEKDAY_AFTER.match(text, match.end()) or _WEEKDAY_CONTEXT.search(near):
            return False
    return True


_REGISTERED = re.compile(r"(?<![a-z])(?:dang|chu|truong|ma|hoc)\Z")
"""Before "ký": "đăng ký qua đây" is no period."""
_UNIT_MARKED = {
    "thang": ("tháng", "thág"),
    "thag": ("thág",),
    "thanh": ("thánh",),
    "ky": ("kỳ", "kì"),
    "ki": ("kỳ", "kì"),
    "thg": ("thg",),
}
_NOT_RELATIVE = re.compile(
    r"(?<![a-z0-9])(?:may|vai|cac|nhung|moi|dau|giua|nua|hang|nhieu|tung|(?:gia|theo|tien|cac|may) bac|\d{1,2})\Z"
)
_LASTING = re.compile(r"(?<![a-z0-9])(?:ca|nua|suot|duoc|gan)\Z")
"""Before "tháng rồi": it has lasted a month."""
_UNTIL_NOW = re.compile(r"\s*(?:nay|gio|h|hien|bay)" + E)
_COUNT_WORDS = ("một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười")
_COUNTS = re.compile(r"(?<![a-z0-9])(?:mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi)\Z")


def _counted(aligned: AlignedText, start: int) -> bool:
    """Whether a number word stands just before, as in "hai tháng trước"."""
    end = len(aligned.folded[:start].rstrip())
    said = _COUNTS.search(aligned.folded[:end])
    return said is not None and aligned.says(said.start(), end, *_COUNT_WORDS)


def _is_relative(aligned: AlignedText, match: "re.Match[str]", unit: str) -> bool:
    """Whether a period is meant: no duration ("cả tháng rồi"), "đăng ký", "tháng tôi" or "đến kỳ rồi"."""
    text, past = aligned.folded, match["last"] or ""
    said_before = before(text, match.start())
    if unit in ("ky", "ki") and (
        _REGISTERED.search(said_before) or (past.endswith("roi") and re.search(r"(?:den|toi|dau|nham)\Z", said_before))
    ):
        return False
    if match["next"] == "toi" and (not aligned.says(*match.span("next"), "tới") or _UNTIL_NOW.match(text, match.end())):
        return False
    if past.endswith("roi") and _LASTING.search(said_before):
        return False
    if past == "qua" and (
        not aligned.says(*match.span("last"), "qua") or (unit[0] == "k" and not aligned.marked(*match.span("unit")))
    ):
        return False
    if match["new"] and unit[0] != "k":
        return False
    return not (_counted(aligned, match.start()) or _NOT_RELATIVE.search(said_before))


def _relative(aligned: AlignedText, today: date) -> Iterator[Match]:
    text = aligned.folded
    for match in _RELATIVE.finditer(text):
        unit = match["unit"].rstrip(".")
        if not aligned.says(*match.span("unit"), *_UNIT_MARKED.get(unit, (unit,))):
            continue
        if unit == "thanh" and not aligned.marked(*match.span("unit")):
            continue
        if (
            len(unit) <= 2
            and unit[0] == "t"
            and match["this"] is None
            and not (match["last"] or "").startswith(("tr", "ch"))
        ):
            continue
        if not _is_relative(aligned, match, unit):
            continue
        if match["two"]:
            value = _value(month(today, 2))
        elif match["last"] or match["new"]:
            value = _value(month(today, 1))
        elif match["next"]:
            value = _value(month(today, -1))
        else:
            value = _value(month(today, 0))
        yield Match("period", match.start(), match.end(), value)


def _longer(aligned: AlignedText, today: date) -> Iterator[Match]:
    text = aligned.folded
    for number in numbers(aligned):
        span = _SPAN.match(text, number.end)
        if span and 1 <= number.value <= 36 and number.value == int(number.value):
            yield Match("period", number.start, span.end(), _value(month(today, int(number.value)), month(today, 1)))
        years = _YEARS_SPAN.match(text, number.end)
        if years and number.value in (1, 2, 3, 4, 5):
            yield Match(
                "period", number.start, years.end(), _value(month(today, int(number.value) * 12), month(today, 1))
            )
    for match in _SOME.finditer(text):
        unit = match["unit"]
        if not aligned.says(*match.span("unit"), *_UNIT_MARKED[unit]) or (
            unit[0] == "k" and match[0].endswith("roi") and not aligned.marked(*match.span("unit"))
        ):
            continue
        count = 3 if match["some"] == "vai" else 6
        yield Match("period", match.start(), match.end(), _value(month(today, count), month(today, 1)))
    for match in _QUARTER.finditer(text):
        yield Match("period", match.start(), match.end(), _quarter(match, today))
    for match in _HALF.finditer(text):
        yield Match("period", match.start(), match.end(), _half(match, today))
    for match in _HALF_YEAR.finditer(text):
        yield Match("period", match.start(), match.end(), _value(month(today, 6), month(today, 1)))
    for match in _SAME_MONTH.finditer(text):
        yield Match("period", match.start(), match.end(), _value(month(today, 12)))
    for match in _SINCE.finditer(text):
        year = int(match["year"] or match["of"] or today.year)
        yield Match("period", match.start(), match.end(), _value(f"{year:04d}-01", month(today, 0)))
    yield from _years(aligned, today)


def _years(aligned: AlignedText, today: date) -> Iterator[Match]:
    text = aligned.folded
    for match in _THIS_MONTH_SO_FAR.finditer(text):
        yield Match("period", match.start(), match.end(), _value(month(today, 0)))
    for match in _NEXT_YEAR.finditer(text):
        if aligned.says(match.start(), match.end(), "sang năm"):
            year = today.year + 1
            yield Match("period", match.start(), match.end(), _value(f"{year:04d}-01", f"{year:04d}-12"))
    for match in _YEARS.finditer(text):
        if not aligned.says(match.start(), match.start() + 3, "năm", "lăm", "nàm", "cả ", "ca "):
            continue
        rel = match["rel"]
        if rel and re.search(r"(?:may|vai|muoi|\d|bao nhieu|nhieu|lau)\Z", before(text, match.start())):
            continue
        if rel and (_counted(aligned, match.start()) or not aligned.says(*match.span("rel"), *_YEARS_SAID)):
            continue
        back = {"nay": 0, "lay": 0, "kia": 2, "sau": -1, "toi": -1}.get(rel, 1)
        year = int(match["year"]) if match["year"] else today.year - back
        if rel in ("sau", "toi") and not aligned.marked(match.start(), match.end()):
            continue
        last = month(today, 0) if year == today.year else f"{year:04d}-12"
        yield Match("period", match.start(), match.end(), _value(f"{year:04d}-01", last))


_YEARS_SAID = ("nay", "lày", "ngoái", "trước", "chước", "rồi", "vừa rồi", "vừa qua", "kia", "qua", "sau", "tới")
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "mot": 1, "hai": 2, "ba": 3, "tu": 4, "bon": 4}


def _quarter(match: "re.Match[str]", today: date) -> "dict[str, str]":
    current = (today.month - 1) // 3 + 1
    if match["rel"]:
        number, year = (
            (current, today.year) if match["rel"] == "nay" else (current - 1 or 4, today.year - (current == 1))
        )
    else:
        number = _QUARTERS.get(match["n"]) or int(match["n"])
        year = _year_of(match, today) or (today.year if number <= current else today.year - 1)
    return _value(f"{year:04d}-{number * 3 - 2:02d}", f"{year:04d}-{number * 3:02d}")


def _half(match: "re.Match[str]", today: date) -> "dict[str, str]":
    length = 6 if match["months"] in ("6", "sau") else 3
    said = match["year"]
    year = int(said) if said and said.isdigit() else today.year - (said in ("ngoai", "truoc"))
    first = 1 if match["half"] == "dau" else 13 - length
    return _value(f"{year:04d}-{first:02d}", f"{year:04d}-{first + length - 1:02d}")

"""Days, counted from the local day of the message. Values are ISO dates.

A weekday is the next one, today included, unless the text says otherwise; a day of a month without its month or year is
the one nearest to the message.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from nlu.entities.match import B, E, Match, before, words
from nlu.entities.numbers import DIGITS
from nlu.text.align import AlignedText
from nlu.text.marks import has_marks

_PART = r"(?P<part>sang|trua|chieu|toi|dem|khuya|xang|chua)\s*(?:som\s*)?"
_WHOLE = (
    (0, words("hom nay", "hom lay", "hom ni", "hnay", "hn", "bua nay", "hum lay", "hom nai", "hum nay")),
    (-1, words("hom qua", "hqua", "hum qua", "hum qa", "bua qua")),
    (-2, words("hom kia", "bua kia", "hum kia", "hom truoc nua")),
    (1, words("bua mai")),
    (1, rf"(?:{_PART})?ngay\s*mai"),
    (2, rf"(?:{_PART})?ngay\s*(?:mot|kia)"),
)
_OF_PART = ((0, r"(?:nay|ni|lay)"), (-1, "qua"), (1, "mai"), (2, r"(?:mot|kia)"))
_NEARS = tuple(
    (days, re.compile(rf"{B}{pattern}{E}"))
    for days, pattern in (*_WHOLE, *((days, _PART + short) for days, short in _OF_PART))
)
_AT = re.compile(r"(?<![a-z0-9])(?:o|ra|ve|tai|tp|ngoai|duoi)\s*\Z")
_COUNT_BEFORE = re.compile(r"(?<![a-z0-9])(may|vai|hai|ba|bon|nam|\d{1,2})\s*\Z")
_COUNTS = ("mấy", "vài", "hai", "ba", "bốn", "năm")
_ROOF_BEFORE = re.compile(r"(?<![a-z])(?:khuyen|tren|len|cham|ap|tam|sua|ban)\s*\Z")
_ROOF_AFTER = re.compile(r"\s*(?:nha|ton|ngoi|hien|the|khong\s*(?:vao|duoc|len))" + E)
_WEEK = re.compile(
    rf"{B}(?P<week>tuan)\s*(?:(?P<this>[nl]ay|ni)|(?P<next>sau|toi|ke\s*tiep)"
    rf"|(?P<last>truoc|trc|chuoc|roi|r|vua\s*roi|vua\s*qua|qua)){E}"
)
_A_WEEK = re.compile(r"(?<![a-z0-9])(?:mot|nua|1|ca|hang|moi)\s*\Z")
_WEEKEND = re.compile(
    rf"{B}cuoi\s*tuan(?:\s*(?:(?P<this>[nl]ay)|(?P<next>sau|toi)|(?P<last>truoc|roi|qua))(?![a-z0-9]))?{E}"
)
_MAI = re.compile(rf"{B}mai{E}")
_TYPED_MAI = re.compile("mai+", re.IGNORECASE)
"""And not "maai", which is "mãi"."""
_MOT = re.compile(rf"{B}mot{E}")
_NAME_BEFORE = re.compile(
    r"(?:chi|co|ba|em|be|hoa|thanh|ngoc|bac|chau|ong|anh|di|mo|ban|khac|thi|canh|cay|ten|phuong|xuan|tuyet|quynh|nhu"
    r"|hong|ap|tim|can|doi|toi|thuy|le)\Z"
)
_WEEKDAYS = {
    "2": 0,
    "hai": 0,
    "3": 1,
    "ba": 1,
    "4": 2,
    "tu": 2,
    "5": 3,
    "nam": 3,
    "lam": 3,
    "6": 4,
    "sau": 4,
    "7": 5,
    "bay": 5,
    "8": 6,
}
_WEEKDAY = re.compile(
    rf"{B}(?:{_PART})?(?P<day>(?:ngay\s*)?(?:(?:thu|thuw)\s*(?P<n>[2-7]|hai|ba|tu|nam|lam|sau|bay)|t(?P<t>[2-7])|(?P<cn>chu\s*nhat|cn|cnhat))"
    rf"(?:\s*(?:(?P<this>tuan\s*[nl]ay)|(?P<next>tuan\s*sau|tuan\s*toi)|(?P<past>tuan\s*(?:truoc|trc|chuoc)|tuan\s*roi|tuan\s*vua\s*roi|tuan\s*qua|vua\s*roi|vua\s*qua|truoc|roi)"
    rf"|(?P<coming>nay|lay|toi(?!\s*(?:t?\d|h|gio|nay|bay gio|chu|thu|cn)(?![a-z]))|sap\s*toi|sau)))?){E}"
)
_DATED = re.compile(
    rf"[\s,(]*(?:ngay\s*|hom\s*)?(?P<d>0?[1-9]|[12]\d|3[01])\s?(?:[/\-.]|thang)\s?(?P<m>0?[1-9]|1[0-2])(?:\s?[/\-.]\s?(?P<y>20\d\d))?{E}(?!\s?[/\-.]\d)"
)
_UNIT_AFTER = re.compile(r"\s*(?:thang|lan|trieu|nghin|ngan|k|so|kwh|nguoi|ho)" + E)
_FULL = re.compile(
    r"(?<![a-z0-9/.\-,])(?:hom\s*)?(?P<day>(?:ngay\s*|mung\s*)?(?P<d>0?[1-9]|[12]\d|3[01])\s?(?P<sep>[/\-.])\s?(?P<m>0?[1-9]|1[0-2])(?:\s?(?P=sep)\s?(?P<y>20\d\d|\d\d))?)(?![a-z0-9]|[/\-.]\d)"
)
_WORDED = re.compile(
    rf"{B}(?<!thang )(?<!thag )(?<!thg )"
    r"(?:hom\s*)?(?P<day>(?:(?:ngay|mung|mong)\s*)?(?P<d>0?[1-9]|[12]\d|3[01])\s*(?:thang|thg|thag)\s*"
    r"(?P<m>0?[1-9]|1[0-2])(?![0-9])(?:\s*(?:/|-|nam)\s*(?P<y>20\d\d))?)" + E
)
_ISO = re.compile(r"(?<![0-9])(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?![0-9])")
_DAY = re.compile(
    rf"{B}(?:ngay\s*mung|ngay|mung|mong|hom(?!\s*m[uo]ng)|dem)\s*(?P<d>0?[1-9]|[12]\d|3[01])(?![0-9a-z]|\s?[/\-.:]\s?\d|\s*(?:thang|thg|tieng|phut|gio|lan|so|kwh|ngay|nghin|k)\b)"
)
_EVERY_AFTER = re.compile(r"\s*(?:(?:hang|moi|cac)\s*thang|nhu\s*(?:cu|moi\s*(?:khi|thang|lan)|thuong\s*le|truoc))" + E)
_EVERY_BEFORE = re.compile(
    r"(?<![a-z0-9])(?:hang|moi|thang\s*nao\s*cung)\s*(?:thang\s*)?(?:(?:cu|vao|den|toi|tu)\s*)*\Z"
)
_FRACTION_AFTER = re.compile(r"\s*(?:dinh\s*muc|ho|so|phan|nam|thang|gia)" + E)
_ONES = r"(?:mot|hai|ba|bon|tu|lam|nham|nam|sau|bay|tam|chin)"
_SPOKEN_DAY = rf"(?:(?:hai|ba)\s*muoi(?:\s*{_ONES})?|hai\s*{_ONES}|ba\s*mot|muoi(?:\s*{_ONES})?|{_ONES})"
_SPOKEN = re.compile(
    rf"{B}(?:(?P<said>ngay|hom|mung|mong)\s+)?(?P<d>{_SPOKEN_DAY})(?:\s+thang\s+(?P<m>muoi\s*mot|muoi\s*hai|muoi|gieng|chap|mot|hai|ba|bon|tu|nam|sau|bay|tam|chin|1[0-2]|[1-9]))?{E}"
)
_SPOKEN_VALUES = {"gieng": 1, "chap": 12}
_OF_MONTH = re.compile(
    rf"{B}(?:ngay|mung|mong)\s*(?P<d>0?[1-9]|[12]\d|3[01])\s*thang\s*(?P<rel>nay|sau|toi|truoc|roi){E}"
)
_OPEN_ON = re.compile(r".{0,16}(?<![a-z])(?:mo|lam viec|co lam|mo cua|truc)(?![a-z])")
_PARTS = frozenset(("sáng", "trưa", "chiều", "tối", "đêm", "xáng", "chưa"))
_MARKED = _PARTS.union(
    [
        "hôm",
        "ngày",
        "bữa",
        "hum",
        "hnay",
        "nay",
        "qua",
        "kia",
        "kìa",
        "mai",
        "mốt",
        "này",
        "lày",
        "ni",
        "hqua",
        "nước",
        "sớm",
        "trước",
        "nữa",
    ]
)


def _in(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _nearest(candidates: "list[date | None]", today: date) -> date | None:
    real = [candidate for candidate in candidates if candidate]
    return min(real, key=lambda day: (abs((day - today).days), -day.toordinal()), default=None)


def dates(aligned: AlignedText, today: date) -> Iterator[Match]:
    """All days of the text."""
    yield from (*_near(aligned, today), *_calendar(aligned, today), *_weeks(aligned, today))
    yield from _weekdays(aligned, today)


def _coming(aligned: AlignedText, start: int, end: int) -> bool:
    """Whether "tới" is meant: no "tôi" ("I"), and marked where the rest of the text is."""
    return aligned.says(start, end, "tới") and (aligned.marked(start, end) or not has_marks(aligned.accented))


def _weeks(aligned: AlignedText, today: date) -> Iterator[Match]:
    """Weeks and weekends: ``{"from", "to"}``, both inclusive; a week runs from Monday to Sunday."""
    monday = today - timedelta(days=today.weekday())
    for pattern, first in ((_WEEK, 0), (_WEEKEND, 5)):
        for match in pattern.finditer(aligned.folded):
            at = match.start("week") if first == 0 else match.end() - len(match[0]) + match[0].index("tuan")
            if (
                not aligned.says(at, at + 4, "tuần")
                or _duration(aligned, match.start())
                or _A_WEEK.search(aligned.folded[: match.start()])
            ):
                continue
            shift = timedelta(days=7 * (bool(match["next"]) - bool(match["last"])))
            begin = monday + shift + timedelta(days=first)
            value = {"from": begin.isoformat(), "to": (monday + shift + timedelta(days=6)).isoformat()}
            yield Match("date", match.start(), match.end(), value)


def _near(aligned: AlignedText, today: date) -> Iterator[Match]:
    text = aligned.folded
    for days, pattern in _NEARS:
        for match in pattern.finditer(text):
            start = _after_no_part(aligned, match)
            if start and "ngay" not in match[0]:
                continue
            start = start or match.start()
            if any(word not in _MARKED and has_marks(word) for word in aligned.accented[start : match.end()].split()):
                continue
            if _duration(aligned, match.start()) and "hom" in match[0]:
                continue
            if match[0] == "hn" and _is_hanoi(aligned, match.start()):
                continue
            if match[0].endswith("mot") and not _after_tomorrow(aligned, match):
                continue
            if match[0].endswith("mai") and "ngay" not in match[0] and not _tomorrow(aligned, match.end() - 3):
                continue
            far = match[0].endswith("kia") and aligned.accented[match.end() - 3 : match.end()] == "kìa"
            day = today + timedelta(days=(3 if days > 0 else -3) if far else days)
            yield Match("date", start, match.end(), day.isoformat())
    yield from _bare(aligned, today)


def _bare(aligned: AlignedText, today: date) -> Iterator[Match]:
    """ "mai" and "mốt" alone."""
    text = aligned.folded
    for match in _MAI.finditer(text):
        start = aligned.starts[match.start()]
        if not _TYPED_MAI.fullmatch(aligned.raw, start, aligned.ends[match.end() - 1]):
            continue
        capital = aligned.raw[start].isupper() and not aligned.raw.isupper() and match.start() > 0
        if not capital and _tomorrow(aligned, match.start()) and not _named(text, match.start()):
            yield _day(match, today + timedelta(days=1))
    for match in _MOT.finditer(text):
        if aligned.accented[match.start() : match.end()] == "mốt" and not re.search(
            r"(?:hai|ba|bon|nam|sau|bay|tam|chin|muoi|trieu|nghin|ngan|tram|tr|cu)\Z", before(text, match.start())
        ):
            yield _day(match, today + timedelta(days=2))


def _is_hanoi(aligned: AlignedText, start: int) -> bool:
    """Whether "HN" is the city and no "hôm nay"."""
    capitals = aligned.raw[aligned.starts[start]].isupper() and not aligned.raw.isupper()
    return capitals or bool(_AT.search(aligned.folded, 0, start))


def _after_tomorrow(aligned: AlignedText, match: "re.Match[str]") -> bool:
    """Whether the "mot" of "ngày mốt", "chiều mốt" is so meant; without marks after a part of the day it is "một"."""
    said = aligned.accented[match.end() - 3 : match.end()]
    return said == "mốt" or (said == "mot" and "ngay" in match[0])


def _duration(aligned: AlignedText, start: int) -> bool:
    """Whether "hôm nay" ends a duration: "mấy hôm nay", "hai hôm nay"."""
    count = _COUNT_BEFORE.search(aligned.folded[:start])
    return count is not None and aligned.says(*count.span(1), *_COUNTS)


def _after_no_part(aligned: AlignedText, match: "re.Match[str]") -> int | None:
    """Where the day begins when what looks like a part of the day is another word ("tôi mai mới về")."""
    if not match.groupdict().get("part"):
        return None
    start, end = match.span("part")
    if aligned.marked(start, end):
        is_part = aligned.accented[start:end] in _PARTS and not (match["part"] == "chua" and match[0].endswith("qua"))
    else:
        is_part = match["part"] != "chua" or not match[0].endswith("qua")
    return None if is_part else end + len(match[0][end - start :]) - len(match[0][end - start :].lstrip())


def _tomorrow(aligned: AlignedText, start: int) -> bool:
    """Whether "mai" is tomorrow, and neither a roof ("mái nhà"), nor "mãi", nor the end of "khuyến mại"."""
    return (
        aligned.accented[start : start + 3] == "mai"
        and not _ROOF_BEFORE.search(aligned.folded[:start])
        and not (start and _ROOF_AFTER.match(aligned.folded, start + 3) and not aligned.marked(start, start + 8))
    )


def _named(text: str, start: int) -> bool:
    return bool(_NAME_BEFORE.search(before(text, start))) or text[start + 3 :].lstrip().startswith(
        ("mot", "kia", "sau")
    )


def _day(match: "re.Match[str]", day: date) -> Match:
    """The day of the match, without a "hôm" that stands before a full date."""
    return Match(
        "date", match.start("day") if "day" in match.re.groupindex else match.start(), match.end(), day.isoformat()
    )


def _weekdays(aligned: AlignedText, today: date) -> Iterator[Match]:
    text = aligned.folded
    for match in _WEEKDAY.finditer(text):
        if match["n"]:
            thu = match[0].index("thu") + match.start()
            if not aligned.says(thu, thu + 3, "thứ", "thú"):
                continue
            if not aligned.says(*match.span("n"), "hai", "ba", "tư", "năm", "lăm", "sáu", "bảy", "bẩy", match["n"]):
                continue
            if re.search(
                r"(?<![a-z])(?:lan|nguoi|cai|nha|dong|hang|ban|to|don|ben|ho|dt|hd)\Z", before(text, match.start())
            ) or _UNIT_AFTER.match(text, match.end()):
                continue
        if match["t"] and not (_is_weekday(text, match) or _OPEN_ON.match(text, match.end())):
            continue
        weekday = 6 if match["cn"] else _WEEKDAYS[match["n"] or match["t"]]
        day = _weekday(match, weekday, today)
        start = match.start("day")
        if match["past"] == "roi" or (match["coming"] == "toi" and not _coming(aligned, *match.span("coming"))):
            end = len(text[: match.start("past" if match["past"] else "coming")].rstrip())
            yield Match("date", start, end, day.isoformat())
            continue
        dated = _DATED.match(text, match.end())
        if dated:
            said = _full(dated, today)
            if said:
                yield Match("date", start, dated.end(), said.isoformat())
        yield Match("date", start, match.end(), day.isoformat())


def _is_weekday(text: str, match: "re.Match[str]") -> bool:
    """Whether "t7" is Saturday and not July."""
    if match["this"] or match["next"] or match["coming"] or match["part"]:
        return True
    near = text[max(0, match.start() - 20) : match.start()]
    return bool(
        re.search(words("cup", "cat", "lich", "ngung cap", "co dien", "lam viec", "mo cua", "hen", "tuan"), near)
    )


def _weekday(match: "re.Match[str]", weekday: int, today: date) -> date:
    monday = today - timedelta(days=today.weekday())
    if match["this"]:
        return monday + timedelta(days=weekday)
    if match["next"]:
        return monday + timedelta(days=7 + weekday)
    if match["past"]:
        if "tuan" in match["past"]:
            return monday + timedelta(days=weekday - 7)
        return today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def _calendar(aligned: AlignedText, today: date) -> Iterator[Match]:
    text = aligned.folded
    for match in _FULL.finditer(text):
        said = re.match(r"ngay|hom|mung", match[0])
        if not said and (
            _FRACTION_AFTER.match(text, match.end()) or match[0] in ("24/7", "24/24") or match["sep"] == "."
        ):
            continue
        day = _full(match, today)
        if day:
            yield _day(match, day)
    for pattern in (_WORDED, _ISO):
        for match in pattern.finditer(text):
            day = _full(match, today)
            if day:
                yield _day(match, day)
    for match in _DAY.finditer(text):
        number = int(match["d"])
        if _is_repeated(text, match):
            continue
        day = _nearest(_days_near(number, today), today)
        if day:
            yield _day(match, day)
    yield from _spoken(aligned, today)
    for match in _OF_MONTH.finditer(text):
        months = {"nay": 0, "sau": 1, "toi": 1}.get(match["rel"], -1)
        count = today.year * 12 + today.month - 1 + months
        day = _in(count // 12, count % 12 + 1, int(match["d"]))
        if day:
            yield _day(match, day)


def _is_repeated(text: str, match: "re.Match[str]") -> bool:
    """Whether the day is one of every month: "mùng 10 hàng tháng", "vẫn ngày 12 như cũ"."""
    return bool(_EVERY_AFTER.match(text, match.end()) or _EVERY_BEFORE.search(before(text, match.start(), 30)))


def _spoken(aligned: AlignedText, today: date) -> Iterator[Match]:
    """ "ngày hai lăm", "mùng năm", "hai mươi tám tháng mười một"."""
    for match in _SPOKEN.finditer(aligned.folded):
        number = _said_number(match["d"])
        if _is_repeated(aligned.folded, match):
            continue
        if not (match["said"] or match["m"]) or not 1 <= number <= 31:
            continue
        if match["said"] and not aligned.says(*match.span("said"), "ngày", "hôm", "mùng", "mồng"):
            continue
        if match["m"]:
            if not match["said"] and number < 10:
                continue
            month_number = _said_number(match["m"])
            candidates = [_in(today.year + offset, month_number, number) for offset in (-1, 0, 1)]
        elif (number < 10 and match["said"] in ("ngay", "hom")) or re.match(
            r"\s*(?:thang|nam|so|nghin|trieu|tieng|lan)" + E, aligned.folded[match.end() :]
        ):
            continue
        else:
            candidates = _days_near(number, today)
        day = _nearest(candidates, today)
        if day:
            yield _day(match, day)


def _said_number(text: str) -> int:
    if text.isdigit():
        return int(text)
    text = re.sub(r"muoi(?=\S)", "muoi ", text)
    parts = re.findall(r"muoi|gieng|chap|mot|hai|ba|bon|tu|lam|nham|nam|sau|bay|tam|chin", text)
    if parts == ["muoi"]:
        return 10
    if "muoi" in parts:
        at = parts.index("muoi")
        tens = DIGITS[parts[0]] if at else 1
        return tens * 10 + (DIGITS[parts[at + 1]] if at + 1 < len(parts) else 0)
    if len(parts) == 2:
        return DIGITS[parts[0]] * 10 + DIGITS[parts[1]]
    return _SPOKEN_VALUES.get(parts[0]) or DIGITS[parts[0]]


def _days_near(number: int, today: date) -> "list[date | None]":
    months = [today.replace(day=1) + timedelta(days=offset) for offset in (-20, 0, 32)]
    return [_in(first.year, first.month, number) for first in months]


def _full(match: "re.Match[str]", today: date) -> date | None:
    day, month_number, year = int(match["d"]), int(match["m"]), match["y"]
    if year:
        return _in(int(year) + (2000 if len(year) == 2 else 0), month_number, day)
    return _nearest([_in(today.year + offset, month_number, day) for offset in (-1, 0, 1)], today)

"""Codes and numbers that name something: customer codes, phones, request codes, meter serials.

Source of the customer code's shape: electricity.md §2.1.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from nlu.entities.match import B, E, Match, before, words
from nlu.entities.numbers import DIGITS, Token, tokens_of
from nlu.text.align import AlignedText

_GAP = r"[\s.\-_]{0,3}"
_FULL_CODE = re.compile(
    rf"{B}p{_GAP}[a-z]{_GAP}(?:[0-9o]{_GAP}){{2}}(?:[a-z0-9]{_GAP}){{2}}(?:[0-9o]{_GAP}){{6}}[0-9o]{E}"
)
_OTHER_CODE = re.compile(rf"{B}p[a-z][0-9o]{{2}}[a-z0-9]{{2}}[0-9o]{{5,6}}{E}")
_JOINED_CODE = re.compile(rf"(?<=[a-z])pa(?:04|26)[a-z]{{2}}\d{{7}}{E}")
_PARTIAL_CODE = re.compile(rf"{B}pa{_GAP}(?:[0o]4|26){_GAP}[a-z]{{2}}{_GAP}[0-9o](?:{_GAP}[0-9o]){{3,8}}{E}")

_WORD_AFTER = re.compile(r"(?<=\d)\s+o\Z")
""" "ở" after a code is no zero of it."""
_PHONE = re.compile(
    rf"(?<![a-z0-9+])\(?(?:\+?{_GAP}\(?84\)?{_GAP}(?:\(0\)|0)?|[0o])[\s.,\-_()]{{0,3}}"
    rf"(?:[35789](?:[\s.,\-_()]{{0,3}}[0-9ol]){{8}}|2(?:[\s.,\-_()]{{0,3}}[0-9ol]){{9}}){E}"
)
_JOINED_PHONE = re.compile(r"(?<![0-9.+])0[35789]\d{8}(?![0-9])")
_SHORT_PHONE = re.compile(rf"{B}[35789](?:[\s.\-]?[0-9]){{8}}{E}")
_PHONE_WORDS = re.compile(
    words("so dien thoai", "sdt", "dt", "dien thoai", "so may", "goi", "zalo", "lien he", "so") + r"\s*(?:la|:)?\s*\Z"
)

_NO_REQUEST = r"(?!pa\d|p[a-z]\d\d[a-z0-9]|(?:thang|thag|thg|ngay|nam|quy|ky|ki|tu|den|toi|lan|bac|so|to|kv)\d)"
_REQUEST = re.compile(
    rf"{B}{_NO_REQUEST}[a-z]{{2,5}}(?:[-_]?\d{{2,4}}(?:\s?[-_/.]\s?[0-9o]{{2,4}})?|\d{{5,8}})\s?[-_/.]\s?[0-9o]{{3,8}}{E}"
)
_REQUEST_SPACED = re.compile(rf"{B}(?:yc|dv|sc|kn|hs|ts)[\s\-_.]{{0,2}}\d{{2,4}}[\s\-_.]{{1,2}}\d{{3,8}}{E}")
_REQUEST_PLAIN = re.compile(rf"{B}(?:yc|dv|sc|kn|hs|ts|px|pyc|ycdv|tt|bh)\s?[-_.]?\s?\d{{5,14}}{E}")
_REQUEST_NAMED = re.compile(
    words(
        "ma yeu cau",
        "ma ho so",
        "so ho so",
        "ma phieu",
        "so phieu",
        "ma tra cuu",
        "ma dang ky",
        "ma so ho so",
        "ma so yeu cau",
        "ho so so",
        "phieu so",
        "don so",
    )
    + r"\s*(?:la|so|:|cua toi la)?\s*"
    + r"((?!pa\d|p[a-z]\d\d[a-z0-9])(?=[a-z0-9\-_/.]*\d{3})[a-z0-9][a-z0-9\-_/.]{3,20}[a-z0-9])"
)

_REQUEST_WORDS = re.compile(r"(?:ma|so|phieu|ho so|yeu cau|don)\s*(?:la\s*)?\Z")
_SHORTEST_REQUEST = 6
_SERIAL_NAMED = re.compile(
    words(
        "cong to",
        "dong ho",
        "so che tao",
        "seri",
        "serial",
        "se ri",
        "so no",
        "so cong to",
        "so dong ho",
        "so may cong to",
        "cto",
        "ma cong to",
        "so hieu",
    )
    + r"(?:\s*(?:dien|nha\s*toi|nha\s*em|so|co|la|ma|cua|moi|cu|seri|serial|no|:|,|\.|#)){0,4}\s*#?"
    + r"([a-z]{0,3}\d{6,12}|\d{2,4}-\d{4,8}|(?=(?:\d[ .]?){8}(?![ .]?\d))\d{2,4}[ .]\d{2,4}(?:[ .]\d{2,4})?)"
    + E
)
_SERIAL_BEFORE = re.compile(
    words("cong to", "dong ho", "so che tao", "seri", "serial", "se ri", "so no")
    + r"(?:\s*(?:dien|so|la|co|seri|:|cua|nha|toi|em|minh|chau|bac|chi|anh|ong|ba)){0,6}\s*\Z"
)
_SERIAL_BARE = re.compile(r"(?<![a-z0-9.,/+\-])(?!1[89]00)[1-9]\d{7}(?![a-z0-9]|[.,/\-]\d)")

_LETTER_NAMES = {
    "a": "A",
    "be": "B",
    "bo": "B",
    "xe": "C",
    "co": "C",
    "de": "D",
    "do": "D",
    "e": "E",
    "ep": "F",
    "ge": "G",
    "gie": "G",
    "gi": "G",
    "go": "G",
    "hat": "H",
    "ho": "H",
    "i": "I",
    "ca": "K",
    "ka": "K",
    "lo": "L",
    "mo": "M",
    "no": "N",
    "o": "O",
    "pe": "P",
    "po": "P",
    "qui": "Q",
    "ro": "R",
    "et": "S",
    "so": "S",
    "te": "T",
    "to": "T",
    "u": "U",
    "ve": "V",
    "ich": "X",
    "xo": "X",
    "y": "Y",
    "p": "P",
    "g": "G",
    "t": "T",
    "b": "B",
    "c": "C",
    "d": "D",
    "h": "H",
    "k": "K",
    "l": "L",
    "m": "M",
    "n": "N",
    "q": "Q",
    "s": "S",
    "v": "V",
    "x": "X",
}


def _code_value(text: str) -> str:
    code = re.sub(r"[^a-z0-9]", "", text).upper()
    if len(code) < 7:
        return code
    return code[:2] + code[2:4].replace("O", "0") + code[4:6] + code[6:].replace("O", "0")


def customer_codes(aligned: AlignedText) -> Iterator[Match]:
    """``PA04GT0001234``: upper case without separators, O read as 0 where only digits stand. Codes of other
    companies, and codes with digits missing or to spare, come as typed: the dialogue explains what is wrong."""
    for pattern in (_FULL_CODE, _OTHER_CODE, _PARTIAL_CODE, _JOINED_CODE):
        for match in pattern.finditer(aligned.folded):
            written = _WORD_AFTER.sub("", match[0])
            if sum(char.isdigit() for char in written) >= 4:
                yield Match("customer_code", match.start(), match.start() + len(written), _code_value(written))
    yield from _spoken_codes(aligned)


def _phone_value(text: str) -> str:
    digits = re.sub(r"\D", "", text.replace("o", "0").replace("l", "1"))
    if digits.startswith("84"):
        digits = "0" + digits[2:].lstrip("0")
    return digits


def _is_phone(number: str) -> bool:
    return (len(number) == 10 and number[:2] in ("03", "05", "07", "08", "09")) or (
        len(number) == 11 and number[:2] == "02"
    )


def phones(aligned: AlignedText) -> Iterator[Match]:
    """Mobile (``09…``, ten digits) and landline (``02…``, eleven) numbers, typed or spoken, with or without +84."""
    text = aligned.folded
    for match in _PHONE.finditer(text):
        number = _phone_value(match[0])
        if _is_phone(number):
            yield Match("phone", match.start(), match.end(), number)
    for match in _JOINED_PHONE.finditer(text):
        yield Match("phone", match.start(), match.end(), match[0])
    for match in _SHORT_PHONE.finditer(text):
        if _PHONE_WORDS.search(before(text, match.start())):
            yield Match("phone", match.start(), match.end(), "0" + re.sub(r"\D", "", match[0]))
    for run, digits in _spoken_digits(aligned):
        if _is_phone(digits):
            yield Match("phone", run[0].start, run[-1].end, digits)


def _digit(token: Token) -> "str | None":
    if token.text in ("o", "khong", "kho", "ko"):
        return "0"
    if token.text in DIGITS:
        return str(DIGITS[token.text])
    return token.text if token.text.isdigit() else None


def _runs(tokens: "Sequence[Token]", text: str) -> "Iterator[list[Token]]":
    """Runs of tokens with nothing but spaces, commas or hyphens between."""
    run: list[Token] = []
    for token in tokens:
        if run and text[run[-1].end : token.start].strip(" \t,.-"):
            yield run
            run = []
        run.append(token)
    if run:
        yield run


@lru_cache(maxsize=4)
def _spoken_digits(aligned: AlignedText) -> "tuple[tuple[list[Token], str], ...]":
    """Stretches of digits said one by one (at least one of them as a word)."""
    return tuple(_stretches(tokens_of(aligned), aligned.folded))


def _stretches(tokens: "Sequence[Token]", text: str) -> "Iterator[tuple[list[Token], str]]":
    for run in _runs(tokens, text):
        stretch: list[Token] = []
        for token in [*run, Token("", 0, 0)]:
            if _digit(token) is not None:
                stretch.append(token)
                continue
            if any(not token.text.isdigit() for token in stretch):
                yield stretch, "".join(_digit(token) or "" for token in stretch)
            stretch = []


_AREA_AT = 4
"""Where the two letters of the area stand in a code."""


def _spoken_codes(aligned: AlignedText) -> Iterator[Match]:
    """A code spelt aloud: "pê a không bốn gê tê không không không một hai ba bốn"."""
    tokens = tokens_of(aligned)
    for start, token in enumerate(tokens):
        if token.text not in ("pe", "p", "po", "pa"):
            continue
        code = "PA" if token.text == "pa" else "P"
        at = start + 1
        while at < len(tokens) and len(code) < 13:
            if aligned.folded[tokens[at - 1].end : tokens[at].start].strip(" ,.-"):
                break
            digit = _digit(tokens[at])
            letter = _LETTER_NAMES.get(tokens[at].text)
            if len(code) in (1, 4, 5) and letter and (digit is None or tokens[at].text == "o"):
                code += letter
            elif digit is not None:
                code += digit
            elif letter and len(code) in (1, 4, 5):
                code += letter
            elif len(code) == _AREA_AT and len(tokens[at].text) == 2 and tokens[at].text.isalpha():
                code += tokens[at].text.upper()
            else:
                break
            at += 1
        if re.fullmatch(r"P[A-Z][0-9]{2}[A-Z0-9]{2}[0-9]{7}", code) and at - start > 3:
            yield Match("customer_code", token.start, tokens[at - 1].end, code)


def request_codes(aligned: AlignedText) -> Iterator[Match]:
    """The code of a filed request, upper case as issued (``YC26-000123``, ``DV-2026-00123``)."""
    text = aligned.folded
    for pattern in (_REQUEST, _REQUEST_PLAIN):
        for match in pattern.finditer(text):
            yield Match("request_code", match.start(), match.end(), _as_issued(re.sub(r"\s", "", match[0])))
    for match in _REQUEST_SPACED.finditer(text):
        yield Match("request_code", match.start(), match.end(), _request_value(match[0]))
    for match in _REQUEST_NAMED.finditer(text):
        yield Match("request_code", match.start(1), match.end(1), match[1].upper())
    yield from _spoken_requests(aligned)


def _as_issued(code: str) -> str:
    """The code in upper case; a letter O among its figures is a zero."""
    letters = re.match(r"[a-z]*", code)
    assert letters is not None
    return letters[0].upper() + code[letters.end() :].replace("o", "0").upper()


def _spoken_requests(aligned: AlignedText) -> Iterator[Match]:
    """A code spelt aloud after what names it: "mã hồ sơ y xê hai sáu gạch ngang không không chín một năm hai"."""
    tokens = tokens_of(aligned)
    for start, token in enumerate(tokens):
        if token.text not in _LETTER_NAMES or not _REQUEST_WORDS.search(aligned.folded, 0, token.start):
            continue
        letters, digits, end = "", "", token.start
        for spoken in tokens[start:]:
            digit = _digit(spoken)
            if digit and letters:
                digits += digit
            elif not digits and spoken.text in _LETTER_NAMES:
                letters += _LETTER_NAMES[spoken.text]
            elif spoken.text not in ("gach", "ngang", "cheo"):
                break
            end = spoken.end if digit else end
        if len(letters) == 2 and _SHORTEST_REQUEST <= len(digits) <= 10:
            yield Match("request_code", token.start, end, f"{letters}{digits[:2]}-{digits[2:]}")


def _request_value(text: str) -> str:
    """A code typed with spaces for hyphens: "dv 2026 00391" → DV-2026-00391, "yc26 000977" → YC26-000977."""
    parts = re.findall(r"[a-z]+|\d+", text)
    short_year = len(parts[1]) == 2
    return (f"{parts[0]}{parts[1]}-{parts[2]}" if short_year else "-".join(parts)).upper()


def meter_serials(aligned: AlignedText) -> Iterator[Match]:
    """A meter's number as printed: said to be one, or eight digits standing alone."""
    text = aligned.folded
    for match in _SERIAL_NAMED.finditer(text):
        yield Match("meter_serial", match.start(1), match.end(1), re.sub(r"[ .]", "", match[1]).upper())
    for run, digits in _spoken_digits(aligned):
        named = _SERIAL_BEFORE.search(text[: run[0].start])
        if named and 6 <= len(digits) <= 10 and not _is_phone(digits):
            yield Match("meter_serial", run[0].start, run[-1].end, digits)
    for match in _SERIAL_BARE.finditer(text):
        yield Match("meter_serial", match.start(), match.end(), match[0])

"""To whom: what was chosen and brought, as a query of `notifier.audiences`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from actions.desk import Company
from actions.gazetteer import Gazetteer, Unit
from bot.console.desk.catalog import Composable
from bot.console.desk.problems import Problem
from bot.text import clean

Query = dict[str, Any]
SHOWN_LINES: Final = 12
LEAST_AND_MOST: Final = {"owing_days": (0, 3650), "owing_dong": (0, 1_000_000_000), "owing_bills": (1, 24)}
FIRST_CELL: Final = re.compile(r"[,;\t]")
LONGEST_SHOWN: Final = 24


@dataclass(frozen=True)
class CodeList:
    """What was pasted or uploaded: codes in order, each once, and the lines that are none, by number."""

    codes: tuple[str, ...]
    bad: tuple[tuple[int, str], ...]


def read_audience(given: Mapping[str, Any], outage: Query | None) -> Query:
    """All but a list, which `read_list` reads. Raises Problem."""
    match given.get("audience"):
        case "outage" if outage is not None:
            return {"outage_id": outage["id"], "place_codes": list(outage["place_codes"])}
        case "area":
            if not given["places"]:
                raise Problem("choose_places")
            return {"place_codes": sorted(given["places"])}
        case "feeder":
            if not given["feeder"]:
                raise Problem("choose_audience")
            return {"feeder": given["feeder"]}
        case "debt":
            return {name: _number(given, name) for name in LEAST_AND_MOST}
        case "linked":
            return {"linked": True}
        case _:
            raise Problem("choose_audience")


def read_list(text: str, company: Company) -> CodeList:
    """One code a line, the first cell of a row of CSV; a first line without digits is a heading."""
    codes: dict[str, None] = {}
    bad = []
    for number, cell in _cells(text):
        code = re.sub(r"[\s.-]", "", cell).upper()
        if company.is_our_code(code):
            codes[code] = None
        elif number > 1 or any(map(str.isdigit, cell)):
            bad.append((number, cell[:LONGEST_SHOWN]))
    return CodeList(tuple(sorted(codes)), tuple(bad))


def decode(content: bytes) -> str:
    """A CSV as spreadsheets save it. Raises Problem."""
    try:
        return content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError:
        raise Problem("not_text") from None


def check(found: CodeList) -> None:
    """Raises Problem, naming the lines that are no codes."""
    if found.bad:
        lines = "; ".join(f"{number}: {cell}" for number, cell in found.bad[:SHOWN_LINES])
        raise Problem("bad_codes", count=len(found.bad), lines=lines + (" …" if len(found.bad) > SHOWN_LINES else ""))
    if not found.codes:
        raise Problem("no_codes")


def usual(kind: Composable) -> str:
    return kind.audiences[0]


def places_by_district(gazetteer: Gazetteer) -> dict[str, list[Unit]]:
    """Each of today's communes and wards once, under the first of the former districts that it lies in."""
    left = dict(gazetteer.units)
    return {
        name: sorted((left.pop(code) for code in codes if code in left), key=lambda unit: unit.name)
        for name, codes in gazetteer.codes_by_district.items()
    }


def _cells(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(clean(text.replace("\r\n", "\n").replace("\r", "\n")).split("\n"), start=1):
        cell = FIRST_CELL.split(line.strip(), maxsplit=1)[0].strip().strip('"').strip()
        if cell:
            yield number, cell


def _number(given: Mapping[str, Any], name: str) -> int:
    least, most = LEAST_AND_MOST[name]
    digits = re.sub(r"[\s.,đ]", "", str(given.get(name) or least))
    if not digits.isascii() or not digits.isdigit() or not least <= int(digits) <= most:
        raise Problem("bad_number", field=given["titles"][name], least=least, most=most)
    return int(digits)

"""The communes and wards of data/places.yml and the teams that serve them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from actions.backends.models import OpenSpan

_FOLDER: Final = Path(__file__).resolve().parent
_GAZETTEER: Final = _FOLDER.parents[1] / "data" / "places.yml"


@dataclass(frozen=True, slots=True)
class Place:
    """A commune or ward of today; `district` is the old one that most of it lay in."""

    code: str
    name: str
    kind: str
    district: str
    highland: bool

    @property
    def full_name(self) -> str:
        """`xã Bình Yên`."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class TeamOffice:
    """A power team; its code is the beginning of its customers' codes."""

    code: str
    name: str
    address: str
    phone: str
    hours: str
    open_spans: tuple[OpenSpan, ...]
    place_codes: tuple[str, ...]


@cache
def read_yaml(name: str) -> dict[str, Any]:
    """One of the data files beside this module."""
    content: dict[str, Any] = yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))
    return content


@cache
def places() -> Mapping[str, Place]:
    """Places by code."""
    content = yaml.safe_load(_GAZETTEER.read_text(encoding="utf-8"))
    province = {district["name"]: district["province"] for district in content["districts"]}
    found: dict[str, Place] = {}
    for unit in content["units"]:
        districts = Counter(old["district"] for old in unit["merged_from"])
        district = districts.most_common(1)[0][0]
        highland = province[district] == "Bắc Kạn" or district in {"Định Hóa", "Võ Nhai"}
        found[unit["code"]] = Place(unit["code"], unit["name"], unit["kind"], district, highland)
    return found


@cache
def offices() -> Mapping[str, TeamOffice]:
    """Teams by code; every place has exactly one."""
    content = read_yaml("offices.yml")
    taken = {code for office in content["offices"] for code in office.get("places", [])}
    found: dict[str, TeamOffice] = {}
    for office in content["offices"]:
        own = [p.code for p in places().values() if p.district == office["district"] and p.code not in taken]
        found[office["code"]] = TeamOffice(
            office["code"],
            content["name"].format(area=office["area"]),
            office["address"],
            content["phone"],
            content["hours"],
            tuple(OpenSpan.model_validate(span) for span in content["open_spans"]),
            tuple(sorted([*own, *office.get("places", [])])),
        )
    return found


@cache
def office_of(place_code: str) -> TeamOffice:
    """The team that serves a place."""
    return next(office for office in offices().values() if place_code in office.place_codes)

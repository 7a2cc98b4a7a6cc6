"""Today's communes and wards, and the former names that customers still use (data/places.yml)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Unit:
    """One of today's 92 communes and wards."""

    code: str
    name: str
    kind: str

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Gazetteer:
    units: Mapping[str, Unit]
    codes_by_district: Mapping[str, tuple[str, ...]]

    def title(self, code: str) -> str:
        """`xã Bình Yên`; the code itself when it is unknown."""
        unit = self.units.get(code)
        return unit.title if unit else code


def load_gazetteer(file: Path) -> Gazetteer:
    raw: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    units = {item["code"]: Unit(item["code"], item["name"], item["kind"]) for item in raw["units"]}
    by_district: dict[str, list[str]] = {district["name"]: [] for district in raw["districts"]}
    for item in raw["units"]:
        for district in dict.fromkeys(former["district"] for former in item["merged_from"]):
            by_district[district].append(item["code"])
    return Gazetteer(units, {name: tuple(codes) for name, codes in by_district.items()})

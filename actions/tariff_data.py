"""Effective-dated tariff data: the files of data/tariffs as typed, immutable records.

Prices are đ/kWh before VAT, energy is kWh, days are local. Nothing here is a constant of the product: the utility edits
the files, and a decision that is not applied yet has `in_force_from: null`.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field

TARIFF_FOLDER: Final = Path(__file__).resolve().parents[1] / "data" / "tariffs"

Band = Literal["normal", "off_peak", "peak"]
Group = Literal["production", "business", "hospital_school", "administration"]
Rounding = Literal["exact", "whole"]


class TariffUnknown(LookupError):
    """No price is known for that day, group or scheme."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Structure(_Data):
    """The upper limits of the tiers, kWh a month for one norm (the last is None), and the tenants' flat tier."""

    limits: tuple[int | None, ...]
    undeclared_tier: int
    source: str

    @property
    def widths(self) -> tuple[int | None, ...]:
        """How many kWh each tier holds; None for the last."""
        return tuple(None if upper is None else upper - (lower or 0) for lower, upper in pairwise((0, *self.limits)))


class ResidentialDecision(_Data):
    """One price decision; `prices`, one for each tier, is None while they are not fixed."""

    decision: str
    in_force_from: date | None
    structure: str
    prices: tuple[int, ...] | None
    percent_of_average: tuple[int, ...] | None = None
    prepaid: int | None
    average: Decimal | None
    source: str


class VoltagePrices(_Data):
    """Prices of meters at `from_kv` and above, or at more than `above_kv`, up to the next row."""

    label: str
    from_kv: Decimal | None = None
    above_kv: Decimal | None = None
    normal: int
    off_peak: int | None = None
    peak: int | None = None

    @property
    def lowest_kv(self) -> Decimal:
        """The lowest voltage of this row, to a volt."""
        return self.from_kv if self.from_kv is not None else (self.above_kv or Decimal(0)) + Decimal("0.001")

    @property
    def bands(self) -> dict[Band, int]:
        """The prices that there are."""
        prices: dict[Band, int | None] = {"normal": self.normal, "off_peak": self.off_peak, "peak": self.peak}
        return {band: price for band, price in prices.items() if price is not None}


class NonResidentialDecision(_Data):
    """One decision on the prices of those who are not households."""

    decision: str
    in_force_from: date
    source: str
    groups: Mapping[Group, tuple[VoltagePrices, ...]]

    def prices(self, group: Group, voltage_kv: Decimal) -> VoltagePrices:
        """Prices of a group at the voltage where the meter sits."""
        return max((row for row in self.groups[group] if row.lowest_kv <= voltage_kv), key=lambda row: row.lowest_kv)


class DayHours(_Data):
    """Spans `HH:MM-HH:MM` of one kind of day."""

    peak: tuple[str, ...]
    off_peak: tuple[str, ...]


class Schedule(_Data):
    """The hours of the three prices; issued but not applied while `in_force_from` is None."""

    decision: str
    in_force_from: date | None
    known_on: date
    source: str
    monday_to_saturday: DayHours
    sunday: DayHours


class Support(_Data):
    """What poor households get a month: the price of so many kWh; those of social policy up to so much use."""

    monthly_kwh: int
    social_policy_kwh: int
    source: str


class Obligation(_Data):
    """From which size on three prices must be used."""

    transformer_kva: int
    monthly_kwh: int
    source: str


class VatPeriod(_Data):
    """A span, both days included, with a VAT rate of its own."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    percent: Decimal
    source: str


class Vat(_Data):
    """The ordinary rate and the reduced ones."""

    ordinary_percent: Decimal
    reduced: tuple[VatPeriod, ...]

    def percent_on(self, day: date) -> Decimal:
        """The VAT rate of a bill whose last day is `day`."""
        reduced = self.reduced_on(day)
        return reduced.percent if reduced else self.ordinary_percent

    def reduced_on(self, day: date) -> VatPeriod | None:
        return next((p for p in self.reduced if p.first <= day <= p.last), None)


class RoundingRules(_Data):
    """Whether kWh shares and day-scaled tier widths are whole (electricity.md §1.7, §1.8)."""

    kwh_share: Rounding
    scaled_width: Rounding


D = TypeVar("D", ResidentialDecision, NonResidentialDecision, Schedule)


class Tariffs(_Data):
    """All of data/tariffs."""

    structures: Mapping[str, Structure]
    residential: tuple[ResidentialDecision, ...]
    non_residential: tuple[NonResidentialDecision, ...]
    schedules: tuple[Schedule, ...]
    obliged: Obligation
    support: Support
    vat: Vat
    rounding: RoundingRules
    labels: Mapping[str, str]

    def residential_on(self, day: date) -> ResidentialDecision:
        """The residential decision in force on `day`. Raises TariffUnknown before the first."""
        return _latest([d for d in self.residential if d.in_force_from and d.in_force_from <= day], day)

    @property
    def residential_to_come(self) -> ResidentialDecision | None:
        """What is decided and not applied yet."""
        return next((d for d in self.residential if d.in_force_from is None), None)

    @property
    def schedule_to_come(self) -> Schedule | None:
        """Hours that are issued and not applied yet."""
        return next((s for s in self.schedules if s.in_force_from is None), None)

    def structure_of(self, decision: ResidentialDecision) -> Structure:
        """The tiers of a decision."""
        return self.structures[decision.structure]

    def schedule_on(self, day: date) -> Schedule:
        """The hours in force on `day`. Raises TariffUnknown."""
        return _latest([s for s in self.schedules if s.in_force_from and s.in_force_from <= day], day)

    def non_residential_on(self, day: date) -> NonResidentialDecision:
        """The non-residential decision in force on `day`. Raises TariffUnknown."""
        return _latest([d for d in self.non_residential if d.in_force_from <= day], day)


def _latest(found: list[D], day: date) -> D:
    if not found:
        raise TariffUnknown(f"no price is known for {day}")
    return max(found, key=lambda decision: decision.in_force_from or date.min)


@cache
def tariffs(folder: Path = TARIFF_FOLDER) -> Tariffs:
    """The tariffs of `folder`, read once. Raises pydantic.ValidationError when a file is wrong."""

    def read(name: str) -> dict[str, object]:
        content: dict[str, object] = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
        return content

    homes, others = read("residential.yml"), read("non_residential.yml")
    hours, rules = read("time_of_use.yml"), read("rules.yml")
    return Tariffs.model_validate(
        {
            "structures": homes["structures"],
            "residential": homes["decisions"],
            "non_residential": others["decisions"],
            "schedules": hours["schedules"],
            "obliged": hours["obliged"],
            **rules,
        }
    )

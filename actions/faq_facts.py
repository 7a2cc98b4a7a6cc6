"""The figures that answers of data/faq may use, so that none is written there twice: prices, services, dangers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from actions.catalogue import catalogue
from actions.hazard_data import Hazards
from actions.tariff import residential_charge, tariffs
from actions.tariff_data import Obligation, ResidentialDecision, Structure

POOR_KWH = 30
"""Poor households get the price of so many kWh at tier 1 a month (electricity.md §1.6)."""


@dataclass(frozen=True)
class Prices:
    """What is in force on `day`; prices are đ/kWh before VAT."""

    day: date

    @property
    def _in_force(self) -> ResidentialDecision:
        return tariffs().residential_on(self.day)

    @property
    def _structure(self) -> Structure:
        return tariffs().structure_of(self._in_force)

    @property
    def _tier_prices(self) -> tuple[int, ...]:
        return self._in_force.prices or ()

    @property
    def decision(self) -> str:
        return self._in_force.decision

    @property
    def since(self) -> date | None:
        return self._in_force.in_force_from

    @property
    def tiers(self) -> int:
        return len(self._structure.limits)

    @property
    def prepaid(self) -> int | None:
        return self._in_force.prepaid

    @property
    def undeclared_tier(self) -> int:
        return self._structure.undeclared_tier

    @property
    def undeclared(self) -> int:
        return self._tier_prices[self.undeclared_tier - 1]

    @property
    def poor_support(self) -> int:
        """Đồng a month, before VAT."""
        return POOR_KWH * self._tier_prices[0]

    @property
    def business(self) -> int:
        """A business at low voltage, in normal hours."""
        return tariffs().non_residential_on(self.day).prices("business", Decimal(0)).normal

    @property
    def vat(self) -> Decimal:
        return tariffs().vat.percent_on(self.day)

    @property
    def vat_ordinary(self) -> Decimal:
        return tariffs().vat.ordinary_percent

    @property
    def vat_until(self) -> date | None:
        """The last day of the reduced rate; None where the ordinary one applies."""
        return next((p.last for p in tariffs().vat.reduced if p.first <= self.day <= p.last), None)

    @property
    def peak(self) -> tuple[str, ...]:
        """Spans `HH:MM–HH:MM`, Monday to Saturday."""
        return _spans(tariffs().schedule_on(self.day).monday_to_saturday.peak)

    @property
    def off_peak(self) -> tuple[str, ...]:
        return _spans(tariffs().schedule_on(self.day).monday_to_saturday.off_peak)

    @property
    def obliged(self) -> Obligation:
        return tariffs().obliged

    def cost(self, kwh: int) -> int:
        """Đồng with VAT for one household in one month."""
        return residential_charge(kwh, first_day=self.day, last_day=self.day).total


def facts(day: date, hazards: Hazards) -> Mapping[str, Any]:
    """The names that an answer may use, besides `company`."""
    return {"price": Prices(day), "services": catalogue().services, "hazards": hazards}


def _spans(listed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(span.replace("-", "–") for span in listed)

"""What kWh are used for, which decides what they cost (F8): households, tenants, a shop, three prices, ..."""

from datetime import date
from decimal import Decimal
from typing import Final, Literal, Self, cast, get_args

from pydantic import BaseModel, ConfigDict

from actions.tariff import Charge, band_minutes, non_residential_charge, residential_charge
from actions.tariff_data import Band, Group, Tariffs

Residential = Literal["household", "shared", "tenants", "prepaid"]
Kind = Literal[Residential, Group]
Count = Literal["households", "people"]
PEOPLE_OF_A_NORM: Final = 4
"""So many declared tenants have one norm (electricity.md §1.6)."""
LOW_VOLTAGE: Final = Decimal("0.4")
WITH_THREE_PRICES: Final = frozenset({"business", "production"})


class Use(BaseModel):
    """What the kWh of a month are used for.

    `norms` is the number of định mức; of tenants, `people` is how many are declared. `kv` is the voltage at the meter
    of those who are no household. With three prices, `split` has the kWh of each band, which only count in proportion;
    `evenly` says that every hour of the week is taken to use the same.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind = "household"
    norms: Decimal | None = None
    people: int | None = None
    undeclared: bool = False
    kv: Decimal = LOW_VOLTAGE
    split: dict[Band, Decimal] | None = None
    evenly: bool = False

    @classmethod
    def unpacked(cls, packed: str | None) -> Self:
        """From the slot of a button or of the last request."""
        return cls.model_validate_json(packed) if packed else cls()

    def packed(self) -> str:
        return self.model_dump_json(exclude_defaults=True)

    @property
    def group(self) -> Group | None:
        """The price group of those who are no household."""
        return cast(Group, self.kind) if self.kind in get_args(Group) else None

    @property
    def three_prices(self) -> bool:
        return self.evenly or self.split is not None

    @property
    def counted_norms(self) -> Decimal:
        """By how many norms the tiers are multiplied."""
        if self.norms is not None:
            return self.norms
        return Decimal(self.people) / PEOPLE_OF_A_NORM if self.people is not None else Decimal(1)

    @property
    def lacks(self) -> Count | None:
        """The count without which nothing can be reckoned."""
        if self.kind == "shared" and self.norms is None:
            return "households"
        if self.kind == "tenants" and not self.undeclared and self.norms is None and self.people is None:
            return "people"
        return None

    def charge(self, kwh: Decimal, *, first: date, last: date, data: Tariffs | None = None) -> Charge:
        """What `kwh` of the days `first` to `last` cost. Raises TariffUnknown."""
        if self.group:
            usage = self._usage(kwh, last, data)
            return non_residential_charge(usage, group=self.group, on=last, voltage_kv=self.kv, data=data)
        return residential_charge(
            kwh,
            first_day=first,
            last_day=last,
            norms=self.counted_norms,
            scheme="prepaid" if self.kind == "prepaid" else "undeclared" if self.undeclared else "tiers",
            data=data,
        )

    def _usage(self, kwh: Decimal, on: date, data: Tariffs | None) -> dict[Band, Decimal]:
        shares = self.split or (
            {band: Decimal(n) for band, n in band_minutes(on, data).items()} if self.evenly else None
        )
        if not shares:
            return {"normal": kwh}
        whole = sum(shares.values())
        usage = {band: (kwh * share / whole).quantize(Decimal(1)) for band, share in shares.items()}
        largest = max(usage, key=lambda band: usage[band])
        return {**usage, largest: usage[largest] + kwh - sum(usage.values())}

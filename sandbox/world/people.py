"""The customers of the demonstration world: who they are, where, and how they use and pay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final, Literal

from actions.backends.models import CustomerStatus, TariffGroup
from actions.tariff import Scheme, tariffs
from sandbox.world.dates import add_months, month_of
from sandbox.world.places import Place, office_of, places, read_yaml
from sandbox.world.usage import Oddity, OddityKind, Profile

Habit = Literal["auto", "on_time", "late", "partial", "double"]

HISTORY_MONTHS: Final = 24
_VOCABULARY: Final = read_yaml("vocabulary.yml")
_GROUPS: Final[list[TariffGroup]] = ["residential", "business", "production", "hospital_school", "administration"]
_GROUP_SHARES: Final = [92, 4.5, 1.5, 1, 1]
_ODDITIES: Final[list[OddityKind]] = ["leak", "empty", "meter_swap", "dead_meter"]


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody whose chat the demonstration opens; `phone` gets the texts of all `codes`."""

    name: str
    story: str
    phone: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What the utility's systems hold about one customer code, and how its holder behaves.

    `owes` counts the newest bills that stay unpaid; `due_in` moves the newest bill's due date to so many days after
    the day on which the world was made.
    """

    code: str
    name: str
    place: Place
    hamlet: str
    address: str
    phone: str
    group: TariffGroup
    scheme: Scheme
    norms: Decimal
    three_price: bool
    status: CustomerStatus
    contract_number: str
    signed_on: date
    capacity_kw: Decimal
    phases: Literal[1, 3]
    serial: str
    reading: int
    profile: Profile
    habit: Habit
    owes: int
    due_in: int | None

    @property
    def office_code(self) -> str:
        return self.code[:6]

    @property
    def purpose(self) -> str:
        purpose: str = _VOCABULARY["purposes"][self.group]
        return purpose

    @property
    def phone_masked(self) -> str:
        return f"{self.phone[:2]}{'x' * (len(self.phone) - 5)}{self.phone[-3:]}"


def people(seed: int, today: date, count: int) -> tuple[list[Record], list[Persona]]:
    """`count` customers over all places, the personas' among them."""
    personas: list[Persona] = []
    records: list[Record] = []
    for entry in read_yaml("personas.yml")["personas"]:
        records += [_of_persona(entry, account, seed, today) for account in entry["accounts"]]
        codes = tuple(account["code"] for account in entry["accounts"])
        personas.append(Persona(entry["name"], entry["story"], entry["phone"], codes))
    random = Random(f"{seed}|people")
    taken = {record.code for record in records}
    where = _spread(random, count - len(records))
    for place in where:
        records.append(_anybody(random, place, today, taken))
        taken.add(records[-1].code)
    return records, personas


def _spread(random: Random, count: int) -> list[Place]:
    """A place for each customer: every place has some, wards more."""
    every = list(places().values())
    wards = [3 if place.kind == "phường" else 1 for place in every]
    return [every[n] if n < len(every) else random.choices(every, wards)[0] for n in range(count)]


def _of_persona(entry: Mapping[str, Any], account: Mapping[str, Any], seed: int, today: date) -> Record:
    code: str = account["code"]
    random = Random(f"{seed}|{code}")
    place = places()[account["place"]]
    oddity = None
    if "oddity" in account:
        odd = account["oddity"]
        oddity = Oddity(odd["kind"], add_months(month_of(today), -odd["months_ago"]), odd["months"])
    group: TariffGroup = account.get("group", "residential")
    signed = date(2019, 6, 12)
    if "signed_months_ago" in account:
        signed = add_months(month_of(today), -account["signed_months_ago"]) + timedelta(days=9)
    profile = Profile(account["kwh"], account.get("cooling", 0.0), account.get("heating", 0.0), oddity)
    return _record(
        random,
        code=code,
        name=account.get("name", entry["name"]),
        place=place,
        hamlet=account["hamlet"],
        phone=entry["phone"],
        group=group,
        scheme=account.get("scheme", "tiers"),
        norms=Decimal(account.get("norms", "1")),
        three_price=account.get("three_price", False),
        status=account.get("status", "active"),
        signed_on=signed,
        profile=profile,
        habit=account.get("habit", "on_time"),
        owes=account.get("owes", 0),
        due_in=account.get("due_in"),
    )


def _anybody(random: Random, place: Place, today: date, taken: set[str]) -> Record:
    ward = place.kind == "phường"
    code = _code(random, place, taken)
    group, signed = _group(random, today)
    home = group == "residential"
    daily = random.lognormvariate(1.75 if ward else 1.2, 0.45) * (1.0 if home else 6.0)
    cooling = random.uniform(0.5, 1.8) if ward else random.uniform(0.1, 0.9)
    heating = random.uniform(0.1, 0.8) if place.highland else random.uniform(0.0, 0.4)
    owes = random.choices([0, 1, 2, 3], [94, 4, 1.2, 0.8])[0]
    prefix = random.choice(_VOCABULARY["phone_prefixes"])
    return _record(
        random,
        code=code,
        name=_name(random, place) if home else _firm(random, group, place),
        place=place,
        hamlet=_hamlet(random, place),
        phone=f"{prefix}{random.randrange(1_000_000):06d}",
        group=group,
        scheme="undeclared" if home and ward and random.random() < 0.01 else "tiers",
        norms=random.choices([Decimal(1), Decimal(2), Decimal("1.5"), Decimal("2.75")], [95, 2, 1.5, 1.5])[0],
        three_price=group in {"production", "business"} and daily > 60,
        status="cut_for_debt" if owes == 3 else "active",
        signed_on=signed,
        profile=Profile(daily, cooling, heating, _oddity(random, today), missed=0.015),
        habit=random.choices(["auto", "on_time", "late", "partial", "double"], [32, 48, 16, 3, 1])[0],
        owes=owes,
        due_in=None,
    )


def _record(random: Random, **known: Any) -> Record:
    """The rest of a record: what no story depends on."""
    code, signed, profile = known["code"], known["signed_on"], known["profile"]
    big = profile.daily > 30
    return Record(
        address=_address(random, known["place"], known["hamlet"]),
        contract_number=f"{signed:%y}/{code[-6:]}/HĐMBĐ",
        capacity_kw=Decimal("22") if big else Decimal(random.choice(["2.2", "3.3", "4.4", "6.6"])),
        phases=3 if big else 1,
        serial=f"{random.randint(19_000_000, 23_999_999)}",
        reading=random.randint(900, 18_000),
        **known,
    )


def _group(random: Random, today: date) -> tuple[TariffGroup, date]:
    """A group, and a signing day on which its prices are known."""
    group = random.choices(_GROUPS, _GROUP_SHARES)[0]
    oldest_price = min(decision.in_force_from for decision in tariffs().non_residential)
    room = (today - oldest_price).days - 60
    if group != "residential" and room > 0:
        return group, oldest_price + timedelta(days=random.randrange(room))
    if random.random() < 0.03:
        return "residential", today - timedelta(days=random.randrange(40, 700))
    return "residential", date(2012, 1, 1) + timedelta(days=random.randrange(3_000))


def _oddity(random: Random, today: date) -> Oddity | None:
    if random.random() < 0.918:
        return None
    kind = random.choices(_ODDITIES, [1.5, 3, 3, 0.7])[0]
    first = add_months(month_of(today), -random.randrange(1, HISTORY_MONTHS - 4))
    return Oddity(kind, first, {"leak": 2, "empty": random.randrange(2, 7)}.get(kind, 1))


def _code(random: Random, place: Place, taken: set[str]) -> str:
    while True:
        code = f"{office_of(place.code).code}{random.randrange(2_000, 200_000):07d}"
        if code not in taken:
            return code


def _name(random: Random, place: Place) -> str:
    sex = random.choice(["female", "male"])
    kind = "highland" if place.highland and random.random() < 0.75 else "lowland"
    parts = (_VOCABULARY["family_names"][kind], _VOCABULARY["middle_names"][sex], _VOCABULARY["given_names"][sex])
    return " ".join(random.choice(words) for words in parts)


def _firm(random: Random, group: TariffGroup, place: Place) -> str:
    given = random.choice(_VOCABULARY["given_names"][random.choice(["female", "male"])])
    public = group in {"hospital_school", "administration"}
    form: str = random.choice(_VOCABULARY["firms"][group])
    return form.format(name=place.full_name if group == "administration" else place.name if public else given)


def _hamlet(random: Random, place: Place) -> str:
    return random.choice(hamlets(place))


def hamlets(place: Place) -> list[str]:
    """The hamlets of a commune, or the neighbourhood groups of a ward; always the same."""
    if place.kind == "phường":
        return [_VOCABULARY["address"]["group"].format(number=number) for number in range(1, 15)]
    kind = "highland" if place.highland else "lowland"
    form = _VOCABULARY["hamlet_form"][kind]
    chosen = Random(place.code).sample(_VOCABULARY["hamlets"][kind], 8)
    return [f"{form} {name}" for name in chosen]


def _address(random: Random, place: Place, hamlet: str) -> str:
    form: str = _VOCABULARY["address"]["ward" if place.kind == "phường" else "commune"]
    street = random.choice(_VOCABULARY["streets"])
    return form.format(hamlet=hamlet, place=place.full_name, number=random.randrange(1, 320), street=street)

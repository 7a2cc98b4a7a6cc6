"""What a message or call that claims to be from the company holds, compared with what the company really sends.

Pure reading of text against data/genuine.yml; nothing is called genuine because of how it looks.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import phonenumbers
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from actions.matching import plain

_ADDRESS: Final = re.compile(
    r"(?:https?://)?[^\s/@,;()\"']*@?(?:[\w-]+\.)+[^\W\d_]{2,}(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE
)
_DIGITS: Final = re.compile(r"(?<![\w.])\+?\d(?:[ .\-]?\d){2,14}(?!\w)")
_ACCOUNT: Final = re.compile(r"\b(?:stk|tk|so tk|so tai khoan|tai khoan)\b\D{0,20}?(\d(?:[ .\-]?\d){6,18})")
REGION: Final = "VN"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Demand(_Data):
    """What is wanted of a customer: what the company never wants (`says`), or what may be real (`asks`: what to do)."""

    words: tuple[str, ...] = Field(min_length=1)
    says: str | None = None
    asks: str | None = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.says is None) == (self.asks is None):
            raise ValueError("a demand has either `says` or `asks`")
        return self


@dataclass(frozen=True)
class Evidence:
    """What was found in a text. `others` and `traps` are numbers with what is known of them; `strange` is not ours."""

    our_phones: tuple[str, ...] = ()
    our_sites: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    traps: tuple[tuple[str, str], ...] = ()
    strange_phones: tuple[str, ...] = ()
    strange_sites: tuple[str, ...] = ()
    imitations: tuple[str, ...] = ()
    strange_accounts: tuple[str, ...] = ()
    demands: tuple[Demand, ...] = ()
    owing: bool = False
    lost: bool = False

    @property
    def never(self) -> list[str]:
        """What is demanded and never comes from the company."""
        return [demand.says for demand in self.demands if demand.says]

    @property
    def cautions(self) -> list[str]:
        return [demand.asks for demand in self.demands if demand.asks]

    @property
    def is_fake(self) -> bool:
        """Does it hold something that the company never sends?"""
        return bool(self.never or self.traps or self.imitations or self.strange_accounts)

    @property
    def is_strange(self) -> bool:
        """Is there something that nobody here knows?"""
        return bool(self.strange_phones or self.strange_sites or self.others)

    @property
    def is_ours(self) -> bool:
        return bool(self.our_phones or self.our_sites)

    @property
    def is_anything(self) -> bool:
        return bool(self.is_fake or self.is_strange or self.is_ours or self.cautions or self.owing or self.lost)

    @property
    def gives_itself_away(self) -> bool:
        """Is this surely about a scam, whatever the message is taken for?"""
        return bool(self.traps or self.imitations or (self.strange_sites and (self.never or self.owing)))


class Genuine(_Data):
    """data/genuine.yml."""

    oa: str
    domains: tuple[str, ...]
    accounts: tuple[str, ...]
    others: Mapping[str, str]
    traps: Mapping[str, str]
    imitated: tuple[str, ...]
    endings: frozenset[str]
    demands: Mapping[str, Demand]
    owing: tuple[str, ...]
    lost: tuple[str, ...]

    def read(self, text: str, *, hotline: str, site: str, app: str) -> Evidence:
        """`hotline`, `site` and `app` are the company's own."""
        said = f" {plain(text)} "
        sites = self._sites(text.replace(app, " "))
        accounts = _accounts(text)
        phones = self._phones(_ADDRESS.sub(" ", text), known={hotline}, besides=accounts)
        ours = {name for name in sites if self._is_ours(name, site)}
        alike = {name for name in sites - ours if any(word in name for word in self.imitated)}
        return Evidence(
            our_phones=_ordered(phones & {hotline}),
            our_sites=_ordered(ours),
            others=tuple((phone, self.others[phone]) for phone in _ordered(phones & set(self.others))),
            traps=tuple((phone, self.traps[phone]) for phone in _ordered(phones & set(self.traps))),
            strange_phones=_ordered(phones - {hotline} - set(self.others) - set(self.traps)),
            strange_sites=_ordered(sites - ours - alike),
            imitations=_ordered(alike),
            strange_accounts=_ordered(accounts - set(self.accounts)),
            demands=tuple(demand for demand in self.demands.values() if _has(said, demand.words)),
            owing=_has(said, self.owing),
            lost=_has(said, self.lost),
        )

    @cached_property
    def _numbers(self) -> frozenset[str]:
        return frozenset(self.others) | frozenset(self.traps)

    def _is_ours(self, name: str, site: str) -> bool:
        return any(name == own or name.endswith(f".{own}") for own in (site, *self.domains))

    def _sites(self, text: str) -> set[str]:
        """Names of the sites that are linked to or written out; of `user@site`, the site that would really open."""
        found = set()
        for match in _ADDRESS.findall(text.lower()):
            has_scheme = match.startswith(("http://", "https://"))
            try:
                name = urlsplit(match if has_scheme else f"//{match}").hostname
            except ValueError:
                continue
            if name and (has_scheme or name.startswith("www.") or name.rsplit(".", 1)[-1] in self.endings):
                found.add(name.removeprefix("www."))
        return found

    def _phones(self, text: str, *, known: set[str], besides: set[str]) -> set[str]:
        """Telephone numbers as they are dialled in the country: those that are known, and all that are valid."""
        digits = {re.sub(r"\D", "", run) for run in _DIGITS.findall(text)} - besides
        named = {number for number in digits if number in self._numbers | known}
        return named | {dialled for number in digits - named if (dialled := _dialled(number))}


def load_genuine(file: Path) -> Genuine:
    """Raises ValueError (pydantic) naming what is wrong."""
    return Genuine.model_validate(yaml.safe_load(file.read_text("utf-8")))


def _dialled(digits: str) -> str | None:
    try:
        number = phonenumbers.parse(f"+{digits}" if digits.startswith("84") else digits, REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return re.sub(r"\D", "", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))


def _accounts(text: str) -> set[str]:
    return {re.sub(r"\D", "", number) for number in _ACCOUNT.findall(plain(text))}


def _has(said: str, phrases: Iterable[str]) -> bool:
    return any(f" {phrase} " in said for phrase in phrases)


def _ordered(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(found))

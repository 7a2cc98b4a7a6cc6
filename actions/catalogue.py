"""The catalogue of electricity services (data/services.yml): what is told of each, and what its form asks."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml
from pydantic import Field, model_validator

from actions.backends.models import ServiceKind
from actions.service_fields import AccountField, ButtonTitle, ChoiceField, Data, ServiceField, TextField

SERVICES_FILE: Final = Path(__file__).resolve().parents[1] / "data" / "services.yml"

AccountUse = Literal["needed", "if_linked", "no"]


class Service(Data):
    """One service. `days` are working days from filing; `unsure` says what the company has not confirmed."""

    title: str
    button: ButtonTitle | None = None
    also: str | None = None
    group: str
    files_as: ServiceKind
    account: AccountUse
    papers: tuple[str, ...]
    days: int = Field(gt=0)
    days_note: str | None = None
    fee: str
    steps: tuple[str, ...]
    then: str
    notes: tuple[str, ...] = ()
    source: str
    as_of: date
    unsure: str | None = None
    fields: Mapping[str, ServiceField]

    @model_validator(mode="after")
    def _asks_in_order(self) -> Self:
        """Conditions name choices that are asked before."""
        asked: dict[str, ServiceField] = {}
        for name, field in self.fields.items():
            for other, wanted in field.when.items():
                choice = asked.get(other)
                if not isinstance(choice, ChoiceField) or not set(wanted) <= set(choice.choices):
                    raise ValueError(f"{name}: `when` names no earlier choice, or an option that it lacks: {other}")
            asked[name] = field
        return self

    @property
    def short(self) -> str:
        """For a button."""
        return self.button or self.title

    def kinds(self) -> Iterator[tuple[ServiceKind, str]]:
        """What may be filed, with a title each: the service itself, and options that are filed as another."""
        options = [option for field in self.fields.values() for option in _options(field) if option.files_as]
        named = {option.files_as: option.title for option in options if option.files_as}
        yield self.files_as, named.pop(self.files_as, None) or self.title
        yield from named.items()

    def filed_as(self, values: Mapping[str, Any]) -> tuple[ServiceKind, int]:
        """What these answers are filed as, and the working days that it takes."""
        kind, days = self.files_as, self.days
        for name, field in self.fields.items():
            if isinstance(field, ChoiceField) and values.get(name) and field.applies(values):
                option = field.choices[values[name]]
                kind, days = option.files_as or kind, option.days or days
        return kind, days


class AccountFields(Data):
    link: AccountField
    unlinked: TextField


class Catalogue(Data):
    groups: Mapping[str, ButtonTitle]
    account_fields: AccountFields
    services: Mapping[str, Service]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if strange := {service.group for service in self.services.values()} ^ set(self.groups):
            raise ValueError(f"groups without services, or the other way round: {sorted(strange)}")
        if long := [service.short for service in self.services.values() if len(service.short) > 20]:
            raise ValueError(f"titles that are too long for a button: {long}")
        kinds = [kind for service in self.services.values() for kind, _title in service.kinds()]
        if twice := {kind for kind in kinds if kinds.count(kind) > 1}:
            raise ValueError(f"filed by two services: {sorted(twice)}")
        return self

    def form_fields(self, service: Service) -> dict[str, ServiceField]:
        """The fields of a service's form in order, those of the account first."""
        link = self.account_fields.link.model_copy(update={"optional": service.account == "if_linked"})
        own: dict[str, dict[str, ServiceField]] = {
            "needed": {"link": link},
            "if_linked": {"link": link, "unlinked": self.account_fields.unlinked},
            "no": {},
        }
        return {**own[service.account], **service.fields}

    def title_of(self, kind: ServiceKind) -> str:
        """What a filed request is called."""
        return next(title for service in self.services.values() for each, title in service.kinds() if each == kind)


def load_catalogue(file: Path) -> Catalogue:
    """Raises ValueError (pydantic) naming what is wrong."""
    return Catalogue.model_validate(yaml.safe_load(file.read_text("utf-8")))


@cache
def catalogue() -> Catalogue:
    return load_catalogue(SERVICES_FILE)


def _options(field: ServiceField) -> Iterator[Any]:
    if isinstance(field, ChoiceField):
        yield from field.choices.values()

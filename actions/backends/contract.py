"""The contract document itself: the JSON Schema of every answer of `openapi.yaml`."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

DOCUMENT: Final = Path(__file__).with_name("openapi.yaml")
_URI: Final = "urn:trolydien:backends"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    content: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    return content


@cache
def schema(name: str) -> Draft202012Validator:
    """The validator of a named schema. Raises KeyError for another name."""
    document()["components"]["schemas"][name]
    resource: Resource[Any] = Resource.from_contents(document(), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource(_URI, resource)
    return Draft202012Validator({"$ref": f"{_URI}#/components/schemas/{name}"}, registry=registry)


def broken(name: str, value: Any) -> str | None:
    """Where `value` does not fit the schema, without its values; None if it fits."""
    faults = [f"{fault.json_path}: {fault.validator}" for fault in schema(name).iter_errors(value)]
    return "; ".join(faults[:5]) if faults else None

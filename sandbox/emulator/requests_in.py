"""Reading the JSON of control calls; what is missing or wrong answers 400 with one line."""

from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, request
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import BadRequest, HTTPException

T = TypeVar("T")

MAX_WAIT = 55.0


class Given:
    """The JSON object of this request. `text`, `number` raise BadRequest naming the field."""

    def __init__(self) -> None:
        body = request.get_json(force=True, silent=True) if request.data else {}
        if not isinstance(body, dict):
            raise BadRequest("the body must be a JSON object")
        self.all: dict[str, Any] = body

    def __contains__(self, name: str) -> bool:
        return self.all.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        value = self.all.get(name, default)
        if not isinstance(value, str):
            raise BadRequest(f"{name}: a string is needed")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        value = self.all.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRequest(f"{name}: a number is needed")
        return value

    def object(self, name: str) -> dict[str, Any]:
        value = self.all.get(name)
        if not isinstance(value, dict):
            raise BadRequest(f"{name}: an object is needed")
        return value


def made(kind: type[T], fields: dict[str, Any]) -> T:
    """A dataclass of this kind from JSON; an unknown name or a wrong value answers 400 naming it."""
    if unknown := fields.keys() - {field.name for field in dataclass_fields(kind)}:  # type: ignore[arg-type]
        raise BadRequest(f"{min(unknown)}: no such field")
    try:
        return TypeAdapter(kind).validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRequest(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def set_fields(target: Any, given: Given) -> None:
    """Set the named attributes of a dataclass, checked as in `made`."""
    wanted = made(type(target), asdict(target) | given.all)
    for name in given.all:
        setattr(target, name, getattr(wanted, name))


def wait_seconds() -> float:
    return min(float(request.args.get("timeout", 0)), MAX_WAIT)


def answer_errors_in_json(pages: Blueprint) -> None:
    @pages.errorhandler(HTTPException)
    def on_error(error: HTTPException) -> tuple[Response, int]:
        return jsonify({"error": error.description}), error.code or 500

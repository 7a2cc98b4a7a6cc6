"""Reading the JSON of control calls; what is missing or wrong answers 400 with one line."""

from dataclasses import fields
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, HTTPException

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


def set_fields(target: Any, given: Given) -> None:
    """Set the named attributes of a dataclass; an unknown name answers 400."""
    known = {field.name for field in fields(target)}
    for name, value in given.all.items():
        if name not in known:
            raise BadRequest(f"{name}: no such option; there are {', '.join(sorted(known))}")
        setattr(target, name, value)


def wait_seconds() -> float:
    return min(float(request.args.get("timeout", 0)), MAX_WAIT)


def answer_errors_in_json(pages: Blueprint) -> None:
    @pages.errorhandler(HTTPException)
    def on_error(error: HTTPException) -> tuple[Response, int]:
        return jsonify({"error": error.description}), error.code or 500

"""What both contracts have in common: token, errors, idempotency, parameters."""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from typing import Final, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError

from actions.backends.models import ErrorBody
from sandbox.backends.faults import Faults
from sandbox.world import Refused, Unknown

_KEYS_KEPT: Final = 20_000

M = TypeVar("M", bound=BaseModel)


def contract_blueprint(name: str, token: str, faults: Faults) -> Blueprint:
    """A blueprint that fails as told, asks for the token, and answers errors in the contract's form."""
    blueprint = Blueprint(name, __name__)
    wanted = f"Bearer {token}".encode()

    def refuse_strangers() -> Response | None:
        given = request.headers.get("Authorization", "").encode()
        return None if hmac.compare_digest(given, wanted) else error("not_allowed", "A bearer token is needed", 401)

    def no_such(unknown: Unknown) -> Response:
        return error("not_found", f"No such {unknown}", 404)

    def refused(reason: Refused) -> Response:
        return error(reason.code, reason.message, reason.status)

    blueprint.before_request(faults.before)
    blueprint.before_request(refuse_strangers)
    blueprint.after_request(faults.after)
    blueprint.register_error_handler(Unknown, no_such)
    blueprint.register_error_handler(Refused, refused)
    return blueprint


def answer(model: BaseModel, status: int = 200) -> Response:
    """A model as the JSON of an answer."""
    return Response(model.model_dump_json(), status, content_type="application/json")


def error(code: str, message: str, status: int) -> Response:
    """An error in the contract's form."""
    return answer(ErrorBody(code=code, message=message), status)


def body(model: type[M]) -> M:
    """The request's body. Raises Refused `bad_body`."""
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as wrong:
        fields = ", ".join(".".join(map(str, fault["loc"])) for fault in wrong.errors()) or "body"
        raise Refused("bad_body", f"Does not fit the contract: {fields}") from None


def month_parameter(name: str) -> date:
    """`YYYY-MM` of the query as the month's first day. Raises Refused."""
    return _parameter(name, lambda text: date.fromisoformat(f"{text}-01"))


def text_parameter(name: str) -> str:
    """A text of the query that is not empty. Raises Refused."""

    def read(text: str) -> str:
        if not text:
            raise ValueError("empty")
        return text

    return _parameter(name, read)


def number_parameter(name: str, least: int, most: int) -> int:
    """A whole number of the query, `least` to `most`. Raises Refused."""

    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise ValueError("out of bounds")
        return number

    return _parameter(name, read)


def one_filter(*names: str) -> str:
    """Which one of these parameters the query has. Raises Refused unless it is exactly one."""
    given = [name for name in names if request.args.get(name)]
    if len(given) != 1:
        raise Refused("bad_parameter", f"Exactly one of: {', '.join(names)}")
    return given[0]


def day_parameter(name: str) -> date:
    """`YYYY-MM-DD` of the query. Raises Refused."""
    return _parameter(name, date.fromisoformat)


def instant_parameter(name: str) -> datetime:
    """An instant of the query, with its zone. Raises Refused."""

    def read(text: str) -> datetime:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError("no zone")
        return at

    return _parameter(name, read)


T = TypeVar("T")


def _parameter(name: str, read: Callable[[str], T]) -> T:
    try:
        return read(request.args[name])
    except (KeyError, ValueError):
        raise Refused("bad_parameter", f"Missing or wrong: {name}") from None


@dataclass(slots=True)
class _Kept:
    lock: Lock = field(default_factory=Lock)
    fingerprint: str | None = None
    status: int = 0
    text: bytes = b""
    content_type: str = ""


class IdempotencyStore:
    """Answers kept by key: the same call again gets the same answer, and has no further effect."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def once(self, perform: Callable[[], Response]) -> Response:
        """Perform the current request unless its key has an answer; a second call meanwhile waits for the first."""
        key = request.headers.get("Idempotency-Key", "")
        if not 1 <= len(key) <= 200:
            return error("idempotency_key_missing", "Idempotency-Key of 1 to 200 characters", 422)
        kept = self._entry(key)
        fingerprint = hashlib.sha256(f"{request.path}\n".encode() + request.get_data()).hexdigest()
        with kept.lock:
            if kept.fingerprint is None:
                response = perform()
                kept.status, kept.text = response.status_code, response.get_data()
                kept.content_type = response.content_type
                kept.fingerprint = fingerprint
                return response
            if kept.fingerprint != fingerprint:
                return error("idempotency_conflict", "This key was used for another call", 409)
            return Response(kept.text, kept.status, content_type=kept.content_type)

    def _entry(self, key: str) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(key, _Kept())
            self._kept.move_to_end(key)
            if len(self._kept) > _KEYS_KEPT:
                self._kept.popitem(last=False)
            return kept

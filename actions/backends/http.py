"""One HTTP conversation with a backend: bounded time, careful retries, typed errors, nothing personal in them."""

import os
import time
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

import requests
from pydantic import BaseModel, ValidationError
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay, wait_exponential_jitter
from urllib3.exceptions import HTTPError

from actions.backends.breaker import Breaker
from actions.backends.calls import noted
from actions.backends.errors import BackendDown, BackendWrong, NotAllowed, NotFound, Rejected
from actions.backends.models import ErrorBody

_ATTEMPTS: Final = 3
_ANSWER_LIMIT: Final = 4 * 1024 * 1024  # bytes; a year of daily readings is about 40 KB
_CHUNK: Final = 64 * 1024
_POOL: Final = 32  # connections kept: one per worker thread and some more

PAGE_SECONDS: Final = 10.0
"""For pages of many rows: nobody waits for them in a chat. Their failures do not count against customers' calls."""

_JSON: Final = frozenset({"application/json"})

Query = Mapping[str, str | None]
M = TypeVar("M", bound=BaseModel)


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


@dataclass(frozen=True)
class BackendFile:
    """The body of an answer and its media type."""

    content: bytes
    content_type: str


class BackendHttp:
    """Calls one backend, from any number of threads.

    One call, retries and all, takes at most about `timeout` seconds; one attempt at most half of it, so that a lost
    answer leaves time for another attempt. Unsafe calls carry an `Idempotency-Key`, which makes retrying them safe.
    """

    def __init__(self, base_url: str, token: str, *, timeout: float = 3.0, breaker: Breaker | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._breaker = breaker or Breaker()
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy or .netrc of the machine must not get between us and the backend
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._session.auth = _Bearer(token)
        self._session.headers.update({"User-Agent": "trolydien"})
        adapter = HTTPAdapter(pool_maxsize=_POOL, pool_connections=1)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def get(self, operation: str, path: str, answer: type[M], query: Query | None = None) -> M:
        """GET `path` as an `answer`. Raises BackendDown, BackendWrong, NotFound, Rejected, NotAllowed."""
        answered = self._call(operation, "GET", path, query=query)
        return self._read(operation, answered.content, answer)

    def file(self, operation: str, path: str, content_types: Set[str], query: Query | None = None) -> BackendFile:
        """GET `path` as a file of one of these media types, 4 MB at most. Raises as `get` does."""
        return self._call(operation, "GET", path, query=query, content_types=content_types)

    def post(
        self, operation: str, path: str, answer: type[M], *, body: BaseModel | Mapping[str, Any], idempotency_key: str
    ) -> M:
        """POST `body`, and again under the same key if no answer came. Raises as `get` does."""
        answered = self._call(operation, "POST", path, json=_json(body), idempotency_key=idempotency_key)
        return self._read(operation, answered.content, answer)

    def tell(self, operation: str, path: str, *, body: BaseModel | Mapping[str, Any], idempotency_key: str) -> None:
        """POST like `post` where the contract answers nothing but 202."""
        self._call(operation, "POST", path, json=_json(body), idempotency_key=idempotency_key)

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        json: Any = None,
        idempotency_key: str | None = None,
        content_types: Set[str] = _JSON,
    ) -> BackendFile:
        deadline = time.monotonic() + self._timeout
        headers = {"Accept": ", ".join(sorted({*content_types, *_JSON}))}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        request = self._session.prepare_request(
            requests.Request(
                method,
                self._base_url + path,
                params={name: value for name, value in (query or {}).items() if value is not None},
                json=json,
                headers=headers,
            )
        )
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, BackendDown) and error.transient),
            stop=stop_after_attempt(_ATTEMPTS) | stop_before_delay(self._timeout),
            wait=wait_exponential_jitter(multiplier=0.05, max=0.5, jitter=0.1),
            reraise=True,
        )
        with noted(operation):
            return self._breaker.call(
                operation, lambda: retrying(self._attempt, operation, request, deadline, content_types)
            )

    def _attempt(
        self, operation: str, request: requests.PreparedRequest, deadline: float, content_types: Set[str]
    ) -> BackendFile:
        ends = min(deadline, time.monotonic() + self._timeout / 2)
        wait = max(ends - time.monotonic(), 0.05)
        try:
            # Cookies and hooks are not used, so the session's adapter is all that is shared between threads.
            with self._session.send(
                request, timeout=(wait, wait), stream=True, allow_redirects=False, verify=self._session.verify
            ) as response:
                return _judge(operation, response, _body(operation, response, ends), content_types)
        except requests.Timeout:
            raise BackendDown(operation, "no answer in time") from None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, HTTPError, OSError):
            # `from None`: the texts of these errors hold the address, and with it the customer code.
            raise BackendDown(operation, "no connection") from None
        except requests.RequestException as error:
            raise BackendWrong(operation, type(error).__name__) from None

    def _read(self, operation: str, body: bytes, answer: type[M]) -> M:
        try:
            return answer.model_validate_json(body)
        except ValidationError as error:
            raise BackendWrong(operation, _where(error)) from None


def path(*parts: str) -> str:
    """`/v1/…` with each part escaped, so that no typed text can reach another address."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def _json(body: BaseModel | Mapping[str, Any]) -> Any:
    return body.model_dump(mode="json", exclude_none=True) if isinstance(body, BaseModel) else dict(body)


def _body(operation: str, response: requests.Response, ends: float) -> bytes:
    """The whole answer, or BackendDown when it trickles past the end of its time."""
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > _ANSWER_LIMIT:
            raise BackendWrong(operation, "answer too long")
        if time.monotonic() > ends:
            raise BackendDown(operation, "answer too slow")
    return bytes(body)


def _judge(operation: str, response: requests.Response, body: bytes, content_types: Set[str]) -> BackendFile:
    status = response.status_code
    content_type = response.headers.get("Content-Type", "").split(";")[0].strip()
    if status == 202:
        return BackendFile(body, content_type)
    if 200 <= status < 300:
        if content_type not in content_types:
            raise BackendWrong(operation, "another content type")
        return BackendFile(body, content_type)
    if status in {401, 403}:
        raise NotAllowed(operation, f"token refused ({status})")
    if status == 429:
        raise BackendDown(operation, "too many requests (429)", transient=False)
    if status == 408 or status >= 500:
        raise BackendDown(operation, f"status {status}")
    problem = _problem(body) if content_type in _JSON else None
    if problem is None:
        # A 404 that is not in the contract's form comes from a wrong address, not from a missing customer.
        raise BackendWrong(operation, f"status {status} without the contract's error body")
    if status == 404:
        raise NotFound(operation, problem.code)
    raise Rejected(operation, problem.code, problem.message)


def _problem(body: bytes) -> ErrorBody | None:
    try:
        return ErrorBody.model_validate_json(body)
    except ValidationError:
        return None


def _where(error: ValidationError) -> str:
    """Which fields broke the contract, without their values."""
    faults = [f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['type']}" for fault in error.errors()[:5]]
    return "; ".join(faults)

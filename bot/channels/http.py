"""One HTTP call to a platform: time-outs, and what a failure on the way means for a send."""

import os
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Never
from urllib.parse import urlsplit

import requests
from prometheus_client import Histogram
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import MaxRetryError, NewConnectionError

from bot.channels.outcomes import BadRequest, OutcomeUnknown, Retry, SlowDown
from bot.messages import ChannelName

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
POOL_SIZE = 32
"""As many sends as the notifier has under way at a time."""

TRY_AGAIN = timedelta(seconds=2)
MAX_RETRY_AFTER = timedelta(minutes=10)

PROVIDER_SECONDS = Histogram(
    "provider_call_seconds",
    "Calls to a platform, by channel, call and HTTP status (or what broke)",
    ["channel", "call", "status"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15),
)


@dataclass(frozen=True)
class Answer:
    """A platform's answer. `body` is its JSON object, None when there was none."""

    status: int
    body: dict[str, Any] | None = field(repr=False)
    headers: requests.structures.CaseInsensitiveDict[str] = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class HttpClient:
    """Keeps connections to one platform alive; safe to share between threads."""

    def __init__(
        self, channel: ChannelName, *, connect_timeout: float = CONNECT_TIMEOUT, read_timeout: float = READ_TIMEOUT
    ) -> None:
        self._channel = channel
        self._timeouts = (connect_timeout, read_timeout)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "trolydien"
        self._session.trust_env = False  # it would read the whole environment again with each call
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=POOL_SIZE))

    def request(
        self,
        call: str,
        method: str,
        url: str,
        *,
        sends: bool,
        headers: dict[str, str] | None = None,
        auth: AuthBase | None = None,
        params: dict[str, str] | None = None,
        data: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
        files: dict[str, tuple[str, bytes, str]] | None = None,
    ) -> Answer:
        """The platform's answer, whatever its status. `call` names the call in the metrics.

        Raises Retry when the platform was not reached, and when no whole answer came back: OutcomeUnknown if the
        call `sends` something to a customer, else Retry.
        """
        started = time.monotonic()
        status = "error"
        try:
            response = self._session.request(
                method,
                url,
                headers=headers,
                auth=auth,
                params=params,
                data=data,
                json=json,
                files=files,
                timeout=self._timeouts,
                proxies=_proxies_to(*urlsplit(url)[:2]),
                allow_redirects=False,
            )
            status = str(response.status_code)
        except (requests.exceptions.SSLError, requests.exceptions.ProxyError):
            status = "tls"
            raise Retry("tls", "no secure connection", after=TRY_AGAIN, alert=True) from None
        except requests.ConnectTimeout:
            status = "connect"
            raise Retry("connect", "platform not reached", after=TRY_AGAIN) from None
        except requests.Timeout:
            status = "timeout"
            _no_answer("timeout", "no answer in time", sends=sends)
        except requests.ConnectionError as error:
            status = "connect" if _never_connected(error) else "connection-lost"
            if status == "connect":
                raise Retry("connect", "platform not reached", after=TRY_AGAIN) from None
            _no_answer("connection-lost", "connection lost before the answer", sends=sends)
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            status = "connection-lost"
            _no_answer("connection-lost", "answer cut off", sends=sends)
        finally:
            PROVIDER_SECONDS.labels(self._channel, call, status).observe(time.monotonic() - started)
        return Answer(response.status_code, _json_object(response), response.headers)


@cache
def _proxies_to(scheme: str, host: str) -> dict[str, str]:
    """Those of this machine, as HTTPS_PROXY and NO_PROXY name them at the first call."""
    return requests.utils.get_environ_proxies(f"{scheme}://{host}")


def raise_for_status(answer: Answer, *, sends: bool) -> Never:
    """Raise what an answer without an error body of the platform's means.

    500 and 503 say that the platform did not do it. 502, 504 and an empty success come from something that gave up
    waiting for it: a send may have happened.
    """
    code = f"http-{answer.status}"
    if answer.status == 429:
        raise SlowDown(code, "too many requests", after=_retry_after(answer) or timedelta(minutes=1))
    if answer.status in {500, 503}:
        raise Retry(code, "platform out of order", after=_retry_after(answer) or TRY_AGAIN)
    if answer.ok or answer.status >= 500:
        _no_answer(code, "no usable answer", sends=sends)
    raise BadRequest(code, "unexpected HTTP status", alert=True)


def _no_answer(code: str, reason: str, *, sends: bool) -> Never:
    if sends:
        raise OutcomeUnknown(code, reason) from None
    raise Retry(code, reason, after=TRY_AGAIN) from None


def _never_connected(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _json_object(response: requests.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except requests.exceptions.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _retry_after(answer: Answer) -> timedelta | None:
    value = answer.headers.get("Retry-After", "")
    return min(timedelta(seconds=int(value)), MAX_RETRY_AFTER) if value.isdecimal() and len(value) < 7 else None

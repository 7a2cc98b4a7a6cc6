"""Zalo's calls, one method each, in Zalo's terms (zalo.md §3–§6). Every method raises SendError."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.channels.http import HttpClient, raise_for_status
from bot.channels.outcomes import BadRequest, SendError, Sent
from bot.channels.zalo.errors import (
    TOKEN_REFUSED_BUSINESS,
    TOKEN_REFUSED_OPENAPI,
    business_error,
    error_code,
    openapi_error,
)
from bot.channels.zalo.tokens import ZaloTokens
from bot.clock import Clock
from bot.settings import ZaloSettings

Json = dict[str, Any]

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg"}
"""Picture types Zalo takes; the file name must carry the right extension (zalo.md §4)."""


@dataclass(frozen=True)
class _Host:
    url: str
    token_refused: frozenset[int]
    error: Callable[[int, datetime], SendError]


@dataclass(frozen=True)
class OaInfo:
    """The Official Account as Zalo shows it."""

    oa_id: str
    name: str
    verified: bool
    package: str | None


@dataclass(frozen=True)
class ZaloUser:
    user_id: str
    display_name: str | None
    is_follower: bool


@dataclass(frozen=True)
class ReplyQuota:
    """Since when, and how many free replies to this person are left (None: Zalo did not say)."""

    last_interaction: datetime | None
    remaining: int | None


class ZaloApi:
    def __init__(self, settings: ZaloSettings, tokens: ZaloTokens, clock: Clock, http: HttpClient) -> None:
        self._openapi = _Host(settings.openapi_url, TOKEN_REFUSED_OPENAPI, openapi_error)
        self._business = _Host(settings.business_url, TOKEN_REFUSED_BUSINESS, business_error)
        self._tokens = tokens
        self._clock = clock
        self._http = http

    def send_cs(self, user_id: str, message: Json) -> Sent:
        """A consultation message: `message` in the shapes of zalo.md §3.1."""
        body = {"recipient": {"user_id": user_id}, "message": message}
        return _sent(self._call(self._openapi, "cs", "POST", "/v3.0/oa/message/cs", sends=True, body=body))

    def send_template_to_user(self, user_id: str, template_id: str, data: dict[str, str]) -> Sent:
        """A ZBS template to a UID, at any time (zalo.md §3.3)."""
        body = {"user_id": user_id, "template_id": template_id, "template_data": data}
        return _sent(self._call(self._openapi, "template", "POST", "/v3.0/oa/message/template", sends=True, body=body))

    def send_template_to_phone(self, phone: str, template_id: str, data: dict[str, str], tracking_id: str) -> Sent:
        """A ZBS template to a phone number `84…`, at any time (zalo.md §6.1).

        `tracking_id`: at most 48 letters and digits, comes back in the events.
        """
        body = {"phone": phone, "template_id": template_id, "template_data": data, "tracking_id": tracking_id}
        return _sent(self._call(self._business, "zbs", "POST", "/message/template", sends=True, body=body))

    def upload_picture(self, content: bytes, content_type: str) -> str:
        """The attachment id of a picture of a type in EXTENSIONS, good for 7 days (zalo.md §4)."""
        files = {"file": (f"picture.{EXTENSIONS[content_type]}", content, content_type)}
        data = self._call(self._openapi, "upload", "POST", "/v2.0/oa/upload/image", sends=False, files=files)
        return _upload_id(data, "attachment_id")

    def upload_file(self, name: str, content: bytes, content_type: str) -> str:
        """The token of a pdf, doc, docx or csv of at most 5 MB, for a `file` attachment (zalo.md §3.1, §4)."""
        files = {"file": (name, content, content_type)}
        data = self._call(self._openapi, "upload", "POST", "/v2.0/oa/upload/file", sends=False, files=files)
        return _upload_id(data, "token", "attachment_id")

    def react(self, user_id: str, message_id: str, icon: str) -> None:
        """Put a reaction such as `/-strong` on a message of the user's (zalo.md §3.5)."""
        action = {"react_icon": icon, "react_message_id": message_id}
        body = {"recipient": {"user_id": user_id}, "sender_action": action}
        self._call(self._openapi, "reaction", "POST", "/v2.0/oa/message", sends=False, body=body)

    def user(self, user_id: str) -> ZaloUser:
        data = self._call(self._openapi, "user", "GET", "/v3.0/oa/user/detail", sends=False, query={"user_id": user_id})
        name = str(data.get("display_name") or "").strip()
        return ZaloUser(user_id, name or None, bool(data.get("user_is_follower")))

    def reply_quota(self, user_id: str) -> ReplyQuota:
        """What Zalo counts for this person (zalo.md §3.2)."""
        body = {"user_id": user_id}
        data = self._call(self._openapi, "quota", "POST", "/v3.0/oa/quota/message", sends=False, body=body)
        last, reply = data.get("last_interaction"), data.get("cs_reply") or {}
        remaining = reply.get("remain")
        return ReplyQuota(
            datetime.fromtimestamp(int(last) / 1000, UTC) if last else None,
            int(remaining) if remaining is not None else None,
        )

    def oa(self) -> OaInfo:
        """The account our token is for: the health check (zalo.md §5.1)."""
        data = self._call(self._openapi, "getoa", "GET", "/v2.0/oa/getoa", sends=False)
        return OaInfo(
            str(data.get("oaid") or data.get("oa_id") or ""),
            str(data.get("name") or ""),
            bool(data.get("is_verified")),
            data.get("package_name"),
        )

    def _call(
        self,
        host: _Host,
        call: str,
        method: str,
        path: str,
        *,
        sends: bool,
        body: Json | None = None,
        query: Json | None = None,
        files: dict[str, tuple[str, bytes, str]] | None = None,
    ) -> Json:
        """The `data` of a successful answer. A refused token is renewed once and the call made once more."""
        token = self._tokens.access_token()
        for attempt in (1, 2):
            answer = self._http.request(
                call,
                method,
                host.url + path,
                sends=sends,
                headers={"access_token": token},
                params={"data": json.dumps(query, separators=(",", ":"))} if query else None,
                json=body,
                files=files,
            )
            code = error_code(answer.body or {})
            if code in host.token_refused and attempt == 1:
                token = self._tokens.renew(rejected=token)
                continue
            if code:
                raise host.error(code, self._clock())
            if answer.ok and answer.body:
                data = answer.body.get("data")
                return data if isinstance(data, dict) else {}
            raise_for_status(answer, sends=sends)
        raise AssertionError("the second attempt returns or raises")


def _upload_id(data: Json, *keys: str) -> str:
    """An upload Zalo does not like may succeed with empty `data` (zalo.md §4)."""
    for key in keys:
        if data.get(key):
            return str(data[key])
    raise BadRequest("no-attachment-id", "upload without a result")


def _sent(data: Json) -> Sent:
    """Zalo's id of the message: `message_id` by UID, `msg_id` by phone."""
    message_id = data.get("message_id") or data.get("msg_id")
    return Sent(str(message_id) if message_id else None)

"""Messenger's calls, one method each, in Meta's terms (messenger.md §1, §5, §6). Every method raises SendError."""

import hashlib
import hmac
import json
from typing import Any, Literal

from requests import PreparedRequest
from requests.auth import AuthBase

from bot.channels.http import HttpClient, raise_for_status
from bot.channels.messenger.errors import graph_error
from bot.channels.outcomes import BadRequest, Sent
from bot.clock import Clock
from bot.logs import get_logger
from bot.settings import MessengerSettings

Json = dict[str, Any]
SenderAction = Literal["typing_on", "typing_off", "mark_seen"]

log = get_logger(__name__)


class _Bearer(AuthBase):
    """The token in a header of its own making: not in the address, and not replaced by a netrc file's."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class MessengerApi:
    def __init__(self, settings: MessengerSettings, clock: Clock, http: HttpClient) -> None:
        token = settings.page_token.get_secret_value()
        self._url = settings.api_url
        self._page_id = settings.page_id
        self._auth = _Bearer(token)
        self._proof = appsecret_proof(token, settings.app_secret.get_secret_value())
        self._clock = clock
        self._http = http

    def send_message(self, psid: str, message: Json) -> Sent:
        """A message within the window, in the shapes of messenger.md §5."""
        return self._send("message", {"recipient": {"id": psid}, "messaging_type": "RESPONSE", "message": message})

    def send_utility(
        self,
        psid: str,
        name: str,
        language: str,
        parameters: dict[str, str] | list[str],
        *,
        payloads: list[str] | None = None,
        metadata: str | None = None,
        as_attachment: bool = False,
    ) -> Sent:
        """An approved utility template, at any time (messenger.md §6).

        `parameters`: by name, or in order for a template with positional ones. `payloads`: of its postback buttons,
        in order. Meta documents one shape; `as_attachment` gives the other that is known to work.
        """
        shape = _utility_as_attachment if as_attachment else _utility_as_template
        message = shape(name, language, parameters, payloads or [])
        if metadata:
            message["metadata"] = metadata
        return self._send("utility", {"recipient": {"id": psid}, "messaging_type": "UTILITY", "message": message})

    def sender_action(self, psid: str, action: SenderAction) -> None:
        body = {"recipient": {"id": psid}, "sender_action": action}
        self._call("action", "POST", f"/{self._page_id}/messages", sends=False, body=body)

    def upload_picture(self, content: bytes, content_type: str) -> str:
        """The attachment id of a picture (messenger.md §5)."""
        attachment = {"type": "image", "payload": {"is_reusable": True}}
        answer = self._call(
            "upload",
            "POST",
            "/me/message_attachments",
            sends=False,
            form={"message": json.dumps({"attachment": attachment})},
            files={"filedata": (f"picture.{content_type.rpartition('/')[2]}", content, content_type)},
        )
        if not answer.get("attachment_id"):
            raise BadRequest("no-attachment-id", "upload without a result")
        return str(answer["attachment_id"])

    def first_and_last_name(self, psid: str) -> str | None:
        """The person's name as Facebook shows it; None when we may not see it."""
        answer = self._call("user", "GET", f"/{psid}", sends=False, query={"fields": "first_name,last_name"})
        names = [str(answer.get(key) or "").strip() for key in ("last_name", "first_name")]
        return " ".join(filter(None, names)) or None

    def subscribed_fields(self) -> set[str]:
        """Webhook fields of this Page that apps of ours get: the health check (messenger.md §2, §3)."""
        answer = self._call("subscribed_apps", "GET", f"/{self._page_id}/subscribed_apps", sends=False)
        apps = answer.get("data") or []
        return {str(field) for app in apps if isinstance(app, dict) for field in app.get("subscribed_fields") or []}

    def _send(self, call: str, body: Json) -> Sent:
        message_id = self._call(call, "POST", f"/{self._page_id}/messages", sends=True, body=body).get("message_id")
        return Sent(str(message_id) if message_id else None)

    def _call(
        self,
        call: str,
        method: str,
        path: str,
        *,
        sends: bool,
        body: Json | None = None,
        query: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
        files: dict[str, tuple[str, bytes, str]] | None = None,
    ) -> Json:
        answer = self._http.request(
            call,
            method,
            self._url + path,
            sends=sends,
            auth=self._auth,
            params={"appsecret_proof": self._proof, **(query or {})},
            json=body,
            data=form,
            files=files,
        )
        error = graph_error(answer.body)
        if error:
            log.info("messenger call refused", call=call, code=error.label, trace=error.trace)
            raise error.as_send_error(self._clock())
        if answer.ok and answer.body is not None:
            return answer.body
        raise_for_status(answer, sends=sends)


def appsecret_proof(token: str, app_secret: str) -> str:
    """Proof that a call with `token` comes from the app's own server (messenger.md §1)."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _body_parameters(parameters: dict[str, str] | list[str]) -> list[Json]:
    if isinstance(parameters, dict):
        return [{"type": "text", "parameter_name": name, "text": text} for name, text in parameters.items()]
    return [{"type": "text", "text": text} for text in parameters]


def _utility_as_template(name: str, language: str, parameters: dict[str, str] | list[str], payloads: list[str]) -> Json:
    components: list[Json] = [{"type": "body", "parameters": _body_parameters(parameters)}]
    if payloads:
        buttons = [{"type": "POSTBACK", "payload": payload} for payload in payloads]
        components.append({"type": "buttons", "parameters": buttons})
    return {"template": {"name": name, "language": {"code": language}, "components": components}}


def _utility_as_attachment(
    name: str, language: str, parameters: dict[str, str] | list[str], payloads: list[str]
) -> Json:
    components: list[Json] = [{"type": "body", "parameters": _body_parameters(parameters)}]
    components += [
        {
            "type": "button",
            "sub_type": "postback",
            "index": index,
            "parameters": [{"type": "text", "text": payload}],
        }
        for index, payload in enumerate(payloads)
    ]
    payload = {
        "template_type": "utility_messages",
        "name": name,
        "language": {"code": language},
        "components": components,
    }
    return {"attachment": {"type": "template", "payload": payload}}

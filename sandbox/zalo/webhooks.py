"""Events from Zalo to the product: envelope, signature, delivery (zalo.md §2)."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Literal

from sandbox.emulator.clock import epoch_ms
from sandbox.emulator.delivery import Event, Parcel, Policy, WebhookSender
from sandbox.emulator.timers import Timers
from sandbox.zalo.state import Person, ZaloState

POLICY = Policy(timeout=2.0, ladder=(30, 300, 900, 1800, 3600), retry_header="num_retry")
ECHO_DELAY = 0.05

Signing = Literal["good", "bad", "missing"]


def mac(app_id: str, data: bytes, timestamp: str, secret: str) -> str:
    """`SHA256(app_id + data + timestamp + OA secret key)` in lowercase hex (zalo.md §2.2)."""
    return sha256(app_id.encode() + data + timestamp.encode() + secret.encode()).hexdigest()


class ZaloWebhooks:
    """Builds signed events and hands them to the sender. `signing` other than good is for tests of refusal."""

    def __init__(self, state: ZaloState, timers: Timers) -> None:
        self._state = state
        self.timers = timers
        self.signing: Signing = "good"
        self.sender = WebhookSender(
            f"{state.settings.public_url.rstrip('/')}/webhooks/zalo",
            POLICY,
            self._encode,
            lambda ids: state.transcript.mark_delivered(ids, state.clock.now()),
            timers,
        )

    def from_person(self, event_name: str, person: Person, message: dict[str, Any]) -> None:
        """`user_send_*` and `user_reacted_message`: sender is the person, recipient the OA."""
        self.emit(event_name, person, sender={"id": person.user_id}, recipient=self._oa, message=message)

    def to_person(
        self, event_name: str, person: Person, message: dict[str, Any], *, admin_id: str | None = None
    ) -> None:
        """`oa_send_*`, received and seen: sender is the OA, `admin_id` only when a person wrote in the OA tool."""
        sender = self._oa | ({"admin_id": admin_id} if admin_id else {})
        self.emit(event_name, person, sender=sender, recipient={"id": person.user_id}, message=message)

    def echo(self, event_name: str, person: Person, message: dict[str, Any]) -> None:
        """The `oa_send_*` of a send by API, before or after our own answer to it as the options say."""
        when = self._state.options.echo
        if when == "off":
            return
        event = self._event(event_name, person, sender=self._oa, recipient={"id": person.user_id}, message=message)
        if when == "before":
            self.sender.send(event, person.user_id).wait(POLICY.timeout)
        else:
            self.timers.after(ECHO_DELAY, lambda: self.sender.send(event, person.user_id))

    def emit(self, event_name: str, person: Person | None, **fields: Any) -> None:
        """Deliver any event; `app_id`, `event_name` and `timestamp` are added where missing."""
        self.sender.send(self._event(event_name, person, **fields), person.user_id if person else event_name)

    def probe(self) -> int | None:
        """What saving the URL in the console does: an unsigned `{}` (zalo.md §2.1)."""
        return self.sender.post_now(b"{}", {"Content-Type": "application/json"})

    def sample(self) -> int | None:
        """The console's test: a signed text of a stranger to a stranger."""
        event = self._event("user_send_text", None)
        event |= {
            "sender": {"id": "246845883529197922"},
            "recipient": {"id": "388613280878808645"},
            "message": {"text": "This is testing message", "msg_id": "This is message id"},
        }
        parcel = self._encode([(event, "sample")])
        return self.sender.post_now(parcel.body, parcel.headers)

    @property
    def _oa(self) -> dict[str, str]:
        return {"id": self._state.settings.zalo_oa_id}

    def _event(self, event_name: str, person: Person | None, **fields: Any) -> Event:
        event: Event = {"app_id": self._state.settings.zalo_app_id}
        if person:
            event["user_id_by_app"] = person.user_id_by_app
        return (
            event
            | fields
            | {
                "event_name": event_name,
                "timestamp": str(fields.get("timestamp") or epoch_ms(self._state.clock.now())),
            }
        )

    def _encode(self, events: Sequence[tuple[Event, str]]) -> Parcel:
        """Zalo sends one event per request; ZBS events name their server in a header (zalo.md §2.9)."""
        [(event, lane)] = events
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = event["timestamp"]
        headers = {"Content-Type": "application/json", "X-ZEvent-Timestamp": timestamp}
        if self.signing != "missing":
            secret = self._state.settings.zalo_oa_secret_key if self.signing == "good" else "another secret"
            headers["X-ZEvent-Signature"] = f"mac={mac(event['app_id'], body, timestamp, secret)}"
        message = event.get("message")
        if isinstance(message, dict) and "tracking_id" in message:
            headers["X-ZEvent-Server"] = "ZNS"
        message_ids: tuple[str, ...] = ()
        if isinstance(message, dict) and event["event_name"].startswith("user_send_"):
            message_ids = (str(message.get("msg_id")),)
        return Parcel(body, headers, lane, message_ids)

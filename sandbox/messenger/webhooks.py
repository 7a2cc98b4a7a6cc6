"""Events from Meta to the product: batches, signature, standby, delivery (messenger.md §2, §3)."""

import hmac
import json
from collections.abc import Sequence
from hashlib import sha1, sha256
from itertools import groupby
from typing import Any, Literal

import requests

from sandbox.emulator.clock import epoch_ms
from sandbox.emulator.delivery import Event, Parcel, Policy, WebhookSender
from sandbox.emulator.timers import Timers
from sandbox.messenger.state import MessengerState, Person

POLICY = Policy(timeout=5.0, ladder=(1, 5, 30, 60, 300, 600, 900, 1704), forgiving=True)
"""A few tries soon, then rarer ones; the ladder is an hour long, after which Meta stops (messenger.md §3)."""

ECHO_DELAY = 0.05
EVENTS_PER_ENTRY = 2

Signing = Literal["good", "bad", "missing", "sha1"]

FIELD_OF = {
    "message": "messages",
    "postback": "messaging_postbacks",
    "referral": "messaging_referrals",
    "optin": "messaging_optins",
    "delivery": "message_deliveries",
    "read": "message_reads",
    "message_edit": "message_edits",
    "reaction": "message_reactions",
    "take_thread_control": "messaging_handovers",
    "pass_thread_control": "messaging_handovers",
    "request_thread_control": "messaging_handovers",
    "policy_enforcement": "messaging_policy_enforcement",
}
"""What an event holds → the webhook field that must be subscribed to get it."""

HANDOVERS = {"take_thread_control", "pass_thread_control", "request_thread_control"}


def signature(body: bytes, app_secret: str) -> str:
    """`X-Hub-Signature-256`: HMAC-SHA256 with the app secret over the body as sent."""
    return f"sha256={hmac.digest(app_secret.encode(), body, sha256).hex()}"


def wire_json(value: Any) -> bytes:
    """JSON as Meta writes it: ASCII with lowercase escapes, and `/` as `\\/`."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode("ascii")


class MessengerWebhooks:
    """Builds signed batches and hands them to the sender. `signing` other than good is for tests of refusal."""

    def __init__(self, state: MessengerState, timers: Timers) -> None:
        self._state = state
        self.timers = timers
        self.signing: Signing = "good"
        self.sender = WebhookSender(
            f"{state.settings.public_url.rstrip('/')}/webhooks/messenger",
            POLICY,
            self._encode,
            lambda ids: state.transcript.mark_delivered(ids, state.clock.now()),
            timers,
        )

    def from_person(self, person: Person, **holds: Any) -> None:
        """An event whose sender is the person: `message`, `postback`, `delivery`, `read`, …"""
        self._emit(person, {"sender": {"id": person.psid}, "recipient": self._page}, holds)

    def about_thread(self, person: Person, **holds: Any) -> None:
        """Hand-over events: sent by the person's id to the Page, always in `messaging` (messenger.md §3)."""
        self._emit(person, {"sender": {"id": person.psid}, "recipient": self._page}, holds)

    def echo(self, person: Person, message: dict[str, Any], app_id: str, *, by_api: bool) -> None:
        """The message as sent by the Page. One by our own call comes when the options say."""
        ids = {"sender": self._page, "recipient": {"id": person.psid}}
        holds = {"message": {"is_echo": True, "app_id": int(app_id), **message}}
        when = self._state.options.echo
        if not by_api:
            self._emit(person, ids, holds)
        elif when == "before":
            self._emit(person, ids, holds, wait=True)
        elif when == "after":
            self.timers.after(ECHO_DELAY, lambda: self._emit(person, ids, holds))

    def changed(self, field: str, value: dict[str, Any]) -> None:
        """A `changes` entry, for what is not a message (template status)."""
        if field in self._state.subscribed_fields:
            self.sender.send({"in": "changes", "event": {"field": field, "value": value}}, field)

    def raw(self, person: Person | None, event: dict[str, Any], *, standby: bool = False) -> None:
        """Any event as given."""
        key = "standby" if standby else "messaging"
        self.sender.send({"in": key, "event": event}, person.psid if person else "page")

    def verify(self, token: str | None, challenge: str) -> tuple[int | None, str]:
        """What saving the callback in the app settings does: (status, body) of the product's answer."""
        asked = {
            "hub.mode": "subscribe",
            "hub.verify_token": self._state.settings.messenger_verify_token if token is None else token,
            "hub.challenge": challenge,
        }
        try:
            answer = requests.get(self.sender.url, params=asked, timeout=POLICY.timeout)
        except requests.RequestException:
            return None, ""
        return answer.status_code, answer.text

    @property
    def _page(self) -> dict[str, str]:
        return {"id": self._state.settings.messenger_page_id}

    def _emit(self, person: Person, ids: dict[str, Any], holds: dict[str, Any], *, wait: bool = False) -> None:
        [key] = holds
        field = "message_echoes" if key == "message" and holds[key].get("is_echo") else FIELD_OF[key]
        standby = key not in HANDOVERS and self._state.controlled_by_other(person)
        if ("standby" if standby else field) not in self._state.subscribed_fields:
            return
        event = ids | {"timestamp": epoch_ms(self._state.clock.now())} | holds
        if standby and key == "postback":
            event["postback"] = {k: v for k, v in holds["postback"].items() if k != "payload"}
        if key == "delivery":
            del event["timestamp"]
        done = self.sender.send({"in": "standby" if standby else "messaging", "event": event}, person.psid)
        if wait:
            done.wait(POLICY.timeout)

    def _encode(self, events: Sequence[tuple[Event, str]]) -> Parcel:
        """One body of as many entries as needed, each with up to two events of one kind."""
        now = epoch_ms(self._state.clock.now())
        entries = []
        for key, same in groupby((event for event, _ in events), key=lambda event: event["in"]):
            listed = [event["event"] for event in same]
            for start in range(0, len(listed), EVENTS_PER_ENTRY):
                entry = {"id": self._page["id"], "time": now, key: listed[start : start + EVENTS_PER_ENTRY]}
                entries.append(entry)
        body = wire_json({"object": "page", "entry": entries})
        said = [event["event"].get(kind) or {} for event, _ in events for kind in ("message", "postback")]
        message_ids = tuple(held["mid"] for held in said if "mid" in held and not held.get("is_echo"))
        return Parcel(body, self._headers(body), events[0][1], message_ids)

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "facebookexternalua"}
        secret = self._state.settings.messenger_app_secret
        match self.signing:
            case "good":
                headers["X-Hub-Signature-256"] = signature(body, secret)
            case "bad":
                headers["X-Hub-Signature-256"] = signature(body, f"not {secret}")
            case "sha1":
                headers["X-Hub-Signature"] = f"sha1={hmac.digest(secret.encode(), body, sha1).hex()}"
        return headers

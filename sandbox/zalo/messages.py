"""Sending as the Official Account: windows, quotas, echoes and receipts (zalo.md §3)."""

import threading
from typing import Any

from flask import Blueprint, Response, request

from sandbox.emulator.clock import VIETNAM, epoch_ms
from sandbox.emulator.transcript import Entry
from sandbox.zalo.answers import answer
from sandbox.zalo.errors import ZaloError, success
from sandbox.zalo.people import People
from sandbox.zalo.shapes import Content, parse_message
from sandbox.zalo.state import FREE_WINDOW, REPLY_WINDOW, Person, ZaloState
from sandbox.zalo.webhooks import ZaloWebhooks

REPLIES_SHOWN = 8
"""`cs_reply.total` as Zalo still shows it; from 2026-01-01 replies inside 48 hours are not counted (zalo.md §3.2)."""

REACTIONS = {"/-strong", "/-heart", ":>", ":o", ":-((", ":-h", "--b", "/-remove"}


class Messages:
    """The send calls. Each returns the `data` of a success and raises ZaloError otherwise."""

    def __init__(self, state: ZaloState, webhooks: ZaloWebhooks, people: People) -> None:
        self._state = state
        self._webhooks = webhooks
        self._people = people
        self._sub_quota_used = 0
        self._lock = threading.Lock()

    def consultation(self, body: Any) -> dict[str, Any]:
        """`POST /v3.0/oa/message/cs`."""
        content = parse_message(self._state, body.get("message") if isinstance(body, dict) else None)
        person = self.recipient(body)
        quota = self._charge(person)
        entry = self._deliver(person, content)
        return {"message_id": entry.message_id, "user_id": person.user_id, "quota": quota}

    def react(self, body: dict[str, Any]) -> dict[str, Any]:
        """`sender_action` of `POST /v2.0/oa/message` (zalo.md §3.5)."""
        person = self.recipient(body)
        action = body["sender_action"]
        entry = self._state.transcript.find(str(action.get("react_message_id")))
        if entry is None or entry.user != person.user_id:
            raise ZaloError(-201, "react_message_id is invalid")
        icon = action.get("react_icon")
        if icon not in REACTIONS:
            raise ZaloError(-201, "react_icon is invalid")
        self._state.transcript.update(entry, reaction=None if icon == "/-remove" else icon)
        return {"message_id": entry.message_id, "user_id": person.user_id}

    def quota_of(self, person: Person) -> dict[str, Any]:
        """`POST /v3.0/oa/quota/message` for one person."""
        last = person.last_interaction
        open_window = last is not None and self._state.clock.now() - last <= FREE_WINDOW
        remain = REPLIES_SHOWN if open_window else 0
        return {
            "last_interaction": str(epoch_ms(last)) if last else None,
            "cs_reply": {"remain": remain, "total": REPLIES_SHOWN},
            "promotion": {"daily_remain": 1, "daily_total": 1, "monthly_remain": 8, "monthly_total": 8},
        }

    def sub_quota(self) -> dict[str, Any]:
        """What is left of the consultation messages that the OA's package pays for."""
        total = self._state.options.sub_quota
        return {"quota_type": "sub_quota", "total": total, "remain": max(0, total - self._sub_quota_used)}

    def recipient(self, body: Any) -> Person:
        """The known person that `recipient.user_id` names; raises their standing refusal, if any."""
        recipient = body.get("recipient") if isinstance(body, dict) else None
        user_id = recipient.get("user_id") if isinstance(recipient, dict) else None
        person = self._state.people.get(user_id) if isinstance(user_id, str) else None
        if person is None:
            raise ZaloError(-201, "user_id is invalid")
        if person.refuses is not None:
            raise ZaloError(person.refuses)
        return person

    def _charge(self, person: Person) -> dict[str, Any]:
        """The `quota` of the answer by the time since the last interaction (zalo.md §3.2)."""
        now, last = self._state.clock.now(), person.last_interaction
        owner = {"owner_type": "OA", "owner_id": self._state.settings.zalo_oa_id}
        if last is None:
            if not person.opened_chat:
                raise ZaloError(-232)
            return {"quota_type": "welcome_msg", "remain": "0", "total": "1", **owner}
        if now - last > REPLY_WINDOW:
            raise ZaloError(-230)
        expires = (last + FREE_WINDOW).astimezone(VIETNAM)
        if now - last <= FREE_WINDOW:
            shown = str(REPLIES_SHOWN)
            return {
                "quota_type": "reply",
                "remain": shown,
                "total": shown,
                "expired_date": f"{expires:%d/%m/%Y %H:%M:%S}",
                **owner,
            }
        with self._lock:
            if self._sub_quota_used >= self._state.options.sub_quota:
                raise ZaloError(-211)
            self._sub_quota_used += 1
        left = self.sub_quota()
        expires = (last + REPLY_WINDOW).astimezone(VIETNAM)
        return {
            "quota_type": "sub_quota",
            "remain": str(left["remain"]),
            "total": str(left["total"]),
            "expired_date": f"{expires:%d/%m/%Y %H:%M:%S}",
            **owner,
        }

    def _deliver(self, person: Person, content: Content) -> Entry:
        entry = self._state.transcript.add(
            Entry(
                user=person.user_id,
                author="bot",
                message_id=self._state.new_message_id(),
                kind=content.kind,
                at=self._state.clock.now(),
                text=content.text,
                buttons=content.buttons,
                cards=content.cards,
                media=content.media,
                quote=content.quote,
            )
        )
        self.announce(person, entry, content.echo_attachments)
        return entry

    def announce(self, person: Person, entry: Entry, attachments: list[dict[str, Any]]) -> None:
        """Echo the message to the product, then what the person's phone does with it."""
        message: dict[str, Any] = {"msg_id": entry.message_id, "text": entry.text}
        if attachments:
            message["attachments"] = attachments
        self._webhooks.echo(f"oa_send_{entry.kind}", person, message)
        self._people.phone_rings(person)


def messages_routes(pages: Blueprint, state: ZaloState, messages: Messages) -> None:
    """Adds the message calls of `openapi.zalo.me` to its blueprint."""

    @pages.post("/v3.0/oa/message/cs")
    def consultation() -> Response:
        body = request.get_json(force=True, silent=True)
        return answer(state, "cs", lambda: success(messages.consultation(body)))

    @pages.post("/v3.0/oa/message/transaction")
    @pages.post("/v3.0/oa/message/promotion")
    def free_form() -> Response:
        """Shut down on 2026-03-01 (zalo.md §3.4)."""
        local = state.clock.now().astimezone(VIETNAM).hour
        raise ZaloError(-234 if request.path.endswith("promotion") and not 6 <= local < 22 else -240)

    @pages.post("/v2.0/oa/message")
    def v2_message() -> Response:
        body = request.get_json(force=True, silent=True)
        if isinstance(body, dict) and isinstance(body.get("sender_action"), dict):
            return answer(state, "reaction", lambda: success(messages.react(body)))
        raise ZaloError(-240)

    @pages.post("/v3.0/oa/quota/message")
    def quota() -> Response:
        body = request.get_json(force=True, silent=True) or {}
        if "user_id" in body:
            return success(messages.quota_of(messages.recipient({"recipient": body})))
        asset = {"asset_id": "sub", "product_type": "cs", "valid_through": "31/12/2099"}
        return success([asset | messages.sub_quota()])

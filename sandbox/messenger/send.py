"""The Send API: who may be written to, when, and what follows (messenger.md §5, §6)."""

import json
import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.emulator.faults import Fault
from sandbox.emulator.transcript import Entry
from sandbox.messenger.errors import GraphError, failure, invalid
from sandbox.messenger.people import People
from sandbox.messenger.shapes import MEDIA_TYPES, Content, fetch, parse_message, store
from sandbox.messenger.state import HUMAN_AGENT_WINDOW, STANDARD_WINDOW, TYPING, MessengerState, Person
from sandbox.messenger.templates import TemplateDesk
from sandbox.messenger.webhooks import MessengerWebhooks

SENDER_ACTIONS = {"typing_on", "typing_off", "mark_seen"}
NOTIFICATION_TYPES = {"REGULAR", "SILENT_PUSH", "NO_PUSH"}


class SendApi:
    """`POST /{page}/messages`. Raises GraphError."""

    def __init__(
        self, state: MessengerState, webhooks: MessengerWebhooks, people: People, templates: TemplateDesk
    ) -> None:
        self._state = state
        self._webhooks = webhooks
        self._people = people
        self._templates = templates

    def send(self, body: Any) -> dict[str, str]:
        if not isinstance(body, dict):
            raise invalid("the body must be a JSON object")
        action, message = body.get("sender_action"), body.get("message")
        if action is not None and message is not None:
            raise GraphError(100, 2018014)
        if not self._state.rate.take()[0]:
            raise GraphError(613)
        person = self._recipient(body.get("recipient"))
        if action is not None:
            return self._act(person, action)
        if not isinstance(message, dict):
            raise invalid("param message must be non-empty.")
        if body.get("notification_type", "REGULAR") not in NOTIFICATION_TYPES:
            raise invalid("param notification_type is invalid")
        utility = self._templates.filled(message)
        content = utility or parse_message(self._state, message)
        self._check_window(person, body, utility=utility is not None)
        self._check_thread(person)
        if self._state.options.answer_seconds:
            time.sleep(self._state.options.answer_seconds)
        entry = self._deliver(person, content, (body.get("reply_to") or {}).get("mid"))
        self._control_thread(person, body.get("thread_control"))
        return {"recipient_id": person.psid, "message_id": entry.message_id}

    def _recipient(self, recipient: Any) -> Person:
        psid = recipient.get("id") if isinstance(recipient, dict) else None
        if psid is None:
            raise invalid("param recipient must be non-empty.")
        person = self._state.people.get(str(psid))
        if person is None:
            raise GraphError(100, 2018001)
        if person.blocked:
            raise GraphError(551, 1545041)
        return person

    def _act(self, person: Person, action: str) -> dict[str, str]:
        if action not in SENDER_ACTIONS:
            raise invalid("param sender_action is invalid")
        if self._silence(person) is None or not self._within(person, human=False):
            raise GraphError(10, 2018278)
        self._check_thread(person)
        if action == "mark_seen":
            self._people.page_saw(person)
        else:
            person.typing_until = self._state.clock.now() + TYPING if action == "typing_on" else None
        return {"recipient_id": person.psid}

    def _check_window(self, person: Person, body: dict[str, Any], *, utility: bool) -> None:
        kind = body.get("messaging_type", "RESPONSE")
        if utility != (kind == "UTILITY"):
            raise invalid("messaging_type UTILITY goes with an approved template, and only with one")
        match kind:
            case "UTILITY":
                return
            case "RESPONSE" | "UPDATE":
                allowed = self._within(person, human=False)
            case "MESSAGE_TAG":
                if body.get("tag") != "HUMAN_AGENT":
                    raise invalid("Invalid parameter")
                if not self._state.options.human_agent:
                    raise GraphError(200, 2018027)
                allowed = self._within(person, human=True)
            case _:
                raise invalid("param messaging_type is invalid")
        if not allowed:
            raise GraphError(10, 2018278)

    def _within(self, person: Person, *, human: bool) -> bool:
        silence = self._silence(person)
        return silence is not None and silence <= (HUMAN_AGENT_WINDOW if human else STANDARD_WINDOW).total_seconds()

    def _silence(self, person: Person) -> float | None:
        """Seconds since the person last did something, None for never."""
        last = person.last_interaction
        return (self._state.clock.now() - last).total_seconds() if last else None

    def _check_thread(self, person: Person) -> None:
        if self._state.controlled_by_other(person):
            raise GraphError(2018300)
        if self._state.options.routing == "default_app":
            self._state.own(person, self._state.app_id)

    def _control_thread(self, person: Person, control: Any) -> None:
        match control:
            case {"control_type": "pass", "app_id": app_id}:
                self._state.own(person, str(app_id))
            case {"control_type": "release"}:
                self._state.own(person, None)

    def _deliver(self, person: Person, content: Content, reply_to: str | None) -> Entry:
        person.typing_until = None
        entry = self._state.transcript.add(
            Entry(
                user=person.psid,
                author="bot",
                message_id=self._state.new_message_id(),
                kind=content.kind,
                at=self._state.clock.now(),
                text=content.text,
                buttons=content.buttons,
                quick_replies=content.quick_replies,
                cards=content.cards,
                media=content.media,
                metadata=content.metadata,
                quote=reply_to,
            )
        )
        echoed = {"mid": entry.message_id, **content.echo}
        if content.metadata is not None:
            echoed["metadata"] = content.metadata
        self._webhooks.echo(person, echoed, self._state.app_id, by_api=True)
        self._people.phone_rings(person)
        return entry


def send_routes(pages: Blueprint, state: MessengerState, api: SendApi) -> None:
    """Adds the send and upload calls to the Graph blueprint."""

    def refuse(fault: Fault) -> Response:
        return failure(GraphError(fault.code, fault.subcode, fault.message))

    @pages.post("/<page>/messages")
    def messages() -> Response:
        body = request.get_json(force=True, silent=True)
        call = "action" if isinstance(body, dict) and "sender_action" in body else "messages"
        return state.faults.apply(call, lambda: jsonify(api.send(body)), refuse)

    @pages.post("/<page>/message_attachments")
    def message_attachments() -> Response:
        return state.faults.apply("upload", upload, refuse)

    def upload() -> Response:
        given = request.files.get("filedata")
        try:
            message = json.loads(request.form["message"]) if given else request.get_json(force=True)["message"]
            kind, payload = message["attachment"]["type"], message["attachment"].get("payload") or {}
        except (KeyError, TypeError, ValueError):
            raise invalid("param message[attachment] is invalid") from None
        if kind not in MEDIA_TYPES:
            raise invalid("param message[attachment][type] is invalid")
        if given:
            file = store(state, kind, given.stream.read(), given.mimetype, given.filename or kind)
        elif isinstance(payload.get("url"), str):
            file = fetch(state, kind, payload["url"])
        else:
            raise invalid("param filedata or url is needed")
        return jsonify({"attachment_id": state.add_attachment(kind, file)})

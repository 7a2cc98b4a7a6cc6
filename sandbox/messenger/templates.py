"""Utility templates: creation, review, listing, and both shapes of sending them (messenger.md §6)."""

import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from flask import Blueprint, Response, jsonify, request

from sandbox.emulator.transcript import Tap
from sandbox.messenger.errors import GraphError, invalid
from sandbox.messenger.shapes import MAX_BUTTONS, MAX_TITLE, Content
from sandbox.messenger.state import MessengerState
from sandbox.messenger.webhooks import MessengerWebhooks

APPROVED = Path(__file__).with_name("templates.yml")
PLACEHOLDER = re.compile(r"{{(\w+)}}")
NAME = re.compile(r"[a-z0-9_]+")
MAX_BODY = 1024
BUTTON_TYPES = {"POSTBACK", "URL", "PHONE_NUMBER"}


@dataclass
class Template:
    id: str
    name: str
    language: str
    status: str
    components: list[dict[str, Any]]
    named: bool
    rejected_reason: str | None = None

    @property
    def body(self) -> str:
        return str(_component(self.components, "BODY").get("text", ""))

    @property
    def placeholders(self) -> list[str]:
        return PLACEHOLDER.findall(self.body)

    @property
    def buttons(self) -> list[dict[str, Any]]:
        return list(_component(self.components, "BUTTONS").get("buttons", []))

    def as_json(self) -> dict[str, Any]:
        shown = {
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "status": self.status,
            "category": "UTILITY",
            "components": self.components,
        }
        return shown | ({"rejected_reason": self.rejected_reason} if self.rejected_reason else {})


class TemplateDesk:
    """Templates by (name, language), as Meta keys them for a Page."""

    def __init__(self, state: MessengerState, webhooks: MessengerWebhooks) -> None:
        self._state = state
        self._webhooks = webhooks
        self._templates = {(each.name, each.language): each for each in _approved()}
        self._lock = threading.Lock()

    def create(self, body: dict[str, Any]) -> Template:
        """Raises GraphError 100 for a template that Meta would not take."""
        name, language = body.get("name"), body.get("language")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise invalid("param name must be of a-z, 0-9 and _")
        if not isinstance(language, str) or not language:
            raise invalid("param language is needed")
        if body.get("category") != "UTILITY":
            raise invalid("param category must be UTILITY")
        components = body.get("components")
        if not isinstance(components, list) or not all(isinstance(c, dict) for c in components):
            raise invalid("param components is invalid")
        named = body.get("parameter_format") == "NAMED"
        _check_body(_component(components, "BODY"), named=named)
        _check_buttons(_component(components, "BUTTONS").get("buttons", []))
        status = self._state.options.template_review
        template = Template(str(secrets.randbelow(10**15)), name, language, status, components, named)
        with self._lock:
            if (name, language) in self._templates:
                raise invalid("a template of this name and language exists")
            self._templates[name, language] = template
        return template

    def review(self, name: str, language: str, status: str, reason: str | None) -> None:
        """Meta decides (again) about a template and says so by webhook."""
        template = self._templates[name, language]
        template.status, template.rejected_reason = status, reason
        value = {
            "event": status,
            "message_template_id": template.id,
            "message_template_name": name,
            "message_template_language": language,
            "reason": reason,
        }
        self._webhooks.changed("message_template_status_update", value)

    def listed(self, name: str | None) -> list[dict[str, Any]]:
        return [t.as_json() for t in list(self._templates.values()) if name in {None, t.name}]

    def delete(self, name: str | None, template_id: str | None) -> None:
        """All languages of a name, or one template by `hsm_id`."""
        with self._lock:
            doomed = [k for k, t in self._templates.items() if t.name == name or t.id == template_id]
            if not doomed:
                raise invalid("template not found")
            for key in doomed:
                del self._templates[key]

    def filled(self, message: dict[str, Any]) -> Content | None:
        """The content of a utility send in either shape; None when `message` is none."""
        given = message.get("template")
        if given is None:
            payload = (message.get("attachment") or {}).get("payload") or {}
            given = payload if payload.get("template_type") == "utility_messages" else None
        if given is None:
            return None
        language = (given.get("language") or {}).get("code")
        template = self._templates.get((str(given.get("name")), str(language)))
        if template is None or template.status != "APPROVED":
            raise invalid("template not found")
        components = given.get("components") or []
        text = _fill(template, components)
        echo = {"attachments": [{"type": "template", "payload": {"template_type": "utility_messages"}}], "text": text}
        return Content("template", echo, text, _taps(template, components), metadata=message.get("metadata"))


def _approved() -> Iterator[Template]:
    for number, row in enumerate(yaml.safe_load(APPROVED.read_text(encoding="utf-8")), start=1):
        body = {"type": "BODY", "text": row["text"]}
        yield Template(str(900_000_000_000_000 + number), row["name"], "vi", "APPROVED", [body], named=True)


def _component(components: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next((c for c in components if str(c.get("type")).upper() == kind), {})


def _check_body(body: dict[str, Any], *, named: bool) -> None:
    text = body.get("text")
    if not isinstance(text, str) or not 0 < len(text) <= MAX_BODY:
        raise invalid(f"BODY text must have 1 to {MAX_BODY} characters")
    if text.strip().startswith("{{") or text.strip().endswith("}}"):
        raise invalid("INCORRECT_PARAMS: a text may not start or end with a parameter")
    placeholders, example = PLACEHOLDER.findall(text), body.get("example") or {}
    if named:
        rows = example.get("body_text_named_params") or []
        complete = {row.get("param_name") for row in rows if row.get("example")} >= set(placeholders)
    else:
        if placeholders != [str(n + 1) for n in range(len(placeholders))]:
            raise invalid("INCORRECT_PARAMS: placeholders must count from 1 without gaps")
        rows = example.get("body_text") or [[]]
        complete = len(rows[0]) == len(placeholders)
    if not complete:
        raise invalid("TEMPLATE_VARIABLES_MISSING_SAMPLE_VALUES")


def _check_buttons(buttons: list[dict[str, Any]]) -> None:
    if len(buttons) > MAX_BUTTONS:
        raise invalid(f"at most {MAX_BUTTONS} buttons")
    for button in buttons:
        if button.get("type") not in BUTTON_TYPES:
            raise GraphError(100, 2018416, "(#100) Template creation failed")
        if not 0 < len(str(button.get("text") or "")) <= MAX_TITLE:
            raise invalid(f"a button's text must have 1 to {MAX_TITLE} characters")


def _fill(template: Template, components: list[dict[str, Any]]) -> str:
    parameters = _component(components, "BODY").get("parameters") or []
    texts = [p.get("text") for p in parameters]
    if len(texts) != len(template.placeholders) or not all(isinstance(t, str) and t for t in texts):
        raise invalid("placeholder count mismatch")
    if template.named:
        values = {str(p.get("parameter_name")): str(p["text"]) for p in parameters}
        if set(values) != set(template.placeholders):
            raise invalid("placeholder name mismatch")
    else:
        values = dict(zip(template.placeholders, map(str, texts), strict=True))
    return PLACEHOLDER.sub(lambda match: values[match[1]], template.body)


def _taps(template: Template, components: list[dict[str, Any]]) -> tuple[Tap, ...]:
    """Buttons with the payloads given at sending: by order in shape A, by index in shape B."""
    sent: dict[int, str] = {}
    for number, parameter in enumerate(_component(components, "BUTTONS").get("parameters") or []):
        sent[number] = str(parameter.get("payload") or parameter.get("url") or "")
    for component in components:
        if component.get("type") == "button":
            first = (component.get("parameters") or [{}])[0]
            sent[int(component.get("index", 0))] = str(first.get("text") or first.get("payload") or "")
    taps = []
    for number, button in enumerate(template.buttons):
        match button["type"]:
            case "POSTBACK":
                payload = sent.get(number) or str(button.get("payload") or button["text"])
                taps.append(Tap(button["text"], "postback", payload=payload))
            case "URL":
                url = PLACEHOLDER.sub(sent.get(number, "").replace("\\", ""), str(button.get("url")))
                taps.append(Tap(button["text"], "web_url", url=url))
            case _:
                taps.append(Tap(button["text"], "phone_number", phone=str(button.get("phone_number"))))
    return tuple(taps)


def template_routes(pages: Blueprint, desk: TemplateDesk) -> None:
    """Adds `/{page}/message_templates` to the Graph blueprint."""

    @pages.post("/<page>/message_templates")
    def create_template() -> Response:
        template = desk.create(request.get_json(force=True, silent=True) or {})
        return jsonify({"id": template.id, "status": template.status, "category": "UTILITY"})

    @pages.get("/<page>/message_templates")
    def list_templates() -> Response:
        return jsonify({"data": desk.listed(request.args.get("name"))})

    @pages.delete("/<page>/message_templates")
    def delete_template() -> Response:
        desk.delete(request.args.get("name"), request.args.get("hsm_id"))
        return jsonify({"success": True})

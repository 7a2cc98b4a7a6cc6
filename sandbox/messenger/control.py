"""`/control/messenger`: what tests make people, staff, time and Meta do. JSON in, JSON out; 400 names what is wrong.

People (all take `user`, a PSID that need not be known yet):
  say {text, quote?} or {image|gif|audio|video|file: true}, {sticker}, {location: {latitude, longitude}}, {link}
  → {message_id};  tap {button: title or payload of a button, quick reply or menu item};  get_started;
  m_me {ref} → {existing: bool};  react {message_id, emoji};  edit {message_id, text};  received;  seen;
  staff_reply {text} → {message_id};  hand_back;  GET users;  POST users {user, name?, phone?, blocked?}
Messages of the product: GET messages, see sandbox/emulator/control.py.
Meta: faults (calls messages, action, upload), clock, webhook, webhook/release {order, batch}, webhook/verify
  {token?, challenge?} → {status, body}, webhook/signing {signing: good|bad|missing|sha1}, event {user?, standby?,
  event: {…}}, options {…}, rate {per_second}, token {token?, code?, subcode?: refuse all calls; {} to allow again},
  templates/review {name, language, status, reason?}
"""

from flask import Blueprint, Response, jsonify
from werkzeug.exceptions import BadRequest, NotFound

from sandbox.emulator.control import (
    clock_route,
    faults_route,
    messages_route,
    options_route,
    people_routes,
    said,
    webhook_routes,
)
from sandbox.emulator.requests_in import Given, answer_errors_in_json
from sandbox.messenger.emulator import MessengerEmulator

CALLS = ("messages", "action", "upload")


def control_blueprint(messenger: MessengerEmulator) -> Blueprint:
    """The calls described at the top of this module."""
    pages = Blueprint("control_messenger", __name__)
    answer_errors_in_json(pages)
    messages_route(pages, messenger.state.transcript)
    faults_route(pages, messenger.state.faults, CALLS)
    clock_route(pages, messenger.clock)
    webhook_routes(pages, messenger.webhooks.sender, may_batch=True)
    options_route(pages, messenger.state.options)
    people_routes(pages, messenger.people, messenger.state.people, messenger.state.person)
    _people_routes(pages, messenger)
    _platform_routes(pages, messenger)
    return pages


def _people_routes(pages: Blueprint, messenger: MessengerEmulator) -> None:
    people = messenger.people

    @pages.post("/say")
    def say() -> Response:
        return jsonify({"message_id": said(people, messenger.state.media, Given())})

    @pages.post("/get_started")
    def get_started() -> Response:
        if not people.get_started(Given().text("user")):
            raise NotFound("the Page has no Get Started button")
        return jsonify({})

    @pages.post("/m_me")
    def m_me() -> Response:
        given = Given()
        return jsonify({"existing": people.open_link(given.text("user"), given.all.get("ref"))})

    @pages.post("/react")
    def react() -> Response:
        given = Given()
        people.react(given.text("user"), given.text("message_id"), given.text("emoji"))
        return jsonify({})

    @pages.post("/edit")
    def edit() -> Response:
        given = Given()
        people.edit(given.text("user"), given.text("message_id"), given.text("text"))
        return jsonify({})

    @pages.post("/hand_back")
    def hand_back() -> Response:
        people.hand_back(Given().text("user"))
        return jsonify({})


def _platform_routes(pages: Blueprint, messenger: MessengerEmulator) -> None:
    state, webhooks = messenger.state, messenger.webhooks

    @pages.post("/webhook/verify")
    def verify() -> Response:
        given = Given()
        status, body = webhooks.verify(given.all.get("token"), given.text("challenge", "1158201444"))
        return jsonify({"status": status, "body": body})

    @pages.post("/webhook/signing")
    def signing() -> Response:
        how = Given().text("signing")
        if how not in {"good", "bad", "missing", "sha1"}:
            raise BadRequest("signing: good, bad, missing or sha1")
        webhooks.signing = how  # type: ignore[assignment]
        return jsonify({"signing": how})

    @pages.post("/event")
    def event() -> Response:
        given = Given()
        user = given.all.get("user")
        person = state.person(user) if user else None
        webhooks.raw(person, given.object("event"), standby=bool(given.all.get("standby")))
        return jsonify({})

    @pages.post("/rate")
    def rate() -> Response:
        state.rate.limit = int(Given().number("per_second"))
        return jsonify({"per_second": state.rate.limit})

    @pages.post("/token")
    def token() -> Response:
        given = Given()
        if "token" in given:
            state.page_token = given.text("token")
        state.token_error = (int(given.number("code")), given.all.get("subcode")) if "code" in given else None
        return jsonify({})

    @pages.post("/templates/review")
    def review() -> Response:
        given = Given()
        try:
            messenger.templates.review(
                given.text("name"), given.text("language"), given.text("status"), given.all.get("reason")
            )
        except KeyError:
            raise NotFound("name, language: no such template") from None
        return jsonify({})

"""`/control/zalo`: what tests make people, staff, time and Zalo itself do. JSON in, JSON out; 400 names what is wrong.

People (all take `user`, a UID that need not be known yet):
  say {text, quote?} or {image|gif|audio|video|file: true}, {sticker}, {location: {latitude, longitude}}, {link},
  {business_card: {name, phone}} → {message_id};  tap {button: title or payload};  follow, unfollow {source?};
  open;  submit_info {info?, shape: new|old};  withdraw;  react {message_id, icon};  received;  seen;
  staff_reply {text} → {message_id};  GET users;  POST users {user, name?, phone?, refuses?, is_follower?}
Messages of the product: GET messages, see sandbox/emulator/control.py.
Zalo: faults (calls cs, template, zbs, upload, oauth, reaction), clock, webhook, webhook/release, webhook/probe,
  webhook/sample, webhook/signing {signing: good|bad|missing}, event {event_name, …}, options {…}, rate {per_minute},
  token {remove: [access|refresh], restore: true} → {access_token} for calls by hand, templates {…},
  templates/status {template_id, status, reason}, phones {phone, zalo: bool, developer: bool}
"""

from dataclasses import asdict

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
from sandbox.emulator.requests_in import Given, answer_errors_in_json, made
from sandbox.zalo.emulator import ZaloEmulator
from sandbox.zalo.state import international
from sandbox.zalo.templates import Template

CALLS = ("cs", "template", "zbs", "upload", "oauth", "reaction")


def control_blueprint(zalo: ZaloEmulator) -> Blueprint:
    """The calls described at the top of this module."""
    pages = Blueprint("control_zalo", __name__)
    answer_errors_in_json(pages)
    messages_route(pages, zalo.state.transcript)
    faults_route(pages, zalo.state.faults, CALLS)
    clock_route(pages, zalo.clock)
    webhook_routes(pages, zalo.webhooks.sender, may_batch=False)
    options_route(pages, zalo.state.options)
    people_routes(pages, zalo.people, zalo.state.people, zalo.state.person)
    _people_routes(pages, zalo)
    _platform_routes(pages, zalo)
    return pages


def _people_routes(pages: Blueprint, zalo: ZaloEmulator) -> None:
    people = zalo.people

    @pages.post("/say")
    def say() -> Response:
        given = Given()
        if "business_card" in given:
            card = given.object("business_card")
            return jsonify({"message_id": people.send_business_card(given.text("user"), card["name"], card["phone"])})
        return jsonify({"message_id": said(people, zalo.state.media, given)})

    @pages.post("/<any(follow, unfollow):action>")
    def follow(action: str) -> Response:
        given = Given()
        does = people.follow if action == "follow" else people.unfollow
        does(given.text("user"), given.text("source", "oa_profile"))
        return jsonify({})

    @pages.post("/open")
    def open_chat() -> Response:
        people.open_chat(Given().text("user"))
        return jsonify({})

    @pages.post("/submit_info")
    def submit_info() -> Response:
        given = Given()
        info = given.object("info") if "info" in given else None
        people.submit_info(given.text("user"), info, shape="old" if given.all.get("shape") == "old" else "new")
        return jsonify({})

    @pages.post("/withdraw")
    def withdraw() -> Response:
        people.withdraw(Given().text("user"))
        return jsonify({})

    @pages.post("/react")
    def react() -> Response:
        given = Given()
        people.react(given.text("user"), given.text("message_id"), given.text("icon"))
        return jsonify({})


def _platform_routes(pages: Blueprint, zalo: ZaloEmulator) -> None:
    state, webhooks = zalo.state, zalo.webhooks

    @pages.post("/webhook/<any(probe, sample):which>")
    def probe(which: str) -> Response:
        return jsonify({"status": webhooks.probe() if which == "probe" else webhooks.sample()})

    @pages.post("/webhook/signing")
    def signing() -> Response:
        how = Given().text("signing")
        if how not in {"good", "bad", "missing"}:
            raise BadRequest("signing: good, bad or missing")
        webhooks.signing = how  # type: ignore[assignment]
        return jsonify({"signing": how})

    @pages.post("/event")
    def event() -> Response:
        given = Given()
        name, user = given.text("event_name"), given.all.pop("user", None)
        person = state.person(user) if user else None
        webhooks.emit(name, person, **{k: v for k, v in given.all.items() if k != "event_name"})
        return jsonify({})

    @pages.post("/rate")
    def rate() -> Response:
        state.rate.limit = int(Given().number("per_minute"))
        return jsonify({"per_minute": state.rate.limit})

    @pages.post("/token")
    def token() -> Response:
        given = Given()
        kinds = given.all.get("remove", [])
        if not isinstance(kinds, list) or not set(kinds) <= {"access", "refresh"}:
            raise BadRequest("remove: a list of access, refresh")
        if kinds or given.all.get("restore"):
            zalo.office.remove(*kinds)
            if given.all.get("restore"):
                zalo.office.restore_bootstrap()
            return jsonify({"refreshes": zalo.office.refreshes})
        return jsonify(zalo.office.new_pair() | {"refreshes": zalo.office.refreshes})

    @pages.post("/templates")
    def add_template() -> Response:
        template = made(Template, Given().all)
        zalo.desk.templates[template.template_id] = template
        return jsonify(asdict(template))

    @pages.post("/templates/status")
    def template_status() -> Response:
        given = Given()
        if given.text("template_id") not in zalo.desk.templates:
            raise NotFound("template_id")
        zalo.desk.set_status(given.text("template_id"), given.text("status"), given.text("reason", ""))
        return jsonify({})

    @pages.post("/phones")
    def phones() -> Response:
        given = Given()
        phone = international(given.text("phone"))
        for name, group, member in (("zalo", state.without_zalo, False), ("developer", state.developers, True)):
            if name in given:
                (group.add if given.all[name] is member else group.discard)(phone)
        return jsonify({"phone": phone})

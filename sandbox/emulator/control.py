"""The part of the control API that both platforms have: transcript, faults, clock and webhook delivery."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, NotFound

from sandbox.emulator.clock import MovableClock
from sandbox.emulator.delivery import Order, WebhookSender
from sandbox.emulator.faults import Fault, FaultPlan
from sandbox.emulator.media import MediaStore
from sandbox.emulator.people import NoSuchButton, PeopleActions
from sandbox.emulator.requests_in import Given, made, set_fields, wait_seconds
from sandbox.emulator.samples import SAMPLES
from sandbox.emulator.transcript import Entry, Transcript

ORDERS: dict[str, Order] = {"in_order": "in_order", "reversed": "reversed", "shuffled": "shuffled"}


def messages_route(pages: Blueprint, transcript: Transcript) -> None:
    """`GET messages?user=&after=&count=&timeout=&author=`.

    What the product and its staff sent (`author=user`: what the person sent; `author=all`), in order, as soon as
    `count` (1) messages with `n` above `after` (0) are there, at the latest after `timeout` (0) seconds.
    `next` is the `after` to go on with.
    """

    @pages.get("/messages")
    def messages() -> Response:
        author = request.args.get("author", "oa")
        after = int(request.args.get("after", 0))

        def wanted(entry: Entry) -> bool:
            return author in {"all", entry.author} or (author == "oa" and entry.author != "user")

        found = transcript.wait(
            request.args.get("user"),
            after=after,
            count=int(request.args.get("count", 1)),
            timeout=wait_seconds(),
            wanted=wanted,
        )
        return jsonify({"messages": [e.as_json() for e in found], "next": found[-1].n if found else after})


def people_routes(
    pages: Blueprint, people: PeopleActions, persons: Mapping[str, Any], person: Callable[[str], Any]
) -> None:
    """`POST tap {user, button: title or payload}`, `received {user}`, `seen {user}`, `staff_reply {user, text}`,
    `users {user, field: value}`; `GET users`."""

    @pages.post("/tap")
    def tap() -> Response:
        given = Given()
        try:
            return jsonify(asdict(people.tap(given.text("user"), given.text("button"))))
        except NoSuchButton:
            raise NotFound("button: nothing that this person can tap shows it") from None

    @pages.post("/received")
    def received() -> Response:
        return jsonify({"message_ids": people.receive(Given().text("user"))})

    @pages.post("/seen")
    def seen() -> Response:
        return jsonify({"message_ids": people.see(Given().text("user"))})

    @pages.post("/staff_reply")
    def staff_reply() -> Response:
        given = Given()
        return jsonify({"message_id": people.staff_reply(given.text("user"), given.text("text"))})

    @pages.get("/users")
    def users() -> Response:
        return jsonify([asdict(known) for known in list(persons.values())])

    @pages.post("/users")
    def set_user() -> Response:
        given = Given()
        known = person(given.text("user"))
        del given.all["user"]
        set_fields(known, given)
        return jsonify(asdict(known))


def said(people: PeopleActions, media: MediaStore, given: Given) -> str:
    """Let a person send what the body names: `text` (with `quote`), `sticker`, `location {latitude, longitude}`,
    `link`, or a sample by `image|gif|audio|video|file: true`. Returns the message id."""
    user = given.text("user")
    if "text" in given:
        return people.say(user, given.text("text"), quote=given.all.get("quote"))
    if "sticker" in given:
        return people.send_sticker(user, given.text("sticker"))
    if "location" in given:
        place = given.object("location")
        return people.send_location(user, float(place["latitude"]), float(place["longitude"]))
    if "link" in given:
        return people.send_link(user, given.text("link"))
    for kind, (content, content_type, name) in SAMPLES.items():
        if given.all.get(kind):
            return people.send_file(user, kind, media.add(content(), content_type, name))
    raise BadRequest("nothing to say: text, sticker, location, link, image, gif, audio, video, file")


def faults_route(pages: Blueprint, plan: FaultPlan, calls: tuple[str, ...]) -> None:
    """`POST faults {call, kind, count, code, subcode, message, status, seconds}`, `GET faults`, `DELETE faults`."""

    @pages.post("/faults")
    def add_fault() -> Response:
        given = Given()
        call = given.text("call", calls[0])
        if call not in calls:
            raise BadRequest(f"call: one of {', '.join(calls)}")
        fields = {name: value for name, value in given.all.items() if name not in {"call", "count"}}
        plan.plan(call, made(Fault, fields), int(given.number("count", 1)))
        return jsonify(plan.waiting())

    @pages.get("/faults")
    def show_faults() -> Response:
        return jsonify(plan.waiting())

    @pages.delete("/faults")
    def clear_faults() -> Response:
        plan.clear()
        return jsonify({})


def clock_route(pages: Blueprint, clock: MovableClock) -> None:
    """`GET clock`, `POST clock {advance_seconds}`."""

    @pages.route("/clock", methods=["GET", "POST"])
    def clock_now() -> Response:
        if request.method == "POST":
            clock.advance(timedelta(seconds=Given().number("advance_seconds")))
        return jsonify({"now": clock.now().isoformat()})


def options_route(pages: Blueprint, options: Any) -> None:
    """`GET options`, `POST options {name: value}` on the platform's own dataclass of switches."""

    @pages.route("/options", methods=["GET", "POST"])
    def show_options() -> Response:
        if request.method == "POST":
            set_fields(options, Given())
        return jsonify(asdict(options))


def webhook_routes(pages: Blueprint, sender: WebhookSender, *, may_batch: bool) -> None:
    """`GET webhook` (figures), `POST webhook {url, time_scale, duplicates, hold, subscribed}`,
    `POST webhook/release {order, batch}`."""

    @pages.get("/webhook")
    def figures() -> Response:
        return jsonify(_figures(sender))

    @pages.post("/webhook")
    def change() -> Response:
        given = Given()
        if "url" in given:
            sender.url = given.text("url")
        if "time_scale" in given:
            sender.time_scale = given.number("time_scale")
        if "duplicates" in given:
            sender.duplicates = int(given.number("duplicates"))
        if given.all.get("hold"):
            sender.hold()
        if given.all.get("subscribed"):
            sender.subscribe()
        return jsonify(_figures(sender))

    @pages.post("/webhook/release")
    def release() -> Response:
        given = Given()
        order = ORDERS.get(given.text("order", "in_order"))
        batch = bool(given.all.get("batch"))
        if order is None or (batch and not may_batch):
            raise BadRequest("order, batch: not possible")
        return jsonify({"released": sender.release(order, batch=batch)})


def _figures(sender: WebhookSender) -> dict[str, Any]:
    return asdict(sender.stats) | {
        "statuses": dict(sender.stats.statuses),
        "url": sender.url,
        "time_scale": sender.time_scale,
        "duplicates": sender.duplicates,
        "holding": sender.holding,
    }

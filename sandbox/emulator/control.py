"""The part of the control API that both platforms have: transcript, faults, clock and webhook delivery."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest

from sandbox.emulator.clock import MovableClock
from sandbox.emulator.delivery import Order, WebhookSender
from sandbox.emulator.faults import FaultPlan, parse_fault
from sandbox.emulator.requests_in import Given, set_fields, wait_seconds
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


def faults_route(pages: Blueprint, plan: FaultPlan, calls: tuple[str, ...]) -> None:
    """`POST faults {call, kind, count, code, subcode, message, status, seconds}`, `GET faults`, `DELETE faults`."""

    @pages.post("/faults")
    def add_fault() -> Response:
        given = Given()
        call = given.text("call", calls[0])
        if call not in calls:
            raise BadRequest(f"call: one of {', '.join(calls)}")
        try:
            fault = parse_fault(given.all)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        plan.plan(call, fault, int(given.number("count", 1)))
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

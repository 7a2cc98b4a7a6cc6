"""The chat pages and the small JSON calls their script makes."""

from pathlib import Path
from typing import Any

import requests
import yaml
from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox.chat.rooms import Platform, Visitor, messenger_platform, zalo_platform
from sandbox.emulator.control import said
from sandbox.emulator.requests_in import Given, answer_errors_in_json
from sandbox.emulator.samples import FileKind
from sandbox.emulator.transcript import Tap
from sandbox.messenger.emulator import MessengerEmulator
from sandbox.settings import SandboxSettings
from sandbox.world import SmsInbox
from sandbox.zalo.emulator import ZaloEmulator

HERE = Path(__file__).parent
HEALTH_SECONDS = 1.0


def chat_blueprint(
    settings: SandboxSettings,
    visitors: list[Visitor],
    sms: SmsInbox,
    zalo: ZaloEmulator,
    messenger: MessengerEmulator,
) -> Blueprint:
    """`/` (the people), `/chat/<platform>/<user>` (a chat) and the calls below it."""
    pages = Blueprint("chat", __name__, template_folder="templates")
    platforms = {"zalo": zalo_platform(zalo), "messenger": messenger_platform(messenger)}
    static = Blueprint("chat_static", __name__, static_folder="static", static_url_path="/chat/static")
    pages.register_blueprint(static)
    stickers = _rows("stickers.yml")
    locations = _rows("locations.yml")

    @pages.context_processor
    def everywhere() -> dict[str, Any]:
        return {"company": settings.company_name, "product_url": settings.public_url}

    @pages.get("/")
    def index() -> str:
        return render_template("people.html", visitors=visitors)

    @pages.get("/chat/personas")
    def personas() -> Response:
        return jsonify([visitor.as_json() for visitor in visitors])

    @pages.get("/chat/product")
    def product() -> Response:
        """Whether the product answers, and since a webhook failed how."""
        try:
            healthy = requests.get(f"{settings.public_url.rstrip('/')}/healthz", timeout=HEALTH_SECONDS).ok
        except requests.RequestException:
            healthy = False
        return jsonify({"reachable": healthy, "webhooks": {name: p.webhook() for name, p in platforms.items()}})

    @pages.get("/chat/<platform>/<user>")
    def chat(platform: str, user: str) -> str | AnyResponse:
        """A chat; with `?ref=` as after an m.me link (messenger.md §8)."""
        known = _platform(platforms, platform)
        if platform == "messenger" and "ref" in request.args:
            messenger.people.open_link(user, request.args["ref"])
            return redirect(url_for(".chat", platform=platform, user=user))
        return render_template(
            "chat.html",
            platform=platform,
            user=user,
            name=known.person_name(user),
            visitor=_visitor(visitors, platform, user),
            stickers=stickers,
            locations=locations,
        )

    pages.register_blueprint(_calls(platforms, visitors, sms, zalo), url_prefix="/chat/<platform>/<user>")
    return pages


def _calls(platforms: dict[str, Platform], visitors: list[Visitor], sms: SmsInbox, zalo: ZaloEmulator) -> Blueprint:
    calls = Blueprint("chat_calls", __name__)
    answer_errors_in_json(calls)

    @calls.get("/changes")
    def changes(platform: str, user: str) -> Response:
        """What is new after `since`; asking is how the person's phone gets (and with `seeing=1` shows) messages."""
        chat = _platform(platforms, platform)
        chat.people.looks(user, seeing=request.args.get("seeing") == "1")
        entries, revision = chat.transcript.changed_since(user, request.args.get("since", 0, int))
        visitor = _visitor(visitors, platform, user)
        texts = sms.messages(visitor.persona.phone) if visitor else []
        return jsonify(
            {
                "revision": revision,
                "messages": [entry.as_json() for entry in entries if not entry.hidden],
                "sms": [{"text": text.text, "at": text.at.isoformat()} for text in texts],
                **chat.extras(user),
            }
        )

    @calls.post("/say")
    def say(platform: str, user: str) -> Response:
        given = Given()
        chat = _platform(platforms, platform)
        given.all["user"] = user
        if "text" in given and not given.text("text").strip():
            abort(400, "text: empty")
        return _sent(said(chat.people, chat.media, given))

    @calls.post("/file")
    def file(platform: str, user: str) -> Response:
        given = request.files.get("file")
        if given is None:
            abort(400, "file: missing")
        chat = _platform(platforms, platform)
        kind: FileKind = "image" if given.mimetype.startswith("image/") else "file"
        name = (given.filename or "anh.jpg").replace("/", "_")
        return _sent(chat.people.send_file(user, kind, chat.media.add(given.stream.read(), given.mimetype, name)))

    @calls.post("/tap")
    def tap(platform: str, user: str) -> Response:
        given = Given()
        tapped = Tap(given.text("title"), given.text("type"), payload=given.all.get("payload"))
        _platform(platforms, platform).people.press(user, tapped)
        return jsonify({})

    @calls.post("/greet")
    def greet(platform: str, user: str) -> Response:
        _platform(platforms, platform).greet(user)
        return jsonify({})

    @calls.post("/<any(follow, unfollow, submit_info):action>")
    def zalo_only(platform: str, user: str, action: str) -> Response:
        if platform != "zalo":
            abort(404)
        match action:
            case "follow":
                zalo.people.follow(user)
            case "unfollow":
                zalo.people.unfollow(user)
            case _:
                zalo.people.submit_info(user)
        return jsonify({})

    @calls.post("/resubscribe")
    def resubscribe(platform: str, user: str) -> Response:
        """What an admin does in the console after the platform gave up on the webhook."""
        _platform(platforms, platform).resubscribe()
        return jsonify({"user": user})

    return calls


def _platform(platforms: dict[str, Platform], name: str) -> Platform:
    return platforms.get(name) or abort(404)


def _visitor(visitors: list[Visitor], platform: str, user: str) -> Visitor | None:
    return next((v for v in visitors if getattr(v, platform) == user), None)


def _sent(message_id: str) -> Response:
    return jsonify({"message_id": message_id})


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return rows

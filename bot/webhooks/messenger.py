"""GET and POST /webhooks/messenger (messenger.md §2, §3): challenge, signature over the raw body, store, 200."""

import hashlib
import hmac

from flask import Blueprint, Response, request

from bot.channels.messenger.inbound import events, parse
from bot.clock import Clock
from bot.messages import ChannelName
from bot.metrics import WEBHOOK_REFUSED, WEBHOOK_SECONDS
from bot.settings import MessengerSettings
from bot.store.database import Database
from bot.webhooks.intake import Malformed, Received, read_json, take_in


def messenger_blueprint(settings: MessengerSettings, database: Database, clock: Clock) -> Blueprint:
    blueprint = Blueprint("messenger_webhook", __name__)

    @blueprint.get("/webhooks/messenger")
    def verify() -> Response:
        given = request.args.get("hub.verify_token", "")
        expected = settings.verify_token.get_secret_value()
        if request.args.get("hub.mode") != "subscribe" or not hmac.compare_digest(given.encode(), expected.encode()):
            WEBHOOK_REFUSED.labels(ChannelName.MESSENGER, "bad_verify_token").inc()
            return Response(status=403)
        return Response(request.args.get("hub.challenge", ""), mimetype="text/plain")

    @blueprint.post("/webhooks/messenger")
    @WEBHOOK_SECONDS.labels(ChannelName.MESSENGER).time()
    def receive() -> Response:
        body = request.get_data(cache=False)
        if not _is_signed(body, settings):
            WEBHOOK_REFUSED.labels(ChannelName.MESSENGER, "bad_signature").inc()
            return Response(status=403)
        try:
            batch = read_json(body)
        except Malformed:
            WEBHOOK_REFUSED.labels(ChannelName.MESSENGER, "malformed").inc()
            return Response(status=400)
        if batch.get("object") != "page":
            WEBHOOK_REFUSED.labels(ChannelName.MESSENGER, "not_a_page").inc()
            return Response(status=404)
        take_in(
            database,
            clock,
            ChannelName.MESSENGER,
            [
                Received(parse(event, page_id=settings.page_id, app_id=settings.app_id), event)
                for event in events(batch)
                if event["page_id"] == settings.page_id
            ],
        )
        return Response("EVENT_RECEIVED", mimetype="text/plain")

    return blueprint


def _is_signed(body: bytes, settings: MessengerSettings) -> bool:
    expected = hmac.digest(settings.app_secret.get_secret_value().encode(), body, hashlib.sha256).hex()
    given = request.headers.get("X-Hub-Signature-256", "")
    return hmac.compare_digest(f"sha256={expected}".encode(), given.encode())

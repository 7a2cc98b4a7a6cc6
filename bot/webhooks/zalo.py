"""POST /webhooks/zalo (zalo.md §2): signature over the raw body, store, 200."""

import hashlib
import hmac
import re

from flask import Blueprint, Response, request

from bot.channels.zalo.inbound import is_console_sample, parse
from bot.clock import Clock
from bot.logs import get_logger
from bot.messages import ChannelName
from bot.metrics import WEBHOOK_REFUSED, WEBHOOK_SECONDS
from bot.settings import ZaloSettings
from bot.store.database import Database
from bot.webhooks.intake import Malformed, Received, read_json, take_in

_TIMESTAMP = re.compile(rb'"timestamp"\s*:\s*"?(\d{1,19})')
_SIGNATURE = re.compile(r"\s*(?:mac\s*=\s*)?([0-9a-fA-F]{64})\s*")

log = get_logger(__name__)


def zalo_blueprint(settings: ZaloSettings, database: Database, clock: Clock) -> Blueprint:
    blueprint = Blueprint("zalo_webhook", __name__)

    @blueprint.get("/webhooks/zalo")
    def answer_probe() -> Response:
        return Response(request.args.get("hub.challenge", ""), mimetype="text/plain")

    @blueprint.post("/webhooks/zalo")
    @WEBHOOK_SECONDS.labels(ChannelName.ZALO).time()
    def receive() -> Response:
        body = request.get_data(cache=False)
        if "X-ZEvent-Signature" not in request.headers and body.strip() == b"{}":
            return Response(status=200)  # the probe sent when the address is saved in the console
        if not _is_signed(body, settings):
            reason = "bad_signature" if _TIMESTAMP.search(body) else "malformed"
            WEBHOOK_REFUSED.labels(ChannelName.ZALO, reason).inc()
            return Response(status=401 if reason == "bad_signature" else 400)
        try:
            payload = read_json(body)
        except Malformed:
            WEBHOOK_REFUSED.labels(ChannelName.ZALO, "malformed").inc()
            return Response(status=400)
        if str(payload.get("app_id", settings.app_id)) != settings.app_id:
            WEBHOOK_REFUSED.labels(ChannelName.ZALO, "other_app").inc()
            return Response(status=403)
        event = parse(payload, raw_body=body)
        if not is_console_sample(event):
            take_in(database, clock, ChannelName.ZALO, [Received(event, payload)])
        return Response(status=200)

    return blueprint


def _is_signed(body: bytes, settings: ZaloSettings) -> bool:
    """SHA-256 of app id, body, timestamp and OA secret key (§2.2); the timestamp stands in the body, or a header."""
    given = _SIGNATURE.fullmatch(request.headers.get("X-ZEvent-Signature", ""))
    if given is None:
        return False
    timestamps = [match.group(1).decode() for match in _TIMESTAMP.finditer(body)][-3:]
    header = request.headers.get("X-ZEvent-Timestamp")
    candidates = [*timestamps, header] if header else timestamps
    ids = [settings.app_id, settings.oa_id] if settings.mac_with_oa_id else [settings.app_id]
    secret = settings.oa_secret_key.get_secret_value()
    for first in ids:
        for timestamp in candidates:
            expected = hashlib.sha256(first.encode() + body + f"{timestamp}{secret}".encode()).hexdigest()
            if hmac.compare_digest(expected, given.group(1).lower()):
                if first != settings.app_id:
                    log.warning("webhook_signed_with_oa_id")
                return True
    return False

"""POST /webhooks/messenger/data-deletion: Meta's data deletion callback (messenger.md §9).

The signature is checked over the part as received, before anything of it is read. The request becomes an event like any
other; whoever asked follows it on the page that is answered with (bot/own_data.py) by its code.
"""

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode

from flask import Blueprint, Response, jsonify, request

from bot.channels import payload as read
from bot.channels.messenger.inbound import DATA_DELETION, parse
from bot.clock import Clock
from bot.messages import ChannelName
from bot.metrics import WEBHOOK_REFUSED
from bot.settings import MessengerSettings
from bot.store.database import Database
from bot.webhooks.intake import Malformed, Received, read_json, take_in

CODE_LETTERS = 16
STATUS_PATH = "/data-deletion"


def data_deletion_blueprint(
    settings: MessengerSettings, database: Database, clock: Clock, public_url: str
) -> Blueprint:
    blueprint = Blueprint("data_deletion", __name__)

    @blueprint.post("/webhooks/messenger/data-deletion")
    def erase() -> Response:
        signature, _, content = request.form.get("signed_request", "").partition(".")
        secret = settings.app_secret.get_secret_value().encode()
        if not hmac.compare_digest(_decoded(signature), hmac.digest(secret, content.encode(), hashlib.sha256)):
            return _refused("bad_signature", 403)
        try:
            asked = read_json(_decoded(content))
        except Malformed:
            return _refused("malformed", 400)
        if read.identifier(asked.get("user_id")) is None:
            return _refused("malformed", 400)
        code = hmac.digest(secret, f"{DATA_DELETION}:{content}".encode(), hashlib.sha256).hex()[:CODE_LETTERS]
        stored = {"source": DATA_DELETION, "page_id": settings.page_id, "code": code, "event": asked}
        event = parse(stored, page_id=settings.page_id, app_id=settings.app_id)
        take_in(database, clock, ChannelName.MESSENGER, [Received(event, stored)])
        return jsonify(url=f"{public_url}{STATUS_PATH}/{code}", confirmation_code=code)

    return blueprint


def _decoded(part: str) -> bytes:
    """Base64 for addresses, its padding left out; nothing when it is none."""
    try:
        return urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        return b""


def _refused(reason: str, status: int) -> Response:
    WEBHOOK_REFUSED.labels(ChannelName.MESSENGER, reason).inc()
    return Response(status=status)

"""POST /hooks/changes: a backend says that its feed has something new (docs/backends.md).

Only a nudge: the changes themselves are read from the feed, so a forged or lost one can neither invent nor lose any.
"""

import hashlib
import hmac
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, request
from procrastinate.exceptions import AlreadyEnqueued

from bot.clock import Clock
from bot.metrics import WEBHOOK_REFUSED, WEBHOOK_SECONDS
from bot.store.database import Database
from bot.store.feeds import FEEDS, enqueue_poll
from bot.webhooks.intake import Malformed, read_json

NAME = "changes"
"""Of this hook in the figures, in place of a channel."""
TIMESTAMP_HOLDS = timedelta(minutes=5)
LONGEST_TIMESTAMP = 12


def changes_blueprint(secret: str, database: Database, clock: Clock) -> Blueprint:
    blueprint = Blueprint("changes_hook", __name__)

    @blueprint.post("/hooks/changes")
    @WEBHOOK_SECONDS.labels(NAME).time()
    def nudge() -> Response:
        body = request.get_data(cache=False)
        stamp = request.headers.get("X-Timestamp", "")
        if not _is_signed(stamp, body, secret):
            return _refused("bad_signature", 403)
        if not _is_recent(stamp, clock()):
            return _refused("bad_timestamp", 403)
        try:
            feed = read_json(body).get("feed")
        except Malformed:
            return _refused("malformed", 400)
        if feed not in FEEDS:
            return _refused("unknown_feed", 400)
        with suppress(AlreadyEnqueued), database.begin() as session:
            enqueue_poll(session, feed)
        return Response(status=202)

    return blueprint


def _is_signed(stamp: str, body: bytes, secret: str) -> bool:
    expected = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hex()
    given = request.headers.get("X-Signature", "")
    return hmac.compare_digest(f"sha256={expected}".encode(), given.encode())


def _is_recent(stamp: str, now: datetime) -> bool:
    """Whole seconds since 1970."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= LONGEST_TIMESTAMP):
        return False
    return abs(int(stamp) - now.astimezone(UTC).timestamp()) <= TIMESTAMP_HOLDS.total_seconds()


def _refused(reason: str, status: int) -> Response:
    WEBHOOK_REFUSED.labels(NAME, reason).inc()
    return Response(status=status)

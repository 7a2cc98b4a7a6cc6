"""The gateway as the platforms see it: a client over a real database, and signatures made as they make them."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from bot.store.database import Database
from bot.store.models import InboundEvent

FIXTURES = Path(__file__).parents[1] / "fixtures"
APP_ID = "1111111111111111111"
OA_ID = "4444444444444444444"
OA_SECRET = "emulator-oa-secret"
APP_SECRET = "test_app_secret"
VERIFY_TOKEN = "verify-me"
PAGE_ID = "1"
META_APP_ID = "990001"

ENVIRONMENT = {
    "SECRET_KEY": "a-secret-of-the-tests",
    "BILLING_URL": "http://127.0.0.1:1/billing",
    "SERVICE_URL": "http://127.0.0.1:1/service",
    "BACKEND_TOKEN": "backend-token",
    "ZALO_APP_ID": APP_ID,
    "ZALO_APP_SECRET": "not-the-oa-secret",
    "ZALO_OA_SECRET_KEY": OA_SECRET,
    "ZALO_OA_ID": OA_ID,
    "MESSENGER_APP_SECRET": APP_SECRET,
    "MESSENGER_VERIFY_TOKEN": VERIFY_TOKEN,
    "MESSENGER_PAGE_ID": PAGE_ID,
    "MESSENGER_PAGE_TOKEN": "page-token",
    "MESSENGER_APP_ID": META_APP_ID,
}


def captured(channel: str, name: str) -> bytes:
    """The body of a fixture file, byte for byte."""
    return (FIXTURES / channel / f"{name}.json").read_bytes()


def names(channel: str) -> list[str]:
    return sorted(file.stem for file in (FIXTURES / channel).glob("*.json"))


def zalo_mac(body: bytes, *, first: str = APP_ID, timestamp: str | None = None, secret: str = OA_SECRET) -> str:
    """zalo.md §2.2; `timestamp` is the body's unless it is given."""
    stamp = timestamp if timestamp is not None else str(json.loads(body)["timestamp"])
    return "mac=" + hashlib.sha256(first.encode() + body + stamp.encode() + secret.encode()).hexdigest()


def meta_signature(body: bytes, *, secret: str = APP_SECRET) -> str:
    """messenger.md §3."""
    return "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def refused(channel: str, reason: str) -> float:
    return REGISTRY.get_sample_value("webhook_refused_total", {"channel": channel, "reason": reason}) or 0.0


def counted(metric: str, channel: str) -> float:
    return REGISTRY.get_sample_value(metric, {"channel": channel}) or 0.0


@dataclass
class Gateway:
    client: FlaskClient
    database: Database

    def zalo(self, body: bytes, *, mac: str | None = None, **headers: str) -> TestResponse:
        signature = mac if mac is not None else zalo_mac(body)
        return self.client.post("/webhooks/zalo", data=body, headers={"X-ZEvent-Signature": signature, **headers})

    def messenger(self, body: bytes, *, signature: str | None = None) -> TestResponse:
        given = signature if signature is not None else meta_signature(body)
        return self.client.post("/webhooks/messenger", data=body, headers={"X-Hub-Signature-256": given})

    def events(self) -> list[InboundEvent]:
        with self.database.begin() as session:
            return list(session.scalars(select(InboundEvent).order_by(InboundEvent.id)))

    def ways(self, event: InboundEvent) -> int:
        """In how many ways the event will be handled: its jobs, and workers that look for it."""
        jobs = [job for job in self.jobs() if job["args"] == {"event_id": event.id}]
        return len(jobs) + (event.handle_from is not None)

    def jobs(self) -> list[dict[str, Any]]:
        with self.database.begin() as session:
            rows = session.execute(
                text("SELECT task_name, queue_name, lock, queueing_lock, args FROM procrastinate_jobs ORDER BY id")
            ).mappings()
            return [dict(row) for row in rows]

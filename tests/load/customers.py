"""Customers for the bench: known to the platforms, greeted by the bot, and linked to a code of the sandbox's world."""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select

from actions.privacy import ACCOUNT_PURPOSE
from bot.store.models import ACCEPTED, Consent, Contact, Delivery, DeliveryStatus, Lane, Link
from sandbox.settings import SandboxSettings
from sandbox.world import build_world
from tests.load.stack import Stack
from tests.load.traffic import People

ON_ZALO = 200
ON_MESSENGER = 40
GREETED_WITHIN_SECONDS = 60.0


def bring_in(stack: Stack) -> People:
    """Let everybody say hello, wait for the welcome, and link each to an account. Raises TimeoutError."""
    people = People(
        zalo=[str(3_000_000_000_000_000_000 + number) for number in range(ON_ZALO)],
        messenger=[str(7_000_000_000_000_000 + number) for number in range(ON_MESSENGER)],
    )
    for user in people.zalo:
        stack.control("zalo/say", user=user, text="xin chào")
    for user in people.messenger:
        stack.control("messenger/say", user=user, text="xin chào")
    _wait_until_greeted(stack, ON_ZALO + ON_MESSENGER)
    codes = build_world(SandboxSettings().world_seed).codes
    now = datetime.now(UTC)
    with stack.database.begin() as session:
        contacts = session.scalars(select(Contact.id).order_by(Contact.id)).all()
        links = [
            {"contact_id": contact_id, "customer_code": code, "method": "otp", "verified_at": now}
            for contact_id, code in zip(contacts, codes, strict=False)
        ]
        consents = [
            {"contact_id": id_, "purpose": ACCOUNT_PURPOSE, "granted": True, "text_version": "bench", "at": now}
            for id_ in contacts
        ]
        session.execute(insert(Link), links)
        session.execute(insert(Consent), consents)
    return people


def send_before(stack: Stack, run: str, count: int) -> list[str]:
    """Messages sent on Zalo an hour ago, for receipts to be about. Returns their ids at the platform."""
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    ids = [f"{run}-sent-{number}" for number in range(count)]
    with stack.database.begin() as session:
        contacts = session.scalars(select(Contact.id).where(Contact.channel == "zalo").order_by(Contact.id)).all()
        rows = [
            {
                "key": provider_id,
                "channel": "zalo",
                "contact_id": contacts[number % len(contacts)],
                "lane": Lane.NOTICE,
                "content": {"text": "Thông báo tiền điện"},
                "status": DeliveryStatus.SENT,
                "provider_message_id": provider_id,
                "sent_at": an_hour_ago,
            }
            for number, provider_id in enumerate(ids)
        ]
        session.execute(insert(Delivery), rows)
    return ids


def _wait_until_greeted(stack: Stack, count: int) -> None:
    greeted = select(func.count(Delivery.contact_id.distinct())).where(Delivery.status.in_(ACCEPTED))
    deadline = time.monotonic() + GREETED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        with stack.database.begin() as session:
            if session.scalar(greeted) == count:
                return
        time.sleep(0.1)
    raise TimeoutError("the customers of the bench were not greeted")

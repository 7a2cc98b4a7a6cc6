"""What platforms say of messages that we sent, written into the ledger for many at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_HOLD = text(
    """
    SELECT id, channel, key, provider_message_id FROM delivery
    WHERE channel = ANY(CAST(:channels AS text[])) AND (
        provider_message_id IS NOT NULL AND provider_message_id = ANY(CAST(:message_ids AS text[]))
        OR key = ANY(CAST(:keys AS text[]))
    )
    ORDER BY id FOR UPDATE
    """
)
_CONFIRM = text(
    """
    UPDATE delivery SET
        provider_message_id = coalesce(delivery.provider_message_id, echo.message_id),
        status = CASE WHEN delivery.status = ANY(:unsettled) THEN 'sent' ELSE delivery.status END,
        outcome = CASE WHEN delivery.status = ANY(:unsettled) THEN 'echo' ELSE delivery.outcome END,
        sent_at = CASE WHEN delivery.status = ANY(:unsettled) THEN coalesce(delivery.sent_at, :now)
            ELSE delivery.sent_at END
    FROM unnest(CAST(:ids AS bigint[]), CAST(:message_ids AS text[])) AS echo (id, message_id)
    WHERE delivery.id = echo.id
    """
)
_NOTE = text(
    """
    UPDATE delivery SET
        delivered_at = coalesce(delivery.delivered_at, receipt.delivered_at, receipt.seen_at),
        seen_at = coalesce(delivery.seen_at, receipt.seen_at),
        status = CASE WHEN receipt.seen_at IS NOT NULL OR delivery.status = 'seen' THEN 'seen' ELSE 'delivered' END
    FROM unnest(CAST(:ids AS bigint[]), CAST(:delivered AS timestamptz[]), CAST(:seen AS timestamptz[]))
        AS receipt (id, delivered_at, seen_at)
    WHERE delivery.id = receipt.id
    """
)
_NOTE_WATERMARKS = text(
    """
    UPDATE delivery SET
        delivered_at = coalesce(delivery.delivered_at, covered.delivered_at),
        seen_at = coalesce(delivery.seen_at, covered.seen_at),
        status = CASE WHEN covered.seen_at IS NULL THEN 'delivered' ELSE 'seen' END
    FROM (
        SELECT sent.id, min(mark.at) AS delivered_at, min(mark.at) FILTER (WHERE mark.seen) AS seen_at
        FROM unnest(CAST(:channels AS text[]), CAST(:users AS text[]), CAST(:marks AS timestamptz[]),
            CAST(:seen AS boolean[])) AS mark (channel, user_id, at, seen)
        JOIN contact ON contact.channel = mark.channel AND contact.channel_user_id = mark.user_id
        JOIN delivery AS sent ON sent.contact_id = contact.id AND sent.sent_at <= mark.at
        WHERE sent.status = 'sent' OR sent.status = 'delivered' AND mark.seen
        GROUP BY sent.id
    ) AS covered
    WHERE delivery.id = covered.id AND delivery.status IN ('sent', 'delivered')
    """
)

UNSETTLED = ("pending", "claimed", "sending", "unknown")
"""An echo of such a delivery tells that it was sent."""


@dataclass(frozen=True)
class Name:
    """What a platform calls a message of ours: its own id, or the key that we sent along."""

    channel: str
    message_id: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Sent:
    """A delivery that platforms speak of."""

    id: int
    channel: str
    key: str
    message_id: str | None


@dataclass(frozen=True)
class Receipt:
    """When a delivery reached its device, and when it was seen, as far as that is told."""

    delivered_at: datetime | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True)
class Watermark:
    """All that was sent to this person up to `at` was delivered, or seen."""

    channel: str
    user_id: str
    at: datetime
    seen: bool


def hold_named(session: Session, names: Iterable[Name]) -> Sequence[Sent]:
    """Deliveries that may go by one of the names, locked in the order of their ids."""
    names = list(names)
    if not names:
        return []
    asked = {
        "channels": sorted({str(name.channel) for name in names}),
        "message_ids": [name.message_id for name in names if name.message_id],
        "keys": [name.key for name in names if name.key],
    }
    return [Sent(*row) for row in session.execute(_HOLD, asked)]


def confirm(session: Session, message_ids: Mapping[int, str | None], now: datetime) -> None:
    """These deliveries, with the platform's ids, came back as echoes: they were sent, whatever we thought of them."""
    if message_ids:
        told = {"ids": [*message_ids], "message_ids": [*message_ids.values()], "now": now}
        session.execute(_CONFIRM, {**told, "unsettled": [*UNSETTLED]})


def note(session: Session, receipts: Mapping[int, Receipt]) -> None:
    """Write receipts down, by the deliveries' ids. What was written before stays."""
    if receipts:
        delivered = [receipt.delivered_at for receipt in receipts.values()]
        seen = [receipt.seen_at for receipt in receipts.values()]
        session.execute(_NOTE, {"ids": [*receipts], "delivered": delivered, "seen": seen})


def note_watermarks(session: Session, marks: Sequence[Watermark]) -> None:
    """Of what was sent until then; what was not sent for certain stays as it is."""
    if marks:
        told = {
            "channels": [str(mark.channel) for mark in marks],
            "users": [mark.user_id for mark in marks],
            "marks": [mark.at for mark in marks],
            "seen": [mark.seen for mark in marks],
        }
        session.execute(_NOTE_WATERMARKS, told)

"""Everything that is kept of one person here, as they may see it and take it along (F16; electricity.md §8.1).

What only guards a secret (hashes, tokens) is left out; that it exists is told by what it belongs to.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.store.models import (
    Base,
    Consent,
    Contact,
    Conversation,
    GridReport,
    Handover,
    Link,
    Message,
    Note,
    NoticeLimits,
    NoticePreference,
    OtpChallenge,
    RightsRequest,
    UsageAlert,
)
from bot.store.retention import CAME_WITH

SHOWN: dict[str, tuple[type[Base], tuple[str, ...]]] = {
    "links": (Link, ("customer_code", "nickname", "method", "verified_at", "ended_at")),
    "consents": (Consent, ("purpose", "granted", "text_version", "at")),
    "passwords": (OtpChallenge, ("customer_code", "sent_at", "used_at")),
    "notices": (NoticePreference, ("kind", "link_id", "place_code", "wanted", "at")),
    "notice_limits": (NoticeLimits, ("quiet_from", "quiet_until", "most_per_day")),
    "reports": (GridReport, ("kind", "ticket_code", "place_code", "at", "over_at")),
    "rights_requests": (RightsRequest, ("kind", "received_at", "answer_due", "done_due", "answered_at", "done_at")),
}
"""What is kept by contact: name in the copy, table, columns."""
THREAD: dict[str, tuple[type[Base], tuple[str, ...]]] = {
    "messages": (Message, ("created_at", "sender", "kind", "text", "intent", *CAME_WITH)),
    "handovers": (Handover, ("reason", "opened_at", "promised_at", "ended_at")),
    "notes": (Note, ("at", "text")),
}
"""What is kept by conversation."""


def collect(session: Session, contact_id: int) -> dict[str, Any]:
    """The person's data by kind; times are aware UTC."""
    contact = session.get_one(Contact, contact_id)
    conversation_id = session.scalar(select(Conversation.id).where(Conversation.contact_id == contact_id))
    found: dict[str, Any] = {
        "contact": _columns(contact, ("channel", "channel_user_id", "display_name", "created_at", "last_inbound_at"))
    }
    for by, value, tables in (("contact_id", contact_id, SHOWN), ("conversation_id", conversation_id, THREAD)):
        for name, (table, columns) in tables.items():
            rows = session.scalars(
                select(table).where(table.__table__.c[by] == value).order_by(*table.__table__.primary_key)
            )
            found[name] = [_columns(row, columns) for row in rows]
    own = select(Link.id).where(Link.contact_id == contact_id)
    levels = session.scalars(select(UsageAlert).where(UsageAlert.link_id.in_(own)).order_by(UsageAlert.link_id))
    found["usage_levels"] = [_columns(level, ("link_id", "kwh", "dong", "at")) for level in levels]
    return found


def as_json(kept: dict[str, Any]) -> str:
    """The same as a file to take along; times in ISO 8601."""
    return json.dumps(kept, ensure_ascii=False, indent=2, default=datetime.isoformat)


def _columns(row: Base, names: tuple[str, ...]) -> dict[str, Any]:
    """Those that the row has; what came with a message lies in its content."""
    parts = row.content if isinstance(row, Message) else {}
    own = {name: getattr(row, name) for name in names if name not in CAME_WITH}
    return own | {name: parts[name] for name in names if name in parts}

"""The ledger of what is sent: planning, claiming with a lease, settling."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, false, func, or_, select, update
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.messages import OutMessage
from bot.store.models import Contact, Conversation, Delivery, DeliveryStatus, Lane, Media, Message, Owner
from bot.store.receipts import UNSETTLED

SENDING_LOCK = "send:"
"""Jobs that send a contact's replies have this and the contact's id as their lock."""
NO_SENDING_JOB = sql(
    f"NOT EXISTS (SELECT FROM procrastinate_jobs WHERE lock = '{SENDING_LOCK}' || delivery.contact_id"
    " AND status IN ('todo', 'doing'))"
)
NOTHING_LOADED = {"synchronize_session": False}
LEASE = timedelta(seconds=60)
"""Longer than the longest send: a row claimed longer ago belonged to a worker that died."""


def plan(
    session: Session,
    *,
    key: str,
    contact: Contact,
    message_id: int | None,
    lane: Lane,
    content: OutMessage,
    now: datetime,
) -> None:
    """One delivery; planning the same key again is a no-op."""
    session.execute(
        insert(Delivery)
        .values(
            key=key,
            channel=contact.channel,
            contact_id=contact.id,
            message_id=message_id,
            lane=lane,
            content=content.model_dump(mode="json", exclude_defaults=True),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )


@dataclass(frozen=True)
class ClaimedReply:
    """A reply that is the caller's to send. `last`: none waits after it; one that comes later has a job of its own."""

    delivery: Delivery
    contact: Contact
    last: bool


def claim_next_reply(session: Session, contact_id: int, now: datetime) -> ClaimedReply | None:
    """The contact's next reply, leased to the caller; None when there is none, or it is not yet its time.

    Replies of a contact go one after the other: while the first waits or is under way, the others wait too. In the
    same transaction a conversation that staff hold silences the bot: what it had not yet sent is cancelled, and only
    what staff wrote goes.
    """
    found = session.execute(
        select(Conversation.owner, Contact)
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(Conversation.contact_id == contact_id)
        .with_for_update(of=Conversation)
    ).one_or_none()
    if found is None:
        return None
    owner, contact = found
    if owner == Owner.STAFF:
        _silence_bot(session, contact_id)
    waiting = session.scalars(
        select(Delivery)
        .where(Delivery.contact_id == contact_id, Delivery.lane == Lane.REPLY)
        .where(Delivery.status.in_([DeliveryStatus.PENDING, DeliveryStatus.SENDING]))
        .order_by(Delivery.id)
        .limit(2)
        .with_for_update()
    ).all()
    if not waiting:
        return None
    first = waiting[0]
    if first.status == DeliveryStatus.SENDING or (first.not_before and first.not_before > now):
        return None
    first.status = DeliveryStatus.SENDING
    first.attempts += 1
    first.lease_until = now + LEASE
    return ClaimedReply(first, contact, last=len(waiting) == 1)


def _silence_bot(session: Session, contact_id: int) -> None:
    by_staff = select(Message.id).where(Message.id == Delivery.message_id, Message.sender == "staff")
    session.execute(
        update(Delivery)
        .where(Delivery.contact_id == contact_id, Delivery.status == DeliveryStatus.PENDING)
        .where(Delivery.lane == Lane.REPLY, ~by_staff.exists())
        .values(status=DeliveryStatus.CANCELLED, outcome="staff_took_over")
    )


def waits_until(session: Session, contact_id: int) -> datetime | None:
    """When the contact's next pending reply may be tried again."""
    return session.scalar(
        select(Delivery.not_before)
        .where(Delivery.contact_id == contact_id, Delivery.status == DeliveryStatus.PENDING)
        .where(Delivery.lane == Lane.REPLY)
        .order_by(Delivery.id)
        .limit(1)
    )


def settle(
    session: Session,
    delivery_id: int,
    status: DeliveryStatus,
    *,
    outcome: str,
    now: datetime,
    provider_code: str | None = None,
    provider_message_id: str | None = None,
    not_before: datetime | None = None,
    attempts: int | None = None,
) -> None:
    """Write down what became of a claimed delivery. A receipt that came first is not overwritten."""
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.status == DeliveryStatus.SENDING)
        .values(
            status=status,
            outcome=outcome,
            provider_code=provider_code,
            provider_message_id=func.coalesce(Delivery.provider_message_id, provider_message_id),
            not_before=not_before,
            attempts=Delivery.attempts if attempts is None else attempts,
            lease_until=None,
            sent_at=now if status == DeliveryStatus.SENT else Delivery.sent_at,
        ),
        execution_options=NOTHING_LOADED,
    )


def expire_leases(session: Session, now: datetime) -> list[int]:
    """Sends whose worker died: whether they arrived is unknown. Returns the contacts whose next replies may go on."""
    rows = session.execute(
        update(Delivery)
        .where(Delivery.status == DeliveryStatus.SENDING, Delivery.lease_until < now)
        .values(status=DeliveryStatus.UNKNOWN, outcome="worker_died", lease_until=None)
        .returning(Delivery.contact_id)
    )
    return sorted({contact_id for (contact_id,) in rows})


def contacts_with_due_replies(session: Session, now: datetime, older_than: datetime, limit: int) -> Sequence[int]:
    """Contacts whose pending reply is due since `older_than` and has no job: it must have been lost.

    One that has a job, however late, gets no second one: a queue that lags must not grow by itself (examples.md §9).
    """
    return session.scalars(
        select(Delivery.contact_id)
        .where(Delivery.status == DeliveryStatus.PENDING, Delivery.lane == Lane.REPLY)
        .where(Delivery.created_at < older_than)
        .where(or_(Delivery.not_before.is_(None), Delivery.not_before <= now))
        .where(NO_SENDING_JOB)
        .distinct()
        .limit(limit)
    ).all()


def confirm_echo(
    session: Session,
    channel: str,
    *,
    contact_id: int,
    key: str | None,
    provider_message_id: str | None,
    text: str,
    now: datetime,
) -> bool:
    """Is the echoed message one of ours? By our key, by the platform's id, or as the text under way to the contact.

    Settles a send that is under way, whose outcome is unknown, or that was tried and seemed to have failed.
    """
    open_sends = and_(
        Delivery.contact_id == contact_id,
        or_(
            Delivery.status.in_([DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN]),
            and_(Delivery.status == DeliveryStatus.PENDING, Delivery.attempts > 0),
        ),
        func.coalesce(Delivery.content["text"].astext, "") == text,
    )
    named = or_(
        Delivery.key == key if key else false(),
        Delivery.provider_message_id == provider_message_id if provider_message_id else false(),
    )
    ours = session.scalars(
        select(Delivery)
        .where(Delivery.channel == channel, or_(named, open_sends))
        .order_by(case((named, 0), else_=1), Delivery.id)
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if ours is None:
        return False
    ours.provider_message_id = ours.provider_message_id or provider_message_id
    if ours.status in UNSETTLED:
        ours.status, ours.outcome, ours.sent_at = DeliveryStatus.SENT, "echo", ours.sent_at or now
    return True


def is_under_way(session: Session, contact_id: int) -> bool:
    """Is a message being handed to the platform for the contact at this moment?"""
    sending = select(Delivery.id).where(Delivery.contact_id == contact_id, Delivery.status == DeliveryStatus.SENDING)
    return session.scalar(sending.limit(1)) is not None


def keep_media(session: Session, *, contact_id: int, content_type: str, body: bytes, expires_at: datetime) -> int:
    media = Media(contact_id=contact_id, content_type=content_type, body=body, expires_at=expires_at)
    session.add(media)
    session.flush()
    return media.id

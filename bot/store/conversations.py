"""Contacts, their conversations, links and consents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from bot.store.models import Audit, Consent, Contact, Conversation, Link, Message, Owner

ACCOUNT_PURPOSE = "account"
"""Looking up bills, usage and outages of linked codes to answer in this chat, and to write of them."""


@dataclass(frozen=True)
class Loaded:
    """A contact with all that a turn starts from."""

    contact: Contact
    conversation: Conversation
    links: list[Link]
    consents: frozenset[str]


def load(session: Session, channel: str, channel_user_id: str) -> Loaded:
    """The contact and its conversation, made on the first event."""
    both = (
        select(Contact, Conversation)
        .join(Conversation, Conversation.contact_id == Contact.id)
        .where(Contact.channel == channel, Contact.channel_user_id == channel_user_id)
    )
    found = session.execute(both).one_or_none()
    if found is None:
        _make(session, channel, channel_user_id)
        found = session.execute(both).one()
    contact, conversation = found
    return Loaded(contact, conversation, live_links(session, contact.id), granted_purposes(session, contact.id))


def _make(session: Session, channel: str, channel_user_id: str) -> None:
    """The contact and its conversation, whichever is missing; another process may be at it, too."""
    its_own = (Contact.channel == channel, Contact.channel_user_id == channel_user_id)
    session.execute(insert(Contact).values(channel=channel, channel_user_id=channel_user_id).on_conflict_do_nothing())
    contact_id = session.scalars(select(Contact.id).where(*its_own)).one()
    session.execute(insert(Conversation).values(contact_id=contact_id).on_conflict_do_nothing())


def lock(session: Session, conversation_id: int) -> Conversation:
    """The conversation, held until the transaction ends."""
    return session.scalars(
        select(Conversation)
        .where(Conversation.id == conversation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def touch(session: Session, contact_id: int, at: datetime) -> None:
    """The customer wrote at `at`: the reply window runs from there, and they can be reached."""
    session.execute(
        update(Contact)
        .where(Contact.id == contact_id, (Contact.last_inbound_at.is_(None)) | (Contact.last_inbound_at < at))
        .values(last_inbound_at=at, unreachable_since=None),
        execution_options={"synchronize_session": False},
    )


def mark_unreachable(session: Session, contact_id: int, at: datetime) -> None:
    session.execute(
        update(Contact)
        .where(Contact.id == contact_id, Contact.unreachable_since.is_(None))
        .values(unreachable_since=at)
    )


def set_owner(session: Session, conversation_id: int, owner: Owner, at: datetime) -> None:
    """Give the conversation to `owner`. The version rises, so that a turn being computed is not committed over it."""
    session.execute(
        update(Conversation)
        .where(Conversation.id == conversation_id, Conversation.owner != owner)
        .values(
            owner=owner,
            version=Conversation.version + 1,
            waiting_since=at if owner is Owner.WAITING else None,
        )
    )


def record(session: Session, message: Message) -> int:
    session.add(message)
    session.flush()
    return message.id


def live_links(session: Session, contact_id: int) -> list[Link]:
    return list(
        session.scalars(select(Link).where(Link.contact_id == contact_id, Link.ended_at.is_(None)).order_by(Link.id))
    )


def live_code(session: Session, link_id: int) -> str | None:
    """The customer code of a link that has not ended."""
    return session.scalar(select(Link.customer_code).where(Link.id == link_id, Link.ended_at.is_(None)))


def add_link(session: Session, *, contact_id: int, customer_code: str, method: str, at: datetime) -> Link:
    """A verified link; the one that is there already, if any."""
    added = session.scalar(
        insert(Link)
        .values(contact_id=contact_id, customer_code=customer_code, method=method, verified_at=at)
        .on_conflict_do_nothing()
        .returning(Link.id)
    )
    if added is not None:
        audit(session, actor=f"contact:{contact_id}", action="link.added", contact_id=contact_id, method=method)
    return next(link for link in live_links(session, contact_id) if link.customer_code == customer_code)


def end_link(session: Session, *, contact_id: int, link_id: int, at: datetime) -> None:
    """End one of this contact's links; another contact's is left alone."""
    session.execute(
        update(Link)
        .where(Link.id == link_id, Link.contact_id == contact_id, Link.ended_at.is_(None))
        .values(ended_at=at)
    )
    audit(session, actor=f"contact:{contact_id}", action="link.ended", contact_id=contact_id, link=link_id)


def name_link(session: Session, *, contact_id: int, link_id: int, nickname: str | None) -> None:
    """What the customer calls the account; None for its code alone."""
    session.execute(update(Link).where(Link.id == link_id, Link.contact_id == contact_id).values(nickname=nickname))


def granted_purposes(session: Session, contact_id: int) -> frozenset[str]:
    """Purposes whose latest word is yes."""
    latest = session.execute(
        select(Consent.purpose, Consent.granted)
        .where(Consent.contact_id == contact_id)
        .ext(distinct_on(Consent.purpose))
        .order_by(Consent.purpose, Consent.id.desc())
    )
    return frozenset(purpose for purpose, granted in latest if granted)


def withdraw_consents(
    session: Session, contact_id: int, *, event_id: int, at: datetime, text_version: str = "platform"
) -> None:
    """A no to every purpose that was agreed to; by default said through the platform and not in words of ours."""
    for purpose in granted_purposes(session, contact_id):
        session.add(
            Consent(
                contact_id=contact_id,
                purpose=purpose,
                granted=False,
                text_version=text_version,
                inbound_event_id=event_id,
                at=at,
            )
        )


def audit(session: Session, *, actor: str, action: str, contact_id: int | None, **detail: Any) -> None:
    session.add(Audit(actor=actor, action=action, contact_id=contact_id, detail=detail))

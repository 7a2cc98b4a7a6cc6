"""The tables. Money is int đồng, times are aware UTC, ids are bigint identities, text is NFC."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
        bytes: LargeBinary(),
    }


def _id() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(), primary_key=True)


def _created_at() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


class Owner(StrEnum):
    """Whose turn it is to speak in a conversation."""

    BOT = "bot"
    WAITING = "waiting"
    STAFF = "staff"


class EventStatus(StrEnum):
    RECEIVED = "received"
    DONE = "done"
    IGNORED = "ignored"
    PARKED = "parked"


class DeliveryStatus(StrEnum):
    """Life of a delivery. `unknown`: handed over, no answer; never sent again by itself.

    Of notices only: `claimed` by a worker that has not yet begun to send it, `skipped` for the reason in `outcome`,
    `paused` with its campaign.
    """

    PENDING = "pending"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    SEEN = "seen"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    PAUSED = "paused"


ACCEPTED = frozenset({DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.SEEN})
TOLD = ACCEPTED | {DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN}
"""It was read, or may be."""
FINISHED = ACCEPTED | {DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN, DeliveryStatus.CANCELLED, DeliveryStatus.SKIPPED}


class Lane(StrEnum):
    """Sending order when the provider's rate is short: replies first, bulk last."""

    REPLY = "reply"
    URGENT = "urgent"
    NOTICE = "notice"
    BULK = "bulk"


NOTICE_LANES = (Lane.URGENT, Lane.NOTICE, Lane.BULK)
"""Those of what the company writes first; each is a queue of the workers, too."""


class Contact(Base):
    """A person on one channel (not a customer of the company: that is what links say)."""

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("channel", "channel_user_id"),)

    id: Mapped[int] = _id()
    channel: Mapped[str]
    channel_user_id: Mapped[str]
    display_name: Mapped[str | None]
    last_inbound_at: Mapped[datetime | None]
    unreachable_since: Mapped[datetime | None]
    created_at: Mapped[datetime] = _created_at()


class Consent(Base):
    """What a contact agreed to or refused, when, and by which words (Nghị định 356/2025 Art. 6). Append-only."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_latest", "contact_id", "purpose", "id"),)

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    granted: Mapped[bool]
    text_version: Mapped[str]
    inbound_event_id: Mapped[int | None]
    at: Mapped[datetime]


class Link(Base):
    """A customer code that this contact proved to be allowed to ask about. Ended links stay for the record."""

    __tablename__ = "link"
    __table_args__ = (
        Index("uq_link_live", "contact_id", "customer_code", unique=True, postgresql_where=sql("ended_at IS NULL")),
        Index("ix_link_customer_code", "customer_code"),
    )

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    customer_code: Mapped[str]
    nickname: Mapped[str | None]
    method: Mapped[str]
    verified_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Conversation(Base):
    """The one running conversation with a contact. `version` rises with every turn and every change of owner.

    `staff_id`: who has it, of those who took it over in the console; None where the platform's own inbox was used.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        Index("ix_conversation_latest", sql("last_message_at DESC"), sql("id DESC")),
        Index("ix_conversation_with_people", "waiting_since", "id", postgresql_where=sql("owner <> 'bot'")),
    )

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"), unique=True)
    owner: Mapped[str] = mapped_column(server_default=Owner.BOT)
    waiting_since: Mapped[datetime | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'::jsonb"))
    version: Mapped[int] = mapped_column(server_default=sql("0"))
    created_at: Mapped[datetime] = _created_at()
    last_message_at: Mapped[datetime | None]


class InboundEvent(Base):
    """A webhook event as it came. Unique per channel and key: a repeat is a no-op.

    `handle_from`: when it is next due, for events that workers look for themselves; None for those that have a job.
    """

    __tablename__ = "inbound_event"
    __table_args__ = (
        UniqueConstraint("channel", "key"),
        Index("ix_inbound_event_user", "channel", "user_id"),
        Index("ix_inbound_event_received_at", "received_at", postgresql_using="brin"),
        Index("ix_inbound_event_open", "id", postgresql_where=sql("status IN ('received', 'parked')")),
        Index(
            "ix_inbound_event_waiting",
            "handle_from",
            "id",
            postgresql_where=sql("status = 'received' AND handle_from IS NOT NULL"),
        ),
    )

    id: Mapped[int] = _id()
    channel: Mapped[str]
    key: Mapped[str]
    name: Mapped[str]
    user_id: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(server_default=EventStatus.RECEIVED)
    error: Mapped[str | None]
    received_at: Mapped[datetime] = _created_at()
    done_at: Mapped[datetime | None]
    handle_from: Mapped[datetime | None]


class Message(Base):
    """A line of a conversation, from whoever said it, with what the bot understood of it.

    `search`: the words without tone marks, and marks for filters: `sender=…`, `intent=…`, `by=…` (what handled it) and
    `sure=0` to `sure=10` (tenths of the confidence). `staff_id`: who wrote it in the console.
    """

    __tablename__ = "message"
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012 (the base class says how it is typed)
    __table_args__ = (
        Index("ix_message_search", "search", postgresql_using="gin"),
        Index("ix_message_thread", "conversation_id", "id"),
        Index("ix_message_kept", "created_at", postgresql_where=sql("text <> '' OR content <> '{}'::jsonb")),
        Index(
            "ix_message_attachments",
            "created_at",
            postgresql_where=sql("content ?| ARRAY['attachments', 'position', 'info']"),
        ),
        Index("ix_message_asked", "created_at", postgresql_where=sql("sender = 'customer'")),
    )

    id: Mapped[int] = _id()
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    sender: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(server_default="")
    content: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'::jsonb"))
    intent: Mapped[str | None]
    confidence: Mapped[float | None]
    understanding: Mapped[dict[str, Any] | None]
    handled_by: Mapped[str | None]
    latency_ms: Mapped[int | None]
    inbound_event_id: Mapped[int | None] = mapped_column(index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = _created_at()
    search: Mapped[str | None] = mapped_column(
        TSVECTOR(),
        Computed("message_search(text, sender, intent, confidence, handled_by, understanding -> 'entities')", True),
        deferred=True,
    )


class Delivery(Base):
    """One call to a provider's send API, from planned to seen. `key` makes planning it twice a no-op."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_delivery_pending", "contact_id", "id", postgresql_where=sql("status IN ('pending', 'sending')")),
        Index(
            "uq_delivery_provider_message",
            "channel",
            "provider_message_id",
            unique=True,
            postgresql_where=sql("provider_message_id IS NOT NULL"),
        ),
        Index("ix_delivery_contact_sent", "contact_id", "sent_at"),
        Index(
            "ix_delivery_due",
            "channel",
            "lane",
            "not_before",
            "id",
            postgresql_where=sql("status = 'pending' AND notice_id IS NOT NULL"),
        ),
        Index("ix_delivery_leased", "lease_until", postgresql_where=sql("status IN ('claimed', 'sending')")),
        Index("ix_delivery_told", "contact_id", "sent_at", postgresql_where=sql("notice_id IS NOT NULL")),
        Index("ix_delivery_notice", "notice_id", "status", "id", postgresql_where=sql("notice_id IS NOT NULL")),
        Index("ix_delivery_kept", "created_at", postgresql_where=sql("content <> '{}'::jsonb")),
        Index(
            "ix_delivery_notice_sent", "sent_at", postgresql_where=sql("notice_id IS NOT NULL AND sent_at IS NOT NULL")
        ),
    )

    id: Mapped[int] = _id()
    key: Mapped[str]
    channel: Mapped[str]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
    link_id: Mapped[int | None]
    route: Mapped[str | None]
    lane: Mapped[str]
    content: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(server_default=DeliveryStatus.PENDING)
    outcome: Mapped[str | None]
    provider_code: Mapped[str | None]
    provider_message_id: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default=sql("0"))
    not_before: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = _created_at()
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]


class NoticeStatus(StrEnum):
    """`waiting` for its time, `running`: its deliveries are planned or being planned. The others are ends, but for
    `paused`, which can go on.
    """

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


class Notice(Base):
    """Something that the company tells: one fact, to one account or to an audience. `key` makes it happen once.

    `subject` is what it is about, the same for all that is told of it (`invoice:…`, `outage:…`), `version` that of the
    subject: what is told of a newer one supersedes it. `audience` is a query of the utility's customer codes, gone
    through up to `planned_up_to`, or the one chat `contact_id`; None for the one `customer_code`. `facts` are the
    utility's answer that it rests on.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_notice_due", "not_before", "id", postgresql_where=sql("status = 'waiting'")),
        Index("ix_notice_running", "id", postgresql_where=sql("status = 'running'")),
        Index("ix_notice_to_plan", "id", postgresql_where=sql("audience IS NOT NULL AND planned_at IS NULL")),
        Index("ix_notice_subject", "subject"),
        Index("ix_notice_to_many", "id", postgresql_where=sql("audience IS NOT NULL")),
        Index("ix_notice_kept", "created_at", postgresql_where=sql("facts <> '{}'::jsonb")),
    )

    id: Mapped[int] = _id()
    key: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    version: Mapped[int]
    customer_code: Mapped[str | None]
    audience: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    facts: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(server_default=NoticeStatus.WAITING)
    not_before: Mapped[datetime]
    valid_until: Mapped[datetime]
    planned_up_to: Mapped[str | None]
    planned_at: Mapped[datetime | None]
    paused_because: Mapped[str | None]
    created_at: Mapped[datetime] = _created_at()


class CampaignStatus(StrEnum):
    """How far a notice that staff write has come: from `draft` to its row of `notice`, or `withdrawn`."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


class Campaign(Base):
    """A notice that staff write (product.md F26): what, to whom, when; who wrote it and who approved it.

    `given` is what was typed, `facts` and `audience` what the notice will have. The database computes `content_hash` of
    all that is approved, holds `approved_hash` equal to it, and refuses a notice of a campaign that is not approved.
    `not_before` None: as soon as it is released.
    """

    __tablename__ = "campaign"
    __table_args__ = (
        UniqueConstraint("notice_id"),
        CheckConstraint("approved_by <> created_by AND approved_by <> edited_by", name="four_eyes"),
        CheckConstraint("approved_hash = content_hash", name="approved_as_it_is"),
        CheckConstraint("num_nulls(approved_by, approved_at, approved_hash) IN (0, 3)", name="approved_by_somebody"),
        CheckConstraint("(status IN ('approved', 'released')) = (approved_hash IS NOT NULL)", name="approved"),
        CheckConstraint("(status = 'released') = (notice_id IS NOT NULL)", name="released"),
        CheckConstraint("num_nulls(notice_id, released_by, released_at) IN (0, 3)", name="released_by_somebody"),
        Index("ix_campaign_status", "status", "id"),
    )

    id: Mapped[int] = _id()
    kind: Mapped[str]
    given: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]
    audience: Mapped[dict[str, Any]]
    not_before: Mapped[datetime | None]
    valid_until: Mapped[datetime]
    content_hash: Mapped[str] = mapped_column(
        Computed("campaign_hash(kind, given, facts, audience, not_before, valid_until)", True)
    )
    status: Mapped[str] = mapped_column(server_default=CampaignStatus.DRAFT)
    created_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    edited_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    edited_at: Mapped[datetime]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    approved_at: Mapped[datetime | None]
    approved_hash: Mapped[str | None]
    released_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    released_at: Mapped[datetime | None]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))


class ListedCode(Base):
    """A customer code of a list that staff brought. `list` is the SHA-256 of the sorted codes: a list never changes."""

    __tablename__ = "listed_code"

    list: Mapped[str] = mapped_column(primary_key=True)
    customer_code: Mapped[str] = mapped_column(primary_key=True)


class Media(Base):
    """A picture made for one contact, kept until it may no longer be fetched."""

    __tablename__ = "media"

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    content_type: Mapped[str]
    body: Mapped[bytes]
    created_at: Mapped[datetime] = _created_at()
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PlatformToken(Base):
    """A provider's live credentials. For Zalo the refresh token is single use (zalo.md §1.3).

    `bootstrap_hash` is the SHA-256 of the setting that started the chain: a new value in the settings starts anew.
    """

    __tablename__ = "platform_token"

    provider: Mapped[str] = mapped_column(primary_key=True)
    access_token: Mapped[str | None]
    access_expires_at: Mapped[datetime | None]
    refresh_token: Mapped[str | None]
    bootstrap_hash: Mapped[str | None]
    needs_consent_since: Mapped[datetime | None]
    updated_at: Mapped[datetime] = _created_at()


class RateBudget(Base):
    """A token bucket per provider token, shared by all processes (rates in messages per second)."""

    __tablename__ = "rate_budget"

    key: Mapped[str] = mapped_column(primary_key=True)
    available: Mapped[float]
    refilled_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]


class OtpChallenge(Base):
    """A one-time password sent to the phone on a contract. Only its hash is kept.

    `phone_ref` is the utility's pseudonym of the phone, the same for all contracts that name it.
    """

    __tablename__ = "otp_challenge"
    __table_args__ = (
        Index("ix_otp_challenge_contact", "contact_id", "sent_at"),
        Index("ix_otp_challenge_code", "customer_code", "sent_at"),
        Index("ix_otp_challenge_phone", "phone_ref", "sent_at"),
    )

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    customer_code: Mapped[str]
    phone_ref: Mapped[str | None]
    event_id: Mapped[int]
    otp_hash: Mapped[str]
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    wrong_guesses: Mapped[int] = mapped_column(server_default=sql("0"))
    used_at: Mapped[datetime | None]
    used_by_event_id: Mapped[int | None]


class GridReport(Base):
    """What a contact told of the grid: no power, a danger. One row for each event and kind, so a replay adds none.

    `place_code` and `feeder` say where, as far as known; `only_me` that the neighbours have power; `outage_id` that a
    known outage explains it; `over_at` that the contact said it is over.
    """

    __tablename__ = "grid_report"
    __table_args__ = (
        UniqueConstraint("event_id", "kind"),
        Index("ix_grid_report_contact", "contact_id", "at"),
        Index("ix_grid_report_place", "place_code", "at"),
        Index("ix_grid_report_feeder", "feeder", "at"),
    )

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    event_id: Mapped[int]
    kind: Mapped[str]
    ticket_code: Mapped[str]
    place_code: Mapped[str | None]
    feeder: Mapped[str | None]
    only_me: Mapped[bool] = mapped_column(server_default=sql("false"))
    outage_id: Mapped[str | None]
    at: Mapped[datetime]
    over_at: Mapped[datetime | None]


class SuspectedOutage(Base):
    """So many contacts of one area reported within so short a time that the whole area must be out.

    `area` is `place:<code>` or `feeder:<name>`. The row is made once, by whoever's report was the one too many;
    `ticket_code` is empty until the utility has been told.
    """

    __tablename__ = "suspected_outage"
    __table_args__ = (Index("ix_suspected_outage_area", "area", "since"),)

    id: Mapped[int] = _id()
    area: Mapped[str]
    place_code: Mapped[str]
    since: Mapped[datetime]
    ticket_code: Mapped[str | None]


class Audit(Base):
    """Who did what to whose data, and why. The database refuses to change or delete a row."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_contact", "contact_id", "id"),)

    id: Mapped[int] = _id()
    at: Mapped[datetime] = _created_at()
    actor: Mapped[str]
    action: Mapped[str]
    contact_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'::jsonb"))


class LinkCode(Base):
    """A one-time code that staff hand out after seeing the customer in person. Only its hash is kept.

    `sheet_id`: the sheet that it is printed on; None for one handed out alone.
    """

    __tablename__ = "link_code"
    __table_args__ = (
        UniqueConstraint("code_hash"),
        Index("ix_link_code_customer_code", "customer_code"),
        Index("ix_link_code_sheet", "sheet_id", "id"),
    )

    id: Mapped[int] = _id()
    sheet_id: Mapped[int | None] = mapped_column(ForeignKey("link_sheet.id"))
    code_hash: Mapped[str]
    customer_code: Mapped[str]
    issued_by: Mapped[str]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    used_by_contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id", ondelete="SET NULL"), index=True)
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]


class LinkSheet(Base):
    """Codes of one hamlet, made together to be printed and handed out there. `place` is what staff call it."""

    __tablename__ = "link_sheet"

    id: Mapped[int] = _id()
    place: Mapped[str]
    issued_by: Mapped[str]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class LinkCodeGuess(Base):
    """A code that a contact typed and that links nothing: counted, so that nobody can go through them all."""

    __tablename__ = "link_code_guess"
    __table_args__ = (UniqueConstraint("event_id"), Index("ix_link_code_guess_contact", "contact_id", "at"))

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    event_id: Mapped[int]
    at: Mapped[datetime]


class HandoverReason(StrEnum):
    """Why a person is needed, the gravest first."""

    DANGER = "danger"
    ANGER = "anger"
    COMPLAINT = "complaint"
    RIGHTS = "rights"
    MISUNDERSTANDING = "misunderstanding"
    ASKED = "asked"


class Handover(Base):
    """A conversation that waits for a person, or that one has: why, and what they should know at a glance.

    `summary` has `last_messages` and what `bot.store.handovers.Brief` holds.
    """

    __tablename__ = "handover"
    __table_args__ = (
        Index("uq_handover_open", "conversation_id", unique=True, postgresql_where=sql("ended_at IS NULL")),
    )

    id: Mapped[int] = _id()
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    reason: Mapped[str]
    summary: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    promised_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class RightKind(StrEnum):
    """What a person may ask for of their data (electricity.md §8.1)."""

    SEE = "see"
    COPY = "copy"
    CORRECT = "correct"
    WITHDRAW = "withdraw"
    ERASE = "erase"
    OBJECT = "object"


class RightsRequest(Base):
    """A request about one's own data, with the law's deadlines. Kept as the proof that it was kept to."""

    __tablename__ = "rights_request"
    __table_args__ = (
        UniqueConstraint("event_id", "kind"),
        Index("ix_rights_request_contact", "contact_id", "id"),
        Index("ix_rights_request_open", "done_due", postgresql_where=sql("done_at IS NULL")),
    )

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    kind: Mapped[str]
    event_id: Mapped[int]
    received_at: Mapped[datetime]
    answer_due: Mapped[datetime]
    done_due: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class NoticePreference(Base):
    """Whether a contact wants a kind of notice (data/notices.yml): at all, for one linked account, or of one place.

    What is said of an account goes before what is said in general. Only the present wish; its history is in `consent`.
    """

    __tablename__ = "notice_preference"
    __table_args__ = (
        Index(
            "uq_notice_preference",
            "contact_id",
            "kind",
            "link_id",
            "place_code",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "ix_notice_preference_place",
            "kind",
            "place_code",
            "contact_id",
            postgresql_where=sql("wanted AND place_code IS NOT NULL"),
        ),
    )

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    kind: Mapped[str]
    link_id: Mapped[int | None] = mapped_column(ForeignKey("link.id", ondelete="CASCADE"), index=True)
    place_code: Mapped[str | None]
    wanted: Mapped[bool]
    at: Mapped[datetime]
    inbound_event_id: Mapped[int]


class NoticeLimits(Base):
    """When and how often a contact may be written to; None for what the company sets (data/company.yml).

    `quiet_from` to `quiet_until` are local times of day, over midnight where they run backwards; equal for no quiet
    hours. `most_per_day` counts notices that are not urgent.
    """

    __tablename__ = "notice_limits"

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True)
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    most_per_day: Mapped[int | None]


class UsageAlert(Base):
    """The use in a month from which the customer is to be told: either kWh or đồng."""

    __tablename__ = "usage_alert"
    __table_args__ = (CheckConstraint("(kwh IS NULL) <> (dong IS NULL)", name="kwh_or_dong"),)

    link_id: Mapped[int] = mapped_column(ForeignKey("link.id", ondelete="CASCADE"), primary_key=True)
    kwh: Mapped[int | None]
    dong: Mapped[int | None]
    at: Mapped[datetime]
    inbound_event_id: Mapped[int]


class FeedCursor(Base):
    """How far a change feed of the utility has been read; `cursor` is None before its first page.

    `failed_since` is the first of the polls that have failed in a row.
    """

    __tablename__ = "feed_cursor"

    feed: Mapped[str] = mapped_column(primary_key=True)
    cursor: Mapped[str | None]
    polled_at: Mapped[datetime | None]
    failed_since: Mapped[datetime | None]


class Role(StrEnum):
    """What a member of staff does here; one may have several (F29)."""

    REVIEWER = "reviewer"
    AGENT = "agent"
    PUBLISHER = "publisher"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Staff(Base):
    """Somebody who works with the console. `login` is in lower case.

    `totp_secret` is encrypted; `totp_pending` is one that is shown but not yet confirmed. `totp_used` is the last time
    step whose code was taken, so that none is taken twice. Rows stay when people leave: the audit names them.
    """

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("login"),)

    id: Mapped[int] = _id()
    login: Mapped[str]
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    password_hash: Mapped[str]
    must_change_password: Mapped[bool] = mapped_column(server_default=sql("true"))
    totp_secret: Mapped[bytes | None]
    totp_pending: Mapped[bytes | None]
    totp_used: Mapped[int] = mapped_column(server_default=sql("0"))
    failures: Mapped[int] = mapped_column(server_default=sql("0"))
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _created_at()
    signed_in_at: Mapped[datetime | None]


class StaffSession(Base):
    """A browser that a member of staff signed in from. Only the hash of its token is kept.

    `proved`: the second factor was shown, too, or none is asked for.
    """

    __tablename__ = "staff_session"
    __table_args__ = (UniqueConstraint("token_hash"), Index("ix_staff_session_live", "staff_id", "expires_at"))

    id: Mapped[int] = _id()
    token_hash: Mapped[str]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proved: Mapped[bool]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Opening(Base):
    """A member of staff may see a contact's personal data until then, for the reason they gave."""

    __tablename__ = "opening"
    __table_args__ = (Index("ix_opening_held", "staff_id", "until"),)

    id: Mapped[int] = _id()
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    reason: Mapped[str]
    at: Mapped[datetime]
    until: Mapped[datetime]


class Note(Base):
    """What staff tell each other about a conversation; the customer never sees it."""

    __tablename__ = "note"
    __table_args__ = (Index("ix_note_thread", "conversation_id", "id"),)

    id: Mapped[int] = _id()
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str]
    at: Mapped[datetime]


class Figure(Base):
    """A count of one local day (docs/figures.md), by where and over which channel.

    `part` of `whole`; `whole` is None for what is no share. `area` is the first characters of a customer code, which
    name the local unit, or empty where none is linked. `bucket` divides a figure further: a lane, an intent, the
    longest time of a class in ms. `channel` is empty in sums over all channels that are not sums of the channels'.
    """

    __tablename__ = "figure"

    name: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    bucket: Mapped[str] = mapped_column(primary_key=True, server_default="")
    part: Mapped[int]
    whole: Mapped[int | None]


class FigureDay(Base):
    """A local day whose figures are counted. `final`: it was over, so that they are not counted again."""

    __tablename__ = "figure_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    counted_at: Mapped[datetime]
    final: Mapped[bool]


class FigureArea(Base):
    """What the company calls the unit that the first characters of its customer codes name."""

    __tablename__ = "figure_area"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class UnansweredWording(Base):
    """What nobody could be told on one local day, in words without personal data; `folded` is what equal ones share."""

    __tablename__ = "unanswered_wording"

    day: Mapped[date] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    folded: Mapped[str] = mapped_column(primary_key=True)
    shown: Mapped[str]
    times: Mapped[int]


class Verdict(StrEnum):
    """What a reviewer says of how a message was understood."""

    CONFIRMED = "confirmed"
    RELABELLED = "relabelled"
    OUT_OF_SCOPE = "out_of_scope"
    SPLIT = "split"
    DISCARDED = "discarded"


class Review(Base):
    """A customer's message that is worth a reviewer's look, and what they said of it; no verdict while it waits.

    `value` orders what waits, `signals` say why (bot/pipeline/doubts.py). `guessed` is the intent that the `model`
    understood, None for a model that did not say which it is. `intent` is the true one, `entities` are `start`, `end`
    and `entity` in the message's text, `parts` those of a message that holds two requests. `applied_at`: it is in the
    training data.
    """

    __tablename__ = "review"
    __table_args__ = (
        Index("ix_review_queue", "value", "message_id", postgresql_where=sql("verdict IS NULL")),
        Index("ix_review_done", "at", "message_id", postgresql_where=sql("verdict IS NOT NULL")),
        Index("ix_review_pending", "message_id", postgresql_where=sql("verdict IS NOT NULL AND applied_at IS NULL")),
        Index("ix_review_kept", "said_at", postgresql_where=sql("verdict IS NULL")),
    )

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    value: Mapped[int]
    signals: Mapped[list[str]] = mapped_column(ARRAY(Text))
    guessed: Mapped[str]
    model: Mapped[str | None]
    said_at: Mapped[datetime]
    verdict: Mapped[str | None]
    intent: Mapped[str | None]
    entities: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    parts: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]


class ReviewProgress(Base):
    """One row: up to which message the doubtful ones have been picked out, and the model that understood the newest."""

    __tablename__ = "review_progress"

    id: Mapped[int] = _id()
    up_to: Mapped[int]
    model: Mapped[str | None]

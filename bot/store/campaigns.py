"""Notices that staff write: from a draft through a second person's approval to a row of `notice` (product.md F26)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, insert
from sqlalchemy.orm import Session

from bot.store import staff
from bot.store.conversations import audit
from bot.store.models import Campaign, CampaignStatus, ListedCode, Notice, NoticeStatus

KEY: Final = "campaign:"
"""With which the key of a notice begins that was a campaign."""
EDITABLE: Final = (CampaignStatus.DRAFT, CampaignStatus.SUBMITTED, CampaignStatus.APPROVED)


class Refused(Exception):
    """It cannot be done to the campaign as it is; `name` is that of the message which says why."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Content:
    """What is written and approved; see `bot.store.models.Campaign`."""

    kind: str
    given: Mapping[str, Any]
    facts: Mapping[str, Any]
    audience: Mapping[str, Any]
    not_before: datetime | None
    valid_until: datetime


def create(session: Session, content: Content, *, by: int, now: datetime) -> int:
    """A draft. Returns its id."""
    campaign = Campaign(
        **asdict(content), status=CampaignStatus.DRAFT, created_by=by, created_at=now, edited_by=by, edited_at=now
    )
    session.add(campaign)
    session.flush()
    _audit(session, campaign, "written", by)
    return campaign.id


def edit(session: Session, campaign_id: int, content: Content, *, by: int, now: datetime) -> None:
    """Back to a draft, whatever was approved. Raises Refused."""
    campaign = held(session, campaign_id, *EDITABLE)
    _void(campaign)
    for name, value in asdict(content).items():
        setattr(campaign, name, value)
    campaign.edited_by, campaign.edited_at = by, now
    session.flush()
    _audit(session, campaign, "edited", by)


def submit(session: Session, campaign_id: int, *, by: int, now: datetime) -> None:
    """It waits for a second person. Raises Refused."""
    campaign = held(session, campaign_id, CampaignStatus.DRAFT)
    if campaign.valid_until <= now:
        raise Refused("campaign_over")
    campaign.status = CampaignStatus.SUBMITTED
    _audit(session, campaign, "submitted", by)


def send_back(session: Session, campaign_id: int, *, by: int, why: str) -> None:
    """To be written better, for the reason told. Raises Refused."""
    campaign = held(session, campaign_id, CampaignStatus.SUBMITTED, CampaignStatus.APPROVED)
    _void(campaign)
    _audit(session, campaign, "sent_back", by, reason=why)


def withdraw(session: Session, campaign_id: int, *, by: int) -> None:
    """It is not to be sent at all. Raises Refused."""
    campaign = held(session, campaign_id, *EDITABLE)
    _void(campaign)
    campaign.status = CampaignStatus.WITHDRAWN
    _audit(session, campaign, "withdrawn", by)


def approve(session: Session, campaign_id: int, *, by: int, seen: str, now: datetime) -> None:
    """By somebody else than wrote or last edited it, of the content whose hash they saw. Raises Refused."""
    campaign = held(session, campaign_id, CampaignStatus.SUBMITTED)
    if by in {campaign.created_by, campaign.edited_by}:
        raise Refused("own_campaign")
    if campaign.content_hash != seen:
        raise Refused("campaign_changed")
    campaign.status = CampaignStatus.APPROVED
    campaign.approved_by, campaign.approved_at, campaign.approved_hash = by, now, campaign.content_hash
    _audit(session, campaign, "approved", by, content=campaign.content_hash[:12])


def release(
    session: Session, campaign_id: int, *, by: int, now: datetime, subject: str | None = None, version: int = 1
) -> int:
    """Make it a notice that is sent when its time comes: the only way to. Returns the notice's id. Raises Refused.

    `subject` and `version` as of `Notice`, where it is about something that others are told of, too.
    """
    campaign = held(session, campaign_id, CampaignStatus.APPROVED)
    if campaign.approved_hash != campaign.content_hash:
        raise Refused("campaign_changed")
    if campaign.approved_by in {None, campaign.created_by, campaign.edited_by}:
        raise Refused("own_campaign")
    if (listed := campaign.audience.get("list")) and digest(codes_of_list(session, listed)) != listed:
        raise Refused("list_changed")
    if campaign.valid_until <= now:
        raise Refused("campaign_over")
    key = f"{KEY}{campaign.id}"
    notice = Notice(
        key=key,
        kind=campaign.kind,
        subject=subject or key,
        version=version,
        audience=campaign.audience,
        facts=campaign.facts,
        status=NoticeStatus.WAITING,
        not_before=max(campaign.not_before or now, now),
        valid_until=campaign.valid_until,
        created_at=now,
    )
    session.add(notice)
    session.flush()
    campaign.status, campaign.notice_id = CampaignStatus.RELEASED, notice.id
    campaign.released_by, campaign.released_at = by, now
    _audit(session, campaign, "released", by, notice=notice.id)
    return notice.id


def copy(session: Session, campaign_id: int, *, by: int, now: datetime) -> int:
    """A new draft that says the same, its times to be set anew. Returns its id. Raises Refused."""
    old = session.get(Campaign, campaign_id)
    if old is None:
        raise Refused("no_campaign")
    given = {**old.given, "not_before": "", "valid_until": ""}
    content = Content(old.kind, given, old.facts, old.audience, None, old.valid_until)
    return create(session, content, by=by, now=now)


def held(session: Session, campaign_id: int, *statuses: CampaignStatus) -> Campaign:
    """The campaign, locked, if it has one of the statuses. Raises Refused."""
    campaign = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None:
        raise Refused("no_campaign")
    if campaign.status not in statuses:
        raise Refused("campaign_moved_on")
    return campaign


def _void(campaign: Campaign) -> None:
    campaign.status = CampaignStatus.DRAFT
    campaign.approved_by = campaign.approved_at = campaign.approved_hash = None


def _audit(session: Session, campaign: Campaign, action: str, by: int, **detail: Any) -> None:
    audit(
        session,
        actor=staff.actor(by),
        action=f"campaign.{action}",
        contact_id=None,
        campaign=campaign.id,
        kind=campaign.kind,
        **detail,
    )


# --- Reading ---


def page(
    session: Session, *, status: CampaignStatus | NoticeStatus | None, before: int | None, limit: int
) -> Sequence[tuple[Campaign, Notice | None]]:
    """The newest first, each with the notice that it became. A status of a notice is one of those that became one."""
    query = select(Campaign, Notice).outerjoin(Notice, Notice.id == Campaign.notice_id).order_by(Campaign.id.desc())
    if before is not None:
        query = query.where(Campaign.id < before)
    if isinstance(status, NoticeStatus):
        query = query.where(Notice.status == status)
    elif status:
        query = query.where(Campaign.status == status)
    return [(row[0], row[1]) for row in session.execute(query.limit(limit))]


def waiting_for_approval(session: Session, staff_id: int) -> int:
    """How many wait for a second person who may be this one."""
    return session.scalars(
        select(func.count())
        .select_from(Campaign)
        .where(Campaign.status == CampaignStatus.SUBMITTED)
        .where(Campaign.created_by != staff_id, Campaign.edited_by != staff_id)
    ).one()


def of_notice(session: Session, notice_id: int) -> Campaign | None:
    return session.scalars(select(Campaign).where(Campaign.notice_id == notice_id)).one_or_none()


# --- Lists of customer codes ---


def digest(codes: Sequence[str]) -> str:
    """The name of a list: of its codes in order."""
    return sha256("\n".join(sorted(codes)).encode()).hexdigest()


def keep_list(session: Session, codes: Sequence[str]) -> str:
    """Keep a list under its name, which is returned; one that is kept already is left as it is."""
    name = digest(codes)
    rows = select(literal(name), func.unnest(bindparam("codes", list(codes), ARRAY(TEXT))))
    session.execute(insert(ListedCode).from_select(["list", "customer_code"], rows).on_conflict_do_nothing())
    return name


def codes_of_list(session: Session, name: str, after: str | None = None, limit: int | None = None) -> Sequence[str]:
    """Its codes in order."""
    query = select(ListedCode.customer_code).where(ListedCode.list == name).order_by(ListedCode.customer_code)
    if after is not None:
        query = query.where(ListedCode.customer_code > after)
    return session.scalars(query.limit(limit)).all()

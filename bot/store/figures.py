"""Figures of each local day: counted by the clock, so that no page counts rows (F28). Defined in docs/figures.md."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, select, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.store.limits import hold
from bot.store.models import Contact, Conversation, Figure, FigureArea, FigureDay, Link, Message, UnansweredWording


class Name(StrEnum):
    """`in_time` and `reply_time` have lanes and classes of time as buckets, `unanswered` and `failed` intents."""

    LINKED = "linked"
    NEW_LINKS = "new_links"
    SERVED = "served"
    UNDERSTOOD = "understood"
    UNANSWERED = "unanswered"
    FAILED = "failed"
    REPLY_TIME = "reply_time"
    IN_TIME = "in_time"


AREA_LENGTH: Final = 6
"""Characters of a customer code that name the company and its local unit, as PA04DH (electricity.md §2.1)."""
IN_TIME: Final = timedelta(seconds=10)
CLASSES_MS: Final = (200, 400, 600, 800, 1000, 1500, 2000, 3000, 5000, 7000, 10000, 20000, 30000, 60000, 120000, 300000)
"""Ends of the classes of reply times; each holds what is below its end and not below the one before."""
LONGER: Final = "longer"
"""The class that has no end."""
MOST_READ: Final = 5_000
"""Messages of a day whose wordings are looked at."""

_COUNT: Final = text(
    """
    WITH home AS MATERIALIZED (
        SELECT DISTINCT ON (contact_id) contact_id, left(customer_code, :area_length) AS area
        FROM link WHERE ended_at IS NULL ORDER BY contact_id, id
    ), said AS MATERIALIZED (
        SELECT message.id, message.conversation_id, coalesce(home.area, '') AS area, contact.channel,
            message.intent, message.handled_by,
            extract(epoch FROM first_reply.sent_at - message.created_at) * 1000 AS ms,
            CASE
                WHEN given_up.id IS NOT NULL OR message.handled_by ~ '(^| )failure:' THEN 'failed'
                WHEN message.handled_by IS NULL THEN 'with_staff'
                WHEN message.handled_by = '' THEN 'not_asked'
                WHEN message.handled_by ~ '(^| )fallback( |$)' THEN 'unanswered'
                ELSE 'answered'
            END AS fate
        FROM message
        JOIN conversation ON conversation.id = message.conversation_id
        JOIN contact ON contact.id = conversation.contact_id
        LEFT JOIN home ON home.contact_id = contact.id
        LEFT JOIN delivery first_reply ON first_reply.key = 'event-' || message.inbound_event_id || '-reply-0'
        LEFT JOIN delivery given_up ON message.handled_by IS NULL
            AND given_up.key = 'event-' || message.inbound_event_id || '-failure.given_up-0'
        WHERE message.sender = 'customer' AND message.created_at >= :start AND message.created_at < :until
    ), dialogue AS (
        SELECT conversation_id, max(area) AS area, max(channel) AS channel,
            (array_agg(fate ORDER BY id DESC))[1] = 'answered' AND bool_and(fate <> 'with_staff') AS by_bot
        FROM said WHERE fate <> 'not_asked' GROUP BY conversation_id
    ), helped AS (
        SELECT conversation_id FROM handover WHERE opened_at >= :start AND opened_at < :until
        UNION
        SELECT message.conversation_id FROM dialogue JOIN message USING (conversation_id)
        WHERE message.sender = 'staff' AND message.created_at >= :start AND message.created_at < :until
    ), live AS (
        SELECT left(link.customer_code, :area_length) AS area, contact.channel, link.customer_code
        FROM link JOIN contact ON contact.id = link.contact_id
        WHERE link.verified_at < :until AND (link.ended_at IS NULL OR link.ended_at >= :until)
    ), told AS (
        SELECT coalesce(left(link.customer_code, :area_length), home.area, '') AS area, delivery.channel,
            delivery.lane, delivery.sent_at - CASE
                WHEN delivery.attempts <= 1 AND delivery.not_before > delivery.created_at THEN delivery.not_before
                ELSE notice.not_before
            END AS after
        FROM delivery
        JOIN notice ON notice.id = delivery.notice_id
        LEFT JOIN link ON link.id = delivery.link_id
        LEFT JOIN home ON home.contact_id = delivery.contact_id
        WHERE delivery.notice_id IS NOT NULL AND delivery.sent_at >= :start AND delivery.sent_at < :until
    ), counted AS (
        SELECT 'linked' AS name, area, coalesce(channel, '') AS channel, '' AS bucket,
            count(DISTINCT customer_code) AS part, CAST(NULL AS bigint) AS whole
        FROM live GROUP BY GROUPING SETS ((area, channel), (area))
        UNION ALL
        SELECT 'new_links', left(link.customer_code, :area_length), contact.channel, '', count(*), NULL
        FROM link JOIN contact ON contact.id = link.contact_id
        WHERE link.verified_at >= :start AND link.verified_at < :until GROUP BY 2, 3
        UNION ALL
        SELECT 'served', area, channel, '', count(*) FILTER (WHERE by_bot AND helped.conversation_id IS NULL), count(*)
        FROM dialogue LEFT JOIN helped USING (conversation_id) GROUP BY area, channel
        UNION ALL
        SELECT 'understood', area, channel, '', count(*) FILTER (WHERE handled_by !~ '(^| )fallback( |$)'), count(*)
        FROM said WHERE intent IS NOT NULL AND handled_by IS NOT NULL GROUP BY area, channel
        UNION ALL
        SELECT fate, area, channel, coalesce(intent, ''), count(*), NULL
        FROM said WHERE fate IN ('unanswered', 'failed') GROUP BY fate, area, channel, intent
        UNION ALL
        SELECT 'reply_time', area, channel,
            coalesce(CAST((CAST(:ends AS int[]))[1 + width_bucket(ms, CAST(:ends AS numeric[]))] AS text), :longer),
            count(*), NULL
        FROM said WHERE ms IS NOT NULL GROUP BY 2, 3, 4
        UNION ALL
        SELECT 'in_time', area, channel, 'reply', count(*) FILTER (WHERE ms <= :in_time_ms), count(*)
        FROM said WHERE ms IS NOT NULL GROUP BY area, channel
        UNION ALL
        SELECT 'in_time', area, channel, lane, count(*) FILTER (WHERE after <= :in_time), count(*)
        FROM told GROUP BY area, channel, lane
    )
    INSERT INTO figure (name, day, area, channel, bucket, part, whole)
    SELECT name, :day, area, channel, bucket, part, whole FROM counted
    """
)


@dataclass(frozen=True)
class Tally:
    """`part` of `whole`; None where it is no share."""

    part: int
    whole: int | None

    @property
    def share(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True)
class Unanswered:
    """A text that the bot did not understand, with what must be covered of it."""

    area: str
    channel: str
    text: str
    entities: Sequence[Mapping[str, Any]]
    name: str | None


@dataclass(frozen=True)
class Wording:
    """A wording without personal data, and how often it came."""

    area: str
    channel: str
    folded: str
    shown: str
    times: int


# Counting


def last_final_day(session: Session) -> date | None:
    return session.scalar(select(func.max(FigureDay.day)).where(FigureDay.final))


def began_at(session: Session) -> datetime | None:
    """When a customer first wrote."""
    return session.scalar(select(func.min(Message.created_at)).where(Message.sender == "customer"))


def count_day(session: Session, day: date, start: datetime, until: datetime, *, now: datetime, final: bool) -> None:
    """The day's figures anew, from `start` up to `until`, in place of what was counted before."""
    hold(session, "figures")
    session.execute(delete(Figure).where(Figure.day == day))
    session.execute(
        _COUNT,
        {
            "day": day,
            "start": start,
            "until": until,
            "area_length": AREA_LENGTH,
            "ends": list(CLASSES_MS),
            "longer": LONGER,
            "in_time": IN_TIME,
            "in_time_ms": IN_TIME // timedelta(milliseconds=1),
        },
    )
    counted = insert(FigureDay).values(day=day, counted_at=now, final=final)
    session.execute(
        counted.on_conflict_do_update(
            index_elements=["day"], set_={"counted_at": counted.excluded.counted_at, "final": counted.excluded.final}
        )
    )


def unanswered(session: Session, start: datetime, until: datetime) -> list[Unanswered]:
    """What was not understood, the oldest first, up to MOST_READ."""
    home = (
        select(func.left(Link.customer_code, AREA_LENGTH))
        .where(Link.contact_id == Contact.id, Link.ended_at.is_(None))
        .order_by(Link.id)
        .limit(1)
        .correlate(Contact)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            func.coalesce(home, ""),
            Contact.channel,
            Message.text,
            Message.understanding["entities"],
            Contact.display_name,
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(Message.sender == "customer", Message.created_at >= start, Message.created_at < until)
        .where(Message.handled_by.regexp_match("(^| )fallback( |$)"), Message.text != "")
        .order_by(Message.created_at, Message.id)
        .limit(MOST_READ)
    )
    return [
        Unanswered(area, channel, words, entities or [], name) for area, channel, words, entities, name in rows.all()
    ]


def keep_wordings(session: Session, day: date, wordings: Sequence[Wording]) -> None:
    """The day's wordings, in place of those kept before."""
    session.execute(delete(UnansweredWording).where(UnansweredWording.day == day))
    session.add_all(
        UnansweredWording(
            day=day, area=each.area, channel=each.channel, folded=each.folded, shown=each.shown, times=each.times
        )
        for each in wordings
    )


def forget_wordings(session: Session, before: date) -> None:
    session.execute(delete(UnansweredWording).where(UnansweredWording.day < before))


def name_areas(session: Session, names: Mapping[str, str]) -> None:
    """What the company calls its units, by the first characters of their customer codes."""
    for code, name in names.items():
        named = insert(FigureArea).values(code=code, name=name)
        session.execute(named.on_conflict_do_update(index_elements=["code"], set_={"name": named.excluded.name}))


def has_unnamed_areas(session: Session) -> bool:
    """Is there a unit with linked customers at the end of the last day whose name is not known?"""
    last = select(func.max(FigureDay.day)).scalar_subquery()
    unnamed = (
        select(Figure.area)
        .where(Figure.name == Name.LINKED, Figure.day == last)
        .where(Figure.area.not_in(select(FigureArea.code)))
    )
    return session.scalar(unnamed.limit(1)) is not None


# Reading


def days_counted(session: Session) -> tuple[date, date] | None:
    """The first and the last."""
    first, last = session.execute(select(func.min(FigureDay.day), func.max(FigureDay.day))).one()
    return (first, last) if first else None


def counted_at(session: Session) -> datetime | None:
    """Up to when the figures tell."""
    return session.scalar(select(FigureDay.counted_at).order_by(FigureDay.day.desc()).limit(1))


def areas(session: Session) -> dict[str, str]:
    """Names of the units by their codes; without those that have none."""
    return dict(session.execute(select(FigureArea.code, FigureArea.name)).all())


def sums(
    session: Session,
    names: Sequence[Name],
    first: date,
    last: date,
    *,
    by: Sequence[InstrumentedAttribute[Any]] = (Figure.name,),
    area: str | None = None,
    channel: str | None = None,
) -> dict[tuple[Any, ...], Tally]:
    """Sums over the days from `first` to `last`, by the columns `by`. Not for what is counted at a day's end."""
    rows = session.execute(
        select(*by, func.sum(Figure.part), func.sum(Figure.whole))
        .where(Figure.name.in_(names), Figure.day >= first, Figure.day <= last)
        .where(Figure.area == area if area is not None else true(), Figure.channel == channel if channel else true())
        .group_by(*by)
    )
    return {tuple(key): Tally(int(part), None if whole is None else int(whole)) for *key, part, whole in rows}


def linked(
    session: Session, days: Collection[date], *, area: str | None = None, channel: str | None = None
) -> dict[tuple[date, str], int]:
    """Customers with a live link at the end of each of the days, by day and area."""
    rows = session.execute(
        select(Figure.day, Figure.area, Figure.part)
        .where(Figure.name == Name.LINKED, Figure.day.in_(days), Figure.channel == (channel or ""))
        .where(Figure.area == area if area is not None else true())
    )
    return {(day, code): int(part) for day, code, part in rows}


def last_day_of_each_month(session: Session, first: date, last: date) -> list[date]:
    """Of those that are counted."""
    rows = session.scalars(
        select(func.max(FigureDay.day))
        .where(FigureDay.day >= first, FigureDay.day <= last)
        .group_by(func.date_trunc("month", FigureDay.day))
    )
    return sorted(rows)


def wordings(
    session: Session, first: date, last: date, *, limit: int, area: str | None = None, channel: str | None = None
) -> list[tuple[str, int]]:
    """The most frequent wordings that were not understood, and how often they came.

    What came only once is nobody's business but its writer's: a name that was not seen would tell who.
    """
    kept = UnansweredWording
    rows = session.execute(
        select(func.min(kept.shown), func.sum(kept.times))
        .where(kept.day >= first, kept.day <= last)
        .where(kept.area == area if area is not None else true(), kept.channel == channel if channel else true())
        .group_by(kept.folded)
        .having(func.sum(kept.times) > 1)
        .order_by(func.sum(kept.times).desc(), kept.folded)
        .limit(limit)
    )
    return [(shown, int(times)) for shown, times in rows]

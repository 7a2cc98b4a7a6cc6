"""The rollup: equal to a count by hand on whatever came, and the same however often it runs."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fixtures.console import Console
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from bot.console import counting
from bot.store import figures
from bot.store.database import Database
from bot.store.figures import CLASSES_MS, LONGER, Name, Tally, Unanswered
from bot.store.models import (
    Contact,
    Conversation,
    Delivery,
    Figure,
    FigureDay,
    Handover,
    InboundEvent,
    Link,
    Message,
    Notice,
    UnansweredWording,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MIDNIGHT = datetime(2026, 11, 24, tzinfo=ZONE)
YEAR = timedelta(days=365)
FATES = {
    "bill_lookup": "answered",
    "fallback": "unanswered",
    "fallback human": "unanswered",
    "bill_lookup failure:BackendDown": "failed",
    "form:complaint": "answered",
    None: "with_staff",
    "given up": "failed",
    "": "not_asked",
}


@dataclass(frozen=True)
class Said:
    """A message of person `who`, minutes after a midnight, with what became of it."""

    who: int
    minute: int
    handled_by: str | None
    intent: str | None
    waited_ms: int | None

    @property
    def at(self) -> datetime:
        return MIDNIGHT + timedelta(minutes=self.minute)

    @property
    def day(self) -> date:
        return self.at.date()

    @property
    def fate(self) -> str:
        return FATES[self.handled_by]

    @property
    def understood_as(self) -> str | None:
        """Staff's and given-up ones were never understood."""
        return None if self.handled_by in {None, "given up"} else self.intent


@dataclass(frozen=True)
class Told:
    """A notice sent to person `who`, so long after it was due; with `tries` over one, counted from the notice."""

    who: int
    lane: str
    minute: int
    late_ms: int
    tries: int


PEOPLE = (("zalo", "PA04DH0000001"), ("messenger", "PA26BK0000002"), ("zalo", None))
saying = st.builds(
    Said,
    st.integers(0, 2),
    st.integers(0, 3 * 1440 - 1),
    st.sampled_from(list(FATES)),
    st.sampled_from(["bill_lookup", "complaint", None]),
    st.one_of(st.none(), st.integers(0, 400_000), st.sampled_from([10_000, 10_001, 200, 199, 300_000])),
)
telling = st.builds(
    Told,
    st.integers(0, 2),
    st.sampled_from(["urgent", "notice", "bulk"]),
    st.integers(0, 3 * 1440 - 1),
    st.sampled_from([0, 9_999, 10_000, 10_001, 90_000]),
    st.integers(1, 2),
)


def write(database: Database, said: list[Said], told: list[Told], helped: set[tuple[int, int]]) -> None:
    """`helped`: the people that were handed over, with the day counted from the first."""
    with database.begin() as session:
        contacts = [Contact(channel=channel, channel_user_id=str(n)) for n, (channel, _) in enumerate(PEOPLE)]
        session.add_all(contacts)
        session.flush()
        threads = [Conversation(contact_id=contact.id) for contact in contacts]
        session.add_all(threads)
        session.flush()
        for contact, (_, code) in zip(contacts, PEOPLE, strict=True):
            if code:
                session.add(
                    Link(
                        contact_id=contact.id,
                        customer_code=code,
                        method="staff_code",
                        verified_at=MIDNIGHT + timedelta(hours=9),
                    )
                )
        for number, each in enumerate(sorted(said, key=lambda one: one.minute)):
            event = InboundEvent(channel="zalo", key=str(number), name="x", payload={}, received_at=each.at)
            session.add(event)
            session.flush()
            session.add(
                Message(
                    conversation_id=threads[each.who].id,
                    sender="customer",
                    kind="text",
                    text="a",
                    intent=each.understood_as,
                    handled_by=None if each.handled_by == "given up" else each.handled_by,
                    inbound_event_id=event.id,
                    created_at=each.at,
                )
            )
            if each.handled_by == "given up":
                session.add(
                    Delivery(
                        key=f"event-{event.id}-failure.given_up-0",
                        channel="zalo",
                        contact_id=contacts[each.who].id,
                        lane="reply",
                        content={},
                    )
                )
            if each.waited_ms is not None:
                session.add(
                    Delivery(
                        key=f"event-{event.id}-reply-0",
                        channel="zalo",
                        contact_id=contacts[each.who].id,
                        lane="reply",
                        content={},
                        sent_at=each.at + timedelta(milliseconds=each.waited_ms),
                    )
                )
        for number, tale in enumerate(told):
            due = MIDNIGHT + timedelta(minutes=tale.minute)
            notice = Notice(
                key=str(number), kind="x", subject="x", version=1, facts={}, not_before=due, valid_until=due + YEAR
            )
            session.add(notice)
            session.flush()
            session.add(
                Delivery(
                    key=f"notice-{number}",
                    channel=PEOPLE[tale.who][0],
                    contact_id=contacts[tale.who].id,
                    notice_id=notice.id,
                    lane=tale.lane,
                    content={},
                    attempts=tale.tries,
                    not_before=due + timedelta(seconds=60 if tale.tries > 1 else 0),
                    created_at=due,
                    sent_at=due + timedelta(milliseconds=tale.late_ms),
                )
            )
        for who, day in helped:
            at = MIDNIGHT + timedelta(days=day, hours=9)
            fixed = {"reason": "asked", "summary": {}, "promised_at": at}
            session.add(Handover(conversation_id=threads[who].id, opened_at=at, ended_at=at, **fixed))


def by_hand(said: list[Said], told: list[Told], helped: set[tuple[int, int]]) -> dict[tuple[str, ...], list[int]]:
    """Part and whole by name, day, area, channel and bucket; of all but links."""
    found: dict[tuple[str, ...], list[int]] = {}

    def add(name: str, day: date, who: int, bucket: str, part: int, whole: int) -> None:
        channel, code = PEOPLE[who]
        tally = found.setdefault((name, str(day), (code or "")[:6], channel, bucket), [0, 0])
        tally[0] += part
        tally[1] += whole

    dialogues: dict[tuple[int, date], list[str]] = {}
    for each in sorted(said, key=lambda one: one.minute):
        intent = each.understood_as
        if each.fate != "not_asked":
            dialogues.setdefault((each.who, each.day), []).append(each.fate)
        if intent is not None:
            add(Name.UNDERSTOOD, each.day, each.who, "", "fallback" not in str(each.handled_by), 1)
        if each.fate in {"unanswered", "failed"}:
            add(each.fate, each.day, each.who, intent or "", 1, 0)
        if each.waited_ms is not None:
            end = next((str(end) for end in CLASSES_MS if each.waited_ms < end), LONGER)
            add(Name.REPLY_TIME, each.day, each.who, end, 1, 0)
            add(Name.IN_TIME, each.day, each.who, "reply", each.waited_ms <= 10_000, 1)
    for (who, day), fates in dialogues.items():
        alone = fates[-1] == "answered" and "with_staff" not in fates
        add(Name.SERVED, day, who, "", alone and (who, (day - MIDNIGHT.date()).days) not in helped, 1)
    for tale in told:
        sent = MIDNIGHT + timedelta(minutes=tale.minute, milliseconds=tale.late_ms)
        add(Name.IN_TIME, sent.date(), tale.who, tale.lane, tale.late_ms <= 10_000, 1)
    return found


def counted(database: Database) -> dict[tuple[str, ...], list[int]]:
    with database.begin() as session:
        rows = session.scalars(select(Figure).where(Figure.name.not_in([Name.LINKED, Name.NEW_LINKS]))).all()
    return {(row.name, str(row.day), row.area, row.channel, row.bucket): [row.part, row.whole or 0] for row in rows}


def count(database: Database, now: datetime = MIDNIGHT + timedelta(days=5)) -> None:
    counting.count_due(database, ZONE, now, words_kept=YEAR)


TABLES = "figure, figure_day, unanswered_wording, delivery, notice, message, handover, link, conversation, contact"


@given(
    st.lists(saying, max_size=12),
    st.lists(telling, max_size=6),
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=3),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_rollup_is_what_a_count_by_hand_gives(
    console: Console, said: list[Said], told: list[Told], helped: set[tuple[int, int]]
) -> None:
    with console.database.engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {TABLES}, inbound_event CASCADE")
    first = Said(2, 0, "", None, None)
    write(console.database, [first, *said], told, helped)
    count(console.database)
    expected = by_hand([first, *said], told, helped)
    assert counted(console.database) == expected
    with console.database.begin() as session:
        session.execute(delete(FigureDay))
    count(console.database)
    assert counted(console.database) == expected


def rows(console: Console, name: Name) -> dict[tuple[str, str, str], int]:
    with console.database.begin() as session:
        found = session.scalars(select(Figure).where(Figure.name == name)).all()
    return {(str(row.day), row.area, row.channel): row.part for row in found}


def test_linked_are_customers_not_chats_and_stay_counted_when_they_are_gone(console: Console) -> None:
    day = MIDNIGHT.date()
    with console.database.begin() as session:
        for number, channel in enumerate(["zalo", "zalo", "messenger"]):
            contact = Contact(channel=channel, channel_user_id=str(number))
            session.add(contact)
            session.flush()
            session.add(
                Link(
                    contact_id=contact.id,
                    customer_code="PA04DH0000001",
                    method="otp",
                    verified_at=MIDNIGHT + timedelta(hours=1),
                    ended_at=MIDNIGHT + timedelta(days=1, hours=1) if number else None,
                )
            )
            if number == 0:
                session.add(Conversation(contact_id=contact.id))
                session.flush()
                thread = session.scalars(select(Conversation.id)).one()
                session.add(
                    Message(conversation_id=thread, sender="customer", kind="text", handled_by="", created_at=MIDNIGHT)
                )
    count(console.database, MIDNIGHT + timedelta(days=1, hours=2))
    tomorrow = day + timedelta(days=1)
    assert rows(console, Name.LINKED) == {
        (str(day), "PA04DH", ""): 1,
        (str(day), "PA04DH", "zalo"): 1,
        (str(day), "PA04DH", "messenger"): 1,
        (str(tomorrow), "PA04DH", ""): 1,
        (str(tomorrow), "PA04DH", "zalo"): 1,
    }
    assert rows(console, Name.NEW_LINKS) == {
        (str(day), "PA04DH", "zalo"): 2,
        (str(day), "PA04DH", "messenger"): 1,
    }
    with console.database.begin() as session:
        session.execute(delete(Link))
    count(console.database, MIDNIGHT + timedelta(days=1, hours=3))
    assert {day for day, _, _ in rows(console, Name.LINKED)} == {str(day)}


def test_a_day_is_final_an_hour_after_midnight_and_old_days_are_caught_up_with_in_slices(console: Console) -> None:
    write(console.database, [Said(0, 5, "bill_lookup", "bill_lookup", 100)], [], set())

    def final() -> list[bool]:
        with console.database.begin() as session:
            return list(session.scalars(select(FigureDay.final).order_by(FigureDay.day)))

    count(console.database, MIDNIGHT + timedelta(hours=24, minutes=59))
    assert final() == [False, False]
    count(console.database, MIDNIGHT + timedelta(hours=25))
    assert final() == [True, False]
    count(console.database, MIDNIGHT + timedelta(days=60, hours=2))
    assert len(final()) == 1 + counting.MOST_DAYS
    count(console.database, MIDNIGHT + timedelta(days=60, hours=2))
    assert final() == [True] * 60 + [False]


def test_nothing_to_count_is_no_trouble(console: Console) -> None:
    count(console.database)
    assert counted(console.database) == {}


class TestWordings:
    def group(self, *texts: str, name: str | None = None) -> dict[str, int]:
        found = counting.group([Unanswered("", "zalo", text, [], name) for text in texts])
        return {each.shown: each.times for each in found}

    def test_what_differs_in_tone_marks_case_and_dots_counts_together(self) -> None:
        said = ("Điện mặt trời thế nào?", "dien mat troi the nao", "Điện mặt trời thế nào?")
        assert self.group(*said) == {"Điện mặt trời thế nào?": 3}

    def test_nothing_personal_is_kept(self) -> None:
        (shown,) = self.group("Hoa Lan PA04DH0000123 gọi 0912345678 lắp pin", name="Hoa Lan")
        assert shown == "••• ••• gọi ••• lắp pin"
        assert self.group("0912345678", "???") == {}

    def test_are_kept_and_forgotten(self, console: Console) -> None:
        write(console.database, [Said(0, 5, "fallback", "bill_lookup", 100)], [], set())
        count(console.database, MIDNIGHT + timedelta(hours=2))
        count(console.database, MIDNIGHT + timedelta(hours=2))
        with console.database.begin() as session:
            (kept,) = session.scalars(select(UnansweredWording)).all()
            assert (kept.area, kept.folded, kept.times) == ("PA04DH", "a", 1)
        count(console.database, MIDNIGHT + 2 * YEAR)
        with console.database.begin() as session:
            assert session.scalars(select(UnansweredWording)).all() == []


def test_a_share_of_nothing_is_none() -> None:
    assert (Tally(0, 0).share, Tally(3, None).share, Tally(1, 4).share) == (None, None, 0.25)
    assert timedelta(seconds=10) == figures.IN_TIME

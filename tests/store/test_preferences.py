"""Which notices a contact wants: the latest word counts, and the rule in SQL is the rule in Python."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError

from bot.notice_kinds import NoticeKind, load_notice_kinds
from bot.pipeline.assembly import DATA
from bot.store import conversations, preferences, retention
from bot.store.database import Database
from bot.store.models import Consent, Contact, Link, NoticeLimits, NoticePreference, UsageAlert
from bot.store.preferences import GENERAL, Level, Preferences, QuietHours, Scope

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
KINDS = load_notice_kinds(DATA / "notices.yml")
BY_CLASS: dict[str, NoticeKind] = {kind.opt_out: kind for kind in KINDS.kinds if "account" in kind.per}
NEWS = KINDS["advice"]
REMINDER = KINDS.named("payment_due")[0]
OUTAGE = KINDS.named("outage_restored")[0]
PLACE, OTHER_PLACE = "05587", "05716"


@pytest.fixture
def links(database: Database) -> list[int]:
    """The links of the first of two contacts, who agreed to their use, and one of the second, who did not."""
    with database.begin() as session:
        one, two = (Contact(channel="zalo", channel_user_id=user) for user in ("1", "2"))
        session.add_all([one, two])
        session.flush()
        session.add(Consent(contact_id=one.id, purpose="account", granted=True, text_version="t", at=NOW))
        made = [
            Link(contact_id=contact.id, customer_code=f"C{number}", method="otp", verified_at=NOW)
            for number, contact in enumerate((one, one, two))
        ]
        session.add_all(made)
        session.flush()
        return [link.id for link in made]


def contact_of(database: Database, link_id: int) -> int:
    with database.begin() as session:
        return session.get_one(Link, link_id).contact_id


def choose(database: Database, contact_id: int, *kinds: NoticeKind, wanted: bool, scope: Scope = GENERAL) -> None:
    with database.begin() as session:
        preferences.choose(
            session,
            contact_id,
            [kind.key for kind in kinds],
            scope,
            wanted=wanted,
            words=KINDS.words,
            event_id=7,
            at=NOW,
        )


def loaded(database: Database, contact_id: int) -> Preferences:
    with database.begin() as session:
        return preferences.of_contact(session, contact_id)


def by_sql(database: Database, kind: NoticeKind) -> dict[int, bool]:
    """As the planner asks: for all links in one statement."""
    with database.begin() as session:
        return dict(session.execute(select(Link.id, preferences.is_on(kind, Link.contact_id, Link.id))).all())  # type: ignore[arg-type]


class TestTheRule:
    def test_who_said_nothing_gets_what_comes_unasked(self, database: Database, links: list[int]) -> None:
        assert {name: by_sql(database, kind)[links[0]] for name, kind in BY_CLASS.items()} == {
            "always": True,
            "on": True,
            "ask": False,
        }

    def test_of_an_account_nothing_comes_without_consent_but_what_must(
        self, database: Database, links: list[int]
    ) -> None:
        assert by_sql(database, BY_CLASS["on"])[links[2]] is False
        assert by_sql(database, BY_CLASS["always"])[links[2]] is True
        choose(database, contact_of(database, links[2]), BY_CLASS["ask"], wanted=True)
        assert by_sql(database, BY_CLASS["ask"])[links[2]] is False

    def test_a_consent_that_was_taken_back_counts_as_none(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        with database.begin() as session:
            session.add(Consent(contact_id=contact, purpose="account", granted=False, text_version="t", at=NOW))
        assert by_sql(database, REMINDER)[links[0]] is False
        assert loaded(database, contact).is_on(REMINDER, links[0]) is False

    def test_what_cannot_be_turned_off_comes_whatever_is_kept(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        choose(database, contact, BY_CLASS["always"], wanted=False)
        assert by_sql(database, BY_CLASS["always"])[links[0]] is True
        assert loaded(database, contact).is_on(BY_CLASS["always"], links[0]) is True

    def test_the_account_goes_before_the_contact(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        choose(database, contact, REMINDER, wanted=False)
        choose(database, contact, REMINDER, wanted=True, scope=Scope(links[1]))
        assert by_sql(database, REMINDER) == {links[0]: False, links[1]: True, links[2]: False}

    def test_what_is_said_in_general_ends_what_was_said_of_accounts(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        choose(database, contact, REMINDER, wanted=True, scope=Scope(links[1]))
        choose(database, contact, REMINDER, wanted=False)
        assert by_sql(database, REMINDER)[links[1]] is False

    def test_turning_all_on_keeps_the_places(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        choose(database, contact, OUTAGE, wanted=True, scope=Scope(place_code=PLACE))
        choose(database, contact, OUTAGE, wanted=True)
        assert loaded(database, contact).places == [PLACE]
        choose(database, contact, OUTAGE, wanted=False)
        assert loaded(database, contact).places == []

    def test_news_asks_for_no_account(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[2])
        choose(database, contact, NEWS, wanted=True)
        with database.begin() as session:
            told = session.scalars(select(Contact.id).where(preferences.is_on(NEWS, Contact.id, None))).all()
        assert told == [contact]
        assert loaded(database, contact).is_on(NEWS, None) is True


class TestPlaces:
    def test_only_who_said_so_follows_a_place(self, database: Database, links: list[int]) -> None:
        one, two = contact_of(database, links[0]), contact_of(database, links[2])
        for place in (PLACE, OTHER_PLACE):
            choose(database, one, OUTAGE, wanted=True, scope=Scope(place_code=place))
        choose(database, two, OUTAGE, wanted=True, scope=Scope(place_code=OTHER_PLACE))
        choose(database, two, OUTAGE, wanted=False, scope=Scope(place_code=OTHER_PLACE))
        with database.begin() as session:
            assert session.scalars(preferences.followers(OUTAGE, [PLACE, OTHER_PLACE])).all() == [one]
            assert session.scalars(preferences.followers(REMINDER, [PLACE])).all() == []

    def test_a_place_says_nothing_of_accounts(self, database: Database, links: list[int]) -> None:
        choose(database, contact_of(database, links[0]), OUTAGE, wanted=False, scope=Scope(place_code=PLACE))
        assert by_sql(database, OUTAGE)[links[0]] is True


words = st.tuples(
    st.integers(0, 1),
    st.sampled_from(sorted(kind.key for kind in KINDS.kinds)),
    st.sampled_from(["general", "first", "second", PLACE]),
    st.booleans(),
)


@given(st.lists(words, max_size=12), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_and_python_are_one_rule(
    database: Database, links: list[int], said: list[tuple[int, str, str, bool]], agreed: bool
) -> None:
    """Whatever is said in whatever order, of two contacts at once."""
    contacts = [contact_of(database, links[0]), contact_of(database, links[2])]
    own = {contacts[0]: links[:2], contacts[1]: links[2:]}
    with database.begin() as session:
        session.execute(delete(NoticePreference))
        session.add(Consent(contact_id=contacts[1], purpose="account", granted=agreed, text_version="t", at=NOW))
    expected = {contact: Preferences(agreed=contact == contacts[0] or agreed) for contact in contacts}
    for who, key, about, wanted in said:
        contact = contacts[who]
        scope = {
            "general": GENERAL,
            "first": Scope(own[contact][0]),
            "second": Scope(own[contact][-1]),
            PLACE: Scope(place_code=PLACE),
        }[about]
        [kind] = KINDS.named(key)
        choose(database, contact, kind, wanted=wanted, scope=scope)
        expected[contact] = expected[contact].with_wish([key], scope, wanted=wanted)
    for contact, theirs in expected.items():
        assert loaded(database, contact) == theirs
    with database.begin() as session:
        for kind in KINDS.kinds:
            rows = dict(session.execute(select(Link.id, preferences.is_on(kind, Link.contact_id, Link.id))).all())  # type: ignore[arg-type]
            python = {link: expected[contact].is_on(kind, link) for contact in contacts for link in own[contact]}
            assert rows == python, kind.key
            follow = set(session.scalars(preferences.followers(kind, [PLACE])))
            assert follow == {contact for contact in contacts if expected[contact].follows(kind, PLACE)}


class TestTheLog:
    def test_every_change_is_written_down_with_its_words(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        choose(database, contact, REMINDER, wanted=False)
        choose(database, contact, REMINDER, OUTAGE, wanted=True, scope=Scope(links[0]))
        choose(database, contact, OUTAGE, wanted=True, scope=Scope(place_code=PLACE))
        with database.begin() as session:
            rows = session.scalars(select(Consent).where(Consent.purpose.like("notice:%")).order_by(Consent.id)).all()
            assert [(row.purpose, row.granted) for row in rows] == [
                ("notice:payment_due", False),
                (f"notice:outage_restored:link:{links[0]}", True),
                (f"notice:payment_due:link:{links[0]}", True),
                (f"notice:outage_restored:place:{PLACE}", True),
            ]
            assert {(row.text_version, row.inbound_event_id, row.at) for row in rows} == {(KINDS.words, 7, NOW)}
            assert session.scalar(select(func.count()).select_from(NoticePreference)) == 4

    def test_saying_it_again_keeps_one_row(self, database: Database, links: list[int]) -> None:
        for wanted in (True, False, False):
            choose(database, contact_of(database, links[0]), REMINDER, wanted=wanted)
        with database.begin() as session:
            assert [row.wanted for row in session.scalars(select(NoticePreference))] == [False]


class TestLimitsAndLevels:
    def test_hours_and_count_are_kept_apart(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        quiet = QuietHours(time(21), time(6))
        assert (loaded(database, contact).hours, loaded(database, contact).most_per_day) == (None, None)
        with database.begin() as session:
            preferences.set_hours(session, contact, quiet)
            preferences.set_most_per_day(session, contact, 1)
        assert (loaded(database, contact).hours, loaded(database, contact).most_per_day) == (quiet, 1)
        with database.begin() as session:
            preferences.set_hours(session, contact, None)
        assert (loaded(database, contact).hours, loaded(database, contact).most_per_day) == (None, 1)

    def test_no_quiet_hours_at_all_are_a_choice_too(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        with database.begin() as session:
            preferences.set_hours(session, contact, QuietHours(time(0), time(0)))
        assert loaded(database, contact).hours == QuietHours(time(0), time(0))

    def test_the_newest_level_counts(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        for level in (Level(kwh=300), Level(dong=500_000)):
            with database.begin() as session:
                preferences.set_level(session, contact, links[0], level, event_id=7, at=NOW)
        assert loaded(database, contact).levels == {links[0]: Level(dong=500_000)}
        with database.begin() as session:
            preferences.set_level(session, contact, links[0], None, event_id=8, at=NOW)
        assert loaded(database, contact).levels == {}

    def test_a_level_is_of_one_measure(self, database: Database, links: list[int]) -> None:
        with pytest.raises(IntegrityError), database.begin() as session:
            session.add(UsageAlert(link_id=links[0], kwh=1, dong=1, at=NOW, inbound_event_id=1))

    def test_the_level_of_an_account_that_is_gone_is_not_shown(self, database: Database, links: list[int]) -> None:
        contact = contact_of(database, links[0])
        with database.begin() as session:
            preferences.set_level(session, contact, links[0], Level(kwh=300), event_id=7, at=NOW)
            conversations.end_link(session, contact_id=contact, link_id=links[0], at=NOW)
        assert loaded(database, contact).levels == {}


def test_erasing_a_contact_leaves_no_wish(database: Database, links: list[int]) -> None:
    contact = contact_of(database, links[0])
    choose(database, contact, REMINDER, wanted=False)
    with database.begin() as session:
        preferences.set_most_per_day(session, contact, 1)
        preferences.set_level(session, contact, links[0], Level(kwh=300), event_id=7, at=NOW)
    with database.begin() as session:
        retention.erase(session, contact, actor="contact")
    with database.begin() as session:
        for table in (NoticePreference, NoticeLimits, UsageAlert):
            assert session.scalar(select(func.count()).select_from(table)) == 0


times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


class TestQuietHours:
    @pytest.mark.parametrize(
        ("hours", "inside", "outside"),
        [
            (QuietHours(time(22), time(7)), [time(22), time(0), time(6, 59)], [time(7), time(21, 59), time(12)]),
            (QuietHours(time(11, 30), time(13, 30)), [time(11, 30), time(13, 29)], [time(13, 30), time(0)]),
            (QuietHours(time(0), time(0)), [], [time(0), time(12)]),
        ],
    )
    def test_over_midnight_and_not(self, hours: QuietHours, inside: list[time], outside: list[time]) -> None:
        assert [at for at in inside if not hours.cover(at)] == []
        assert [at for at in outside if hours.cover(at)] == []

    @given(times, times, times)
    @settings(deadline=None)
    def test_each_minute_is_quiet_or_not(self, starts: time, ends: time, at: time) -> None:
        assert QuietHours(starts, ends).cover(at) != QuietHours(ends, starts).cover(at) or starts == ends

    @given(times, times, times, times)
    @settings(deadline=None)
    def test_touching_goes_both_ways(self, a: time, b: time, c: time, d: time) -> None:
        one, other = QuietHours(a, b), QuietHours(c, d)
        assert one.touch(other) == other.touch(one)


def test_the_planner_asks_indexes(database: Database, links: list[int]) -> None:
    """No scan of a whole table for each row."""
    with database.begin() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        asked = select(Link.id).where(preferences.is_on(REMINDER, Link.contact_id, Link.id))
        plan = "\n".join(
            session.scalars(
                text(f"EXPLAIN {asked.compile(session.get_bind(), compile_kwargs={'literal_binds': True})}")
            )
        )
    assert "uq_notice_preference" in plan
    assert "ix_consent_latest" in plan
    assert "Seq Scan on notice_preference" not in plan

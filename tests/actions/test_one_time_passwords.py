"""Limits of one-time passwords, kept in the database (design F1: brute force and enumeration stopped)."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.store.conversations import load
from bot.store.database import Database
from bot.store.otp import Limits, OtpStore, TooManySends, Verdict

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
CODE, OTHER_CODE = "PA04DH0000123", "PA04PY0000201"
LIMITS = Limits(
    lifetime=timedelta(minutes=5),
    guesses=3,
    per_contact=3,
    per_contact_window=timedelta(hours=1),
    per_code=4,
    per_code_window=timedelta(days=1),
)


@pytest.fixture
def store(database: Database) -> OtpStore:
    return OtpStore(database, "a secret of the test", LIMITS)


def contact(database: Database, name: str = "u1") -> int:
    with database.begin() as session:
        return load(session, "zalo", name).contact.id


def wrong(password: str) -> str:
    return f"{(int(password) + 1) % 10**6:06d}"


def issue(store: OtpStore, who: int, event: int, *, code: str = CODE, at: datetime = NOW) -> str:
    return store.issue(contact_id=who, customer_code=code, event_id=event, now=at)


def check(
    store: OtpStore, who: int, password: str, *, code: str = CODE, event: int = 99, at: datetime = NOW
) -> Verdict:
    return store.check(contact_id=who, customer_code=code, password=password, event_id=event, now=at)


def test_right_once_and_again_only_for_the_same_event(database: Database, store: OtpStore) -> None:
    who = contact(database)
    password = issue(store, who, 1)
    assert check(store, who, password, event=2) is Verdict.RIGHT
    assert check(store, who, password, event=2) is Verdict.RIGHT
    assert check(store, who, password, event=3) is Verdict.EXPIRED


def test_a_replayed_event_sends_the_same_password_and_counts_once(database: Database, store: OtpStore) -> None:
    who = contact(database)
    assert {issue(store, who, 1) for _ in range(10)} == {issue(store, who, 1)}
    with database.begin() as session:
        assert session.scalar(text("SELECT count(*) FROM otp_challenge")) == 1


def test_wrong_guesses_run_out_and_even_the_right_one_is_then_refused(database: Database, store: OtpStore) -> None:
    who = contact(database)
    password = issue(store, who, 1)
    verdicts = [check(store, who, wrong(password)) for _ in range(3)]
    assert verdicts == [Verdict.WRONG, Verdict.WRONG, Verdict.TOO_MANY]
    assert check(store, who, password) is Verdict.TOO_MANY


def test_expires(database: Database, store: OtpStore) -> None:
    who = contact(database)
    password = issue(store, who, 1)
    assert check(store, who, password, at=NOW + LIMITS.lifetime) is Verdict.EXPIRED


def test_a_new_password_ends_the_former(database: Database, store: OtpStore) -> None:
    who = contact(database)
    former, latest = issue(store, who, 1), issue(store, who, 2)
    assert check(store, who, former) is Verdict.WRONG
    assert check(store, who, latest) is Verdict.RIGHT


def test_holds_for_its_own_contact_and_code_only(database: Database, store: OtpStore) -> None:
    who, somebody = contact(database), contact(database, "u2")
    password = issue(store, who, 1)
    assert check(store, somebody, password) is Verdict.EXPIRED
    assert check(store, who, password, code=OTHER_CODE) is Verdict.EXPIRED


def test_sends_to_one_contact_are_limited_and_the_limit_passes(database: Database, store: OtpStore) -> None:
    who = contact(database)
    for event in range(LIMITS.per_contact):
        issue(store, who, event, code=f"PA04GT000000{event}")
    with pytest.raises(TooManySends):
        issue(store, who, 50)
    issue(store, who, 51, at=NOW + LIMITS.per_contact_window)


def test_sends_to_one_code_are_limited_over_all_contacts(database: Database, store: OtpStore) -> None:
    for number in range(LIMITS.per_code):
        issue(store, contact(database, f"u{number}"), number)
    with pytest.raises(TooManySends):
        issue(store, contact(database, "one more"), 50)


def test_only_hashes_are_kept(database: Database, store: OtpStore) -> None:
    password = issue(store, contact(database), 1)
    with database.begin() as session:
        row = session.execute(text("SELECT otp_hash FROM otp_challenge")).scalar_one()
    assert password not in row
    assert len(row) == 64

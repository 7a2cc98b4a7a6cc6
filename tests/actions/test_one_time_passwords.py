"""Limits of one-time passwords, kept in the database (design F1: brute force and enumeration stopped)."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from bot.store.conversations import load
from bot.store.database import Database
from bot.store.limits import Rate
from bot.store.otp import Limits, OtpStore, TooManySends, TooSoon, Verdict

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
CODE, OTHER_CODE = "PA04DH0000123", "PA04PY0000201"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIMITS = Limits(
    lifetime=timedelta(minutes=5),
    pause=timedelta(seconds=60),
    guesses=3,
    sends_per_contact=Rate(3, HOUR),
    sends_per_code=Rate(4, DAY),
    sends_per_phone=Rate(6, DAY),
    guesses_per_contact=Rate(7, DAY),
    guesses_per_code=Rate(8, DAY),
    guesses_per_phone=Rate(9, DAY),
)
UNHINDERED = dataclasses.replace(
    LIMITS, sends_per_contact=Rate(99, HOUR), sends_per_code=Rate(99, HOUR), sends_per_phone=Rate(99, HOUR)
)
"""As to sends, not as to guesses."""


@pytest.fixture
def store(database: Database) -> OtpStore:
    return OtpStore(database, "a secret of the test", LIMITS)


def contact(database: Database, name: str = "u1") -> int:
    with database.begin() as session:
        return load(session, "zalo", name).contact.id


def wrong(password: str) -> str:
    return f"{(int(password) + 1) % 10**6:06d}"


def issue(
    store: OtpStore, who: int, event: int, *, code: str = CODE, phone: str | None = None, at: datetime = NOW
) -> str:
    """Unless told otherwise every code has its own phone."""
    return store.issue(contact_id=who, customer_code=code, phone_ref=phone or f"of-{code}", event_id=event, now=at)


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
    later = NOW + LIMITS.pause
    former, latest = issue(store, who, 1), issue(store, who, 2, at=later)
    assert check(store, who, former, at=later) is Verdict.WRONG
    assert check(store, who, latest, at=later) is Verdict.RIGHT


def test_holds_for_its_own_contact_and_code_only(database: Database, store: OtpStore) -> None:
    who, somebody = contact(database), contact(database, "u2")
    password = issue(store, who, 1)
    assert check(store, somebody, password) is Verdict.EXPIRED
    assert check(store, who, password, code=OTHER_CODE) is Verdict.EXPIRED


def test_sends_to_one_contact_are_limited_and_the_limit_passes(database: Database, store: OtpStore) -> None:
    who = contact(database)
    for event in range(LIMITS.sends_per_contact.count):
        issue(store, who, event, code=f"PA04GT000000{event}")
    with pytest.raises(TooManySends):
        issue(store, who, 50)
    issue(store, who, 51, at=NOW + LIMITS.sends_per_contact.window)


def test_sends_to_one_code_are_limited_over_all_contacts(database: Database, store: OtpStore) -> None:
    for number in range(LIMITS.sends_per_code.count):
        issue(store, contact(database, f"u{number}"), number)
    with pytest.raises(TooManySends):
        issue(store, contact(database, "one more"), 50)


def test_only_hashes_are_kept(database: Database, store: OtpStore) -> None:
    password = issue(store, contact(database), 1)
    with database.begin() as session:
        row = session.execute(text("SELECT otp_hash FROM otp_challenge")).scalar_one()
    assert password not in row
    assert len(row) == 64


def test_another_is_sent_after_a_pause_and_the_first_holds_meanwhile(database: Database, store: OtpStore) -> None:
    who = contact(database)
    first = issue(store, who, 1)
    with pytest.raises(TooSoon) as soon:
        issue(store, who, 2, at=NOW + timedelta(seconds=20))
    assert soon.value.seconds == 40
    assert check(store, who, first, at=NOW + timedelta(seconds=21)) is Verdict.RIGHT


def test_a_pause_does_not_hold_back_whose_password_is_of_no_use_any_more(database: Database, store: OtpStore) -> None:
    who = contact(database)
    password = issue(store, who, 1)
    for _ in range(LIMITS.guesses):
        check(store, who, wrong(password))
    assert issue(store, who, 2) != password


def test_sends_to_one_phone_are_limited_over_all_its_codes(database: Database, store: OtpStore) -> None:
    for number in range(LIMITS.sends_per_phone.count):
        issue(store, contact(database, f"u{number}"), number, code=f"PA04GT000000{number}", phone="one phone")
    with pytest.raises(TooManySends):
        issue(store, contact(database, "one more"), 50, code=CODE, phone="one phone")
    issue(store, contact(database, "one more"), 51, code=CODE, phone="another phone")


def guesses_until_stopped(database: Database, *, same: str) -> int:
    """How many wrong passwords somebody can try who changes all but one of contact, code and phone each time."""
    store = OtpStore(database, "a secret of the test", UNHINDERED)
    guesses = 0
    for number in range(100):
        who = contact(database, "one" if same == "contact" else f"u{number}")
        code = CODE if same == "code" else f"PA04GT00000{number:02d}"
        try:
            password = issue(store, who, number, code=code, phone="one" if same == "phone" else f"p{number}")
        except TooManySends:
            break
        check(store, who, wrong(password), code=code)
        guesses += 1
    return guesses


def test_wrong_guesses_are_counted_over_all_passwords_of_a_contact_a_code_and_a_phone(database: Database) -> None:
    assert guesses_until_stopped(database, same="contact") == UNHINDERED.guesses_per_contact.count
    assert guesses_until_stopped(database, same="code") == UNHINDERED.guesses_per_code.count


def test_wrong_guesses_at_one_phone_are_counted(database: Database) -> None:
    assert guesses_until_stopped(database, same="phone") == UNHINDERED.guesses_per_phone.count


@pytest.mark.parametrize("same", ["contact", "code", "phone"])
def test_many_at_once_get_no_more_than_one_after_the_other(database: Database, same: str) -> None:
    store = OtpStore(database, "a secret of the test", LIMITS)
    limit = {"contact": LIMITS.sends_per_contact, "code": LIMITS.sends_per_code, "phone": LIMITS.sends_per_phone}[same]
    contacts = [contact(database, "one" if same == "contact" else f"u{n}") for n in range(12)]
    together = Barrier(4)

    def ask(number: int) -> bool:
        together.wait(10)
        code = CODE if same == "code" else f"PA04GT00000{number:02d}"
        try:
            issue(store, contacts[number], number, code=code, phone="one" if same == "phone" else None)
        except TooManySends:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(ask, range(12))) == limit.count

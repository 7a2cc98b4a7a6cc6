"""Codes that staff hand out: who gets in by one, once, and what nobody learns by guessing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from fixtures.outside import CODE, OTHER_CODE
from fixtures.stage import SECRET, USER, Stage
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from bot.store import conversations
from bot.store.database import Database
from bot.store.limits import Rate
from bot.store.link_codes import (
    ALPHABET,
    LENGTH,
    LinkCodes,
    NoSuchCode,
    TooManyGuesses,
    check_character,
    find_code,
    grouped,
    is_mistyped,
)
from bot.store.models import Audit, LinkCode, Message

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
LIMIT = Rate(3, timedelta(days=1))
STORE = LinkCodes(SECRET)
STRANGER = "8888888888888888888"

bodies = st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH)


def contact(database: Database, name: str = "u1") -> int:
    with database.begin() as session:
        return conversations.load(session, "zalo", name).contact.id


def issue(database: Database, code: str = CODE, *, at: datetime = NOW) -> str:
    with database.begin() as session:
        return STORE.issue(session, customer_code=code, issued_by="staff:7", now=at, lifetime=timedelta(days=14)).code


def redeem(database: Database, who: int, code: str, event: int = 1, *, at: datetime = NOW) -> str:
    link = STORE.redeem(database, seal=STORE.seal(code), contact_id=who, event_id=event, now=at, limit=LIMIT)
    return link.customer_code


class TestTheCodeItself:
    @given(body=bodies, place=st.integers(0, LENGTH), other=st.sampled_from(ALPHABET))
    def test_every_single_mistyped_character_is_seen(self, body: str, place: int, other: str) -> None:
        code = body + check_character(body)
        assert find_code(code) == code
        mistyped = code[:place] + other + code[place + 1 :]
        assert find_code(mistyped) == (code if mistyped == code else None)

    @given(body=bodies, wrapping=st.sampled_from(["{}", "mã liên kết {}", "{}.", "  {} nhé", "Mã: {}"]))
    def test_it_is_found_as_people_type_it(self, body: str, wrapping: str) -> None:
        code = body + check_character(body)
        for shape in (code, grouped(code), grouped(code).replace(" ", "-"), grouped(code).lower()):
            assert find_code(wrapping.format(shape)) == code

    @pytest.mark.parametrize(
        "said", ["PA04GT0012345", "0912345678", "tiền điện tháng này", "", "abcd efghi", "123456789"]
    )
    def test_what_people_usually_write_is_none(self, said: str) -> None:
        assert find_code(said) is None
        assert not is_mistyped(said)

    def test_it_has_no_look_alikes_and_nothing_that_a_keyboard_changes(self) -> None:
        assert not set(ALPHABET) & set("0O1IL5S8B2Z") - {"2", "L"}
        assert not set(ALPHABET) & set("AEIOUYDWSZ")
        assert len(set(ALPHABET)) == len(ALPHABET)

    def test_a_mistyped_one_is_told_from_other_text(self) -> None:
        code = "KMT73VQX" + check_character("KMT73VQX")
        wrong = code[:-1] + next(c for c in ALPHABET if c != code[-1])
        assert is_mistyped(grouped(wrong))
        assert not is_mistyped(code)


class TestInTheStore:
    def test_it_links_once_and_again_only_for_the_same_chat(self, database: Database) -> None:
        me, somebody = contact(database), contact(database, "u2")
        code = issue(database)
        assert redeem(database, me, code) == CODE
        assert redeem(database, me, code) == CODE
        with pytest.raises(NoSuchCode):
            redeem(database, somebody, code)
        with database.begin() as session:
            (link,) = conversations.live_links(session, me)
            conversations.end_link(session, contact_id=me, link_id=link.id, at=NOW)
        with pytest.raises(NoSuchCode):
            redeem(database, me, code, event=2)

    def test_only_its_hash_is_kept_and_all_that_happens_is_on_record(self, database: Database) -> None:
        me, code = contact(database), issue(database)
        redeem(database, me, code)
        with database.begin() as session:
            row = session.execute(text("SELECT link_code::text FROM link_code")).scalar_one()
            assert code not in row
            assert session.scalars(select(Audit.action).order_by(Audit.id)).all() == [
                "link_code.issued",
                "link_code.used",
                "link.added",
            ]

    def test_after_its_time_and_once_revoked_it_links_nothing(self, database: Database) -> None:
        me = contact(database)
        old, taken_back = issue(database), issue(database)
        with database.begin() as session:
            row = session.scalars(select(LinkCode).order_by(LinkCode.id.desc()).limit(1)).one()
            assert STORE.revoke(session, link_code_id=row.id, by="staff:7", now=NOW)
            assert not STORE.revoke(session, link_code_id=row.id, by="staff:7", now=NOW)
        with pytest.raises(NoSuchCode):
            redeem(database, me, taken_back)
        with pytest.raises(NoSuchCode):
            redeem(database, me, old, event=2, at=NOW + timedelta(days=14))

    def test_wrong_ones_run_out_and_even_a_right_one_is_then_refused_until_the_window_is_over(
        self, database: Database
    ) -> None:
        me, code = contact(database), issue(database)
        for event in range(LIMIT.count):
            for _replay in range(2):
                with pytest.raises(NoSuchCode):
                    redeem(database, me, "CCCCCCCCC", event)
        with pytest.raises(TooManyGuesses):
            redeem(database, me, code, event=50)
        assert redeem(database, contact(database, "u2"), code) == CODE
        second = issue(database, OTHER_CODE)
        assert redeem(database, me, second, event=51, at=NOW + LIMIT.window) == OTHER_CODE

    def test_of_many_who_come_at_once_one_gets_in(self, database: Database) -> None:
        code = issue(database)
        people = [contact(database, f"u{number}") for number in range(4)]
        together = Barrier(4)

        def come(who: int) -> bool:
            together.wait(10)
            try:
                redeem(database, who, code, event=who)
            except NoSuchCode:
                return False
            return True

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(come, people)) == 1

    def test_one_contact_that_tries_many_at_once_gets_no_more_guesses(self, database: Database) -> None:
        me, together = contact(database), Barrier(4)

        def guess(event: int) -> str:
            together.wait(10)
            try:
                redeem(database, me, "CCCCCCCCC", event)
            except (NoSuchCode, TooManyGuesses) as error:
                return type(error).__name__
            return "in"

        with ThreadPoolExecutor(4) as threads:
            verdicts = list(threads.map(guess, range(12)))
        assert verdicts.count("NoSuchCode") == LIMIT.count
        assert verdicts.count("TooManyGuesses") == 12 - LIMIT.count


class TestInTheChat:
    def test_consent_is_asked_first_and_then_the_account_is_there(self, stage: Stage) -> None:
        code = issue(stage.database, at=stage.clock())
        told = stage.says(grouped(code))
        assert "đồng ý" in told[-1]
        assert stage.links() == []
        assert "Đã liên kết" in stage.says("đồng ý")[-1]
        assert [(link.customer_code, link.method) for link in stage.links()] == [(CODE, "staff_code")]
        assert stage.service.sms == {}

    def test_without_consent_nothing_is_linked_and_the_code_still_holds(self, stage: Stage) -> None:
        code = issue(stage.database, at=stage.clock())
        stage.says(code)
        stage.says("không")
        assert stage.links() == []
        stage.says(code)
        stage.says("đồng ý")
        assert len(stage.links()) == 1

    def test_wrong_used_old_and_revoked_are_told_alike(self, stage: Stage) -> None:
        used, old = (
            issue(stage.database, at=stage.clock()),
            issue(stage.database, at=stage.clock() - timedelta(days=15)),
        )
        stage.says(used, user=STRANGER)
        stage.says("đồng ý", user=STRANGER)
        never = "KMT73VQX" + check_character("KMT73VQX")
        stage.says(never)
        stage.says("đồng ý")
        told = [stage.says(code) for code in (never, used, old)]
        assert told[0] == told[1] == told[2]
        assert "không dùng được" in told[0][0]
        assert stage.links() == []

    def test_guessing_is_stopped(self, stage: Stage) -> None:
        codes = [f"KMT73VQ{last}" for last in ALPHABET]
        told = [stage.says(body + check_character(body)) for body in codes[:3]]
        stage.says("đồng ý")
        told = [stage.says(body + check_character(body))[-1] for body in codes]
        assert "thử nhiều mã" in told[-1]
        right = issue(stage.database, at=stage.clock())
        assert "thử nhiều mã" in stage.says(right)[-1]
        assert stage.links() == []

    def test_the_code_itself_is_in_no_message_state_or_event(self, stage: Stage) -> None:
        code = issue(stage.database, at=stage.clock())
        stage.says(code)
        stage.says("đồng ý")
        with stage.database.begin() as session:
            texts = session.scalars(select(Message.text)).all()
            kept = session.execute(
                text(
                    "SELECT string_agg(payload::text, '') FROM inbound_event UNION SELECT state::text FROM conversation"
                )
            )
            everything = " ".join([*texts, *(str(row[0]) for row in kept)])
        assert code not in everything
        assert code[:4] not in everything

    def test_by_a_link_with_the_code_in_it(self, stage: Stage) -> None:
        code = issue(stage.database, at=stage.clock())
        stage.messenger_event(
            sender={"id": "2"},
            recipient={"id": "1"},
            timestamp=int(stage.stamp()),
            postback={"title": "Bắt đầu", "payload": "start", "referral": {"ref": code, "source": "SHORTLINK"}},
        )
        stage.work()
        assert "đồng ý" in stage.messenger.texts[-1]
        stage.hears_on_messenger("đồng ý")
        stage.work()
        assert "Đã liên kết" in stage.messenger.texts[-1]

    def test_a_request_that_waits_for_the_link_is_answered(self, stage: Stage) -> None:
        code = issue(stage.database, at=stage.clock())
        stage.says("tiền điện")
        stage.says("đồng ý")
        told = stage.says(code)
        assert "512.340 đ" in told[-1]
        assert stage.conversation().state.get("paused", []) == []

    def test_several_people_link_one_customer_with_a_code_each(self, stage: Stage) -> None:
        for user in (USER, STRANGER):
            stage.says(issue(stage.database, at=stage.clock()), user=user)
            stage.says("đồng ý", user=user)
        assert [link.customer_code for link in [*stage.links(), *stage.links(STRANGER)]] == [CODE, CODE]

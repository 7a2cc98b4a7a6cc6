"""When an answer cannot be had: patience asked for once, tried again for seconds, then said so and kept for people."""

from datetime import timedelta

import pytest
from fixtures.outside import CODE, invoice
from fixtures.stage import Stage
from sqlalchemy import select

from actions.backends.errors import BackendDown
from bot.jobs import EVENT_PAUSES, FORSAKEN_AFTER
from bot.store import conversations
from bot.store.models import InboundEvent, Owner
from bot.store.retention import OTP_KEPT

SLOW = "chậm hơn mọi khi"
GIVEN_UP = "tôi gặp trục trặc"


def until_given_up(stage: Stage) -> None:
    stage.work()
    for pause in EVENT_PAUSES:
        stage.later(pause)


def said(stage: Stage) -> list[str]:
    return [next((name for name in (SLOW, GIVEN_UP) if name in text), "else") for text in stage.zalo.texts]


class TestTheNluIsDown:
    def test_patience_is_asked_for_once_and_then_it_is_given_up(self, stage: Stage) -> None:
        stage.nlu.down = True
        event_id = stage.hears("tiền điện tháng này")
        stage.work()
        assert said(stage) == [SLOW]
        until_given_up(stage)
        assert said(stage) == [SLOW, GIVEN_UP]
        assert len(stage.nlu.asked) == len(EVENT_PAUSES) + 1
        with stage.database.begin() as session:
            row = session.get_one(InboundEvent, event_id)
        assert (row.status, row.error) == ("parked", "NluUnavailable")
        assert row.payload["message"]["text"] == "tiền điện tháng này"
        assert stage.jobs() == []
        assert stage.jobs("failed") == []

    def test_the_whole_takes_seconds_not_minutes(self) -> None:
        assert 15 <= sum(EVENT_PAUSES) <= 60

    def test_when_it_comes_back_the_answer_is_given(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        stage.nlu.down = True
        stage.hears("tổng đài")
        stage.work()
        stage.later(1)
        stage.nlu.down = False
        stage.later(2)
        assert said(stage) == [SLOW, "else", "else"]
        assert "19006769" in stage.zalo.texts[-1]
        assert [message.sender for message in stage.messages()].count("customer") == 1

    def test_the_next_message_waits_for_its_turn_and_then_is_answered(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        stage.nlu.down = True
        first = stage.hears("câu đầu")
        second = stage.hears("tổng đài")
        until_given_up(stage)
        assert stage.status(first) == "parked"
        assert stage.status(second) == "received"
        stage.nlu.down = False
        until_given_up(stage)
        assert stage.status(second) == "done"
        assert "19006769" in stage.zalo.texts[-1]

    def test_taps_need_no_understanding(self, stage: Stage) -> None:
        stage.nlu.teach("xin chào", "greet")
        stage.says("xin chào")
        stage.nlu.down = True
        assert "tổng đài" not in "".join(stage.taps("Tôi làm được gì?"))
        assert said(stage)[-1] == "else"

    def test_staff_are_not_talked_over_with_apologies(self, stage: Stage) -> None:
        stage.nlu.teach("xin chào", "greet")
        stage.says("xin chào")
        before = len(stage.zalo.sent)
        stage.nlu.down = True
        event_id = stage.hears("câu hỏi")
        stage.work()
        with stage.database.begin() as session:
            conversations.set_owner(session, stage.conversation().id, Owner.STAFF, stage.clock())
        until_given_up(stage)
        assert said(stage)[before:] == [SLOW]
        assert stage.status(event_id) == "done"


class TestADefect:
    @pytest.fixture
    def broken(self, stage: Stage) -> Stage:
        """The billing answers with something that breaks the handler in a way nobody foresaw."""
        stage.nlu.teach("tiền điện", "bill_lookup")
        stage.nlu.teach("tổng đài", "hotline")
        stage.link(CODE)
        stage.billing.failure = ZeroDivisionError("a defect")
        return stage

    def test_it_is_tried_again_then_parked_with_an_apology(self, broken: Stage) -> None:
        event_id = broken.hears("tiền điện")
        until_given_up(broken)
        assert said(broken) == [GIVEN_UP]
        assert len(broken.billing.asked) == len(EVENT_PAUSES) + 1
        assert broken.status(event_id) == "parked"
        thread = [(message.sender, message.text) for message in broken.messages()]
        assert [sender for sender, _text in thread] == ["customer", "bot"]
        assert thread[0][1] == "tiền điện"

    def test_the_conversation_goes_on_after_it(self, broken: Stage) -> None:
        broken.hears("tiền điện")
        until_given_up(broken)
        assert "19006769" in broken.says("tổng đài")[-1]

    def test_giving_up_twice_says_it_once(self, broken: Stage) -> None:
        event = broken.event(broken.hears("tiền điện"))
        for _ in range(2):
            broken.product.turns.give_up(event, "ZeroDivisionError")
        broken.work()
        assert said(broken) == [GIVEN_UP]
        assert [message.sender for message in broken.messages()] == ["customer", "bot"]

    def test_a_failing_backend_is_no_defect(self, broken: Stage) -> None:
        broken.billing.failure = BackendDown("debt", "no answer in time")
        broken.billing.bills[CODE] = [invoice(CODE, broken.clock().date().replace(day=1))]
        event_id = broken.hears("tiền điện")
        broken.work()
        assert broken.status(event_id) == "done"
        assert "đang bận" in broken.zalo.texts[-1]
        broken.billing.failure = None
        assert "512.340 đ" in broken.taps("Thử lại")[-1]


class TestForsaken:
    def test_an_event_whose_job_is_gone_is_parked_for_people(self, stage: Stage) -> None:
        event_id = stage.hears("câu hỏi")
        with stage.database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM procrastinate_jobs")
        stage.tick("park_forsaken_events")
        assert stage.status(event_id) == "received"
        stage.clock.forward(seconds=FORSAKEN_AFTER.total_seconds() + 1)
        stage.tick("park_forsaken_events")
        assert stage.status(event_id) == "parked"

    def test_one_that_only_waits_long_is_not(self, stage: Stage) -> None:
        event_id = stage.hears("câu hỏi")
        stage.clock.forward(hours=1)
        with stage.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour'")
        stage.tick("park_forsaken_events")
        assert stage.status(event_id) == "received"


class TestRetention:
    def test_old_finished_events_go_and_parked_ones_stay(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        finished = stage.hears("tổng đài")
        stage.work()
        stage.nlu.down = True
        parked = stage.hears("câu hỏi")
        until_given_up(stage)
        days = stage.product.company.retention.inbound_event_days
        stage.clock.forward(days=days - 1)
        stage.tick("forget_old_data")
        with stage.database.begin() as session:
            assert set(session.scalars(select(InboundEvent.id))) == {finished, parked}
        stage.clock.forward(days=2)
        open_event = stage.hears("mới")
        stage.tick("forget_old_data")
        with stage.database.begin() as session:
            rows = {row.id: row for row in session.scalars(select(InboundEvent))}
        assert finished not in rows
        assert rows[parked].payload["message"]["text"] == "câu hỏi"
        assert open_event in rows

    def test_an_event_that_was_never_finished_is_not_forgotten(self, stage: Stage) -> None:
        waiting = stage.hears("câu hỏi")
        with stage.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour'")
        stage.clock.forward(days=400)
        stage.tick("forget_old_data")
        assert stage.status(waiting) == "received"
        assert stage.event(waiting).inbound.text == "câu hỏi"

    def test_used_and_old_passwords_go(self, stage: Stage) -> None:
        desk = stage.product.turns._desk
        desk.otp.issue(
            contact_id=stage.conversation().contact_id, customer_code=CODE, phone_ref="p", event_id=1, now=stage.clock()
        )
        stage.clock.forward(days=1)
        stage.tick("forget_old_data")
        with stage.database.engine.begin() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM otp_challenge").scalar() == 1
        stage.clock.forward(days=2)
        stage.tick("forget_old_data")
        with stage.database.engine.begin() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM otp_challenge").scalar() == 0

    def test_the_windows_in_which_sends_are_counted_fit_into_what_is_kept(self) -> None:
        assert timedelta(days=1) < OTP_KEPT

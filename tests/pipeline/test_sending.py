"""From planned replies to what the platform took: in order, once, and every outcome written down."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from fixtures.stage import USER, Stage
from sqlalchemy import select, update

from bot.channels.outcomes import (
    MAX_ATTEMPTS,
    BadRequest,
    OutcomeUnknown,
    Reauthorise,
    RecipientGone,
    Retry,
    Scope,
    SendError,
    SlowDown,
    WindowClosed,
)
from bot.messages import ChannelName, OutMessage
from bot.pipeline.sending import REPLY_IS_STALE_AFTER
from bot.store import conversations, deliveries
from bot.store.models import Contact, Delivery, Lane, Owner, RateBudget

SECONDS = timedelta(seconds=1)


def two_replies(stage: Stage) -> int:
    """A first message is answered by a greeting and by the answer itself. Returns the contact's id; nothing is sent."""
    stage.nlu.teach("tổng đài", "hotline")
    event = stage.event(stage.hears("tổng đài"))
    stage.product.turns.handle(event)
    assert [delivery.status for delivery in stage.deliveries()] == ["pending", "pending"]
    return stage.deliveries()[0].contact_id


def states(stage: Stage) -> list[tuple[str, str | None]]:
    return [(delivery.status, delivery.outcome) for delivery in stage.deliveries()]


def retry(seconds: float = 2, **more: Any) -> Retry:
    return Retry("http-503", "busy", after=timedelta(seconds=seconds), **more)


def test_sent_replies_carry_the_platform_s_id(stage: Stage) -> None:
    two_replies(stage)
    stage.work()
    first, second = stage.deliveries()
    assert states(stage) == [("sent", "sent"), ("sent", "sent")]
    assert (first.provider_message_id, second.provider_message_id) == ("zalo-1", "zalo-2")
    assert first.sent_at == stage.clock()
    assert first.lease_until is None
    assert [sent.recipient for sent in stage.zalo.sent] == [USER, USER]
    assert [sent.delivery_key for sent in stage.zalo.sent] == [first.key, second.key]


class TestOrder:
    def test_while_the_first_must_be_tried_again_the_next_waits(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.append(retry(2))
        stage.work()
        assert stage.zalo.sent == []
        assert states(stage) == [("pending", "retry"), ("pending", None)]
        stage.later(2)
        keys = [delivery.key for delivery in stage.deliveries()]
        assert stage.zalo.tried == [keys[0], *keys]
        assert states(stage) == [("sent", "sent"), ("sent", "sent")]

    def test_a_later_message_s_reply_waits_too(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.append(retry(5))
        stage.work()
        stage.nlu.teach("cảm ơn", "thank")
        stage.hears("cảm ơn")
        stage.work()
        assert stage.zalo.sent == []
        stage.later(5)
        assert [sent.delivery_key for sent in stage.zalo.sent] == [delivery.key for delivery in stage.deliveries()]
        assert len(stage.zalo.sent) == 3

    def test_one_that_can_never_go_does_not_hold_the_next(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.append(BadRequest("-201", "shape"))
        stage.work()
        assert states(stage) == [("failed", "badrequest"), ("sent", "sent")]

    def test_two_senders_at_once_send_each_reply_once(self, stage: Stage) -> None:
        contact_id = two_replies(stage)
        inside, go_on = threading.Event(), threading.Event()

        def be_slow() -> None:
            inside.set()
            assert go_on.wait(10)

        stage.zalo.script.append(be_slow)
        first = threading.Thread(target=stage.product.sender.send_all, args=(contact_id,))
        first.start()
        assert inside.wait(10)
        stage.product.sender.send_all(contact_id)
        assert len(stage.zalo.sent) == 1
        go_on.set()
        first.join(10)
        assert len(stage.zalo.sent) == len(set(stage.zalo.tried)) == 2


OUTCOMES: dict[str, tuple[SendError, str, str, str]] = {
    "retry": (retry(), "pending", "retry", "http-503"),
    "slow-down": (SlowDown("-32", "too fast", after=30 * SECONDS), "pending", "slowdown", "-32"),
    "slow-down-recipient": (
        SlowDown("1", "too fast", after=30 * SECONDS, scope=Scope.RECIPIENT),
        "pending",
        "slowdown",
        "1",
    ),
    "reauthorise": (Reauthorise("-216", "token"), "pending", "reauthorise", "-216"),
    "window-closed": (WindowClosed("-230", "7 days"), "failed", "windowclosed", "-230"),
    "recipient-gone": (RecipientGone("-213", "not following"), "failed", "recipientgone", "-213"),
    "recipient-gone-for-kind": (
        RecipientGone("-214", "refuses these", scope=Scope.KIND),
        "failed",
        "recipientgone",
        "-214",
    ),
    "bad-request": (BadRequest("-201", "shape"), "failed", "badrequest", "-201"),
    "unknown": (OutcomeUnknown("timeout", "no answer"), "unknown", "outcome_unknown", "timeout"),
}


class TestOutcomes:
    @pytest.mark.parametrize("name", OUTCOMES)
    def test_every_error_is_written_down(self, stage: Stage, name: str) -> None:
        error, status, outcome, code = OUTCOMES[name]
        two_replies(stage)
        stage.zalo.script.append(error)
        stage.work()
        first = stage.deliveries()[0]
        assert (first.status, first.outcome, first.provider_code) == (status, outcome, code)
        assert first.lease_until is None
        assert first.attempts == 1

    def test_every_kind_of_error_is_tried_here(self) -> None:
        kinds = set(SendError.__subclasses__())
        assert {type(error) for error, *_rest in OUTCOMES.values()} == kinds

    def test_retries_wait_longer_each_time_and_end(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.extend([retry(2) for _ in range(MAX_ATTEMPTS)])
        stage.work()
        for pause in (2, 4, 8, 16):
            assert stage.deliveries()[0].not_before == stage.clock() + pause * SECONDS
            stage.later(pause - 1)
            assert stage.deliveries()[0].status == "pending"
            stage.later(1)
        assert states(stage) == [("failed", "retry"), ("sent", "sent")]
        assert stage.deliveries()[0].attempts == MAX_ATTEMPTS

    def test_the_platform_s_error_may_deserve_fewer_tries(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.extend([retry(1, max_attempts=2) for _ in range(2)])
        stage.work()
        stage.later(1)
        assert states(stage)[0] == ("failed", "retry")

    def test_an_unknown_outcome_is_never_sent_again(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.append(OutcomeUnknown("timeout", "no answer"))
        stage.work()
        key = stage.deliveries()[0].key
        for _ in range(4):
            stage.clock.forward(minutes=5)
            stage.tick("rescue_lost_replies")
        assert stage.zalo.tried.count(key) == 1
        assert states(stage) == [("unknown", "outcome_unknown"), ("sent", "sent")]

    @pytest.mark.parametrize(
        ("error", "held"),
        [
            (SlowDown("-32", "too fast", after=30 * SECONDS), True),
            (SlowDown("1", "too fast", after=30 * SECONDS, scope=Scope.RECIPIENT), False),
            (Reauthorise("-216", "token"), True),
            (Reauthorise("-1", "money", scope=Scope.KIND), False),
            (retry(), False),
        ],
        ids=["slow-token", "slow-recipient", "token", "kind", "retry"],
    )
    def test_what_concerns_the_token_holds_everybody(self, stage: Stage, error: SendError, held: bool) -> None:
        two_replies(stage)
        stage.zalo.script.append(error)
        stage.work()
        with stage.database.begin() as session:
            blocked = session.get_one(RateBudget, ChannelName.ZALO.value).blocked_until
        assert (blocked is not None and blocked > stage.clock()) == held

    def test_slow_down_goes_on_with_the_same_message(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.append(SlowDown("-32", "too fast", after=30 * SECONDS))
        stage.work()
        stage.later(29)
        assert stage.zalo.sent == []
        stage.later(2)
        assert states(stage) == [("sent", "sent"), ("sent", "sent")]

    def test_a_reply_that_comes_too_late_is_given_up(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.extend([Reauthorise("-216", "token")] * 99)
        stage.work()
        for _ in range(int(REPLY_IS_STALE_AFTER / (30 * SECONDS)) + 2):
            stage.later(31)
        assert states(stage) == [("failed", "too_late"), ("failed", "too_late")]
        assert not stage.zalo.sent

    @pytest.mark.parametrize(
        ("error", "gone"),
        [
            (RecipientGone("-213", "left"), True),
            (RecipientGone("-214", "refuses these", scope=Scope.KIND), False),
            (BadRequest("-201", "shape"), False),
        ],
        ids=["gone", "kind", "bad"],
    )
    def test_who_is_gone_is_remembered_until_they_write(self, stage: Stage, error: SendError, gone: bool) -> None:
        contact_id = two_replies(stage)
        stage.zalo.script.append(error)
        stage.work()

        def unreachable() -> bool:
            with stage.database.begin() as session:
                return session.get_one(Contact, contact_id).unreachable_since is not None

        assert unreachable() == gone
        stage.clock.forward(seconds=1)
        stage.says("tổng đài")
        assert not unreachable()


class TestBeforeSending:
    def test_a_closed_window_is_not_tried(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.window_is_open = False
        stage.work()
        assert stage.zalo.tried == []
        assert set(states(stage)) == {("failed", "window_closed")}

    def test_a_channel_that_was_turned_off_is_not_tried(self, stage: Stage) -> None:
        contact_id = two_replies(stage)
        del stage.product.channels[ChannelName.ZALO]
        stage.product.sender.send_all(contact_id)
        assert set(states(stage)) == {("failed", "channel_off")}

    def test_without_a_share_of_the_rate_it_waits_and_stays_in_order(self, stage: Stage) -> None:
        two_replies(stage)
        stage.budget.slow_down(ChannelName.ZALO, timedelta(minutes=1))
        stage.work()
        assert stage.zalo.tried == []
        assert states(stage)[0] == ("pending", "rate_budget")
        stage.later(61)
        assert [sent.delivery_key for sent in stage.zalo.sent] == [delivery.key for delivery in stage.deliveries()]

    def test_a_short_wait_for_the_rate_is_waited_for(self, stage: Stage) -> None:
        two_replies(stage)
        with stage.database.begin() as session:
            session.add(RateBudget(key=ChannelName.ZALO.value, available=0.5, refilled_at=stage.clock()))
        stage.budget._sleep = lambda seconds: stage.clock.forward(seconds=seconds)
        stage.work()
        assert len(stage.zalo.sent) == 2


class TestTakeover:
    def test_what_was_not_yet_sent_is_cancelled(self, stage: Stage) -> None:
        contact_id = two_replies(stage)

        def staff_take_over() -> None:
            with stage.database.begin() as session:
                conversations.set_owner(session, stage.conversation().id, Owner.STAFF, stage.clock())

        stage.zalo.script.append(staff_take_over)
        stage.work()
        assert states(stage) == [("sent", "sent"), ("cancelled", "staff_took_over")]
        assert len(stage.zalo.sent) == 1
        stage.tick("rescue_lost_replies")
        stage.product.sender.send_all(contact_id)
        assert len(stage.zalo.sent) == 1

    def test_one_that_waits_for_its_retry_is_cancelled_too(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.append(retry(5))
        stage.work()
        with stage.database.begin() as session:
            conversations.set_owner(session, stage.conversation().id, Owner.STAFF, stage.clock())
        stage.later(6)
        assert stage.zalo.sent == []
        assert set(states(stage)) == {("cancelled", "staff_took_over")}

    def test_claiming_waits_for_a_takeover_that_is_being_committed(self, stage: Stage) -> None:
        """The claim reads the owner under the conversation's lock: no reply slips through between the two."""
        contact_id = two_replies(stage)
        sender = threading.Thread(target=stage.product.sender.send_all, args=(contact_id,))
        with stage.database.begin() as session:
            conversations.set_owner(session, stage.conversation().id, Owner.STAFF, stage.clock())
            session.flush()
            sender.start()
            sender.join(0.3)
            assert sender.is_alive()
        sender.join(10)
        assert stage.zalo.tried == []

    def test_notices_are_not_cancelled_by_a_takeover(self, stage: Stage) -> None:
        contact_id = two_replies(stage)
        with stage.database.begin() as session:
            session.execute(update(Delivery).where(Delivery.id > 0).values(lane=Lane.NOTICE))
            conversations.set_owner(session, stage.conversation().id, Owner.STAFF, stage.clock())
        stage.product.sender.send_all(contact_id)
        assert {status for status, _outcome in states(stage)} == {"pending"}

    def test_waiting_for_staff_cancels_nothing(self, stage: Stage) -> None:
        two_replies(stage)
        with stage.database.begin() as session:
            conversations.set_owner(session, stage.conversation().id, Owner.WAITING, stage.clock())
        stage.work()
        assert len(stage.zalo.sent) == 2


class TestLeases:
    def died_while_sending(self, stage: Stage) -> int:
        """The platform took the first reply, and the worker died before it wrote that down."""
        contact_id = two_replies(stage)

        class Killed(BaseException):
            pass

        def die() -> None:
            raise Killed

        stage.zalo.script.append(die)
        with pytest.raises(Killed):
            stage.product.sender.send_all(contact_id)
        assert states(stage)[0] == ("sending", None)
        return contact_id

    def test_while_the_lease_runs_nobody_else_sends(self, stage: Stage) -> None:
        self.died_while_sending(stage)
        stage.clock.forward(seconds=30)
        stage.tick("rescue_lost_replies")
        assert len(stage.zalo.tried) == 1

    def test_an_expired_lease_is_unknown_and_the_next_goes_on(self, stage: Stage) -> None:
        self.died_while_sending(stage)
        stage.clock.forward(seconds=deliveries.LEASE.total_seconds() + 1)
        stage.tick("rescue_lost_replies")
        assert states(stage) == [("unknown", "worker_died"), ("sent", "sent")]
        first, second = (delivery.key for delivery in stage.deliveries())
        assert stage.zalo.tried == [first, second]

    def test_the_slow_winner_does_not_overwrite_the_verdict(self, stage: Stage) -> None:
        """The platform answers after the lease is over: the row is unknown by then, and stays so until an echo."""
        contact_id = two_replies(stage)

        def outlive_the_lease() -> None:
            stage.clock.forward(seconds=deliveries.LEASE.total_seconds() + 1)
            with stage.database.begin() as session:
                deliveries.expire_leases(session, stage.clock())

        stage.zalo.script.append(outlive_the_lease)
        stage.product.sender.send_all(contact_id)
        assert states(stage)[0] == ("unknown", "worker_died")


class TestLostJobs:
    def test_replies_whose_job_is_lost_are_found(self, stage: Stage) -> None:
        two_replies(stage)
        with stage.database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM procrastinate_jobs")
        stage.tick("rescue_lost_replies")
        assert stage.zalo.sent == []
        stage.clock.forward(minutes=2)
        stage.tick("rescue_lost_replies")
        assert len(stage.zalo.sent) == 2

    def test_replies_that_wait_for_their_time_are_left_alone(self, stage: Stage) -> None:
        two_replies(stage)
        stage.zalo.script.append(SlowDown("-32", "too fast", after=timedelta(minutes=10)))
        stage.work()
        for _ in range(4):
            stage.clock.forward(minutes=2)
            stage.tick("rescue_lost_replies")
        assert len(stage.zalo.tried) == 1
        assert [job["task_name"] for job in stage.jobs()] == ["send_replies"]

    def test_a_queue_that_lags_does_not_grow_by_itself(self, stage: Stage) -> None:
        two_replies(stage)
        stage.clock.forward(minutes=2)
        before = len(stage.jobs())
        for _ in range(3):
            with stage.database.begin() as session:
                found = deliveries.contacts_with_due_replies(
                    session, stage.clock(), older_than=stage.clock() - timedelta(minutes=1), limit=10
                )
            assert found == []
        assert len(stage.jobs()) == before


def test_an_error_of_our_own_leaves_the_outcome_unknown_not_repeated(stage: Stage) -> None:
    two_replies(stage)

    def fail() -> None:
        raise RuntimeError("a defect after the platform took it")

    stage.zalo.script.append(fail)
    stage.work()
    key = stage.deliveries()[0].key
    for _ in range(3):
        stage.later(20)
        stage.tick("rescue_lost_replies")
    stage.later(61)
    stage.tick("rescue_lost_replies")
    assert stage.zalo.tried.count(key) == 1
    assert states(stage) == [("unknown", "worker_died"), ("sent", "sent")]


def test_a_delivery_is_planned_once_per_key(stage: Stage) -> None:
    contact_id = two_replies(stage)
    first = stage.deliveries()[0]
    with stage.database.begin() as session:
        deliveries.plan(
            session,
            key=first.key,
            contact=session.get_one(Contact, contact_id),
            message_id=None,
            lane=Lane.REPLY,
            content=OutMessage(text="lần hai"),
            now=stage.clock(),
        )
        contents = session.scalars(select(Delivery.content).order_by(Delivery.id)).all()
    assert len(contents) == 2
    assert contents[0] == first.content

"""Events without a job: many at once, several workers at once, one bad among them, and whatever dies in the middle."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fixtures.stage import META_APP_ID, PAGE_ID, USER, Stage
from prometheus_client import REGISTRY
from sqlalchemy import select, text

from bot import jobs
from bot.channels.outcomes import OutcomeUnknown
from bot.jobs import FORSAKEN_AFTER
from bot.pipeline import waiting
from bot.pipeline.receipts import RECEIPT_WAITS_FOR_OUR_COMMIT
from bot.store import conversations, events, receipts
from bot.store.models import Contact, Delivery, InboundEvent, Owner

OA = {"id": "4444444444444444444"}
GUEST, OTHER_GUEST, STRANGER = "2", "3", "77"
PATIENCE_SECONDS = 20.0


def received(stage: Stage, message_id: str | None) -> int:
    return stage.zalo_event("user_received_message", sender=OA, recipient={"id": USER}, message={"msg_id": message_id})


def staff_says(stage: Stage, words: str) -> int:
    message = {"text": words, "msg_id": f"z-{words}"}
    return stage.zalo_event("oa_send_text", sender={**OA, "admin_id": "5"}, recipient={"id": USER}, message=message)


def unfollow(stage: Stage) -> int:
    return stage.zalo_event("unfollow", oa_id=OA["id"], follower={"id": USER})


def from_guest(stage: Stage, user: str = GUEST, **event: Any) -> int:
    return stage.messenger_event(sender={"id": user}, recipient={"id": PAGE_ID}, timestamp=int(stage.stamp()), **event)


def echo(stage: Stage, message_id: str, *, key: str | None = None) -> int:
    message = {"is_echo": True, "app_id": int(META_APP_ID), "mid": message_id, "text": "", "metadata": key}
    return stage.messenger_event(
        sender={"id": PAGE_ID}, recipient={"id": GUEST}, timestamp=int(stage.stamp()), message=message
    )


def hand_over(stage: Stage, name: str, to: str) -> int:
    return from_guest(stage, **{name: {"previous_owner_app_id": "1", "new_owner_app_id": to}})


@pytest.fixture
def sent(stage: Stage) -> list[Delivery]:
    """Two replies, accepted by Zalo."""
    stage.nlu.teach("tổng đài", "hotline")
    stage.says("tổng đài")
    return list(stage.deliveries())


def on_messenger(stage: Stage, *, user: str = GUEST) -> None:
    stage.nlu.teach("tổng đài", "hotline")
    stage.hears_on_messenger("tổng đài", user=user)
    stage.work()


def states(stage: Stage) -> list[str]:
    return [row.status for row in stage.deliveries()]


def row(stage: Stage, event_id: int) -> InboundEvent:
    with stage.database.begin() as session:
        return session.get_one(InboundEvent, event_id)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestABatch:
    def test_is_noted_whole(self, stage: Stage, sent: list[Delivery]) -> None:
        stage.nlu.teach("xin chào", "greet")
        stage.says("xin chào")
        ids = [received(stage, each.provider_message_id) for each in stage.deliveries()]
        assert len(ids) > 2
        assert stage.product.waiting.handle_due() is False
        assert set(states(stage)) == {"delivered"}
        assert {stage.status(event_id) for event_id in ids} == {"done"}

    def test_has_a_bound_and_the_rest_is_told_of(
        self, stage: Stage, sent: list[Delivery], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waiting, "BATCH", 1)
        first, second = (received(stage, each.provider_message_id) for each in sent)
        assert stage.product.waiting.handle_due() is True
        assert (stage.status(first), stage.status(second)) == ("done", "received")
        assert stage.product.waiting.handle_due() is True
        assert stage.product.waiting.handle_due() is False
        assert stage.status(second) == "done"

    def test_an_echo_tells_the_id_that_a_receipt_beside_it_names(self, stage: Stage) -> None:
        stage.messenger.script.append(OutcomeUnknown("timeout", "no answer"))
        on_messenger(stage)
        lost = stage.deliveries()[0]
        ids = [from_guest(stage, delivery={"mids": ["m_1"], "watermark": 1}), echo(stage, "m_1", key=lost.key)]
        stage.note_receipts()
        assert [stage.status(event_id) for event_id in ids] == ["done", "done"]
        found = stage.deliveries()[0]
        assert (found.status, found.provider_message_id, found.sent_at) == ("delivered", "m_1", stage.clock())

    def test_of_two_receipts_the_first_tells_when(self, stage: Stage, sent: list[Delivery]) -> None:
        at = stage.clock()
        for _ in range(2):
            stage.zalo_event(
                "user_seen_message",
                sender=OA,
                recipient={"id": USER},
                message={"msg_ids": [each.provider_message_id for each in sent]},
            )
            stage.clock.forward(seconds=3)
        stage.note_receipts()
        assert {(each.status, each.seen_at) for each in stage.deliveries()} == {("seen", at)}

    def test_what_one_person_s_events_say_is_done_in_their_order(self, stage: Stage) -> None:
        on_messenger(stage)
        hand_over(stage, "take_thread_control", "263902037430900")
        stage.clock.forward(seconds=1)
        hand_over(stage, "pass_thread_control", META_APP_ID)
        stage.note_receipts()
        assert stage.conversation(GUEST).owner == Owner.BOT
        for name, to in (("pass_thread_control", META_APP_ID), ("take_thread_control", "263902037430900")):
            stage.clock.forward(seconds=1)
            hand_over(stage, name, to)
        stage.note_receipts()
        assert stage.conversation(GUEST).owner == Owner.STAFF


class TestWatermarks:
    def test_of_several_people_at_once(self, stage: Stage) -> None:
        on_messenger(stage)
        on_messenger(stage, user=OTHER_GUEST)
        of_guest = {row.contact_id for row in stage.deliveries()[:1]}
        stage.clock.forward(seconds=1)
        early, late = int(stage.stamp()), int(stage.stamp()) + 5000
        from_guest(stage, GUEST, delivery={"watermark": early})
        from_guest(stage, GUEST, read={"watermark": late})
        from_guest(stage, OTHER_GUEST, delivery={"watermark": late})
        stage.note_receipts()
        told = {(row.contact_id in of_guest, row.status, row.delivered_at, row.seen_at) for row in stage.deliveries()}
        now, later = stage.clock(), stage.clock() + timedelta(seconds=5)
        assert told == {(True, "seen", now, later), (False, "delivered", later, None)}

    def test_of_somebody_unknown_makes_nobody_known(self, stage: Stage) -> None:
        event_id = from_guest(stage, STRANGER, read={"watermark": int(stage.stamp())})
        stage.note_receipts()
        assert stage.status(event_id) == "done"
        with stage.database.begin() as session:
            assert session.scalars(select(Contact)).all() == []


class TestTooEarly:
    def test_it_is_looked_at_again_after_one_two_four_and_eight_seconds(self, stage: Stage) -> None:
        event_id = received(stage, "of-somebody-else")
        pauses = []
        while stage.status(event_id) == "received":
            stage.note_receipts()
            if (due := row(stage, event_id).handle_from) and due > stage.clock():
                pauses.append((due - stage.clock()).total_seconds())
                stage.clock.forward(seconds=pauses[-1])
        assert pauses == [1, 2, 4, 8, 8]
        assert stage.status(event_id) == "ignored"
        assert stage.clock() - row(stage, event_id).received_at >= RECEIPT_WAITS_FOR_OUR_COMMIT

    def test_one_that_comes_to_light_late_is_let_go_at_once(self, stage: Stage) -> None:
        event_id = received(stage, "of-somebody-else")
        stage.clock.forward(seconds=60)
        stage.note_receipts()
        assert stage.status(event_id) == "ignored"


class TestABadOne:
    def test_in_a_batch_does_not_take_the_others_down(self, stage: Stage) -> None:
        """An echo names one delivery by our key and another by the platform's id: the ledger refuses it."""
        stage.messenger.script.append(OutcomeUnknown("timeout", "no answer"))
        on_messenger(stage)
        lost, known = stage.deliveries()[:2]
        parked = REGISTRY.get_sample_value("parked_events_total", {"channel": "messenger"}) or 0
        bad = echo(stage, str(known.provider_message_id), key=lost.key)
        good = from_guest(stage, delivery={"mids": [known.provider_message_id], "watermark": 1})
        stage.note_receipts()
        assert (stage.status(bad), stage.status(good)) == ("received", "done")
        assert states(stage) == ["unknown", "delivered"]
        tries = 1
        while stage.status(bad) == "received":
            stage.later(8)
            tries += 1
        assert tries < 7
        assert (row(stage, bad).status, row(stage, bad).error) == ("parked", "IntegrityError")
        assert row(stage, bad).payload != {}
        assert REGISTRY.get_sample_value("parked_events_total", {"channel": "messenger"}) == parked + 1

    def test_handled_alone_does_not_keep_the_next_from_it(
        self, stage: Stage, sent: list[Delivery], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(conversations, "mark_unreachable", broken)
        bad, good = unfollow(stage), staff_says(stage, "một")
        stage.note_receipts()
        assert (stage.status(bad), stage.status(good)) == ("received", "done")
        monkeypatch.undo()
        stage.later(1)
        assert stage.status(bad) == "done"

    def test_that_came_to_light_late_gets_a_second_try(
        self, stage: Stage, sent: list[Delivery], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        event_id = received(stage, sent[0].provider_message_id)
        stage.clock.forward(hours=1)
        with monkeypatch.context() as patch:
            patch.setattr(receipts, "note", lambda *_: 1 / 0)
            stage.note_receipts()
        assert stage.status(event_id) == "received"
        stage.later(8)
        assert stage.status(event_id) == "done"

    def test_that_cannot_even_be_read_is_parked(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        event_id = received(stage, "m")
        monkeypatch.setattr(waiting, "understand", lambda *_: 1 / 0)
        for _ in range(6):
            stage.note_receipts()
            stage.clock.forward(seconds=8)
        assert (stage.status(event_id), row(stage, event_id).error) == ("parked", "ZeroDivisionError")


class TestSeveralWorkers:
    def test_what_one_holds_the_others_pass_over(self, stage: Stage, sent: list[Delivery]) -> None:
        held, free = (received(stage, each.provider_message_id) for each in sent)
        with stage.database.begin() as session:
            events.claim_waiting(session, stage.clock(), limit=1)
            stage.note_receipts()
            assert (stage.status(held), stage.status(free)) == ("received", "done")
        stage.note_receipts()
        assert stage.status(held) == "done"

    def test_one_event_at_two_workers_has_one_effect(self, stage: Stage, sent: list[Delivery]) -> None:
        """Both have it in hand, as both wait for the conversation."""
        event_id = staff_says(stage, "một")
        workers = [threading.Thread(target=stage.note_receipts) for _ in range(2)]
        with stage.database.begin() as session:
            conversations.lock(session, stage.conversation().id)
            for number, worker in enumerate(workers, 1):
                worker.start()
                until(lambda number=number: waiting_for_locks(stage) == number)
        for worker in workers:
            worker.join(PATIENCE_SECONDS)
        assert stage.status(event_id) == "done"
        assert [message.text for message in stage.messages()].count("một") == 1

    def test_many_events_at_many_workers_are_each_handled_once(
        self, stage: Stage, sent: list[Delivery], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waiting, "BATCH", 3)
        words = [f"câu {number}" for number in range(10)]
        ids = [staff_says(stage, each) for each in words]
        ids += [received(stage, each.provider_message_id) for each in sent]
        workers = [threading.Thread(target=stage.note_receipts) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(PATIENCE_SECONDS)
        stage.note_receipts()
        assert {stage.status(event_id) for event_id in ids} == {"done"}
        assert sorted(message.text for message in stage.messages() if message.sender == "staff") == sorted(words)


def waiting_for_locks(stage: Stage) -> int:
    with stage.database.begin() as session:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return session.scalar(text(query)) or 0


class Killed(BaseException):
    """Nothing catches it: as when the process is gone."""


class TestKilledInTheMiddle:
    def test_of_a_batch_nothing_was_done(
        self, stage: Stage, sent: list[Delivery], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        event_id = received(stage, sent[0].provider_message_id)
        with monkeypatch.context() as patch:
            patch.setattr(events, "finish_all", killed)
            with pytest.raises(Killed):
                stage.note_receipts()
        assert (stage.status(event_id), set(states(stage))) == ("received", {"sent"})
        stage.note_receipts()
        assert (stage.status(event_id), states(stage)[0]) == ("done", "delivered")

    def test_of_one_alone_nothing_was_done_but_of_those_before_it(
        self, stage: Stage, sent: list[Delivery], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        noted, alone = received(stage, sent[0].provider_message_id), staff_says(stage, "một")
        with monkeypatch.context() as patch:
            patch.setattr(events, "finish", killed)
            with pytest.raises(Killed):
                stage.note_receipts()
        assert (stage.status(noted), stage.status(alone)) == ("done", "received")
        assert stage.conversation().owner == Owner.BOT
        stage.note_receipts()
        assert stage.conversation().owner == Owner.STAFF
        assert [message.text for message in stage.messages()].count("một") == 1


def killed(*_: object) -> None:
    raise Killed


def test_those_that_wait_are_not_forsaken(stage: Stage) -> None:
    event_id = received(stage, "m")
    stage.clock.forward(seconds=FORSAKEN_AFTER.total_seconds() + 1)
    with stage.database.begin() as session:
        assert events.park_forsaken(session, received_before=stage.clock()) == []
    assert stage.status(event_id) == "received"


def test_a_worker_looks_for_them_and_goes_on_after_a_failure(
    stage: Stage, sent: list[Delivery], monkeypatch: pytest.MonkeyPatch, logs: list[Any]
) -> None:
    monkeypatch.setattr(jobs, "LOOK_SECONDS", 0.02)
    with monkeypatch.context() as patch:
        patch.setattr(events, "claim_waiting", lambda *_, **__: 1 / 0)
        asyncio.run(work_for(stage, until_logged := lambda: any(e["event"] == "events_not_handled" for e in logs)))
    assert until_logged()
    event_id = received(stage, sent[0].provider_message_id)
    asyncio.run(work_for(stage, lambda: stage.status(event_id) == "done"))
    assert states(stage)[0] == "delivered"


async def work_for(stage: Stage, done: Callable[[], object]) -> None:
    """A whole worker, until it has done what is waited for."""
    working = asyncio.create_task(jobs.work(stage.product))
    await asyncio.to_thread(until, done)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

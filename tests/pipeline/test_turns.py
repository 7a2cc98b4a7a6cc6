"""From a stored event to the replies that are planned: once, whatever happens on the way."""

import threading
from datetime import timedelta

import pytest
from fixtures.outside import CODE, invoice
from fixtures.stage import USER, Stage
from sqlalchemy import select, text

from bot.pipeline.turns import Conflict
from bot.store import conversations
from bot.store.models import Audit, Consent, Contact, InboundEvent, Owner

OTHER_USER = "8888888888888888888"


class Crash(BaseException):
    """The process ends here, as far as the database can tell: what was not committed is gone."""


def crash_at_the_next_commit(stage: Stage) -> None:
    """Rendering for the channel is the last thing before a turn is committed, and within its transaction."""
    stage.zalo.renderings.append(Crash())


def asks_for_a_password(stage: Stage) -> None:
    """The customer links a code, up to the one-time password that is sent."""
    stage.nlu.teach("liên kết", "link_account")
    stage.nlu.teach("đồng ý", "affirm")
    stage.nlu.teach(CODE, "inform", customer_code=CODE)
    for said in ("liên kết", "đồng ý", CODE):
        stage.says(said)


def set_owner(stage: Stage, owner: Owner, user: str = USER) -> None:
    with stage.database.begin() as session:
        conversations.set_owner(session, stage.conversation(user).id, owner, stage.clock())


def planned(stage: Stage) -> list[tuple[str, str, list[str]]]:
    """Deliveries without what carries a time or a signature."""
    return [
        (delivery.key, delivery.content["text"], [button["title"] for button in delivery.content.get("buttons", [])])
        for delivery in stage.deliveries()
    ]


class TestOnce:
    def test_an_event_handled_again_is_not_answered_again(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        event = stage.event(stage.hears("tổng đài"))
        stage.product.turns.handle(event)
        once = planned(stage)
        stage.product.turns.handle(event)
        assert planned(stage) == once
        assert [message.sender for message in stage.messages()] == ["customer", "bot", "bot"]
        assert stage.conversation().version == 1

    def test_jobs_of_a_finished_event_do_nothing(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        stage.says("tổng đài")
        with stage.database.begin() as session:
            session.execute(
                text(
                    "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
                    " SELECT 'reply', 'handle_event', jsonb_build_object('event_id', id) FROM inbound_event"
                )
            )
        stage.work()
        assert len(stage.zalo.sent) == 2
        assert stage.nlu.asked == ["tổng đài"]

    def test_two_runs_of_an_event_at_once_answer_once(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        event = stage.event(stage.hears("tổng đài"))
        both_have_loaded = threading.Barrier(2, timeout=10)
        stage.nlu.on_parse = both_have_loaded.wait  # type: ignore[assignment]
        outcomes: list[str] = []

        def run() -> None:
            try:
                stage.product.turns.handle(event)
                outcomes.append("done")
            except Conflict:
                outcomes.append("conflict")

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(outcomes) == ["conflict", "done"]
        assert len(stage.deliveries()) == 2

    def test_messages_of_one_person_are_answered_in_their_order(self, stage: Stage) -> None:
        stage.nlu.teach("một", "hotline")
        stage.nlu.teach("hai", "bot_identity")
        stage.nlu.teach("ba", "thank")
        for said in ("một", "hai", "ba"):
            stage.hears(said)
        stage.work()
        assert stage.nlu.asked == ["một", "hai", "ba"]
        assert [message.text for message in stage.messages() if message.sender == "customer"] == ["một", "hai", "ba"]
        keys = [delivery.key for delivery in stage.deliveries()]
        assert [sent.delivery_key for sent in stage.zalo.sent] == keys


class TestCrash:
    def test_nothing_is_left_of_a_turn_that_was_not_committed(self, stage: Stage) -> None:
        stage.nlu.teach("gặp nhân viên", "human")
        event = stage.event(stage.hears("gặp nhân viên"))
        crash_at_the_next_commit(stage)
        with pytest.raises(Crash):
            stage.product.turns.handle(event)
        assert stage.deliveries() == []
        assert stage.messages() == []
        assert stage.status(event.id) == "received"
        assert (stage.conversation().owner, stage.conversation().version) == (Owner.BOT, 0)

    @pytest.mark.parametrize(
        ("intent", "linked"),
        [("greet", False), ("bill_lookup", False), ("bill_lookup", True), ("pay_bill", True), ("human", False)],
    )
    def test_a_replay_ends_as_if_nothing_had_happened(self, stage: Stage, intent: str, linked: bool) -> None:
        """Two contacts write the same; for one of them the first run is lost before its commit."""
        stage.billing.bills[CODE] = [invoice(CODE, stage.clock().date().replace(day=1))]
        stage.nlu.teach("lời nhắn", intent)
        ends = []
        for user, crash in ((USER, False), (OTHER_USER, True)):
            if linked:
                stage.link(CODE, user=user)
            event = stage.event(stage.hears("lời nhắn", user=user))
            if crash:
                crash_at_the_next_commit(stage)
                with pytest.raises(Crash):
                    stage.product.turns.handle(event)
            stage.product.turns.handle(event)
            mine = [
                (key.removeprefix(f"event-{event.id}-"), text, titles)
                for key, text, titles in planned(stage)
                if key.startswith(f"event-{event.id}-")
            ]
            state = {name: value for name, value in stage.conversation(user).state.items() if name != "choices"}
            ends.append((mine, state.keys(), stage.conversation(user).owner))
        assert ends[0] == ends[1]
        assert ends[0][0]

    def test_an_unsafe_call_is_made_under_the_same_key_again(self, stage: Stage) -> None:
        stage.billing.bills[CODE] = [invoice(CODE, stage.clock().date().replace(day=1))]
        stage.link(CODE)
        stage.nlu.teach("thanh toán", "pay_bill")
        event = stage.event(stage.hears("thanh toán"))
        crash_at_the_next_commit(stage)
        with pytest.raises(Crash):
            stage.product.turns.handle(event)
        stage.product.turns.handle(event)
        assert [operation for operation, _about in stage.billing.asked].count("payment_request") == 2
        assert len(stage.billing.requests) == 1

    def test_a_code_that_was_linked_before_the_crash_is_used_after_it(self, stage: Stage) -> None:
        """The link is written at once, the turn at its end: the replay finds the link and must still go on."""
        stage.billing.bills[CODE] = [invoice(CODE, stage.clock().date().replace(day=1))]
        stage.nlu.teach("tiền điện", "bill_lookup")
        stage.nlu.teach("đồng ý", "affirm")
        stage.nlu.teach(CODE, "inform", customer_code=CODE)
        for said in ("tiền điện", "đồng ý", CODE):
            stage.says(said)
        event = stage.event(stage.hears(stage.service.password_sent()))
        crash_at_the_next_commit(stage)
        with pytest.raises(Crash):
            stage.product.turns.handle(event)
        stage.product.turns.handle(event)
        told = [text for key, text, _titles in planned(stage) if key.startswith(f"event-{event.id}-")]
        assert CODE in told[0]
        assert "512.340 đ" in told[1]
        assert [link.customer_code for link in stage.links()] == [CODE]
        with stage.database.begin() as session:
            assert session.scalars(select(Audit.action)).all() == ["link.added"]


class TestConflict:
    def test_staff_who_took_over_meanwhile_are_not_talked_over(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        event_id = stage.hears("tổng đài")
        stage.nlu.on_parse = lambda: set_owner(stage, Owner.STAFF)
        stage.work()
        assert stage.deliveries() == []
        assert stage.status(event_id) == "done"
        assert [(message.sender, message.text) for message in stage.messages()] == [("customer", "tổng đài")]

    def test_a_conversation_that_changed_is_answered_anew(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        stage.hears("tổng đài")
        changes = iter([Owner.WAITING])

        def change_once() -> None:
            if owner := next(changes, None):
                set_owner(stage, owner)

        stage.nlu.on_parse = change_once
        stage.work()
        assert stage.nlu.asked == ["tổng đài", "tổng đài"]
        assert len(stage.zalo.sent) == 2
        assert stage.conversation().owner == Owner.WAITING


class TestStaff:
    def test_what_customers_write_to_staff_is_only_recorded(self, stage: Stage) -> None:
        set_owner(stage, Owner.STAFF)
        event_id = stage.hears("cháu ơi còn đó không")
        stage.work()
        assert stage.nlu.asked == []
        assert stage.deliveries() == []
        (message,) = stage.messages()
        assert (message.sender, message.text, message.handled_by) == ("customer", "cháu ơi còn đó không", None)
        assert stage.status(event_id) == "done"

    def test_one_who_waits_for_staff_is_still_answered(self, stage: Stage) -> None:
        stage.nlu.teach("gặp nhân viên", "human")
        stage.nlu.teach("tổng đài", "hotline")
        stage.says("gặp nhân viên")
        conversation = stage.conversation()
        assert (conversation.owner, conversation.waiting_since) == (Owner.WAITING, stage.clock())
        assert "19006769" in stage.says("tổng đài")[0]
        assert stage.conversation().owner == Owner.WAITING


class TestRecord:
    def test_a_message_is_kept_with_what_was_understood(self, stage: Stage) -> None:
        stage.nlu.teach("số tổng đài", "hotline", 0.91, entities=({"entity": "service", "value": "hotline"},))
        stage.says("số tổng đài")
        question, *_answers = stage.messages()
        assert (question.sender, question.kind, question.intent, question.confidence) == (
            "customer",
            "text",
            "hotline",
            0.91,
        )
        assert question.understanding == {
            "entities": [{"entity": "service", "value": "hotline"}],
            "ranking": [["hotline", 0.91]],
            "model": None,
        }
        assert question.handled_by == "hotline"
        assert question.latency_ms is not None
        assert question.latency_ms >= 0

    def test_the_reply_window_runs_from_the_customer_s_last_word(self, stage: Stage) -> None:
        stage.says("a")
        first = stage.clock()
        stage.clock.forward(hours=1)
        stage.says("b")
        with stage.database.begin() as session:
            contact = session.scalars(select(Contact)).one()
        assert contact.last_inbound_at == first + timedelta(hours=1)

    def test_a_one_time_password_is_nowhere_in_the_thread(self, stage: Stage) -> None:
        password = ""
        asks_for_a_password(stage)
        password = stage.service.password_sent()
        wrong = f"{(int(password) + 1) % 10**6:06d}"
        for digits in (wrong, password):
            said = f"mã là {digits}"
            stage.nlu.teach(said, "inform", entities=({"entity": "energy", "value": float(digits), "text": digits},))
            stage.says(said)
        assert [link.customer_code for link in stage.links()] == [CODE]
        with stage.database.begin() as session:
            rows = session.scalars(text("SELECT message::text FROM message")).all()
            state = session.scalars(text("SELECT state::text FROM conversation")).all()
            content = session.scalars(text("SELECT content::text FROM delivery")).all()
        for digits in (wrong, password):
            assert not [row for row in [*rows, *state, *content] if digits in row]

    def test_a_mistyped_password_is_not_kept_either(self, stage: Stage) -> None:
        asks_for_a_password(stage)
        almost = stage.service.password_sent()[:5]
        stage.says(almost)
        assert not [message for message in stage.messages() if almost in message.text]

    def test_a_password_told_to_staff_is_not_kept(self, stage: Stage) -> None:
        asks_for_a_password(stage)
        set_owner(stage, Owner.STAFF)
        password = stage.service.password_sent()
        stage.hears(f"{password[:3]} {password[3:]}")
        stage.work()
        stage.hears("mã đó đúng chưa")
        stage.work()
        with stage.database.begin() as session:
            kept = "SELECT text FROM message UNION ALL SELECT payload::text FROM inbound_event"
            rows = session.scalars(text(kept)).all()
        assert not [row for row in rows if f"{password[:3]} {password[3:]}" in row or password in row]
        assert [row for row in rows if "mã đó đúng chưa" in row]

    def test_consent_is_written_with_the_words_it_was_given_to(self, stage: Stage) -> None:
        stage.nlu.teach("xin chào", "greet")
        stage.says("xin chào")
        event_id = stage.hears(stage.payload_of("Đồng ý"))
        stage.work()
        with stage.database.begin() as session:
            (consent,) = session.scalars(select(Consent)).all()
        assert (consent.purpose, consent.granted, consent.inbound_event_id) == ("account", True, event_id)
        assert consent.text_version == stage.product.company.privacy_version

    def test_a_channel_that_is_off_leaves_the_event_marked(self, stage: Stage) -> None:
        event_id = stage.hears("tổng đài")
        del stage.product.channels[stage.zalo.name]
        stage.work()
        with stage.database.begin() as session:
            row = session.get_one(InboundEvent, event_id)
        assert (row.status, row.error) == ("ignored", "channel_off")

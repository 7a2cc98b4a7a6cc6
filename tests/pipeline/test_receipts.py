"""Receipts, echoes and take-overs: they update the same rows, whatever order they come in."""

from datetime import timedelta
from typing import Any

import pytest
from fixtures.outside import CODE
from fixtures.stage import META_APP_ID, PAGE_ID, USER, Stage
from sqlalchemy import select, text

from bot.channels.outcomes import OutcomeUnknown, Retry
from bot.pipeline.receipts import RECEIPT_WAITS_FOR_OUR_COMMIT
from bot.store import conversations, retention
from bot.store.models import Audit, Consent, Contact, Delivery, Owner

OA = {"id": "4444444444444444444"}
GUEST = "2"


def answered(stage: Stage) -> Delivery:
    """One reply, sent on Zalo."""
    stage.nlu.teach("tổng đài", "hotline")
    stage.says("tổng đài")
    return stage.deliveries()[-1]


def answered_on_messenger(stage: Stage, *, of: int = 0) -> Delivery:
    stage.nlu.teach("tổng đài", "hotline")
    stage.hears_on_messenger("tổng đài")
    stage.work()
    return stage.deliveries()[of]


def delivered(stage: Stage, *ids: str | None) -> int:
    return stage.zalo_event("user_received_message", sender=OA, recipient={"id": USER}, message={"msg_id": ids[0]})


def seen(stage: Stage, *ids: str | None) -> int:
    return stage.zalo_event("user_seen_message", sender=OA, recipient={"id": USER}, message={"msg_ids": list(ids)})


def zalo_echo(stage: Stage, text: str, message_id: str | None, *, admin: str | None = None) -> int:
    sender = {**OA, **({"admin_id": admin} if admin else {})}
    message = {"text": text, **({"msg_id": message_id} if message_id else {})}
    return stage.zalo_event("oa_send_text", sender=sender, recipient={"id": USER}, message=message)


def messenger_echo(stage: Stage, message_id: str, text: str = "", **message: Any) -> int:
    return stage.messenger_event(
        sender={"id": PAGE_ID},
        recipient={"id": GUEST},
        timestamp=int(stage.stamp()),
        message={"is_echo": True, "app_id": int(META_APP_ID), "mid": message_id, "text": text, **message},
    )


def reread(stage: Stage, delivery: Delivery) -> Delivery:
    with stage.database.begin() as session:
        return session.get_one(Delivery, delivery.id)


class TestReceipts:
    def test_delivered_then_seen(self, stage: Stage) -> None:
        sent = answered(stage)
        stage.clock.forward(seconds=2)
        delivered(stage, sent.provider_message_id)
        stage.work()
        row = reread(stage, sent)
        assert (row.status, row.delivered_at, row.seen_at) == ("delivered", stage.clock(), None)
        stage.clock.forward(seconds=2)
        seen(stage, sent.provider_message_id)
        stage.work()
        row = reread(stage, sent)
        assert (row.status, row.seen_at) == ("seen", stage.clock())
        assert row.delivered_at == stage.clock() - timedelta(seconds=2)

    def test_a_late_receipt_takes_nothing_back(self, stage: Stage) -> None:
        sent = answered(stage)
        stage.clock.forward(seconds=2)
        seen(stage, sent.provider_message_id)
        stage.work()
        at = stage.clock()
        stage.clock.forward(seconds=2)
        for late in (delivered, seen):
            late(stage, sent.provider_message_id, "another")
            stage.work()
            row = reread(stage, sent)
            assert (row.status, row.seen_at, row.delivered_at) == ("seen", at, at)

    def test_a_late_watermark_takes_nothing_back_either(self, stage: Stage) -> None:
        sent = answered_on_messenger(stage)
        stage.clock.forward(seconds=1)
        for event in ("read", "delivery"):
            watermark = {event: {"watermark": int(stage.stamp())}}
            stage.messenger_event(sender={"id": GUEST}, recipient={"id": PAGE_ID}, **watermark)
            stage.work()
            assert reread(stage, sent).status == "seen"

    def test_one_that_comes_before_our_commit_is_tried_again(self, stage: Stage) -> None:
        """It may come while the send that it is about is still being written down."""
        early: list[int] = []

        def platform_is_fast() -> None:
            early.append(delivered(stage, f"zalo-{len(stage.zalo.sent)}"))
            stage.note_receipts()
            assert stage.status(early[0]) == "received"

        stage.nlu.teach("tổng đài", "hotline")
        stage.hears("tổng đài")
        stage.zalo.script.append(platform_is_fast)
        stage.work()
        stage.later(1)
        assert stage.status(early[0]) == "done"
        assert stage.deliveries()[0].status == "delivered"

    def test_one_about_nothing_of_ours_is_let_go_in_the_end(self, stage: Stage) -> None:
        event_id = delivered(stage, "of-somebody-else")
        stage.work()
        assert stage.status(event_id) == "received"
        stage.later(5)
        assert stage.status(event_id) == "received"
        stage.later(RECEIPT_WAITS_FOR_OUR_COMMIT.total_seconds())
        assert stage.status(event_id) == "ignored"
        assert stage.jobs() == []

    def test_a_receipt_never_touches_another_channel(self, stage: Stage) -> None:
        sent = answered(stage)
        stage.messenger_event(
            sender={"id": GUEST},
            recipient={"id": PAGE_ID},
            delivery={"mids": [sent.provider_message_id], "watermark": int(stage.stamp())},
        )
        stage.later(31)
        assert reread(stage, sent).status == "sent"

    @pytest.mark.parametrize(("event", "status"), [("read", "seen"), ("delivery", "delivered")])
    def test_a_watermark_covers_what_was_sent_before_it(self, stage: Stage, event: str, status: str) -> None:
        first = answered_on_messenger(stage)
        stage.clock.forward(seconds=10)
        watermark = int(stage.stamp())
        stage.clock.forward(seconds=10)
        later = answered_on_messenger(stage, of=-1)
        assert later.id != first.id
        stage.messenger_event(sender={"id": GUEST}, recipient={"id": PAGE_ID}, **{event: {"watermark": watermark}})
        stage.work()
        assert (reread(stage, first).status, reread(stage, later).status) == (status, "sent")

    def test_a_watermark_is_of_one_person(self, stage: Stage) -> None:
        mine = answered_on_messenger(stage)
        stage.messenger_event(
            sender={"id": "77"}, recipient={"id": PAGE_ID}, read={"watermark": int(stage.stamp()) + 60_000}
        )
        stage.work()
        assert reread(stage, mine).status == "sent"

    def test_a_watermark_makes_nothing_sent_that_was_not(self, stage: Stage) -> None:
        stage.messenger.script.append(OutcomeUnknown("timeout", "no answer"))
        lost = answered_on_messenger(stage)
        assert lost.status == "unknown"
        stage.messenger_event(
            sender={"id": GUEST}, recipient={"id": PAGE_ID}, read={"watermark": int(stage.stamp()) + 1000}
        )
        stage.work()
        assert reread(stage, lost).status == "unknown"


class TestEchoes:
    def test_our_own_are_no_takeover(self, stage: Stage) -> None:
        sent = answered(stage)
        zalo_echo(stage, sent.content["text"], sent.provider_message_id)
        stage.work()
        assert stage.conversation().owner == Owner.BOT
        assert {message.sender for message in stage.messages()} == {"customer", "bot"}

    def test_one_that_comes_before_the_answer_to_our_send(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")

        def echo_at_once() -> None:
            zalo_echo(stage, stage.zalo.sent[-1].message.text, f"zalo-{len(stage.zalo.sent)}")
            stage.note_receipts()

        stage.zalo.script.extend([echo_at_once, echo_at_once])
        stage.hears("tổng đài")
        stage.work()
        stage.later(1)
        stage.later(30)
        assert [(row.status, row.provider_message_id) for row in stage.deliveries()] == [
            ("sent", "zalo-1"),
            ("sent", "zalo-2"),
        ]
        assert stage.conversation().owner == Owner.BOT
        assert stage.jobs() == []

    def test_by_our_key_it_settles_an_unknown_outcome(self, stage: Stage) -> None:
        stage.messenger.script.append(OutcomeUnknown("timeout", "no answer"))
        lost = answered_on_messenger(stage)
        assert lost.status == "unknown"
        messenger_echo(stage, "m_out_1", "anything", metadata=lost.key)
        stage.work()
        row = reread(stage, lost)
        assert (row.status, row.outcome, row.provider_message_id) == ("sent", "echo", "m_out_1")
        assert row.sent_at is not None

    def test_by_its_text_it_settles_an_unknown_outcome_where_keys_do_not_come_back(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        stage.zalo.script.append(OutcomeUnknown("timeout", "no answer"))
        stage.says("tổng đài")
        lost = stage.deliveries()[0]
        assert lost.status == "unknown"
        zalo_echo(stage, lost.content["text"], "z-lost")
        stage.work()
        row = reread(stage, lost)
        assert (row.status, row.provider_message_id) == ("sent", "z-lost")
        delivered(stage, "z-lost")
        stage.work()
        assert reread(stage, lost).status == "delivered"

    def test_of_two_alike_the_one_that_is_named_is_meant(self, stage: Stage) -> None:
        stage.nlu.teach("cảm ơn", "thank")
        stage.hears_on_messenger("chào")
        stage.work()
        stage.messenger.script.append(OutcomeUnknown("timeout", "no answer"))
        stage.hears_on_messenger("cảm ơn")
        stage.work()
        stage.hears_on_messenger("cảm ơn")
        stage.work()
        lost, sent = stage.deliveries()[-2:]
        assert (lost.status, sent.status) == ("unknown", "sent")
        assert lost.content["text"] == sent.content["text"]
        messenger_echo(stage, str(sent.provider_message_id), sent.content["text"], metadata=sent.key)
        stage.work()
        assert stage.jobs() == []
        assert reread(stage, lost).status == "unknown"
        assert reread(stage, sent).provider_message_id == sent.provider_message_id

    def test_a_send_that_failed_but_arrived_is_not_repeated(self, stage: Stage) -> None:
        """The platform answered with an error and delivered all the same: its echo names our key."""
        stage.messenger.script.append(Retry("http-500", "trouble", after=timedelta(seconds=5)))
        waiting = answered_on_messenger(stage)
        assert (waiting.status, waiting.attempts) == ("pending", 1)
        messenger_echo(stage, "m_out_1", metadata=waiting.key)
        stage.work()
        stage.later(6)
        assert stage.messenger.tried.count(waiting.key) == 1
        assert reread(stage, waiting).status == "sent"

    @pytest.mark.parametrize("text", ["", "chữ khác"])
    def test_one_without_an_id_settles_nothing_it_does_not_name(self, stage: Stage, text: str) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        stage.zalo.script.append(OutcomeUnknown("timeout", "no answer"))
        stage.says("tổng đài")
        zalo_echo(stage, text, None)
        stage.later(31)
        assert stage.deliveries()[0].status == "unknown"

    def test_an_echo_waits_while_a_message_of_ours_is_handed_over(self, stage: Stage) -> None:
        """The platform changed the text, or we had to send it without buttons: the answer to the send will tell."""
        stage.nlu.teach("tổng đài", "hotline")

        def echo_at_once() -> None:
            zalo_echo(stage, "chữ đã đổi", f"zalo-{len(stage.zalo.sent)}")
            stage.note_receipts()

        stage.zalo.script.append(echo_at_once)
        stage.says("tổng đài")
        stage.later(1)
        assert stage.conversation().owner == Owner.BOT
        assert stage.jobs() == []

    def test_an_echo_that_comes_after_all_was_erased_is_no_person_s(self, stage: Stage) -> None:
        stage.says("xóa dữ liệu của tôi")
        said = stage.zalo.sent[-1].message.text
        sender, message = OA, {"text": said, "msg_id": "zalo-1"}
        before = stage.stamp()
        stage.clock.forward(seconds=2)
        stage.taps("Xóa hết")
        stage.zalo_event("oa_send_text", sender=sender, recipient={"id": USER}, message=message, timestamp=before)
        stage.later(1)
        assert stage.conversation().owner == Owner.BOT
        zalo_echo(stage, "Chào bác, cháu gọi lại ạ", "by-hand")
        stage.later(30)
        assert stage.conversation().owner == Owner.STAFF

    def test_an_echo_of_another_program_s_template_is_let_go(self, stage: Stage) -> None:
        answered(stage)
        event_id = stage.zalo_event(
            "oa_send_template", sender=OA, recipient={"id": USER}, message={"msg_id": "t", "text": "Quảng cáo"}
        )
        stage.work()
        assert stage.status(event_id) == "ignored"
        assert stage.conversation().owner == Owner.BOT


class TestStaffInThePlatform:
    def test_a_person_s_message_takes_the_conversation_over(self, stage: Stage) -> None:
        answered(stage)
        version = stage.conversation().version
        zalo_echo(stage, "Chào bác, cháu là Lan ở điện lực.", "z-staff", admin="5555")
        stage.work()
        conversation = stage.conversation()
        assert (conversation.owner, conversation.version) == (Owner.STAFF, version + 1)
        said = stage.messages()[-1]
        assert (said.sender, said.text) == ("staff", "Chào bác, cháu là Lan ở điện lực.")
        before = len(stage.zalo.sent)
        stage.says("vâng chào cháu")
        assert len(stage.zalo.sent) == before

    def test_one_without_a_name_that_is_not_ours_is_a_person_s_too(self, stage: Stage) -> None:
        answered(stage)
        zalo_echo(stage, "Bác chờ cháu chút ạ.", "z-staff")
        stage.work()
        assert stage.conversation().owner == Owner.STAFF

    def test_it_cancels_what_the_bot_was_about_to_say(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        stage.zalo.script.append(Retry("http-503", "busy", after=timedelta(seconds=5)))
        stage.says("tổng đài")
        zalo_echo(stage, "Cháu nghe đây ạ.", "z-staff", admin="5555")
        stage.work()
        stage.later(6)
        assert stage.zalo.sent == []
        assert {row.status for row in stage.deliveries()} == {"cancelled"}

    def test_a_message_of_the_page_s_inbox_is_known_by_its_app(self, stage: Stage) -> None:
        answered_on_messenger(stage)
        messenger_echo(stage, "m_staff", "Chào bác.", app_id=263902037430900)
        stage.work()
        assert stage.conversation(GUEST).owner == Owner.STAFF

    def test_taking_the_thread_s_control_takes_it_over(self, stage: Stage) -> None:
        answered_on_messenger(stage)
        stage.messenger_event(
            sender={"id": GUEST},
            recipient={"id": PAGE_ID},
            timestamp=int(stage.stamp()),
            take_thread_control={"previous_owner_app_id": META_APP_ID, "new_owner_app_id": "263902037430900"},
        )
        stage.work()
        assert stage.conversation(GUEST).owner == Owner.STAFF

    def test_the_same_text_as_the_bot_s_by_a_person_is_a_person_s(self, stage: Stage) -> None:
        sent = answered(stage)
        zalo_echo(stage, sent.content["text"], "z-staff", admin="5555")
        stage.work()
        assert stage.conversation().owner == Owner.STAFF

    @pytest.mark.parametrize("how", ["word", "control"])
    def test_what_staff_took_and_left_goes_back_to_the_bot(self, stage: Stage, how: str) -> None:
        """Counted from their last word or from their taking it, not from what the customer goes on writing."""
        answered_on_messenger(stage)
        if how == "word":
            messenger_echo(stage, "m_staff", "Chào bác.", app_id=263902037430900)
        else:
            control = {"previous_owner_app_id": META_APP_ID, "new_owner_app_id": "263902037430900"}
            stage.messenger_event(
                sender={"id": GUEST},
                recipient={"id": PAGE_ID},
                timestamp=int(stage.stamp()),
                take_thread_control=control,
            )
        stage.work()
        hours = stage.product.company.staff.hand_back_after_hours
        for _ in range(2):
            stage.tick("return_quiet_conversations")
            assert stage.conversation(GUEST).owner == Owner.STAFF
            stage.clock.forward(hours=hours / 2 - 0.1)
            stage.hears_on_messenger("cháu ơi")
            stage.work()
        stage.clock.forward(hours=1)
        stage.tick("return_quiet_conversations")
        assert stage.conversation(GUEST).owner == Owner.BOT
        before = len(stage.messenger.sent)
        stage.hears_on_messenger("tổng đài")
        stage.work()
        assert len(stage.messenger.sent) > before

    def test_staff_who_go_on_writing_keep_it(self, stage: Stage) -> None:
        zalo_echo(stage, "một", "z-1", admin="5555")
        stage.work()
        hours = stage.product.company.staff.hand_back_after_hours
        stage.clock.forward(hours=hours - 1)
        zalo_echo(stage, "hai", "z-2", admin="5555")
        stage.work()
        stage.clock.forward(hours=2)
        stage.tick("return_quiet_conversations")
        assert stage.conversation().owner == Owner.STAFF


class TestPeople:
    def test_one_who_unfollows_is_not_reached_until_they_write(self, stage: Stage) -> None:
        answered(stage)
        stage.clock.forward(seconds=1)
        stage.zalo_event("unfollow", oa_id=OA["id"], follower={"id": USER})
        stage.work()
        with stage.database.begin() as session:
            assert session.scalars(select(Contact.unreachable_since)).one() == stage.clock()
        stage.clock.forward(seconds=1)
        stage.zalo_event("follow", oa_id=OA["id"], follower={"id": USER})
        stage.work()
        with stage.database.begin() as session:
            assert session.scalars(select(Contact.unreachable_since)).one() is None

    def test_one_who_withdraws_loses_their_links_and_it_is_on_record(self, stage: Stage) -> None:
        stage.link(CODE)
        stage.zalo_event("user_withdraw", oa_id=OA["id"], user_id=USER)
        stage.work()
        assert stage.links() == []
        with stage.database.begin() as session:
            actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
        assert actions[0] == "link.added"
        assert len(actions) > 1
        stage.nlu.teach("tiền điện", "bill_lookup")
        stage.says("tiền điện")
        assert stage.billing.asked == []

    def test_one_who_withdraws_has_consented_to_nothing_any_more(self, stage: Stage) -> None:
        stage.nlu.teach("xin chào", "greet")
        stage.says("xin chào")
        stage.taps("Đồng ý")
        stage.zalo_event("user_withdraw", oa_id=OA["id"], user_id=USER)
        stage.work()
        with stage.database.begin() as session:
            assert conversations.load(session, "zalo", USER).consents == frozenset()
            assert session.scalars(select(Consent.granted).order_by(Consent.id)).all() == [True, False]

    def test_what_an_erased_person_had_just_written_is_not_answered(self, stage: Stage) -> None:
        event_id = stage.hears("tiền điện nhà tôi")
        with stage.database.begin() as session:
            contact = conversations.load(session, "zalo", USER).contact
            retention.erase(session, contact.id, actor="platform")
        stage.work()
        assert stage.status(event_id) == "ignored"
        assert stage.zalo.sent == []
        with stage.database.begin() as session:
            assert session.scalars(select(Contact.channel_user_id)).all() == [USER]

    def test_nobody_waits_for_an_answer_to_what_was_erased(self, stage: Stage) -> None:
        stage.nlu.teach("gặp nhân viên", "human")
        stage.says("gặp nhân viên")
        stage.zalo_event("user_withdraw", oa_id=OA["id"], user_id=USER)
        stage.work()
        assert (stage.conversation().owner, stage.conversation().waiting_since) == ("bot", None)

    def test_nothing_that_an_erased_person_said_is_left(self, stage: Stage) -> None:
        stage.link(CODE)
        stage.says("câu chuyện riêng của tôi")
        stage.zalo_event("user_withdraw", oa_id=OA["id"], user_id=USER)
        stage.work()
        tables = ("message", "delivery", "link", "inbound_event", "conversation", "media", "otp_challenge")
        with stage.database.begin() as session:
            rows = [row for table in tables for row in session.scalars(text(f"SELECT t::text FROM {table} t"))]
        assert not [row for row in rows if "riêng" in row or CODE in row]

    def test_reactions_and_unknown_events_are_let_go(self, stage: Stage) -> None:
        ids = [
            stage.zalo_event("user_reacted_message", sender={"id": USER}, message={"msg_id": "x", "react_icon": "y"}),
            stage.zalo_event("something_new", oa_id=OA["id"]),
        ]
        stage.work()
        assert [stage.status(event_id) for event_id in ids] == ["ignored", "ignored"]


def test_the_quiet_time_of_staff_is_counted_by_our_clock(stage: Stage) -> None:
    """Staff's own words keep a conversation theirs, whatever the database's clock says."""
    zalo_echo(stage, "một", "z-1", admin="5555")
    stage.work()
    with stage.database.begin() as session:
        conversation = conversations.load(session, "zalo", USER).conversation
    assert conversation.last_message_at == stage.clock()

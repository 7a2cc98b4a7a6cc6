"""A conversation waits for a person: one open row, in the turn's commit, until the bot has it back (F14)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from fixtures.outside import CODE, invoice
from fixtures.stage import META_APP_ID, PAGE_ID, USER, Stage
from sqlalchemy import select

from actions.backends.errors import BackendDown
from bot.store import handovers
from bot.store.handovers import Brief, Mood
from bot.store.models import Contact, Handover, HandoverReason, Message, Owner

MONDAY_MORNING = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SATURDAY_EVENING = datetime(2026, 11, 28, 13, 15, tzinfo=UTC)
MONDAY_OPENING = datetime(2026, 11, 30, 0, 30, tzinfo=UTC)


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.clock.now = MONDAY_MORNING
    stage.billing.bills = {CODE: [invoice(CODE, date(2026, 10, 1))]}
    for text, intent in {
        "gặp nhân viên": "human",
        "đồ ngu": "insult",
        "tiền điện": "bill_lookup",
        "góp ý": "complaint",
        "gửi": "affirm",
        "cột điện đổ": "hazard_report",
    }.items():
        stage.nlu.teach(text, intent)
    return stage


def rows(stage: Stage) -> Sequence[Handover]:
    with stage.database.begin() as session:
        return session.scalars(select(Handover).order_by(Handover.id)).all()


def the_row(stage: Stage) -> Handover:
    [row] = rows(stage)
    return row


class TestAsking:
    def test_makes_one_row_with_what_staff_need(self, stage: Stage) -> None:
        stage.link(CODE)
        stage.says("tiền điện")
        stage.says("gặp nhân viên")
        row = the_row(stage)
        assert (row.reason, row.opened_at, row.promised_at) == (HandoverReason.ASKED, MONDAY_MORNING, MONDAY_MORNING)
        summary = row.summary
        assert (summary["asked"], summary["account"], summary["form"], summary["mood"]) == (
            "bill_lookup",
            CODE,
            None,
            "calm",
        )
        assert [(line["sender"], line["text"]) for line in summary["last_messages"]][-1] == (
            "customer",
            "gặp nhân viên",
        )
        assert stage.conversation().owner == Owner.WAITING
        assert stage.conversation().waiting_since == MONDAY_MORNING

    def test_after_hours_is_promised_for_the_next_opening(self, stage: Stage) -> None:
        stage.clock.now = SATURDAY_EVENING
        assert "07:30 thứ Hai 30/11" in stage.says("gặp nhân viên")[-1]
        assert the_row(stage).promised_at == MONDAY_OPENING

    def test_again_repeats_the_promise_and_adds_no_row(self, stage: Stage) -> None:
        stage.clock.now = SATURDAY_EVENING
        stage.says("gặp nhân viên")
        stage.clock.forward(hours=12)
        [answer] = stage.says("gặp nhân viên")
        assert "từ 20:15 thứ Bảy 28/11" in answer
        assert "từ 07:30 thứ Hai 30/11" in answer
        assert "Xin lỗi" not in answer
        assert the_row(stage).promised_at == MONDAY_OPENING
        assert stage.conversation().waiting_since == SATURDAY_EVENING

    def test_a_promise_that_was_not_kept_is_owned_up_to(self, stage: Stage) -> None:
        stage.says("gặp nhân viên")
        stage.clock.now = MONDAY_MORNING + timedelta(hours=9)
        [answer] = stage.says("gặp nhân viên")
        assert "phải chờ lâu" in answer
        assert "từ 07:30 thứ Tư 25/11" in answer, "24/11 is a public holiday"

    def test_who_needs_nobody_any_more_is_out_of_the_queue(self, stage: Stage) -> None:
        stage.says("gặp nhân viên")
        stage.taps("Không cần nữa")
        row = the_row(stage)
        assert (row.ended_by, row.ended_at) == ("customer", MONDAY_MORNING)
        assert stage.conversation().owner == Owner.BOT

    def test_a_danger_stays_in_it(self, stage: Stage) -> None:
        stage.says("gặp nhân viên")
        stage.says("cột điện đổ")
        assert the_row(stage).reason == HandoverReason.DANGER
        assert "chờ nhân viên" in stage.taps("Không cần nữa")[-1]
        assert the_row(stage).ended_at is None

    def test_nothing_is_left_of_a_turn_that_fails(self, stage: Stage) -> None:
        event = stage.event(stage.hears("gặp nhân viên"))
        stage.zalo.renderings.append(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            stage.product.turns.handle(event)
        assert rows(stage) == []
        assert stage.conversation().owner == Owner.BOT

    def test_a_one_time_password_is_not_in_the_summary(self, stage: Stage) -> None:
        stage.nlu.teach("liên kết", "link_account")
        stage.nlu.teach("đồng ý", "affirm")
        stage.nlu.teach(CODE, "inform", customer_code=CODE)
        for said in ("liên kết", "đồng ý", CODE, "123456", "gặp nhân viên"):
            stage.says(said)
        assert "123456" not in str(the_row(stage).summary)
        assert the_row(stage).summary["form"] == "link_account"


class TestAnger:
    def test_once_is_answered_calmly(self, stage: Stage) -> None:
        assert "xin lỗi" in stage.says("đồ ngu")[-1]
        assert rows(stage) == []

    def test_again_gets_a_person(self, stage: Stage) -> None:
        stage.says("đồ ngu")
        stage.clock.forward(minutes=20)
        assert "chuyển cuộc trò chuyện cho nhân viên" in stage.says("đồ ngu")[-1]
        assert (the_row(stage).reason, the_row(stage).summary["mood"]) == (HandoverReason.ANGER, Mood.ANGRY)

    def test_another_day_is_the_first_time_again(self, stage: Stage) -> None:
        stage.says("đồ ngu")
        stage.clock.forward(hours=20)
        stage.says("đồ ngu")
        assert rows(stage) == []

    @pytest.mark.parametrize(
        ("told", "reason"),
        [
            ("anh ghi điện đến muộn cả buổi sáng hôm qua ạ", HandoverReason.COMPLAINT),
            ("làm ăn quá đáng, tôi không chấp nhận kiểu phục vụ này", HandoverReason.ANGER),
        ],
    )
    def test_a_complaint_waits_for_people_when_it_is_filed(
        self, stage: Stage, told: str, reason: HandoverReason
    ) -> None:
        stage.says("góp ý")
        stage.says(told)
        assert rows(stage) == []
        stage.says("gửi")
        assert the_row(stage).reason == reason

    def test_a_complaint_that_could_not_be_filed_waits_for_nobody(self, stage: Stage) -> None:
        stage.says("góp ý")
        stage.says("anh ghi điện đến muộn cả buổi sáng hôm qua ạ")
        stage.service.failure = BackendDown("openCase", "refused", transient=True)
        stage.says("gửi")
        assert rows(stage) == []


class TestMisunderstood:
    def test_offered_then_fetched(self, stage: Stage) -> None:
        for said in ("a b c", "d e f", "g h i"):
            stage.says(said)
        assert rows(stage) == []
        stage.says("k l m")
        assert the_row(stage).reason == HandoverReason.MISUNDERSTANDING

    def test_the_offer_taken(self, stage: Stage) -> None:
        for said in ("a b c", "d e f", "g h i"):
            stage.says(said)
        stage.taps("Gặp nhân viên")
        assert the_row(stage).reason == HandoverReason.MISUNDERSTANDING

    def test_who_waits_already_is_not_asked_again(self, stage: Stage) -> None:
        stage.says("gặp nhân viên")
        for said in ("a b c", "d e f", "g h i", "k l m"):
            answer = stage.says(said)[-1]
        assert "Nhân viên sẽ đọc tin này" in answer
        assert the_row(stage).reason == HandoverReason.ASKED


class TestStaff:
    def test_who_write_have_it_and_who_hand_back_end_it(self, stage: Stage) -> None:
        guest = "2"
        stage.hears_on_messenger("gặp nhân viên", user=guest)
        stage.work()
        control = {"previous_owner_app_id": META_APP_ID, "new_owner_app_id": "263902037430900"}
        about = {"sender": {"id": guest}, "recipient": {"id": PAGE_ID}, "timestamp": int(stage.stamp())}
        stage.messenger_event(**about, take_thread_control=control)
        stage.work()
        assert stage.conversation(guest).owner == Owner.STAFF
        assert the_row(stage).ended_at is None
        back = {"previous_owner_app_id": "263902037430900", "new_owner_app_id": META_APP_ID}
        stage.messenger_event(**about, pass_thread_control=back)
        stage.work()
        assert (stage.conversation(guest).owner, the_row(stage).ended_by) == (Owner.BOT, "staff")

    def test_who_leave_it_end_it_too(self, stage: Stage) -> None:
        stage.says("gặp nhân viên")
        stage.zalo_event(
            "oa_send_text",
            sender={"id": "4444444444444444444", "admin_id": "5555"},
            recipient={"id": USER},
            message={"text": "Chào bác.", "msg_id": "z-1"},
        )
        stage.work()
        stage.clock.forward(hours=stage.product.company.staff.hand_back_after_hours + 1)
        stage.tick("return_quiet_conversations")
        assert (stage.conversation().owner, the_row(stage).ended_by) == (Owner.BOT, "clock")

    def test_the_next_time_is_another_row(self, stage: Stage) -> None:
        stage.says("gặp nhân viên")
        stage.taps("Không cần nữa")
        stage.says("gặp nhân viên")
        assert [row.ended_by for row in rows(stage)] == ["customer", None]


class TestStore:
    @pytest.mark.parametrize("reasons", list(permutations(list(HandoverReason)[:3])))
    def test_the_gravest_reason_stays(self, stage: Stage, reasons: tuple[HandoverReason, ...]) -> None:
        conversation_id = stage.conversation().id
        for number, reason in enumerate(reasons):
            with stage.database.begin() as session:
                handovers.ask(
                    session,
                    conversation_id=conversation_id,
                    reason=reason,
                    brief=Brief(mood=Mood.CALM if number else Mood.ANGRY),
                    promised_at=stage.clock() + timedelta(hours=number),
                    now=stage.clock(),
                )
        row = the_row(stage)
        assert (row.reason, row.promised_at) == (HandoverReason.DANGER, stage.clock())
        assert row.summary["mood"] == Mood.ANGRY
        with stage.database.begin() as session:
            assert handovers.waiting(session) == {HandoverReason.DANGER: 1}

    def test_the_summary_is_bounded(self, stage: Stage) -> None:
        conversation = stage.conversation()
        with stage.database.begin() as session:
            assert session.get_one(Contact, conversation.contact_id)
            for number in range(30):
                session.add(
                    Message(conversation_id=conversation.id, sender="customer", kind="text", text=f"tin {number}")
                )
        stage.says("gặp nhân viên")
        lines = [line["text"] for line in the_row(stage).summary["last_messages"]]
        assert lines == [*(f"tin {number}" for number in range(23, 30)), "gặp nhân viên"]

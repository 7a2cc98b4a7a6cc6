"""Linking a code by one-time password, through the whole product: who is let in, who is not, and what nobody learns."""

import re

import pytest
from fixtures.outside import CODE, OTHER_CODE
from fixtures.stage import USER, Stage
from sqlalchemy import select

from actions.backends.errors import BackendDown
from bot.dialogue.commands import Command, Slots
from bot.store.models import Audit, Consent

STRANGER = "8888888888888888888"
NO_SUCH_CODE = "PA04GT9999999"


def up_to_password(stage: Stage, code: str = CODE, *, user: str = USER, first: str = "liên kết") -> list[str]:
    stage.says(first, user=user)
    stage.says("đồng ý", user=user)
    return stage.says(code, user=user)


def wrong(password: str, by: int = 1) -> str:
    return f"{(int(password) + by) % 10**6:06d}"


class TestTheWayIn:
    def test_by_code_and_password_the_request_that_began_it_is_answered(self, stage: Stage) -> None:
        up_to_password(stage, first="tiền điện")
        told = stage.says(stage.service.password_sent())
        assert "Đã liên kết" in told[0]
        assert "512.340 đ" in told[-1]
        assert [link.customer_code for link in stage.links()] == [CODE]
        with stage.database.begin() as session:
            assert session.scalars(select(Consent.granted)).all() == [True]
            assert session.scalars(select(Audit.action)).all() == ["link.added"]

    @pytest.mark.parametrize("shape", ["{}", "mã là {}", "{} nhé", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}"])
    def test_the_password_may_be_written_as_people_do(self, stage: Stage, shape: str) -> None:
        up_to_password(stage)
        stage.says(shape.format(stage.service.password_sent()))
        assert [link.customer_code for link in stage.links()] == [CODE]

    def test_without_consent_nothing_is_sent(self, stage: Stage) -> None:
        stage.says("liên kết")
        stage.says("không")
        stage.says(CODE)
        assert stage.service.sms == {}
        assert stage.links() == []

    def test_a_second_code_does_not_ask_for_consent_again(self, stage: Stage) -> None:
        up_to_password(stage)
        stage.says(stage.service.password_sent())
        stage.says("liên kết")
        stage.says(OTHER_CODE)
        stage.says(stage.service.password_sent())
        assert [link.customer_code for link in stage.links()] == [CODE, OTHER_CODE]

    def test_a_backend_that_fails_can_be_asked_again(self, stage: Stage) -> None:
        stage.service.failure = BackendDown("sendSms", "no answer")
        assert "đang bận" in up_to_password(stage)[-1]
        stage.service.failure = None
        stage.taps("Thử lại")
        if not stage.service.sms:
            stage.says(CODE)
        stage.says(stage.service.password_sent())
        assert [link.customer_code for link in stage.links()] == [CODE]


class TestKeptOut:
    def test_wrong_guesses_end_it_even_for_the_right_one_after(self, stage: Stage) -> None:
        up_to_password(stage)
        password = stage.service.password_sent()
        told = [stage.says(wrong(password, n))[0] for n in range(1, 6)]
        assert [re.findall(r"còn (\d) lần", text) for text in told[:4]] == [["4"], ["3"], ["2"], ["1"]]
        assert "quá nhiều lần" in told[4]
        stage.says(password)
        assert stage.links() == []

    def test_a_password_of_another_code_is_none(self, stage: Stage) -> None:
        up_to_password(stage)
        of_first = stage.service.password_sent()
        stage.taps("Đổi mã khách hàng")
        stage.says(OTHER_CODE)
        assert stage.service.password_sent() != of_first
        stage.says(of_first)
        assert stage.links() == []

    def test_a_password_of_another_chat_is_none(self, stage: Stage) -> None:
        up_to_password(stage)
        mine = stage.service.password_sent()
        up_to_password(stage, user=STRANGER)
        stage.says(mine, user=STRANGER)
        assert stage.links(STRANGER) == []

    def test_a_password_that_ended_is_none_and_a_new_one_ends_it(self, stage: Stage) -> None:
        up_to_password(stage)
        former = stage.service.password_sent()
        stage.clock.forward(seconds=stage.product.company.otp.pause_seconds)
        stage.taps("Gửi lại mã")
        latest = stage.service.password_sent()
        stage.says(former)
        assert stage.links() == []
        stage.clock.forward(minutes=stage.product.company.otp.lifetime_minutes)
        assert "hết hạn" in stage.says(latest)[0]
        assert stage.links() == []

    def test_texts_to_one_phone_are_limited_over_all_chats(self, stage: Stage) -> None:
        limit = stage.product.company.otp.sends_per_code_per_day
        for number in range(limit + 2):
            up_to_password(stage, user=f"77777777777777777{number:02d}")
        assert len(stage.service.sms) == limit

    def test_texts_for_one_chat_are_limited_over_all_codes(self, stage: Stage) -> None:
        limit = stage.product.company.otp.sends_per_contact_per_hour
        codes = [f"PA04GT00001{number:02d}" for number in range(limit + 2)]
        stage.says("liên kết")
        stage.says("đồng ý")
        for code in codes:
            stage.nlu.teach(code, "inform", customer_code=code)
            if stage.conversation().state.get("form") is None:
                stage.says("liên kết")
            stage.says(code)
        assert len(stage.service.sms) == limit
        assert "quá nhiều" in " ".join(stage.zalo.texts[-3:])


class TestNothingIsLearnt:
    def test_a_code_that_exists_and_one_that_does_not_are_answered_alike(self, stage: Stage) -> None:
        """The same words, the same buttons, step for step, right up to the wrong password."""
        heard = []
        for user, code in ((USER, CODE), (STRANGER, NO_SUCH_CODE)):
            before = len(stage.zalo.sent)
            up_to_password(stage, code, user=user)
            stage.says("000000" if stage.service.password_sent() != "000000" else "000001", user=user)
            stage.taps("Gửi lại mã", user=user)
            heard.append(
                [
                    (sent.message.text.replace(code, "…"), [button.title for button in sent.message.buttons])
                    for sent in stage.zalo.sent[before:]
                ]
            )
        assert heard[0] == heard[1]
        assert len(heard[0]) >= 5

    def test_the_utility_is_asked_for_nothing_but_the_text_before_the_code_is_linked(self, stage: Stage) -> None:
        up_to_password(stage, first="tiền điện")
        assert stage.billing.asked == []
        assert {operation for operation, _about in stage.service.asked} == {"phone_ref", "send_sms"}

    def test_no_phone_number_is_shown(self, stage: Stage) -> None:
        up_to_password(stage)
        stage.says(stage.service.password_sent())
        phones = re.compile(r"\b0\d{9}\b|\b84\d{9}\b|•{2,}")
        assert not [text for text in stage.zalo.texts if phones.search(text)]


class TestSomebodyElse:
    def test_a_linked_code_is_of_its_chat_only(self, stage: Stage) -> None:
        stage.link(CODE)
        stage.nlu.teach("tiền điện mã kia", "bill_lookup", customer_code=CODE)
        stage.says("tiền điện mã kia", user=STRANGER)
        assert stage.billing.asked == []
        assert "512.340" not in " ".join(stage.zalo.texts)

    def test_a_button_of_another_chat_does_nothing(self, stage: Stage) -> None:
        stage.link(CODE)
        stage.says("tiền điện")
        stolen = stage.payload_of("Vì sao số tiền này?")
        asked = len(stage.billing.asked)
        (told,) = stage.says(stolen, user=STRANGER)[-1:]
        assert "đã cũ" in told
        assert len(stage.billing.asked) == asked

    def test_the_number_of_another_chat_s_link_opens_nothing(self, stage: Stage) -> None:
        """Even a payload that we signed ourselves for the stranger's chat names only the stranger's own links."""
        theirs = stage.link(CODE)
        stage.says("xin chào", user=STRANGER)
        forged = stage.signer.sign(
            stage.conversation(STRANGER).id, Command(name="bill_lookup", slots=Slots(link=theirs))
        )
        stage.says(forged, user=STRANGER)
        unlink = stage.signer.sign(
            stage.conversation(STRANGER).id, Command(name="account.unlink", slots=Slots(link=theirs))
        )
        stage.says(unlink, user=STRANGER)
        assert stage.billing.asked == []
        assert [link.customer_code for link in stage.links()] == [CODE]

    def test_after_unlinking_old_buttons_open_nothing(self, stage: Stage) -> None:
        stage.link(CODE)
        stage.says("tiền điện")
        old = stage.payload_of("Vì sao số tiền này?")
        stage.says("hủy liên kết")
        stage.says("đồng ý")
        assert stage.links() == []
        asked = len(stage.billing.asked)
        assert "không còn liên kết" in stage.says(old)[-1]
        assert len(stage.billing.asked) == asked

    def test_the_same_code_in_two_chats_is_unlinked_in_one(self, stage: Stage) -> None:
        stage.link(CODE)
        stage.link(CODE, user=STRANGER)
        stage.says("hủy liên kết")
        stage.says("đồng ý")
        assert stage.links() == []
        assert [link.customer_code for link in stage.links(STRANGER)] == [CODE]

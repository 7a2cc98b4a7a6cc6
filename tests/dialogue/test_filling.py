"""Filling in a form: in order, with corrections, digressions and ways out; what is stale does nothing."""

import pytest
from fixtures.outside import CODE, OTHER_CODE
from talk import CLOSING_CODE, REFUSED_CODE, Order, Talk

from actions.backends.errors import BackendDown
from bot.dialogue.commands import Command
from bot.dialogue.filling import TRIES_BEFORE_OFFERING_A_WAY_OUT
from bot.dialogue.state import FORM_LIFETIME, MAX_PAUSED_FORMS
from bot.messages import InboundKind

NOTE = "giao buổi sáng giúp tôi nhé, nhà ở cuối ngõ"


def begin(talk: Talk) -> list[str]:
    return talk.says("đặt hàng", "order")


def up_to_code(talk: Talk) -> list[str]:
    begin(talk)
    return talk.says("nhỏ", "inform")


def up_to_note(talk: Talk) -> list[str]:
    up_to_code(talk)
    return talk.says(CODE, "inform", customer_code=CODE)


def up_to_review(talk: Talk) -> list[str]:
    up_to_note(talk)
    return talk.says(NOTE, "out_of_scope", 0.5)


class TestOrder:
    def test_fields_are_asked_for_one_after_the_other_then_shown_then_sent(self, talk: Talk) -> None:
        assert begin(talk) == ["order.ask_size"]
        assert talk.says("nhỏ", "inform") == ["order.ask_code"]
        assert talk.says(CODE, "inform", customer_code=CODE) == ["order.ask_note"]
        assert talk.says(NOTE, "out_of_scope", 0.5) == ["order.review"]
        assert talk.texts == [f"small {CODE} {NOTE}"]
        assert talk.desk.done == []
        assert talk.taps("Gửi") == ["order.done"]
        assert talk.desk.orders == [Order(size="small", code=CODE, note=NOTE)]
        assert talk.state.form is None

    def test_what_the_request_says_is_not_asked_for(self, talk: Talk) -> None:
        assert talk.says("đặt một cái cho mã này", "order", customer_code=CODE) == ["order.ask_size"]
        assert talk.says("lớn", "inform") == ["order.ask_note"]

    def test_what_is_known_is_not_asked_for(self, talk: Talk) -> None:
        talk.says("đặt, trả 100 nghìn", "order", money=100_000)
        talk.says("lớn", "inform")
        assert talk.says(CODE, "inform", customer_code=CODE) == ["order.review"]
        assert talk.texts == [f"large {CODE} gấp"]

    def test_more_than_was_asked_is_taken_too(self, talk: Talk) -> None:
        begin(talk)
        assert talk.says(f"cho mã {CODE}", "inform", customer_code=CODE) == ["order.ask_size"]
        assert talk.says("nhỏ", "inform") == ["order.ask_note"]

    def test_options_may_be_tapped_numbered_or_written(self, talk: Talk) -> None:
        for choose in (lambda: talk.taps("Cỡ lớn"), lambda: talk.hears(text="2"), lambda: talk.hears(text="co lon")):
            begin(talk)
            assert choose() == ["order.ask_code"]
            assert talk.state.form is not None
            assert talk.state.form.values == {"size": "large"}
            talk.says("hủy", "cancel")

    def test_without_a_review_it_is_sent_at_the_last_answer(self, talk: Talk) -> None:
        talk.says("khiếu nại", "claim")
        assert talk.says("1234", "inform") == ["order.done"]
        assert talk.desk.done == ["claim"]

    def test_a_form_begun_again_starts_anew(self, talk: Talk) -> None:
        up_to_note(talk)
        assert talk.taps_payload(talk.payload("order")) == ["order.ask_size"]
        assert talk.state.form is not None
        assert talk.state.form.values == {}
        assert talk.state.paused == []


class TestReview:
    @pytest.mark.parametrize("agree", ["tap", "say"])
    def test_it_is_sent_once(self, talk: Talk, agree: str) -> None:
        up_to_review(talk)
        button = talk.button("Gửi").payload
        if agree == "tap":
            talk.taps_payload(button)
        else:
            talk.says("đúng rồi", "affirm")
        assert talk.taps_payload(button) == ["button.stale"]
        assert len(talk.desk.orders) == 1

    def test_no_asks_which_part_is_wrong(self, talk: Talk) -> None:
        up_to_review(talk)
        assert talk.says("không", "deny") == ["form.which_field"]
        assert talk.titles == ["Cỡ", "Mã số", "Ghi chú"]
        assert talk.taps("Mã số") == ["order.ask_code"]
        assert talk.says(OTHER_CODE, "inform", customer_code=OTHER_CODE) == ["order.review"]
        assert talk.texts == [f"small {OTHER_CODE} {NOTE}"]

    def test_no_with_the_right_value_corrects_at_once(self, talk: Talk) -> None:
        up_to_review(talk)
        assert talk.says("không, mã kia", "inform", customer_code=OTHER_CODE) == ["order.review"]
        assert talk.texts == [f"small {OTHER_CODE} {NOTE}"]
        assert talk.desk.done == []

    def test_a_review_that_changed_is_confirmed_anew(self, talk: Talk) -> None:
        """The button of the former review names the form: it confirms what is shown now, never what was corrected."""
        up_to_review(talk)
        talk.says("không, mã kia", "inform", customer_code=OTHER_CODE)
        talk.taps("Gửi")
        assert [order.code for order in talk.desk.orders] == [OTHER_CODE]

    def test_before_the_review_nothing_can_be_confirmed(self, talk: Talk) -> None:
        up_to_note(talk)
        assert talk.taps_payload(talk.payload("form.confirm", form="order")) == ["button.stale"]
        assert talk.desk.done == []

    def test_while_something_is_corrected_nothing_can_be_confirmed(self, talk: Talk) -> None:
        up_to_review(talk)
        button = talk.button("Gửi").payload
        talk.taps("Sửa")
        talk.taps("Cỡ")
        assert talk.taps_payload(button) == ["button.stale"]
        assert talk.desk.done == []


class TestCorrecting:
    def test_an_earlier_answer_may_be_changed_in_passing(self, talk: Talk) -> None:
        up_to_code(talk)
        assert talk.says("cỡ lớn", "inform") == ["order.ask_code"]
        assert talk.state.form is not None
        assert talk.state.form.values == {"size": "large"}

    def test_an_answer_that_cannot_be_is_explained_and_asked_for_again(self, talk: Talk) -> None:
        up_to_code(talk)
        assert talk.says("mã", "inform", customer_code=REFUSED_CODE) == ["order.bad_code"]
        assert talk.state.form is not None
        assert talk.state.form.values == {"size": "small"}
        assert talk.says(CODE, "inform", customer_code=CODE) == ["order.ask_note"]

    def test_a_correction_that_cannot_be_leaves_the_former_answer(self, talk: Talk) -> None:
        up_to_review(talk)
        assert talk.says("không, mã kia", "inform", customer_code=REFUSED_CODE) == ["order.bad_code"]
        talk.says("thế thì gửi đi", "affirm")
        assert [order.code for order in talk.desk.orders] == [CODE]

    def test_an_answer_that_ends_the_form_says_why(self, talk: Talk) -> None:
        up_to_code(talk)
        assert talk.says("mã", "inform", customer_code=CLOSING_CODE) == ["order.closed"]
        assert talk.state.form is None


class TestStale:
    def test_the_option_of_a_question_that_was_answered(self, talk: Talk) -> None:
        begin(talk)
        large = talk.button("Cỡ lớn").payload
        talk.taps("Cỡ nhỏ")
        assert talk.taps_payload(large) == ["button.stale"]
        assert talk.state.form is not None
        assert talk.state.form.values == {"size": "small"}

    def test_the_option_of_another_form(self, talk: Talk) -> None:
        begin(talk)
        large = talk.button("Cỡ lớn").payload
        talk.says("hủy", "cancel")
        talk.says("khiếu nại", "claim")
        assert talk.taps_payload(large) == ["button.stale"]

    def test_a_button_after_the_form_was_dropped(self, talk: Talk) -> None:
        up_to_review(talk)
        send, edit = talk.button("Gửi").payload, talk.button("Sửa").payload
        talk.says("hủy", "cancel")
        assert talk.taps_payload(send) == ["button.stale"]
        assert talk.taps_payload(edit) == ["button.stale"]
        assert talk.desk.done == []


class TestLeaving:
    @pytest.mark.parametrize("how", ["say", "tap"])
    def test_cancel_drops_it_and_sends_nothing(self, talk: Talk, how: str) -> None:
        begin(talk)
        said = talk.says("thôi không làm nữa", "cancel") if how == "say" else talk.taps("Thôi")
        assert said == ["form.cancelled"]
        assert talk.state.form is None
        assert talk.desk.done == []

    def test_cancel_drops_what_was_to_come_after_it(self, talk: Talk) -> None:
        talk.state.pending = Command(name="bill_lookup")
        begin(talk)
        talk.says("thôi", "cancel")
        assert talk.state.pending is None

    def test_another_request_is_answered_and_the_way_back_offered(self, talk: Talk) -> None:
        up_to_note(talk)
        assert talk.says("số tổng đài", "hotline") == ["hotline.said", "form.offer_resume"]
        assert talk.says("vâng", "affirm") == ["order.ask_note"]
        assert talk.state.form is not None
        assert talk.state.form.values == {"size": "small", "code": CODE}

    def test_the_way_back_may_be_refused(self, talk: Talk) -> None:
        up_to_note(talk)
        talk.says("số tổng đài", "hotline")
        assert talk.says("thôi", "deny") == ["form.cancelled"]
        assert (talk.state.form, talk.state.paused) == (None, [])

    def test_a_form_within_a_form_comes_back_too(self, talk: Talk) -> None:
        up_to_code(talk)
        assert talk.says("tôi khiếu nại", "claim")[0] == "order.ask_pin"
        talk.says("1234", "inform")
        assert talk.taps_payload(talk.payload("form.resume")) == ["order.ask_code"]

    def test_only_the_last_ones_are_kept(self, talk: Talk) -> None:
        for _ in range(4):
            talk.says("đặt", "order")
            talk.says("tổng đài", "hotline")
            talk.says("khiếu nại", "claim")
            talk.says("tổng đài", "hotline")
        assert len(talk.state.paused) <= MAX_PAUSED_FORMS
        assert len({form.name for form in talk.state.paused}) == len(talk.state.paused)

    def test_danger_is_told_at_once_and_the_form_waits(self, talk: Talk) -> None:
        up_to_note(talk)
        assert talk.says("cháy cột điện", "hazard_report")[0] == "danger.said"
        assert talk.says("vâng", "affirm") == ["order.ask_note"]

    def test_small_talk_does_not_lose_the_question(self, talk: Talk) -> None:
        begin(talk)
        assert talk.says("cảm ơn", "thank") == ["talk.thank", "order.ask_size"]
        assert talk.says("giúp tôi với", "help") == ["talk.help", "order.ask_size"]

    def test_after_a_day_it_is_dropped_and_said(self, talk: Talk) -> None:
        up_to_review(talk)
        send = talk.button("Gửi").payload
        talk.clock.forward(seconds=FORM_LIFETIME.total_seconds() + 1)
        assert talk.taps_payload(send) == ["form.expired", "button.stale"]
        assert talk.state.form is None
        assert talk.desk.done == []

    def test_just_before_that_it_goes_on(self, talk: Talk) -> None:
        up_to_review(talk)
        talk.clock.forward(seconds=FORM_LIFETIME.total_seconds() - 1)
        assert talk.taps("Gửi") == ["order.done"]


class TestMisunderstanding:
    def test_after_three_answers_that_are_none_a_way_out_is_offered(self, talk: Talk) -> None:
        begin(talk)
        replies = [talk.says(f"lời lạc {n}", "out_of_scope", 0.5) for n in range(TRIES_BEFORE_OFFERING_A_WAY_OUT)]
        assert replies == [["form.not_understood", "order.ask_size"]] * 2 + [["form.way_out"]]
        assert talk.titles == ["Làm tiếp", "Dừng lại", "Gặp nhân viên"]

    def test_after_three_answers_that_cannot_be_too(self, talk: Talk) -> None:
        up_to_code(talk)
        replies = [talk.says(f"mã {n}", "inform", customer_code=REFUSED_CODE) for n in range(3)]
        assert replies[:2] == [["order.bad_code"]] * 2
        assert replies[2] == ["order.bad_code", "form.way_out"]

    @pytest.mark.parametrize(
        ("intent", "reply", "running"), [("affirm", "order.ask_size", True), ("deny", "form.cancelled", False)]
    )
    def test_the_way_out_may_be_taken_or_not(self, talk: Talk, intent: str, reply: str, running: bool) -> None:
        begin(talk)
        for n in range(3):
            talk.says(f"lời lạc {n}", "out_of_scope", 0.5)
        assert talk.says("lời đáp", intent) == [reply]
        assert (talk.state.form is not None) == running

    def test_guesses_at_a_secret_are_counted_by_who_asks_for_it(self, talk: Talk) -> None:
        talk.says("khiếu nại", "claim")
        replies = [talk.says(f"0{n}", "inform") for n in range(4)]
        assert replies == [["order.bad_pin"]] * 4

    def test_a_good_answer_counts_anew(self, talk: Talk) -> None:
        begin(talk)
        for n in range(2):
            talk.says(f"lời lạc {n}", "out_of_scope", 0.5)
        talk.says("nhỏ", "inform")
        assert talk.says("lời lạc nữa", "out_of_scope", 0.5) == ["form.not_understood", "order.ask_code"]


class TestFreeText:
    def test_a_story_may_speak_of_anything(self, talk: Talk) -> None:
        up_to_note(talk)
        story = "hôm qua tôi gọi tổng đài mãi mà không ai nghe máy nên bực quá"
        assert talk.says(story, "hotline", 0.97) == ["order.review"]
        assert story in talk.texts[0]

    def test_a_short_and_certain_request_is_no_story(self, talk: Talk) -> None:
        up_to_note(talk)
        assert talk.says("số tổng đài", "hotline", 0.97)[0] == "hotline.said"


class TestSecrets:
    def test_an_answer_to_a_secret_question_is_marked(self, talk: Talk) -> None:
        talk.says("khiếu nại", "claim")
        talk.says("1234", "inform")
        assert talk.turns[-1].secret

    def test_other_words_at_a_secret_question_are_not(self, talk: Talk) -> None:
        talk.says("khiếu nại", "claim")
        talk.says("số tổng đài", "hotline")
        assert not talk.turns[-1].secret

    def test_a_secret_is_never_read_from_another_message(self, talk: Talk) -> None:
        talk.nlu.teach("1234", "claim")
        talk.hears(text="1234")
        assert talk.state.form is not None
        assert talk.state.form.values == {}


class TestFailures:
    def test_a_submit_that_failed_can_be_sent_again(self, talk: Talk) -> None:
        up_to_review(talk)
        talk.desk.failure = BackendDown("x", "no answer")
        assert talk.taps("Gửi") == ["failure.backend_down"]
        assert talk.state.form is not None
        talk.desk.failure = None
        talk.taps("Thử lại")
        assert len(talk.desk.orders) == 1
        assert talk.state.form is None

    def test_agreed_by_word_it_can_be_sent_again_too(self, talk: Talk) -> None:
        up_to_review(talk)
        talk.desk.failure = BackendDown("x", "no answer")
        talk.says("đúng rồi", "affirm")
        talk.desk.failure = None
        talk.taps("Thử lại")
        if talk.state.form:
            talk.taps("Gửi")
        assert len(talk.desk.orders) == 1

    def test_an_unwritten_answer_is_none(self, talk: Talk) -> None:
        begin(talk)
        assert talk.hears(InboundKind.STICKER) == ["media.sticker", "order.ask_size"]

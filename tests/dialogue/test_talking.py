"""What the engine does with a message that meets no form: offers, taps, requests, follow-ups, failures."""

from datetime import date, timedelta

import pytest
from fixtures.outside import CODE, OTHER_CODE
from itsdangerous import TimestampSigner
from talk import FIRST, SECOND, Talk

from actions.backends.errors import BackendDown
from bot.dialogue.commands import BUTTON_LIFETIME, Period
from bot.dialogue.state import TOPIC_LIFETIME
from bot.messages import Attachment, InboundKind

SEPTEMBER, OCTOBER = Period.of(date(2026, 9, 1)), Period.of(date(2026, 10, 1))


class TestGreeting:
    @pytest.fixture(autouse=True)
    def unknown_to_each_other(self, talk: Talk) -> None:
        talk.state.greeted = False
        talk.consents = frozenset()

    def test_who_only_greets_is_welcomed_and_asked_for_consent(self, talk: Talk) -> None:
        assert talk.says("chào", "greet") == ["welcome", "consent.ask"]
        assert talk.says("vâng", "affirm") == ["talk.thank"]
        assert talk.desk.done == ["consent.give"]

    def test_who_asks_at_once_is_answered_at_once(self, talk: Talk) -> None:
        assert talk.says("số tổng đài", "hotline") == ["welcome.short", "hotline.said"]
        assert talk.says("số tổng đài", "hotline") == ["hotline.said"]

    @pytest.mark.parametrize("kind", [InboundKind.FOLLOW, InboundKind.OPENED, InboundKind.STICKER])
    def test_who_comes_without_words_is_welcomed(self, talk: Talk, kind: InboundKind) -> None:
        assert talk.hears(kind) == ["welcome", "consent.ask"]

    def test_the_platform_s_own_first_button_welcomes(self, talk: Talk) -> None:
        assert talk.taps_payload("GET_STARTED")[0] == "welcome"

    def test_who_consented_is_not_asked_again(self, talk: Talk) -> None:
        talk.consents = frozenset({"account"})
        assert talk.says("chào", "greet") == ["welcome"]


class TestButtons:
    def test_a_tap_does_what_the_button_says(self, talk: Talk) -> None:
        talk.says("tổng đài", "hotline")
        talk.taps("Xem tiền điện")
        assert talk.desk.done == ["hotline", f"bill {CODE}"]

    def test_where_taps_come_as_texts_they_do_the_same(self, talk: Talk) -> None:
        talk.says("tổng đài", "hotline")
        talk.hears(text=str(talk.button("Xem tiền điện").payload))
        assert talk.desk.done[-1] == f"bill {CODE}"
        assert talk.nlu.asked == ["tổng đài"]

    def test_a_button_of_another_conversation_does_nothing(self, talk: Talk) -> None:
        foreign = talk.payload("bill_lookup", conversation=8, link=1)
        for come in (lambda: talk.taps_payload(foreign), lambda: talk.hears(text=foreign)):
            assert come() == ["button.stale"]
        assert talk.desk.done == []

    @pytest.mark.parametrize("change", [lambda p: p[:-1], lambda p: p + "x", lambda p: p.replace("#td.", "#td.a")])
    def test_a_button_that_was_changed_does_nothing(self, talk: Talk, change: object) -> None:
        changed = change(talk.payload("hotline"))  # type: ignore[operator]
        assert talk.taps_payload(changed) == ["button.stale"]
        assert talk.hears(text=changed) == ["button.stale"]
        assert talk.desk.done == []

    @pytest.mark.parametrize(
        "typed", ["#td.hotline", "#td.", '#td.["bill_lookup",{"link":1}]', "#td.WyJob3RsaW5lIix7fV0.x.y"]
    )
    def test_a_button_written_by_hand_does_nothing(self, talk: Talk, typed: str) -> None:
        assert talk.hears(text=typed) == ["button.stale"]
        assert talk.desk.done == []

    def test_a_button_of_long_ago_does_nothing(self, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
        old = talk.payload("hotline")
        now = TimestampSigner("any").get_timestamp()
        monkeypatch.setattr(
            TimestampSigner, "get_timestamp", lambda _self: now + int(BUTTON_LIFETIME.total_seconds()) + 1
        )
        assert talk.taps_payload(old) == ["button.stale"]
        assert talk.desk.done == []

    def test_rasa_s_own_way_of_commanding_is_only_text(self, talk: Talk) -> None:
        talk.hears(text='/bill_lookup{"link":2}')
        assert talk.desk.done == []

    def test_a_button_about_a_code_that_is_gone_says_so(self, talk: Talk) -> None:
        payload = talk.payload("bill_lookup", link=2)
        assert talk.taps_payload(payload) == ["account.gone"]
        assert talk.desk.done == []

    def test_a_button_for_something_that_was_taken_out_says_so(self, talk: Talk) -> None:
        assert talk.taps_payload(talk.payload("einvoice_get")) == ["button.stale"]

    @pytest.mark.parametrize("command", ["form.fill", "form.confirm", "form.edit", "form.resume"])
    def test_a_form_s_button_without_its_form_is_stale(self, talk: Talk, command: str) -> None:
        assert talk.taps_payload(talk.payload(command, form="order", field="size", value="small")) == ["button.stale"]
        assert talk.desk.done == []


class TestPicking:
    def test_by_number(self, talk: Talk) -> None:
        talk.accounts = (FIRST, SECOND)
        assert talk.says("tiền điện", "bill_lookup") == ["account.which"]
        talk.hears(text="2")
        assert talk.desk.done == ["bill nhà mẹ"]

    @pytest.mark.parametrize("written", ["1", " 1. ", "1)", "xem tien dien", "XEM TIỀN ĐIỆN", "Xem tiền điện!"])
    def test_by_number_or_title_as_people_write_them(self, talk: Talk, written: str) -> None:
        talk.says("tổng đài", "hotline")
        talk.hears(text=written)
        assert talk.desk.done == ["hotline", f"bill {CODE}"]

    @pytest.mark.parametrize("written", ["0", "2", "9", "-1", "²", "1 2"])
    def test_a_number_that_was_not_offered_picks_nothing(self, talk: Talk, written: str) -> None:
        talk.says("tổng đài", "hotline")
        talk.hears(text=written)
        assert talk.desk.done == ["hotline"]
        assert talk.nlu.asked[-1] == written

    def test_it_holds_for_the_next_message_only(self, talk: Talk) -> None:
        talk.says("tổng đài", "hotline")
        talk.says("cảm ơn", "thank")
        talk.hears(text="1")
        assert talk.desk.done == ["hotline", "thank"]

    def test_of_several_replies_the_last_one_s_options_count_first(self, talk: Talk) -> None:
        talk.says("tiền điện", "bill_lookup")
        assert talk.titles == ["Nút thừa", "Trả tiền"]
        talk.hears(text="1")
        assert talk.desk.done[-1] == f"pay {CODE}"


class TestYesAndNo:
    def offered(self, talk: Talk) -> None:
        """A suggestion: yes means the bill, no means help."""
        ranking = (("bill_lookup", 0.4), ("hotline", 0.35))
        assert "fallback.suggest" in talk.says("xem cái đó", "bill_lookup", 0.4, ranking=ranking)

    @pytest.mark.parametrize(("intent", "done"), [("affirm", f"bill {CODE}"), ("deny", "help"), ("cancel", "help")])
    def test_they_mean_what_was_offered(self, talk: Talk, intent: str, done: str) -> None:
        self.offered(talk)
        talk.says("lời đáp", intent)
        assert talk.desk.done == [done]

    def test_they_hold_one_turn(self, talk: Talk) -> None:
        self.offered(talk)
        talk.says("tổng đài", "hotline")
        talk.says("vâng", "affirm")
        assert talk.desk.done == ["hotline", "affirm"]

    def test_one_that_is_not_sure_is_none(self, talk: Talk) -> None:
        self.offered(talk)
        talk.says("ừ thì", "affirm", 0.2)
        assert talk.desk.done == []

    def test_one_that_says_more_is_not_only_a_yes(self, talk: Talk) -> None:
        self.offered(talk)
        talk.says("ừ, mã kia", "affirm", customer_code=OTHER_CODE)
        assert f"bill {CODE}" not in talk.desk.done


class TestFallback:
    RANKING = (("bill_lookup", 0.4), ("debt_check", 0.35), ("hotline", 0.1), ("order", 0.05))

    def test_first_a_suggestion_then_the_menu_then_a_person(self, talk: Talk) -> None:
        replies = [talk.says(f"câu {n}", "bill_lookup", 0.4, ranking=self.RANKING)[-1] for n in range(3)]
        assert replies == ["fallback.suggest", "fallback.menu", "fallback.person"]
        talk.says("vâng", "affirm")
        assert talk.desk.done == ["human"]

    def test_something_understood_starts_it_anew(self, talk: Talk) -> None:
        for n in range(2):
            talk.says(f"câu {n}", "bill_lookup", 0.4, ranking=self.RANKING)
        talk.says("tổng đài", "hotline")
        assert talk.says("câu khác", "bill_lookup", 0.4, ranking=self.RANKING)[-1] == "fallback.suggest"

    def test_at_most_three_are_suggested_by_their_titles_and_can_be_picked(self, talk: Talk) -> None:
        talk.says("câu", "bill_lookup", 0.4, ranking=self.RANKING)
        assert talk.titles[:3] == ["Xem tiền điện", "Còn nợ không", "Số tổng đài"]
        assert "Đặt hàng" not in talk.titles
        talk.hears(text="số tổng đài")
        assert talk.desk.done == ["hotline"]

    def test_what_is_not_served_is_not_suggested(self, talk: Talk) -> None:
        ranking = (("einvoice_get", 0.4), ("hotline", 0.35))
        talk.says("câu", "einvoice_get", 0.4, ranking=ranking)
        assert talk.titles[0] == "Số tổng đài"

    def test_what_is_nothing_at_all_gets_the_menu(self, talk: Talk) -> None:
        assert talk.says("asdf", "bill_lookup", 0.1)[-1] == "fallback.menu"

    def test_what_is_surely_not_ours_is_told_so(self, talk: Talk) -> None:
        assert talk.says("bán nhà không", "out_of_scope", 0.9) == ["fallback.out_of_scope"]

    def test_two_that_are_nearly_alike_are_asked_about(self, talk: Talk) -> None:
        ranking = (("bill_lookup", 0.62), ("debt_check", 0.6))
        assert "fallback.suggest" in talk.says("câu", "bill_lookup", 0.62, ranking=ranking)
        assert talk.desk.done == []

    def test_the_slots_of_the_message_go_with_the_suggestion(self, talk: Talk) -> None:
        talk.says("câu tháng 9", "bill_lookup", 0.4, ranking=self.RANKING, period=SEPTEMBER)
        talk.says("vâng", "affirm")
        assert talk.desk.done == [f"bill {CODE} 09"]


class TestAdvice:
    """An advisor knows from the words what the intent alone does not tell."""

    def test_it_goes_before_the_intent(self, talk: Talk) -> None:
        talk.says("hạn sao", "bill_lookup")
        assert talk.desk.done == ["hotline"]

    def test_it_knows_what_was_not_understood(self, talk: Talk) -> None:
        talk.says("số nào đấy", "bill_lookup", 0.2)
        assert talk.desk.done == ["hotline"]
        assert talk.state.misses == 0

    def test_what_is_not_ours_stays_that(self, talk: Talk) -> None:
        assert talk.says("số nào đấy", "out_of_scope", 0.9) == ["fallback.out_of_scope"]

    def test_within_a_form_it_is_a_change_of_subject_with_return(self, talk: Talk) -> None:
        talk.says("đặt hàng", "order")
        talk.says("hạn sao", "bill_lookup")
        assert talk.desk.done == ["hotline"]
        assert talk.state.on_yes
        assert talk.state.on_yes.name == "form.resume"


class TestFollowUps:
    def test_another_month(self, talk: Talk) -> None:
        talk.says("tiền điện tháng 10", "bill_lookup", period=OCTOBER)
        talk.says("thế còn tháng 9", "inform", period=SEPTEMBER)
        assert talk.desk.done == [f"bill {CODE} 10", f"bill {CODE} 09"]

    def test_another_account_keeps_the_month(self, talk: Talk) -> None:
        talk.accounts = (FIRST, SECOND)
        talk.says("tiền điện tháng 10 mã này", "bill_lookup", period=OCTOBER, customer_code=CODE)
        talk.says("không, mã kia", "inform", customer_code=OTHER_CODE)
        assert talk.desk.done == [f"bill {CODE} 10", f"bill {OTHER_CODE} 10"]

    def test_another_account_wins_over_the_one_that_was_picked_by_a_button(self, talk: Talk) -> None:
        talk.accounts = (FIRST, SECOND)
        talk.taps_payload(talk.payload("bill_lookup", link=1))
        talk.says("còn mã kia", "inform", customer_code=OTHER_CODE)
        assert talk.desk.done == [f"bill {CODE}", "bill nhà mẹ"]

    def test_not_this_one_but_the_other(self, talk: Talk) -> None:
        talk.accounts = (FIRST, SECOND)
        talk.taps_payload(talk.payload("bill_lookup", link=1))
        talk.says("không, mã kia cơ", "deny")
        assert talk.desk.done == [f"bill {CODE}", "bill nhà mẹ"]

    def test_after_a_while_nobody_knows_what_was_meant(self, talk: Talk) -> None:
        talk.says("tiền điện tháng 10", "bill_lookup", period=OCTOBER)
        talk.clock.forward(seconds=TOPIC_LIFETIME.total_seconds() + 1)
        talk.says("thế còn tháng 9", "inform", period=SEPTEMBER)
        assert talk.desk.done == [f"bill {CODE} 10", "inform"]

    def test_thanks_in_between_do_not_change_the_subject(self, talk: Talk) -> None:
        talk.says("tiền điện tháng 10", "bill_lookup", period=OCTOBER)
        talk.says("cảm ơn", "thank")
        talk.says("thế còn tháng 9", "inform", period=SEPTEMBER)
        assert talk.desk.done[-1] == f"bill {CODE} 09"

    def test_a_few_words_with_a_value_that_are_not_quite_sure(self, talk: Talk) -> None:
        talk.says("tiền điện tháng 10", "bill_lookup", period=Period.of(date(2026, 10, 1)))
        talk.says("thế tháng 9 thì sao", "pay_bill", 0.65, period=Period.of(date(2026, 9, 1)))
        assert talk.desk.done[-1] == f"bill {CODE} 09"
        talk.says("trả tháng 9", "pay_bill", 0.8, period=Period.of(date(2026, 9, 1)))
        assert talk.desk.done[-1] == f"pay {CODE}"

    def test_a_new_request_does_not_inherit_the_old_month(self, talk: Talk) -> None:
        talk.says("tiền điện tháng 9", "bill_lookup", period=SEPTEMBER)
        talk.says("còn nợ không", "debt_check")
        assert talk.desk.done[-1] == f"bill {CODE}"

    def test_a_follow_up_about_somebody_else_s_code_does_not_show_it(self, talk: Talk) -> None:
        talk.says("tiền điện", "bill_lookup")
        with pytest.raises(KeyError):
            talk.says("còn mã này", "inform", customer_code="PA04GT0000077")
        assert talk.desk.done == [f"bill {CODE}"]


class TestWhatWasRead:
    """A handler's reading of the words holds whenever its request is asked again."""

    def test_of_the_account_picked(self, talk: Talk) -> None:
        talk.accounts = (FIRST, SECOND)
        talk.says("cả tuần", "usage_daily")
        talk.taps(SECOND.label)
        assert talk.desk.done == [f"usage cả tuần {OTHER_CODE} None"]

    def test_after_a_failure(self, talk: Talk) -> None:
        talk.desk.failure = BackendDown("x", "no answer")
        talk.says("cả tuần", "usage_daily")
        talk.desk.failure = None
        talk.taps("Thử lại")
        assert talk.desk.done[-1] == f"usage cả tuần {CODE} None"

    def test_in_a_follow_up(self, talk: Talk) -> None:
        talk.says("cả tuần", "usage_daily")
        talk.says("300 số", "inform", energy=300)
        assert talk.desk.done[-1] == f"usage cả tuần {CODE} 300.0"

    def test_a_value_that_is_not_about_the_last_request_is_no_follow_up(self, talk: Talk) -> None:
        talk.says("tiền điện", "bill_lookup")
        talk.says("300 số", "inform", energy=300)
        assert talk.desk.done == [f"bill {CODE}", "inform"]


class TestRequestsSaidAsCommands:
    """What a message said is not lost when it must wait."""

    def test_it_is_done_at_once(self, talk: Talk) -> None:
        assert talk.says("quá 300 số", "usage_alert") == ["order.done"]
        assert talk.desk.done == [f"alert {CODE} quá 300 số"]

    def test_or_once_the_account_is_chosen(self, talk: Talk) -> None:
        talk.accounts = (FIRST, SECOND)
        assert talk.says("quá 300 số", "usage_alert") == ["account.which"]
        assert talk.taps("nhà mẹ") == ["order.done"]
        assert talk.desk.done == ["alert nhà mẹ quá 300 số"]

    def test_or_once_the_backend_is_back(self, talk: Talk) -> None:
        talk.desk.failure = BackendDown("op", "r")
        assert talk.says("quá 300 số", "usage_alert") == ["failure.backend_down"]
        talk.desk.failure = None
        talk.taps("Thử lại")
        assert talk.desk.done[-1] == f"alert {CODE} quá 300 số"

    def test_more_of_it_is_more_of_the_command(self, talk: Talk) -> None:
        talk.accounts = (FIRST, SECOND)
        talk.state.default_link = FIRST.link_id
        talk.says("quá 300 số", "usage_alert")
        talk.says("nhà mẹ nữa", "inform")
        assert talk.desk.done == [f"alert {CODE} quá 300 số", "alert nhà mẹ quá 300 số"]


class TestFailures:
    def test_nothing_half_said_and_a_button_to_try_again(self, talk: Talk) -> None:
        talk.desk.failure = BackendDown("x", "no answer")
        assert talk.says("tiền điện tháng 9", "bill_lookup", period=SEPTEMBER)[-1] == "failure.backend_down"
        assert len(talk.texts) == 1
        assert "Nửa câu." not in talk.texts
        talk.desk.failure = None
        talk.taps("Thử lại")
        assert talk.desk.done == [f"bill {CODE} 09", f"bill {CODE} 09"]
        assert talk.texts == ["Nửa câu.", talk.texts[1]]

    def test_what_was_not_said_cannot_be_picked(self, talk: Talk) -> None:
        talk.desk.failure = BackendDown("x", "no answer")
        talk.says("tiền điện", "bill_lookup")
        talk.desk.failure = None
        talk.hears(text="nút thừa")
        assert "hotline" not in talk.desk.done

    def test_the_retry_is_the_first_to_pick(self, talk: Talk) -> None:
        talk.desk.failure = BackendDown("x", "no answer")
        talk.says("tiền điện", "bill_lookup")
        talk.desk.failure = None
        talk.hears(text="1")
        assert talk.desk.done == [f"bill {CODE}", f"bill {CODE}"]

    def test_a_defect_is_not_dressed_up_as_a_failure(self, talk: Talk) -> None:
        talk.desk.failure = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            talk.says("tiền điện", "bill_lookup")


class TestOtherThanText:
    @pytest.mark.parametrize(
        ("kind", "reply"),
        [
            (InboundKind.AUDIO, "media.audio"),
            (InboundKind.STICKER, "media.sticker"),
            (InboundKind.LINK, "media.link"),
            (InboundKind.CONTACT_INFO, "media.contact_info"),
            (InboundKind.LOCATION, "media.other"),
        ],
    )
    def test_is_answered_sensibly(self, talk: Talk, kind: InboundKind, reply: str) -> None:
        assert talk.hears(kind) == [reply]

    def test_a_text_of_blanks_is_no_text(self, talk: Talk) -> None:
        assert talk.hears(text="  \n ") == ["media.other"]
        assert talk.nlu.asked == []

    def test_in_a_form_the_question_is_asked_again(self, talk: Talk) -> None:
        talk.says("đặt", "order")
        assert talk.hears(InboundKind.AUDIO) == ["media.audio", "order.ask_size"]

    def test_words_under_a_picture_are_understood_and_the_picture_is_kept(self, talk: Talk) -> None:
        talk.nlu.teach("hỏi tổng đài", "hotline")
        photo = (Attachment(url="https://photos.example/1.jpg"),)
        assert talk.hears(InboundKind.IMAGE, text="hỏi tổng đài", attachments=photo) == ["hotline.said"]
        assert [file.url for file in talk.state.files] == ["https://photos.example/1.jpg"]
        talk.clock.forward(minutes=31)
        talk.says("cảm ơn", "thank")
        assert talk.state.files == []

    def test_a_like_says_yes_where_yes_or_no_was_asked(self, talk: Talk) -> None:
        for said in ("đặt", "nhỏ", "PA04"):
            talk.says(said, "order" if said == "đặt" else "inform", customer_code=CODE if said == "PA04" else None)
        assert talk.says("không có ghi chú") == ["order.review"]
        assert talk.hears(InboundKind.STICKER, thumbs_up=True) == ["order.done"]

    def test_a_like_out_of_the_blue_is_only_friendly(self, talk: Talk) -> None:
        assert talk.hears(InboundKind.STICKER, thumbs_up=True) == ["media.sticker"]
        assert talk.hears(text="👍", thumbs_up=True) == ["media.sticker"]
        assert talk.nlu.asked == []

    def test_another_sticker_answers_nothing(self, talk: Talk) -> None:
        for said in ("đặt", "nhỏ", "PA04"):
            talk.says(said, "order" if said == "đặt" else "inform", customer_code=CODE if said == "PA04" else None)
        talk.says("không có ghi chú")
        assert talk.hears(InboundKind.STICKER) == ["media.sticker", "order.review"]


def test_what_is_remembered_does_not_grow(talk: Talk) -> None:
    sizes = []
    for n in range(60):
        talk.says(f"đặt {n}", "order")
        talk.says(f"tổng đài {n}", "hotline")
        talk.says(f"câu {n}", "bill_lookup", 0.4, ranking=TestFallback.RANKING)
        talk.clock.forward(minutes=1)
        sizes.append(len(talk.state.model_dump_json()))
    assert max(sizes[30:]) <= max(sizes[:30]) + 20


def test_danger_comes_before_everything_even_unsure(talk: Talk) -> None:
    talk.says("đặt", "order")
    assert "danger.said" in talk.says("dây đứt rơi xuống sân", "hazard_report", 0.4)
    assert talk.desk.done == ["danger"]
    assert talk.state.form is None
    assert [form.name for form in talk.state.paused] == ["order"]


def test_the_lifetimes_are_sensible() -> None:
    assert timedelta(minutes=5) <= TOPIC_LIFETIME <= timedelta(hours=2)
    assert timedelta(days=31) <= BUTTON_LIFETIME

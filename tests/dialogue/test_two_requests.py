"""Two requests in one message: both are answered, the second after whatever the first one has to ask."""

from datetime import date

import pytest
from fixtures.outside import CODE, OTHER_CODE
from talk import FIRST, SECOND, Talk

from bot.dialogue.commands import Period, Slots
from bot.dialogue.understanding import Request

OCTOBER = Period.of(date(2026, 10, 1))


def says_both(talk: Talk, *requests: Request, intent: str = "bill_lookup") -> list[str]:
    return talk.says("hai việc một lúc", intent, requests=requests)


def request(intent: str, **slots: object) -> Request:
    return Request(intent, Slots.model_validate(slots))


def test_both_are_answered_in_their_order(talk: Talk) -> None:
    assert says_both(talk, request("pay_bill"), request("hotline")) == ["order.done", "hotline.said"]
    assert talk.desk.done == [f"pay {CODE}", "hotline"]
    assert talk.state.next is None


def test_also_when_the_whole_is_not_understood(talk: Talk) -> None:
    talk.says("hai việc", "bill_lookup", 0.31, requests=(request("pay_bill"), request("hotline")))
    assert talk.desk.done == [f"pay {CODE}", "hotline"]


def test_each_has_its_own_values(talk: Talk) -> None:
    says_both(talk, request("bill_lookup", period=OCTOBER), request("debt_check"))
    assert talk.desk.done == [f"bill {CODE} 10", f"bill {CODE}"]


def test_what_can_be_answered_goes_before_a_form(talk: Talk) -> None:
    assert says_both(talk, request("order"), request("hotline")) == ["hotline.said", "order.ask_size"]


def test_the_second_form_follows_the_first(talk: Talk) -> None:
    assert says_both(talk, request("claim"), request("order")) == ["order.ask_pin"]
    assert talk.says("123", "inform") == ["order.done", "order.ask_size"]


def test_danger_goes_before_everything_and_the_other_is_not_forgotten(talk: Talk) -> None:
    assert says_both(talk, request("hazard_report"), request("hotline"), intent="hotline") == [
        "danger.said",
        "hotline.said",
    ]


def test_one_account_is_chosen_for_both(talk: Talk) -> None:
    talk.accounts = (FIRST, SECOND)
    assert says_both(talk, request("bill_lookup"), request("pay_bill")) == ["account.which"]
    talk.taps("nhà mẹ")
    assert talk.desk.done == ["bill nhà mẹ", f"pay {OTHER_CODE}"]


def test_another_subject_instead_of_the_choice_lets_both_go(talk: Talk) -> None:
    talk.accounts = (FIRST, SECOND)
    says_both(talk, request("bill_lookup"), request("pay_bill"))
    talk.says("tổng đài", "hotline")
    assert talk.desk.done == ["hotline"]
    assert talk.state.next is None


def test_a_form_in_between_holds_the_second_back(talk: Talk) -> None:
    says_both(talk, request("claim"), request("order"))
    assert "order.ask_size" not in talk.says("số tổng đài", "hotline")
    assert talk.state.next


@pytest.mark.parametrize("said", ["cancel", "expired"])
def test_a_first_one_that_is_given_up(talk: Talk, said: str) -> None:
    says_both(talk, request("claim"), request("order"))
    if said == "expired":
        talk.clock.forward(hours=25)
        assert talk.says("tổng đài", "hotline") == ["form.expired", "hotline.said"]
        assert talk.state.next is None
    else:
        assert talk.says("thôi", "cancel") == ["form.cancelled", "order.ask_size"]


def test_within_a_form_a_message_is_an_answer_to_its_question(talk: Talk) -> None:
    talk.says("đặt", "order")
    replies = says_both(talk, request("pay_bill"), request("hotline"), intent="inform")
    assert talk.state.form
    assert "hotline.said" not in replies


def test_the_second_is_answered_once(talk: Talk) -> None:
    says_both(talk, request("pay_bill"), request("hotline"))
    talk.clock.forward(hours=1)
    assert talk.says("cảm ơn", "thank") == ["talk.thank"]

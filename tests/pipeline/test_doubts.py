"""Which messages are put before reviewers, and in which order."""

from datetime import UTC, datetime, timedelta

import pytest
from fixtures.reviewing import MODEL, Chat, review_of

from actions.desk import UnderstandingData
from bot.pipeline import doubts
from bot.store import handovers, reviews
from bot.store.database import Database
from bot.store.handovers import Brief
from bot.store.models import HandoverReason, Review

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
THRESHOLDS = UnderstandingData(act=0.55, suggest=0.30, lead=0.10)


@pytest.fixture
def chat(database: Database) -> Chat:
    return Chat(database, NOW - timedelta(minutes=30))


def look(database: Database, now: datetime = NOW) -> None:
    doubts.queue_reviews(database, THRESHOLDS, now)


def signals(database: Database, message_id: int) -> set[str]:
    found = review_of(database, message_id)
    return set(found.signals) if found else set()


def hand_over(chat: Chat, reason: HandoverReason) -> None:
    with chat.database.begin() as session:
        handovers.ask(
            session,
            conversation_id=chat.conversation_id,
            reason=reason,
            brief=Brief(),
            promised_at=chat.at,
            now=chat.at - timedelta(seconds=5),
        )


def test_what_is_sure_is_left_alone(database: Database, chat: Chat) -> None:
    chat.customer("tiền điện tháng này")
    chat.bot("Tháng này hết 246.110 đ")
    look(database)
    with database.begin() as session:
        assert session.query(Review).count() == 0
        assert reviews.progress(session).up_to == 2


@pytest.mark.parametrize(
    ("sure", "second", "handled_by", "found"),
    [
        (0.60, 0.1, "bill_lookup", {"unsure"}),
        (0.45, 0.4, "fallback", {"unsure", "close", "fallback"}),
        (0.25, 0.01, "fallback", {"fallback"}),
        (0.85, 0.80, "bill_lookup", {"close"}),
        (0.45, 0.4, "form:service_move_meter", set()),
        (0.71, 0.2, "bill_lookup", set()),
    ],
)
def test_little_confidence_and_two_guesses_side_by_side(
    database: Database, chat: Chat, sure: float, second: float, handled_by: str, found: set[str]
) -> None:
    ranking = [["bill_lookup", sure], ["debt_check", second]]
    message_id = chat.customer("tien dien", sure=sure, ranking=ranking, handled_by=handled_by)
    look(database)
    assert signals(database, message_id) == found


def test_the_same_in_other_words_right_after(database: Database, chat: Chat) -> None:
    first = chat.customer("nhà tôi hết bao nhiêu tiền điện", intent="debt_check")
    chat.bot("Quý khách không còn nợ.")
    second = chat.customer("tien dien nha toi het bao nhieu", intent="bill_lookup")
    same = chat.customer("cảm ơn em nhé", intent="thank")
    other = chat.customer("cam on em nhe", intent="thank")
    chat.wait(minutes=5)
    late = chat.customer("cảm ơn em nhé", intent="praise")
    look(database)
    found = [signals(database, message_id) for message_id in (first, second, same, other, late)]
    assert found == [{"rephrased"}, set(), set(), set(), set()]


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        (HandoverReason.ASKED, [set(), {"handed_over"}, set()]),
        (HandoverReason.ANGER, [set(), {"handed_over"}, set()]),
        (HandoverReason.MISUNDERSTANDING, [set(), set(), {"handed_over"}]),
        (HandoverReason.DANGER, [set(), set(), set()]),
    ],
)
def test_what_was_said_before_a_person_was_needed(
    database: Database, chat: Chat, reason: HandoverReason, found: list[set[str]]
) -> None:
    said = [chat.customer("câu từ lâu")]
    chat.wait(minutes=5)
    said += [chat.customer("mai có điện không"), chat.customer("cho gặp người", intent="human")]
    hand_over(chat, reason)
    look(database)
    assert [signals(database, message_id) for message_id in said] == found


def test_several_signs_add_up(database: Database, chat: Chat) -> None:
    message_id = chat.customer("mai có điện không", sure=0.4, handled_by="fallback")
    hand_over(chat, HandoverReason.MISUNDERSTANDING)
    look(database)
    found = review_of(database, message_id)
    assert found
    assert found.value == 40 + 20 + 20
    assert (found.guessed, found.model, found.said_at) == ("bill_lookup", MODEL, NOW - timedelta(minutes=30))


def test_what_may_still_be_rephrased_is_looked_at_later(database: Database, chat: Chat) -> None:
    chat.wait(minutes=29)
    message_id = chat.customer("tien dien", sure=0.4)
    look(database)
    assert signals(database, message_id) == set()
    look(database, NOW + timedelta(minutes=3))
    assert signals(database, message_id) == {"unsure"}


def test_only_words_of_customers_are_looked_at(database: Database, chat: Chat) -> None:
    for text in ("••••••", "12", "😀"):
        chat.customer(text, intent="inform", sure=0.4)
    chat.customer("Xem hóa đơn", intent=None, kind="button")
    look(database)
    with database.begin() as session:
        assert session.query(Review).count() == 0


def test_many_are_looked_at_in_slices_and_each_once(
    database: Database, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubts, "SLICE", 3)
    monkeypatch.setattr(doubts, "MOST_SLICES", 2)
    for number in range(8):
        chat.customer(f"câu {number}", sure=0.4, model=f"nlu-{number}")
    for count, model in ((6, "nlu-5"), (8, "nlu-7"), (8, "nlu-7")):
        look(database)
        with database.begin() as session:
            assert session.query(Review).count() == count
            assert reviews.present_model(session) == model

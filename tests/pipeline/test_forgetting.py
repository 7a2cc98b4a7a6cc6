"""What is not needed any longer goes, in slices, when its days are over; open cases stay whole."""

from datetime import timedelta
from typing import Any

import pytest
from fixtures.stage import USER, Stage
from sqlalchemy import func, select

from bot.store import handovers, retention
from bot.store.handovers import Brief
from bot.store.models import (
    Delivery,
    DeliveryStatus,
    Handover,
    HandoverReason,
    LinkCodeGuess,
    Message,
    RightKind,
    RightsRequest,
)

PHOTO = {"msg_id": "p-1", "attachments": [{"type": "image", "payload": {"url": "https://photos.example/1.jpg"}}]}


@pytest.fixture
def talked(stage: Stage) -> Stage:
    """A question with its answer, and a picture."""
    stage.nlu.teach("tổng đài", "hotline")
    stage.says("tổng đài")
    oa = {"id": "4444444444444444444"}
    stage.zalo_event("user_send_image", sender={"id": USER}, recipient=oa, message=PHOTO)
    stage.work()
    return stage


def days(stage: Stage, what: str) -> int:
    kept: int = getattr(stage.product.company.retention, what)
    return kept


def after(stage: Stage, count: int) -> None:
    stage.clock.forward(days=count)
    stage.tick("forget_old_data")


def photos(stage: Stage) -> list[Any]:
    return [message.content["attachments"] for message in stage.messages() if "attachments" in message.content]


def test_where_pictures_lie_is_kept_for_people_and_then_forgotten(talked: Stage) -> None:
    assert photos(talked) == [[{"url": "https://photos.example/1.jpg"}]]
    after(talked, days(talked, "attachment_days") - 1)
    assert len(photos(talked)) == 1
    after(talked, 2)
    assert photos(talked) == []
    assert talked.messages()[0].text == "tổng đài"


def test_words_go_and_the_figures_stay(talked: Stage) -> None:
    before = [(message.sender, message.intent, message.confidence) for message in talked.messages()]
    after(talked, days(talked, "message_days") - 1)
    assert talked.messages()[0].text == "tổng đài"
    after(talked, 2)
    assert [(m.sender, m.intent, m.confidence) for m in talked.messages()] == before
    assert {(m.text, str(m.content), m.understanding) for m in talked.messages()} == {("", "{}", None)}
    assert {(str(d.content), d.status) for d in talked.deliveries()} == {("{}", DeliveryStatus.SENT)}
    assert talked.conversation().state == {}


def test_whoever_comes_back_is_answered_as_ever(talked: Stage) -> None:
    after(talked, days(talked, "message_days") + 1)
    assert any("19006769" in text for text in talked.says("tổng đài"))


@pytest.mark.parametrize("why", ["waits", "asked"])
def test_open_cases_are_left_whole(talked: Stage, why: str) -> None:
    conversation, now = talked.conversation(), talked.clock()
    with talked.database.begin() as session:
        if why == "waits":
            handovers.ask(
                session,
                conversation_id=conversation.id,
                reason=HandoverReason.DANGER,
                brief=Brief(),
                promised_at=now,
                now=now,
            )
        else:
            session.add(
                RightsRequest(
                    contact_id=conversation.contact_id,
                    kind=RightKind.CORRECT,
                    event_id=1,
                    received_at=now,
                    answer_due=now,
                    done_due=now,
                )
            )
    after(talked, days(talked, "message_days") + 1)
    assert talked.messages()[0].text == "tổng đài"
    assert len(photos(talked)) == 1


def test_summaries_of_what_ended_go(talked: Stage) -> None:
    conversation_id, now = talked.conversation().id, talked.clock()
    with talked.database.begin() as session:
        handovers.ask(
            session,
            conversation_id=conversation_id,
            reason=HandoverReason.ASKED,
            brief=Brief(),
            promised_at=now,
            now=now,
        )
        handovers.give_back(session, conversation_id, by="staff", at=now)
    after(talked, days(talked, "message_days") + 1)
    with talked.database.begin() as session:
        assert session.scalar(select(func.count()).select_from(Handover)) == 0


def test_slices_are_bounded_and_all_is_done(talked: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SLICE", 3)
    conversation, old = talked.conversation(), talked.clock() - timedelta(days=400)
    with talked.database.begin() as session:
        for number in range(10):
            session.add(
                Message(
                    conversation_id=conversation.id, sender="customer", kind="text", text=f"cũ {number}", created_at=old
                )
            )
    with talked.database.begin() as session:
        assert retention.forget_words(session, old + timedelta(days=1))
    assert sum(message.text.startswith("cũ") for message in talked.messages()) == 7
    talked.tick("forget_old_data")
    assert not any(message.text.startswith("cũ") for message in talked.messages())


def test_what_is_still_to_be_sent_is_not_emptied(talked: Stage) -> None:
    conversation, old = talked.conversation(), talked.clock() - timedelta(days=400)
    with talked.database.begin() as session:
        session.add(
            Delivery(
                key="k",
                channel="zalo",
                contact_id=conversation.contact_id,
                lane="notice",
                content={"text": "chờ"},
                created_at=old,
            )
        )
    talked.tick("forget_old_data")
    assert {"text": "chờ"} in [delivery.content for delivery in talked.deliveries()]


def test_counted_guesses_go(talked: Stage) -> None:
    with talked.database.begin() as session:
        session.add(LinkCodeGuess(contact_id=talked.conversation().contact_id, event_id=1, at=talked.clock()))
    after(talked, 1)
    with talked.database.begin() as session:
        assert session.scalar(select(func.count()).select_from(LinkCodeGuess)) == 1
    after(talked, 2)
    with talked.database.begin() as session:
        assert session.scalar(select(func.count()).select_from(LinkCodeGuess)) == 0


def test_the_window_of_guesses_fits_into_what_is_kept(stage: Stage) -> None:
    assert stage.product.company.link_codes.limit().window < retention.LINK_CODE_GUESSES_KEPT

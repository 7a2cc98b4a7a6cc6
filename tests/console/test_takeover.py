"""Helping a customer by hand: claim, reply, note, assign, hand back; and the bot's silence meanwhile."""

from datetime import timedelta
from io import BytesIO

import pytest
from fixtures.console import Browser, Console
from fixtures.talk import Talk
from PIL import Image
from sqlalchemy import select, text

from bot.messages import ChannelName
from bot.store import deliveries
from bot.store.handovers import Brief, Mood
from bot.store.models import Audit, Conversation, Delivery, Handover, HandoverReason, Media, Message, Role


@pytest.fixture
def waiting(console: Console) -> Talk:
    one = Talk(console.database, console.now - timedelta(minutes=30))
    one.asks("cho gặp người")
    one.waits()
    return one


@pytest.fixture
def agent(console: Console) -> Browser:
    return console.signed_in(Role.AGENT)


def picture(side: int = 64) -> BytesIO:
    made = BytesIO()
    Image.new("RGB", (side, side), "red").save(made, "PNG")
    made.seek(0)
    return made


def sent(console: Console) -> list[Delivery]:
    with console.database.begin() as session:
        return list(session.scalars(select(Delivery).where(Delivery.key.like("staff-%")).order_by(Delivery.id)))


class TestQueue:
    def test_is_empty_and_says_so(self, agent: Browser) -> None:
        assert "Không ai phải chờ" in agent.page("/waiting")

    def test_danger_comes_first_then_what_was_promised_earliest(
        self, console: Console, agent: Browser, waiting: Talk
    ) -> None:
        for name, reason, minutes in (("Bé", HandoverReason.ANGER, 5), ("Tý", HandoverReason.DANGER, 60)):
            one = Talk(console.database, console.now, name=name)
            one.asks("x")
            one.waits(reason, Brief(mood=Mood.ANGRY), minutes=minutes)
        page = agent.page("/waiting")
        assert page.index("T. #") < page.index("N. T. H. #") < page.index("B. #")
        assert "quá hạn" in page

    def test_names_nobody_before_they_are_claimed(self, agent: Browser, waiting: Talk) -> None:
        assert "Nguyễn Thị Hoa" not in agent.page("/waiting")


class TestClaim:
    def test_silences_the_bot_and_opens_the_data_for_a_reason(
        self, console: Console, agent: Browser, waiting: Talk
    ) -> None:
        agent.post(f"/waiting/{waiting.id}/claim")
        assert waiting.owner() == "staff"
        assert "Nguyễn Thị Hoa" in agent.page(f"/log/{waiting.id}")
        with console.database.begin() as session:
            assert session.scalars(select(Audit.action).order_by(Audit.id.desc()).limit(2)).all() == [
                "data.opened",
                "conversation.claimed",
            ]
            assert session.scalars(select(Handover.taken_at)).one() == console.now

    def test_what_the_bot_had_not_yet_sent_is_cancelled_when_it_would_go(
        self, console: Console, agent: Browser, waiting: Talk
    ) -> None:
        waiting.says("Tiền điện …", status="pending", outcome=None)
        agent.post(f"/waiting/{waiting.id}/claim")
        agent.post(f"/waiting/{waiting.id}/reply", {"text": "Chào bác"})
        with console.database.begin() as session:
            claimed = deliveries.claim_next_reply(session, waiting.contact_id, console.now)
            assert claimed
            assert claimed.delivery.content["text"] == "Chào bác"
            states = session.scalars(select(Delivery.outcome).where(Delivery.status == "cancelled")).all()
        assert states == ["staff_took_over"]

    def test_is_one_person_s(self, console: Console, agent: Browser, waiting: Talk) -> None:
        agent.post(f"/waiting/{waiting.id}/claim")
        other = console.signed_in(Role.AGENT, login="other")
        page = other.post(f"/waiting/{waiting.id}/claim", {"over": "yes"}, follow_redirects=True).text
        assert "đồng nghiệp đang trả lời" in page
        chief = console.signed_in(Role.SUPERVISOR)
        chief.post(f"/waiting/{waiting.id}/claim", {"over": "yes"})
        assert "Nhận hội thoại" not in chief.page(f"/log/{waiting.id}")
        assert "claim_first" not in agent.post(f"/waiting/{waiting.id}/reply", {"text": "x"}).text
        assert sent(console) == []


class TestReply:
    def test_goes_on_its_way_as_the_staff_s_own(self, console: Console, agent: Browser, waiting: Talk) -> None:
        agent.post(f"/waiting/{waiting.id}/claim")
        agent.post(f"/waiting/{waiting.id}/reply", {"text": "  Cháu chào bác ạ  "})
        with console.database.begin() as session:
            message = session.scalars(select(Message).where(Message.sender == "staff")).one()
            jobs = session.scalars(text("SELECT task_name FROM procrastinate_jobs")).all()
        assert (message.text, message.staff_id, jobs) == ("Cháu chào bác ạ", 1, ["send_replies"])
        assert [one.content["text"] for one in sent(console)] == ["Cháu chào bác ạ"]
        assert "Cháu chào bác ạ" in agent.page(f"/log/{waiting.id}")

    def test_may_have_a_picture_made_small_and_without_its_notes(
        self, console: Console, agent: Browser, waiting: Talk
    ) -> None:
        agent.post(f"/waiting/{waiting.id}/claim")
        form = {"text": "Đây ạ", "picture": (picture(4000), "a.png")}
        agent.post(f"/waiting/{waiting.id}/reply", form, content_type="multipart/form-data")
        with console.database.begin() as session:
            kept = session.scalars(select(Media)).one()
        with Image.open(BytesIO(kept.body)) as shown:
            assert (shown.format, max(shown.size), shown.getexif()) == ("JPEG", 1600, {})
        assert any("media_id" in one.content for one in sent(console))

    @pytest.mark.parametrize(
        ("form", "said"),
        [
            ({"text": "   "}, "Chưa có nội dung"),
            ({"text": "x" * 2001}, "2.000"),
            ({"text": "x", "picture": (BytesIO(b"no picture"), "a.png")}, "không phải ảnh"),
        ],
    )
    def test_what_cannot_go_is_said_and_kept_to_be_mended(
        self, console: Console, agent: Browser, waiting: Talk, form: dict[str, object], said: str
    ) -> None:
        agent.post(f"/waiting/{waiting.id}/claim")
        answer = agent.post(
            f"/waiting/{waiting.id}/reply", form, content_type="multipart/form-data", follow_redirects=True
        )
        assert said in answer.text
        assert sent(console) == []

    def test_needs_the_conversation_first(self, console: Console, agent: Browser, waiting: Talk) -> None:
        answer = agent.post(f"/waiting/{waiting.id}/reply", {"text": "x"}, follow_redirects=True)
        assert "nhận hội thoại trước" in answer.text
        assert sent(console) == []

    def test_stays_within_the_platform_s_window(self, console: Console, agent: Browser) -> None:
        one = Talk(console.database, console.now, channel=ChannelName.MESSENGER)
        one.asks("alo")
        agent.post(f"/waiting/{one.id}/claim")
        assert "Được trả lời đến" in agent.page(f"/log/{one.id}")
        console.later(hours=23)
        agent = console.signed_in(Role.AGENT)
        assert "sắp hết hạn" in agent.page(f"/log/{one.id}")
        console.later(hours=1.5)
        assert "Đã quá thời hạn" in agent.page(f"/log/{one.id}")
        answer = agent.post(f"/waiting/{one.id}/reply", {"text": "x"}, follow_redirects=True)
        assert "Đã quá thời hạn" in answer.text
        assert sent(console) == []


class TestTheRest:
    def test_notes_are_for_colleagues_only(self, console: Console, agent: Browser, waiting: Talk) -> None:
        agent.post(f"/waiting/{waiting.id}/note", {"text": "Đã gọi, hẹn mai"})
        assert "Đã gọi, hẹn mai" in console.signed_in(Role.REVIEWER).page(f"/log/{waiting.id}")
        assert sent(console) == []

    def test_whoever_has_it_gives_it_to_a_colleague(self, console: Console, agent: Browser, waiting: Talk) -> None:
        other = console.add(Role.AGENT, login="other")
        agent.post(f"/waiting/{waiting.id}/assign", {"to": other.id})
        assert waiting.owner() == "waiting"
        agent.post(f"/waiting/{waiting.id}/claim")
        agent.post(f"/waiting/{waiting.id}/assign", {"to": other.id})
        with console.database.begin() as session:
            assert session.get_one(Conversation, waiting.id).staff_id == other.id
        assert agent.post(f"/waiting/{waiting.id}/assign", {"to": 1}, follow_redirects=True).text.count("đồng nghiệp")

    def test_nobody_is_given_a_conversation_who_speaks_with_no_customers(
        self, console: Console, agent: Browser, waiting: Talk
    ) -> None:
        reviewer = console.add(Role.REVIEWER, login="reviewer")
        agent.post(f"/waiting/{waiting.id}/claim")
        assert agent.post(f"/waiting/{waiting.id}/assign", {"to": reviewer.id}).status_code == 400

    def test_handing_back_ends_the_wait(self, console: Console, agent: Browser, waiting: Talk) -> None:
        agent.post(f"/waiting/{waiting.id}/claim")
        page = agent.post(f"/waiting/{waiting.id}/hand-back", follow_redirects=True).text
        assert "Đã trả hội thoại" in page
        assert waiting.owner() == "bot"
        with console.database.begin() as session:
            row = session.scalars(select(Handover)).one()
        assert (row.ended_at, row.ended_by) == (console.now, "staff:1")

    def test_a_colleague_s_conversation_is_not_handed_back(
        self, console: Console, agent: Browser, waiting: Talk
    ) -> None:
        agent.post(f"/waiting/{waiting.id}/claim")
        console.signed_in(Role.AGENT, login="other").post(f"/waiting/{waiting.id}/hand-back")
        assert waiting.owner() == "staff"


class TestLive:
    def test_tells_how_many_wait_and_what_is_newest(self, agent: Browser, waiting: Talk) -> None:
        assert agent.get("/live/now").json == {"newest": 1, "waiting": 1}

    def test_the_stream_tells_it_too(self, agent: Browser, waiting: Talk) -> None:
        answer = agent.client.get("/console/live", buffered=False)
        stream = iter(answer.response)
        lines = b""
        while b"data:" not in lines:
            lines += next(stream)
        answer.close()
        assert answer.mimetype == "text/event-stream"
        assert b'"waiting": 1' in lines

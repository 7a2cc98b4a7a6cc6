"""The rights over one's own data: seen, taken along, erased; each request on record with the law's days (F16)."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from fixtures.outside import CODE, OTHER_CODE
from fixtures.stage import META_APP_ID, PAGE_ID, USER, Stage
from flask.testing import FlaskClient
from sqlalchemy import func, select

from actions.documents import CopyFormat
from bot.app import create_app
from bot.pipeline import promises
from bot.store import conversations, handovers, rights
from bot.store.models import (
    Audit,
    Consent,
    Contact,
    Delivery,
    GridReport,
    Handover,
    HandoverReason,
    InboundEvent,
    Link,
    LinkCodeGuess,
    Media,
    Message,
    OtpChallenge,
    Owner,
    RightKind,
    RightsRequest,
)
from bot.store.rights import Due

THURSDAY = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
STRANGER = "8888888888888888888"
FORGOTTEN = (Delivery, Message, Handover, Media, OtpChallenge, GridReport, LinkCodeGuess, Link)


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.clock.now = THURSDAY
    for text, intent in {
        "dữ liệu của tôi": "data_rights",
        "xóa dữ liệu của tôi": "data_rights",
        "xin chào": "greet",
        "có": "affirm",
        "không": "deny",
        "thôi": "cancel",
        "gặp nhân viên": "human",
    }.items():
        stage.nlu.teach(text, intent)
    return stage


@pytest.fixture
def gateway(stage: Stage) -> FlaskClient:
    return create_app(stage.settings, stage.database, clock=stage.clock).test_client()


def requests(stage: Stage) -> Sequence[RightsRequest]:
    with stage.database.begin() as session:
        return session.scalars(select(RightsRequest).order_by(RightsRequest.id)).all()


def address(stage: Stage, title: str) -> str:
    """Behind the newest button of this title, without the host."""
    found = next(
        button.url
        for sent in reversed(stage.zalo.sent)
        for button in sent.message.buttons
        if button.title == title and button.url
    )
    return found.removeprefix(stage.settings.public_url)


def contact_id(stage: Stage, user: str = USER) -> int:
    with stage.database.begin() as session:
        return conversations.load(session, "zalo", user).contact.id


class TestCopy:
    def test_is_all_of_one_s_own_and_nothing_of_others(self, stage: Stage, gateway: FlaskClient) -> None:
        stage.link(CODE)
        stage.link(OTHER_CODE, user=STRANGER)
        stage.says("tin của người lạ", user=STRANGER)
        stage.says("<b>tin</b> của tôi")
        stage.says("dữ liệu của tôi")
        stage.taps("Lấy bản sao")
        answer = gateway.get(address(stage, "Tải tệp JSON"))
        kept = json.loads(answer.data)
        assert [link["customer_code"] for link in kept["links"]] == [CODE]
        assert [m["text"] for m in kept["messages"] if m["sender"] == "customer"] == [
            "<b>tin</b> của tôi",
            "dữ liệu của tôi",
            "Lấy bản sao",
        ]
        assert [request["kind"] for request in kept["rights_requests"]] == ["copy"]
        assert "attachment" in answer.headers["Content-Disposition"]
        page = gateway.get(address(stage, "Mở bản sao"))
        assert page.status_code == 200
        assert "&lt;b&gt;tin&lt;/b&gt; của tôi" in page.text
        for seen in (answer.text, page.text):
            assert "người lạ" not in seen
            assert "#td." not in seen
            assert OTHER_CODE not in seen
        assert "no-store" in page.headers["Cache-Control"]

    def test_its_address_is_good_for_minutes(self, stage: Stage, gateway: FlaskClient) -> None:
        stage.says("dữ liệu của tôi")
        stage.taps("Lấy bản sao")
        where = address(stage, "Mở bản sao")
        stage.clock.forward(minutes=stage.product.company.rights.copy_link_minutes + 1)
        assert gateway.get(where).status_code == 410

    def test_no_other_address_opens_it(self, stage: Stage, gateway: FlaskClient) -> None:
        stage.says("dữ liệu của tôi")
        stage.taps("Lấy bản sao")
        where = address(stage, "Mở bản sao")
        assert gateway.get(where + "x").status_code == 404
        assert gateway.get(where.replace("/copy/", "/")).status_code == 404
        documents = stage.product.turns._desk.documents
        token = documents.url(CopyFormat.PAGE, link_id=1, now=stage.clock()).rsplit("/", 1)[1]
        assert gateway.get(f"/media/copy/{token}").status_code == 404


class TestErasing:
    def full(self, stage: Stage) -> None:
        """Somebody of whom everything is kept that can be."""
        stage.says("xin chào")
        stage.taps("Đồng ý")
        stage.link(CODE)
        stage.says("gặp nhân viên")
        own = contact_id(stage)
        desk = stage.product.turns._desk
        desk.otp.issue(contact_id=own, customer_code=CODE, phone_ref="p", event_id=1, now=stage.clock())
        with stage.database.begin() as session:
            session.add(LinkCodeGuess(contact_id=own, event_id=77, at=stage.clock()))
            session.add(GridReport(contact_id=own, event_id=78, kind="outage", ticket_code="YC", at=stage.clock()))
            session.add(Media(contact_id=own, content_type="image/png", body=b"", expires_at=stage.clock()))

    def counts(self, stage: Stage) -> dict[str, int]:
        with stage.database.begin() as session:
            return {
                table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0 for table in FORGOTTEN
            }

    def test_leaves_the_proof_and_nothing_else(self, stage: Stage) -> None:
        self.full(stage)
        assert all(self.counts(stage).values())
        stage.says("xóa dữ liệu của tôi")
        answer = stage.taps("Xóa hết")[-1]
        assert "đã xóa" in answer
        left = self.counts(stage)
        assert (left.pop("message"), left.pop("delivery")) == (1, 1), "only the word that it is done"
        assert set(left.values()) == {0}
        with stage.database.begin() as session:
            assert session.scalars(select(Consent.granted).order_by(Consent.id)).all() == [True, False]
            assert set(session.scalars(select(func.cast(InboundEvent.payload, InboundEvent.name.type)))) == {"{}"}
            done = session.execute(select(Audit.actor, Audit.action).order_by(Audit.id.desc())).first()
        assert done == (f"contact:{contact_id(stage)}", "data.erased")
        [request] = requests(stage)
        assert (request.kind, request.answered_at, request.done_at) == (RightKind.ERASE, THURSDAY, THURSDAY)
        conversation = stage.conversation()
        assert (conversation.owner, conversation.waiting_since) == (Owner.BOT, None)
        assert set(conversation.state) <= {"greeted", "choices"}

    @pytest.mark.parametrize("said", ["không", "thôi"])
    def test_is_not_done_without_a_yes(self, stage: Stage, said: str) -> None:
        stage.link(CODE)
        stage.says("xóa dữ liệu của tôi")
        stage.says(said)
        assert len(stage.links()) == 1
        assert requests(stage) == []

    def test_what_was_written_after_it_is_answered(self, stage: Stage) -> None:
        stage.nlu.teach("tổng đài", "hotline")
        stage.says("xóa dữ liệu của tôi")
        stage.hears(stage.payload_of("Xóa hết"))
        later = stage.hears("tổng đài")
        stage.work()
        assert stage.status(later) == "done"
        assert "19006769" in stage.zalo.texts[-1]

    def test_through_the_platform_is_on_record_too(self, stage: Stage) -> None:
        self.full(stage)
        stage.zalo_event("user_withdraw", oa_id="4444444444444444444", user_id=USER)
        stage.work()
        assert set(self.counts(stage).values()) == {0}
        [request] = requests(stage)
        assert (request.kind, request.done_at) == (RightKind.ERASE, THURSDAY)


class TestDeadlines:
    @pytest.mark.parametrize(
        ("received", "answer_by"),
        [
            (datetime(2026, 11, 26, 3, 0, tzinfo=UTC), datetime(2026, 11, 30, 10, 0, tzinfo=UTC)),  # over a weekend
            (datetime(2026, 11, 28, 3, 0, tzinfo=UTC), datetime(2026, 12, 1, 10, 0, tzinfo=UTC)),  # on a Saturday
            (datetime(2026, 8, 31, 3, 0, tzinfo=UTC), datetime(2026, 9, 4, 10, 0, tzinfo=UTC)),  # before 1 and 2/9
            (datetime(2027, 2, 4, 3, 0, tzinfo=UTC), datetime(2027, 2, 12, 10, 0, tzinfo=UTC)),  # before Tết
        ],
    )
    def test_the_first_answer_counts_working_days(self, stage: Stage, received: datetime, answer_by: datetime) -> None:
        assert stage.product.deadlines.of(RightKind.SEE, received).answer == answer_by

    @pytest.mark.parametrize(("kind", "days"), [(RightKind.SEE, 10), (RightKind.WITHDRAW, 15), (RightKind.ERASE, 20)])
    def test_what_is_done_counts_days(self, stage: Stage, kind: RightKind, days: int) -> None:
        assert stage.product.deadlines.of(kind, THURSDAY).done == THURSDAY + timedelta(days=days)


class TestWatch:
    """THURSDAY is 26/11: the answer is due on Monday, the correction ten days later, on Sunday 6/12."""

    @pytest.fixture
    def asked(self, stage: Stage) -> Stage:
        own = contact_id(stage)
        due = stage.product.deadlines.of(RightKind.CORRECT, THURSDAY)
        with stage.database.begin() as session:
            rights.add(
                session,
                contact_id=own,
                kind=RightKind.CORRECT,
                event_id=1,
                received_at=THURSDAY,
                due=due,
                done=False,
            )
        return stage

    def watch(self, stage: Stage, day: int, hour: int = 10) -> str | None:
        """The reason for which the conversation waits after a look on this day of November (or later)."""
        stage.clock.now = datetime(2026, 11, 1, hour - 7, tzinfo=UTC) + timedelta(days=day - 1)
        stage.tick("watch_promises")
        with stage.database.begin() as session:
            row = session.scalars(select(Handover).where(Handover.ended_at.is_(None))).one_or_none()
        return row.reason if row else None

    def test_what_is_not_due_yet_bothers_nobody(self, asked: Stage) -> None:
        assert self.watch(asked, 26) is None

    def test_what_must_be_answered_by_tomorrow_comes_before_staff(self, asked: Stage) -> None:
        assert self.watch(asked, 27) == HandoverReason.RIGHTS
        assert asked.conversation().owner == Owner.WAITING
        assert self.watch(asked, 27, hour=11) == HandoverReason.RIGHTS
        with asked.database.begin() as session:
            assert session.scalar(select(func.count()).select_from(Handover)) == 1

    def test_what_staff_answered_comes_back_when_it_must_be_done(self, asked: Stage) -> None:
        own = contact_id(asked)
        with asked.database.begin() as session:
            rights.answer(session, own, THURSDAY)
        assert self.watch(asked, 30) is None
        assert self.watch(asked, 30 + 3) is None
        assert self.watch(asked, 30 + 4) == HandoverReason.RIGHTS, "Friday: no working day is left before Sunday"

    def test_what_is_done_is_no_longer_watched(self, asked: Stage) -> None:
        own = contact_id(asked)
        with asked.database.begin() as session:
            rights.finish(session, own, THURSDAY)
        assert self.watch(asked, 60) is None
        [request] = requests(asked)
        assert (request.answered_at, request.done_at) == (THURSDAY, THURSDAY)

    def test_what_is_overdue_is_called_so(self, asked: Stage, logs: list[dict[str, object]]) -> None:
        now = THURSDAY + timedelta(days=30)
        promises.watch(asked.database, asked.product.hours, asked.product.deadlines, now)
        [entry] = [entry for entry in logs if entry["event"] == "rights_request_pressing"]
        assert entry["overdue"] is True
        assert CODE not in str(entry)

    def test_a_person_who_writes_has_answered(self, asked: Stage) -> None:
        asked.zalo_event(
            "oa_send_text",
            sender={"id": "4444444444444444444", "admin_id": "5555"},
            recipient={"id": USER},
            message={"text": "Chào bác.", "msg_id": "z-1"},
        )
        asked.work()
        [request] = requests(asked)
        assert (request.answered_at, request.done_at) == (THURSDAY, None)


@pytest.mark.parametrize(("reason", "is_done"), [(HandoverReason.RIGHTS, True), (HandoverReason.ASKED, False)])
def test_staff_who_give_back_what_waited_for_it_have_done_it(
    stage: Stage, reason: HandoverReason, is_done: bool
) -> None:
    guest, now = "2", stage.clock()
    conversation = stage.conversation(guest)
    with stage.database.begin() as session:
        rights.add(
            session,
            contact_id=conversation.contact_id,
            kind=RightKind.CORRECT,
            event_id=1,
            received_at=now,
            due=Due(now, now),
            done=False,
        )
        handovers.ask(
            session,
            conversation_id=conversation.id,
            reason=reason,
            brief=handovers.Brief(),
            promised_at=now,
            now=now,
        )
    control = {"previous_owner_app_id": "263902037430900", "new_owner_app_id": META_APP_ID}
    about = {"sender": {"id": guest}, "recipient": {"id": PAGE_ID}, "timestamp": int(stage.stamp())}
    stage.messenger_event(**about, pass_thread_control=control)
    stage.work()
    [request] = requests(stage)
    assert (request.done_at is not None) is is_done


def test_a_replay_is_no_second_request(stage: Stage) -> None:
    own = contact_id(stage)
    for _ in range(2):
        with stage.database.begin() as session:
            rights.add(
                session,
                contact_id=own,
                kind=RightKind.SEE,
                event_id=5,
                received_at=THURSDAY,
                due=Due(THURSDAY, THURSDAY),
                done=True,
            )
    assert len(requests(stage)) == 1
    with stage.database.begin() as session:
        assert session.scalars(select(Contact.channel_user_id)).all() == [USER]

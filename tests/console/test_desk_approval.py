"""Four eyes: nothing that staff write is sent unless somebody else approved it exactly as it is."""

from datetime import timedelta

import pytest
from fixtures.console import Console
from fixtures.desk import PLACE, WORDS, NoticeDesk, code, open_desk
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from bot.store import campaigns
from bot.store.campaigns import Refused
from bot.store.models import Campaign, Notice, Role

EDITED = {"audience": "area", "places": [PLACE], **WORDS, "subject": "nội dung khác"}


@pytest.fixture
def desk(console: Console) -> NoticeDesk:
    return open_desk(console)


def submitted(desk: NoticeDesk) -> int:
    campaign_id = desk.write()
    desk.writer().post(f"/notices/{campaign_id}/submit")
    return campaign_id


class TestApproval:
    def test_by_a_second_person_and_then_it_is_released(self, desk: NoticeDesk) -> None:
        campaign_id = submitted(desk)
        assert "1 thông báo chờ bạn duyệt" in desk.approver().page("/notices")
        assert "chờ bạn duyệt" not in desk.writer().page("/notices")
        assert "Đã duyệt" in desk.approve(campaign_id)
        answer = desk.writer().post(f"/notices/{campaign_id}/release", follow_redirects=True)
        assert "Đã lên lịch gửi" in answer.text
        assert "Người nhận" in answer.text
        campaign = desk.campaign(campaign_id)
        assert campaign.notice_id is not None
        notice = desk.notice(campaign.notice_id)
        assert (notice.key, notice.facts, notice.audience) == (
            f"campaign:{campaign_id}",
            {"announcement": WORDS},
            {"place_codes": [PLACE]},
        )
        assert [action for action, _ in desk.actions()] == [
            "campaign.written",
            "campaign.submitted",
            "campaign.approved",
            "campaign.released",
        ]

    def test_not_by_the_writer_whatever_they_may_otherwise(self, desk: NoticeDesk) -> None:
        both = desk.console.signed_in(Role.PUBLISHER, Role.SUPERVISOR, login="both")
        answer = both.post("/notices/new/announcement", {"audience": "area", "places": [PLACE], **WORDS})
        campaign_id = int(answer.location.rsplit("/", 1)[1])
        both.post(f"/notices/{campaign_id}/submit")
        page = both.page(f"/notices/{campaign_id}")
        assert "một người khác phải duyệt" in page
        assert f"/notices/{campaign_id}/approve" not in page
        form = {"content": desk.campaign(campaign_id).content_hash}
        answer = both.post(f"/notices/{campaign_id}/approve", form, follow_redirects=True)
        assert "không được tự duyệt" in answer.text
        assert desk.campaign(campaign_id).status == "submitted"

    def test_not_by_who_edited_it_last(self, desk: NoticeDesk) -> None:
        campaign_id = desk.write()
        second = desk.console.signed_in(Role.PUBLISHER, login="second")
        second.post(f"/notices/{campaign_id}/edit", EDITED)
        second.post(f"/notices/{campaign_id}/submit")
        form = {"content": desk.campaign(campaign_id).content_hash}
        answer = second.post(f"/notices/{campaign_id}/approve", form, follow_redirects=True)
        assert "không được tự duyệt" in answer.text
        assert "Đã duyệt" in desk.approve(campaign_id)

    def test_another_publisher_may(self, desk: NoticeDesk) -> None:
        campaign_id = submitted(desk)
        second = desk.console.signed_in(Role.PUBLISHER, login="second")
        second.post(f"/notices/{campaign_id}/approve", {"content": desk.campaign(campaign_id).content_hash})
        assert desk.campaign(campaign_id).status == "approved"

    def test_not_of_what_was_edited_since_the_page_was_opened(self, desk: NoticeDesk) -> None:
        campaign_id = submitted(desk)
        seen = desk.campaign(campaign_id).content_hash
        desk.writer().post(f"/notices/{campaign_id}/edit", EDITED)
        desk.writer().post(f"/notices/{campaign_id}/submit")
        answer = desk.approver().post(f"/notices/{campaign_id}/approve", {"content": seen}, follow_redirects=True)
        assert "vừa được sửa" in answer.text
        assert desk.campaign(campaign_id).status == "submitted"

    def test_any_edit_voids_it(self, desk: NoticeDesk) -> None:
        campaign_id = desk.approved()
        writer = desk.writer()
        assert "phải duyệt lại" in writer.page(f"/notices/{campaign_id}/edit")
        answer = writer.post(f"/notices/{campaign_id}/edit", EDITED, follow_redirects=True)
        assert "phải được duyệt lại" in answer.text
        campaign = desk.campaign(campaign_id)
        assert (campaign.status, campaign.approved_by, campaign.approved_hash) == ("draft", None, None)
        answer = writer.post(f"/notices/{campaign_id}/release", follow_redirects=True)
        assert "sang bước khác" in answer.text
        assert desk.stage.notices() == []

    def test_it_can_be_sent_back_with_a_reason(self, desk: NoticeDesk) -> None:
        campaign_id = desk.approved()
        approver = desk.approver()
        answer = approver.post(f"/notices/{campaign_id}/send-back", {"reason": " "}, follow_redirects=True)
        assert "ghi lý do" in answer.text
        approver.post(f"/notices/{campaign_id}/send-back", {"reason": "sai giờ"})
        assert desk.campaign(campaign_id).status == "draft"
        assert desk.actions()[-1][1]["reason"] == "sai giờ"

    def test_a_withdrawn_one_is_over_and_can_be_copied(self, desk: NoticeDesk) -> None:
        campaign_id = desk.approved(not_before=desk.local(hours=2))
        writer = desk.writer()
        writer.post(f"/notices/{campaign_id}/withdraw")
        assert desk.campaign(campaign_id).status == "withdrawn"
        assert "sang bước khác" in writer.post(f"/notices/{campaign_id}/submit", follow_redirects=True).text
        assert writer.get(f"/notices/{campaign_id}/edit").status_code == 302
        answer = writer.post(f"/notices/{campaign_id}/copy")
        copied = desk.campaign(int(answer.location.split("/")[-2]))
        assert (copied.status, copied.facts, copied.not_before) == ("draft", {"announcement": WORDS}, None)

    def test_it_goes_when_its_time_comes_and_not_after_its_end(self, desk: NoticeDesk) -> None:
        desk.customer(1)
        late = desk.approved(valid_until=desk.local(hours=1))
        notice_id = desk.released(not_before=desk.local(hours=3))
        assert desk.send() == []
        desk.console.later(hours=3)
        assert len(desk.send()) == 1
        assert desk.fates(notice_id) == [("sent", "sent")]
        answer = desk.writer().post(f"/notices/{late}/release", follow_redirects=True)
        assert "Hạn gửi đã qua" in answer.text
        assert desk.campaign(late).notice_id is None

    def test_what_is_not_there_is_not_found(self, desk: NoticeDesk) -> None:
        assert desk.writer().get("/notices/99").status_code == 404
        for step in ("submit", "approve", "release", "withdraw", "copy"):
            assert desk.writer().post(f"/notices/99/{step}").status_code == 404


class TestGuards:
    """What holds whatever the pages do: in the one function that releases, and in the database."""

    def test_the_function_refuses_what_is_not_approved(self, desk: NoticeDesk) -> None:
        campaign_id = submitted(desk)
        with pytest.raises(Refused, match="campaign_moved_on"), desk.console.database.begin() as session:
            campaigns.release(session, campaign_id, by=1, now=desk.console.now)

    def test_it_refuses_a_list_that_is_not_what_was_approved(self, desk: NoticeDesk) -> None:
        campaign_id = desk.approved(audience="list", places=[], codes=code(1))
        name = desk.campaign(campaign_id).audience["list"]
        with desk.console.database.begin() as session:
            session.execute(text("INSERT INTO listed_code VALUES (:list, :code)"), {"list": name, "code": code(2)})
        answer = desk.writer().post(f"/notices/{campaign_id}/release", follow_redirects=True)
        assert "không còn nguyên vẹn" in answer.text

    def test_the_database_refuses_a_notice_of_one_that_is_not_approved(self, desk: NoticeDesk) -> None:
        campaign = desk.campaign(submitted(desk))
        with pytest.raises(IntegrityError, match="not approved as it is"), desk.console.database.begin() as session:
            session.execute(insert(Notice).values(as_notice(campaign)))

    @pytest.mark.parametrize(
        "change", [{"facts": {"announcement": {}}}, {"audience": {"linked": True}}, {"kind": "advice"}]
    )
    def test_and_one_that_says_something_else(self, desk: NoticeDesk, change: dict[str, object]) -> None:
        campaign = desk.campaign(desk.approved())
        with pytest.raises(IntegrityError, match="not approved as it is"), desk.console.database.begin() as session:
            session.execute(insert(Notice).values({**as_notice(campaign), **change}))

    def test_and_a_change_of_one_that_is_sent(self, desk: NoticeDesk) -> None:
        notice_id = desk.released()
        with pytest.raises(IntegrityError, match="not approved as it is"), desk.console.database.begin() as session:
            session.execute(
                text("""UPDATE notice SET audience = '{"linked": true}' WHERE id = :id"""), {"id": notice_id}
            )

    @pytest.mark.parametrize(
        "change",
        [
            """facts = '{"announcement": {}}'""",
            "audience = '{}'",
            "valid_until = now()",
            "not_before = now()",
            "kind = 'advice'",
            "approved_by = created_by",
            "approved_by = NULL, approved_at = NULL, approved_hash = NULL",
        ],
    )
    def test_the_database_holds_an_approval_to_its_content_and_to_two_people(
        self, desk: NoticeDesk, change: str
    ) -> None:
        campaign_id = desk.approved()
        with pytest.raises(IntegrityError), desk.console.database.begin() as session:
            session.execute(text(f"UPDATE campaign SET {change} WHERE id = {campaign_id}"))

    def test_it_refuses_to_call_released_what_is_no_notice(self, desk: NoticeDesk) -> None:
        campaign_id = desk.approved()
        with pytest.raises(IntegrityError), desk.console.database.begin() as session:
            session.execute(text(f"UPDATE campaign SET status = 'released' WHERE id = {campaign_id}"))

    def test_what_was_told_is_forgotten_in_its_time(self, desk: NoticeDesk) -> None:
        """The facts of a notice can be emptied, and nothing else of it changed."""
        notice_id = desk.released()
        with desk.console.database.begin() as session:
            session.execute(text("UPDATE notice SET facts = '{}' WHERE id = :id"), {"id": notice_id})


def as_notice(campaign: Campaign) -> dict[str, object]:
    return {
        "key": f"campaign:{campaign.id}",
        "kind": campaign.kind,
        "subject": "x",
        "version": 1,
        "audience": campaign.audience,
        "facts": campaign.facts,
        "not_before": campaign.created_at,
        "valid_until": campaign.created_at + timedelta(days=1),
    }

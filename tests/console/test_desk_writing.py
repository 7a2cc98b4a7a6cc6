"""Writing a notice: what is asked for, who may, to whom it goes, how many that is."""

import io
from datetime import timedelta
from typing import Any

import pytest
from fixtures.console import Console
from fixtures.desk import PLACE, WORDS, NoticeDesk, code, open_desk
from sqlalchemy import func, select

from actions.backends.errors import BackendDown
from actions.backends.models import Outage
from bot.messages import ChannelName
from bot.store import conversations, preferences
from bot.store.models import ListedCode, Role
from bot.store.preferences import GENERAL


@pytest.fixture
def desk(console: Console) -> NoticeDesk:
    return open_desk(console)


def outage(desk: NoticeDesk, **values: Any) -> None:
    given: dict[str, Any] = {
        "id": "KH-1",
        "version": 2,
        "kind": "planned",
        "state": "planned",
        "start": desk.console.now + timedelta(days=3),
        "expected_end": desk.console.now + timedelta(days=3, hours=4),
        "actual_end": None,
        "area_text": "Xã Bình Yên: xóm Bãi Đá",
        "place_codes": (PLACE,),
        "reason": "Thay máy biến áp",
        "feeder": None,
        "published_at": desk.console.now,
        **values,
    }
    desk.stage.service.cuts = [Outage(**given)]


class TestForm:
    def test_the_empty_desk_says_what_will_be_there(self, desk: NoticeDesk) -> None:
        assert "Chưa có thông báo nào" in desk.writer().page("/notices")
        assert "Lịch cắt điện, sự cố" in desk.writer().page("/notices/automatic")
        assert "ở tình trạng này" in desk.writer().page("/notices?status=draft")

    def test_every_kind_has_its_form(self, desk: NoticeDesk) -> None:
        writer = desk.writer()
        page = writer.page("/notices/new")
        for kind in ("announcement", "debt_reminder", "outage_planned", "maintenance", "hazard_warning", "advice"):
            assert f"/notices/new/{kind}" in page
            assert "Gửi cho ai" in writer.page(f"/notices/new/{kind}")
        assert writer.get("/notices/new/bill_issued").status_code == 404

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"subject": " "}, "Chưa điền: Về việc"),
            ({"text": "x" * 301}, "quá 300"),
            ({"audience": "outage"}, "Chưa chọn gửi cho ai"),
            ({"places": []}, "Chưa chọn xã"),
            ({"places": ["99999"]}, "Chưa chọn xã"),
            ({"audience": "debt", "owing_days": "-3"}, "cần một số từ 0 đến 3650"),
            ({"audience": "debt", "owing_dong": "nhiều"}, "cần một số"),
            ({"audience": "list", "codes": " \n"}, "chưa có mã nào"),
            ({"not_before": "2020-01-01T08:00"}, "đã qua"),
            ({"not_before": "mai"}, "ngày giờ không đúng"),
            ({"valid_until": "2020-01-01T08:00"}, "sau giờ gửi"),
            ({"valid_until": "2030-01-01T08:00"}, "30 ngày"),
        ],
    )
    def test_what_is_wrong_is_said_and_what_was_typed_stays(
        self, desk: NoticeDesk, change: dict[str, Any], said: str
    ) -> None:
        form = {"audience": "area", "places": [PLACE], **WORDS, **change}
        answer = desk.writer().post("/notices/new/announcement", form)
        assert (answer.status_code, said in answer.text) == (422, True), answer.text
        assert form["text"][:40] in answer.text

    def test_a_draft_is_kept_as_it_was_written(self, desk: NoticeDesk) -> None:
        campaign_id = desk.write(not_before=desk.local(hours=5))
        page = desk.writer().page(f"/notices/{campaign_id}/edit")
        assert WORDS["text"] in page
        assert f'value="{PLACE}" checked' in page
        assert desk.local(hours=5) in page
        campaign = desk.campaign(campaign_id)
        assert campaign.facts == {"announcement": WORDS}
        assert campaign.not_before == desk.console.now + timedelta(hours=5)
        assert campaign.valid_until == campaign.not_before + timedelta(hours=240)

    def test_text_is_kept_in_one_form_and_shown_as_text(self, desk: NoticeDesk) -> None:
        campaign_id = desk.write(subject="<b>nghi\u0309</b>\x00")
        assert desk.campaign(campaign_id).facts["announcement"]["subject"] == "<b>nghỉ</b>"
        assert "&lt;b&gt;nghỉ" in desk.writer().page(f"/notices/{campaign_id}")

    def test_only_publishers_write(self, desk: NoticeDesk) -> None:
        campaign_id = desk.write()
        supervisor = desk.approver()
        assert "Soạn thông báo" not in supervisor.page("/notices")
        for path in ("/notices/new", "/notices/new/announcement", f"/notices/{campaign_id}/edit"):
            assert supervisor.get(path).status_code == 403
        assert desk.console.signed_in(Role.AGENT).get("/notices").status_code == 403

    def test_an_outage_is_as_the_utility_knows_it(self, desk: NoticeDesk) -> None:
        outage(desk)
        campaign_id = desk.write("outage_planned", outage_id="KH-1", audience="outage")
        campaign = desk.campaign(campaign_id)
        assert campaign.facts["outage"]["area_text"] == "Xã Bình Yên: xóm Bãi Đá"
        assert campaign.audience == {"outage_id": "KH-1", "place_codes": [PLACE]}
        assert campaign.valid_until == desk.console.now + timedelta(days=3)

    @pytest.mark.parametrize(
        ("change", "said"),
        [({"id": "KH-2"}, "không có lịch"), ({"state": "cancelled"}, "đã hủy"), ({"kind": "unplanned"}, "kế hoạch")],
    )
    def test_an_outage_that_is_not_to_come_is_not_told(
        self, desk: NoticeDesk, change: dict[str, str], said: str
    ) -> None:
        outage(desk, **change)
        form = {"outage_id": "KH-1", "audience": "outage"}
        assert said in desk.writer().post("/notices/new/outage_planned", form).text

    def test_without_the_utility_no_outage_can_be_told(self, desk: NoticeDesk) -> None:
        desk.stage.service.failure = BackendDown("getOutage", "away")
        form = {"outage_id": "KH-1", "audience": "outage"}
        assert "Chưa hỏi được hệ thống" in desk.writer().post("/notices/new/outage_planned", form).text

    def test_work_ends_after_it_starts_and_is_not_told_when_over(self, desk: NoticeDesk) -> None:
        form = {"what": "Thay sứ.", "area": "xã Bình Yên", "start": desk.local(hours=9), "end": desk.local(hours=5)}
        place = {"audience": "area", "places": [PLACE]}
        assert "sau giờ bắt đầu" in desk.writer().post("/notices/new/maintenance", {**form, **place}).text
        campaign = desk.campaign(desk.write("maintenance", **{**form, "end": desk.local(hours=12)}))
        assert campaign.valid_until == desk.console.now + timedelta(hours=12)

    def test_a_danger_names_its_places_and_its_end(self, desk: NoticeDesk) -> None:
        campaign = desk.campaign(desk.write("hazard_warning", text="Nước lên cao."))
        danger = campaign.facts["danger"]
        assert (danger["text"], danger["place_codes"]) == ("Nước lên cao.", [PLACE])


class TestLists:
    def test_codes_are_read_as_people_write_them_each_once(self, desk: NoticeDesk) -> None:
        codes = f"mã khách hàng\n{code(1).lower()}\r\n\n PA04 GT 0000002 ;Nguyễn Văn A\n{code(1)}"
        campaign = desk.campaign(desk.write(audience="list", places=[], codes=codes))
        assert campaign.audience["count"] == 2
        with desk.console.database.begin() as session:
            kept = session.scalars(select(ListedCode.customer_code).order_by(ListedCode.customer_code)).all()
        assert kept == [code(1), code(2)]

    def test_lines_that_are_no_codes_are_named(self, desk: NoticeDesk) -> None:
        form = {**WORDS, "audience": "list", "codes": f"{code(1)}\nPB04GT0000001\n\nabc"}
        answer = desk.writer().post("/notices/new/announcement", form)
        assert "2 dòng" in answer.text
        assert "2: PB04GT0000001; 4: abc" in answer.text
        with desk.console.database.begin() as session:
            assert session.scalar(select(func.count()).select_from(ListedCode)) == 0

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_a_file_as_spreadsheets_save_it(self, desk: NoticeDesk, encoding: str) -> None:
        content = f"Mã,Tên\n{code(1)},Hoa\n{code(2)},Bình\n".encode(encoding)
        file = (io.BytesIO(content), "khach.csv")
        campaign_id = desk.write(audience="list", places=[], file=file)
        assert desk.campaign(campaign_id).audience["count"] == 2

    def test_a_file_that_is_no_text_is_refused(self, desk: NoticeDesk) -> None:
        form = {**WORDS, "audience": "list", "file": (io.BytesIO(b"\x89PNG\xff\xfa"), "a.csv")}
        assert "CSV UTF-8" in desk.writer().post("/notices/new/announcement", form).text

    def test_a_list_stays_unless_another_is_brought(self, desk: NoticeDesk) -> None:
        campaign_id = desk.write(audience="list", places=[], codes=code(1))
        writer = desk.writer()
        before = desk.campaign(campaign_id).audience
        form = {**WORDS, "subject": "khác", "audience": "list"}
        assert writer.post(f"/notices/{campaign_id}/edit", form).status_code == 302
        assert desk.campaign(campaign_id).audience == before
        writer.post(f"/notices/{campaign_id}/edit", {**form, "codes": f"{code(1)}\n{code(2)}"})
        assert desk.campaign(campaign_id).audience["count"] == 2


class TestReview:
    def test_it_counts_whom_it_reaches_and_who_not_and_why(self, desk: NoticeDesk) -> None:
        first, second, *_ = desk.customers(4)
        desk.customer(5, channel=ChannelName.MESSENGER)
        desk.customer(6, agreed=False)
        desk.stage.service.living[PLACE] |= {code(90), code(91)}
        with desk.console.database.begin() as session:
            conversations.mark_unreachable(session, first, desk.console.now)
            given = {"wanted": False, "words": "t", "event_id": 1, "at": desk.console.now}
            preferences.choose(session, second, ["announcement"], GENERAL, **given)
        page = desk.writer().page(f"/notices/{desk.write()}")
        figures = [f"<dd>{number}</dd>" in page for number in ("8", "6", "3", "0 đ")]
        assert figures == [True] * 4
        for reason in ("đã chặn hoặc bỏ theo dõi", "đã tắt loại tin này", "chưa đồng ý"):
            assert reason in page

    def test_it_reckons_what_templates_cost(self, desk: NoticeDesk) -> None:
        desk.customers(3)
        desk.stage.zalo.window_is_open = False
        page = desk.writer().page(f"/notices/{desk.write()}")
        assert "210 đ" in page
        assert "3 mẫu tin" in page

    def test_it_shows_both_ways_it_will_read_without_what_is_personal(self, desk: NoticeDesk) -> None:
        desk.customer(1)
        page = desk.writer().page(f"/notices/{desk.write()}")
        assert WORDS["text"] in page
        assert "Tắt tin này" in page
        assert "Mẫu 300011" in page
        assert "PA04•••001" in page
        assert code(1) not in page

    def test_what_somebody_owes_is_covered(self, desk: NoticeDesk) -> None:
        desk.customer(1)
        desk.owes(1, 512_340)
        page = desk.writer().page(f"/notices/{desk.write('debt_reminder', audience='debt', places=[])}")
        assert "PA04•••001 còn ••• tiền điện" in page
        assert "512.340" not in page
        assert "512340" not in page

    def test_who_owes_too_little_or_nothing_is_not_of_the_audience(self, desk: NoticeDesk) -> None:
        desk.customers(4)
        desk.owes(1, 600_000)
        desk.owes(2, 300_000, bills=2)
        desk.owes(3, 500_000)
        for form, reached in (
            ({"owing_days": "0"}, 3),
            ({"owing_dong": "600.000"}, 2),
            ({"owing_dong": "500000", "owing_bills": "2"}, 1),
        ):
            campaign_id = desk.write("debt_reminder", audience="debt", places=[], **form)
            assert f"<dt>sẽ nhận</dt><dd>{reached}</dd>" in desk.writer().page(f"/notices/{campaign_id}"), form

    def test_by_feeder_and_to_all_who_linked(self, desk: NoticeDesk) -> None:
        desk.customers(3)
        desk.stage.service.on_feeder["473E6.4"] = {code(2)}
        for form, reached in (({"audience": "feeder", "feeder": "473E6.4"}, 1), ({"audience": "linked"}, 3)):
            page = desk.writer().page(f"/notices/{desk.write(places=[], **form)}")
            assert f"<dt>sẽ nhận</dt><dd>{reached}</dd>" in page

    def test_one_chat_with_two_accounts_counts_once(self, desk: NoticeDesk) -> None:
        contact = desk.customer(1)
        with desk.console.database.begin() as session:
            conversations.add_link(
                session, contact_id=contact, customer_code=code(2), method="otp", at=desk.console.now
            )
        desk.stage.service.living[PLACE].add(code(2))
        page = desk.writer().page(f"/notices/{desk.write()}")
        assert "<dt>khách hàng</dt><dd>2</dd>" in page
        assert "<dt>cuộc trò chuyện</dt><dd>1</dd>" in page

    def test_without_the_utility_it_says_that_it_cannot_count(self, desk: NoticeDesk) -> None:
        campaign_id = desk.write()
        desk.stage.service.failure = BackendDown("listCustomerCodes", "away")
        page = desk.writer().page(f"/notices/{campaign_id}")
        assert "không trả lời, nên chưa đếm được" in page
        assert "<dt>sẽ nhận</dt>" not in page

    def test_it_waits_for_so_long_and_no_longer(self, desk: NoticeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.customer(1)
        campaign_id = desk.write()
        monkeypatch.setattr("bot.console.desk.approving.COUNT_SECONDS", 0.0)
        assert "chưa đếm xong" in desk.writer().page(f"/notices/{campaign_id}")

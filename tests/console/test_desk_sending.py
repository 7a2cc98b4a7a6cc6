"""From an approved notice to who got it and who did not: followed, paused, gone on with, cancelled, tried again."""

import csv
import io
import re
from datetime import timedelta

import pytest
from fixtures.console import Browser, Console
from fixtures.desk import PLACE, NoticeDesk, code, open_desk
from sqlalchemy import update

from actions.backends.models import Outage, OutageKnown
from bot.channels.outcomes import BadRequest, OutcomeUnknown
from bot.messages import ChannelName
from bot.pipeline.assembly import DATA
from bot.store import conversations, preferences, retention
from bot.store.models import Delivery, ListedCode, Notice, NoticeStatus, Role
from bot.store.preferences import GENERAL
from notifier.rendering import load_templates

TEMPLATES = load_templates(DATA / "notice_templates.yml")


@pytest.fixture
def desk(console: Console) -> NoticeDesk:
    return open_desk(console)


def rows(page: str) -> list[list[str]]:
    """The texts of the table of recipients."""
    body = page.rsplit("<tbody>", 1)[1].split("</tbody>", maxsplit=1)[0]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in body.split("</tr>")[:-1]]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def act(browser: Browser, notice_id: int, step: str) -> str:
    return browser.post(f"/notices/sent/{notice_id}/{step}", follow_redirects=True).text


def test_an_approved_notice_goes_to_its_audience_and_the_ledger_tells_of_each(desk: NoticeDesk) -> None:
    _first, off, gone, fails, lost = desk.customers(5)
    desk.customer(6, channel=ChannelName.MESSENGER)
    with desk.console.database.begin() as session:
        given = {"wanted": False, "words": "t", "event_id": 1, "at": desk.console.now}
        preferences.choose(session, off, ["announcement"], GENERAL, **given)
        conversations.mark_unreachable(session, gone, desk.console.now)
    notice_id = desk.released()
    writer = desk.writer()
    assert "Chưa có người nhận" in writer.page(f"/notices/sent/{notice_id}")
    assert "chờ đến giờ" in writer.page(f"/notices/sent/{notice_id}/progress")
    texts = desk.send()
    assert len(texts) == 3
    assert all("đổi giờ làm việc" in each for each in texts)
    with desk.console.database.begin() as session:
        for contact, status, outcome in ((fails, "failed", "badrequest"), (lost, "unknown", "outcome_unknown")):
            session.execute(
                update(Delivery).where(Delivery.contact_id == contact).values(status=status, outcome=outcome)
            )
    page = writer.page(f"/notices/sent/{notice_id}")
    shown = sorted((row[0], row[1], row[2], row[3]) for row in rows(page))
    assert shown == [
        ("PA04•••001", "Zalo", "đã gửi", ""),
        ("PA04•••002", "Zalo", "không gửi", "khách đã tắt loại tin này"),
        ("PA04•••003", "Zalo", "không gửi", "người này đã chặn hoặc bỏ theo dõi"),
        ("PA04•••004", "Zalo", "gửi hỏng", "nền tảng từ chối nội dung"),
        ("PA04•••005", "Zalo", "không rõ đã tới chưa", "không rõ đã tới chưa, không gửi lại"),
        ("PA04•••006", "Messenger", "đã gửi", ""),
    ]
    assert code(1) not in page
    assert f'data-live="/console/notices/sent/{notice_id}/progress"' in page
    assert '<progress max="6" value="6">' in writer.page(f"/notices/sent/{notice_id}/progress")
    only = writer.page(f"/notices/sent/{notice_id}", query_string={"status": "skipped", "reason": "turned_off"})
    assert [row[0] for row in rows(only)] == ["PA04•••002"]
    assert "Không có ai" in writer.page(f"/notices/sent/{notice_id}", query_string={"status": "seen"})
    assert "2 đã gửi / 6" in writer.page("/notices")


def test_a_debt_reminder_tells_each_what_they_owe_now(desk: NoticeDesk) -> None:
    desk.customers(3)
    for number in (1, 2, 3):
        desk.owes(number, 300_000 * number)
    notice_id = desk.released("debt_reminder", audience="debt", places=[], owing_dong="500000")
    desk.owes(2, 700_000)
    desk.stage.plan()
    desk.stage.billing.bills[code(3)] = []
    (told,) = desk.send()
    assert f"{code(2)} còn 700.000 đ tiền điện của 1 hóa đơn" in told
    assert desk.fates(notice_id) == [("sent", "sent"), ("skipped", "not_true_any_more")]


def test_who_is_not_agreed_to_is_not_told_by_their_account(desk: NoticeDesk) -> None:
    desk.customer(1, agreed=False)
    notice_id = desk.released()
    assert desk.send() == []
    assert desk.fates(notice_id) == [("skipped", "no_consent")]


@pytest.mark.parametrize(
    "audience",
    [
        {"audience": "list", "codes": f"{code(2)}\n{code(3)}\n{code(77)}"},
        {"audience": "feeder", "feeder": "473E6.4"},
    ],
)
def test_other_audiences_reach_just_who_is_meant(desk: NoticeDesk, audience: dict[str, str]) -> None:
    desk.customers(4)
    desk.stage.service.on_feeder["473E6.4"] = {code(2), code(3)}
    notice_id = desk.released(**{"places": [], **audience})
    desk.send()
    assert len(desk.fates(notice_id)) == 2


def test_all_who_linked_and_a_danger_in_a_place(desk: NoticeDesk) -> None:
    desk.customers(3)
    desk.released(audience="linked", places=[])
    desk.released("hazard_warning", text="Nước lên cao.")
    texts = desk.send()
    assert len([text for text in texts if text.startswith("CẢNH BÁO NGUY HIỂM")]) == 3
    assert len(texts) == 6


def test_an_outage_is_told_to_who_was_not_told_of_it_yet(desk: NoticeDesk) -> None:
    desk.customer(1)
    service, at = desk.stage.service, desk.console.now
    cut = Outage(
        id="KH-1",
        version=1,
        kind="planned",
        state="planned",
        start=at + timedelta(days=3),
        expected_end=at + timedelta(days=3, hours=4),
        actual_end=None,
        area_text="Xã Bình Yên: xóm Bãi Đá",
        place_codes=(PLACE,),
        reason="Thay máy biến áp",
        feeder=None,
        published_at=at,
    )
    service.cuts, service.reached = [cut], {code(1), code(2)}
    desk.stage.takes(OutageKnown(id="o1", at=at, outage=cut))
    assert len(desk.send()) == 1
    assert "Xã Bình Yên: xóm Bãi Đá" in desk.writer().page("/notices/automatic")
    desk.customer(2)
    notice_id = desk.released("outage_planned", outage_id="KH-1", audience="outage", places=[])
    (text,) = desk.send()
    assert "Thay máy biến áp" in text
    assert desk.fates(notice_id) == [("skipped", "told_already"), ("sent", "sent")]
    late = desk.released("outage_planned", outage_id="KH-1", audience="outage", places=[])
    desk.customer(3)
    service.reached.add(code(3))
    service.cuts = [cut.model_copy(update={"version": 2})]
    assert desk.send() == []
    assert ("skipped", "not_true_any_more") in desk.fates(late)


class TestStopping:
    def test_paused_nothing_more_goes_and_resumed_each_goes_once(self, desk: NoticeDesk) -> None:
        desk.customers(5)
        notice_id = desk.released()
        writer, zalo = desk.writer(), desk.stage.zalo
        desk.stage.plan()
        zalo.script.append(lambda: act(writer, notice_id, "pause"))
        desk.send()
        sent = len(zalo.sent)
        assert desk.notice(notice_id).paused_because == "staff"
        desk.send()
        assert len(zalo.sent) == sent
        page = writer.page(f"/notices/sent/{notice_id}")
        assert "nhân viên tạm dừng" in page
        assert "Đang gửi tiếp" in act(writer, notice_id, "resume")
        desk.send()
        assert len(zalo.sent) == 5
        assert len({each.recipient for each in zalo.sent}) == 5
        assert [action for action, _ in desk.actions()][-2:] == ["notice.paused", "notice.resumed"]

    def test_cancelled_what_is_not_sent_never_is(self, desk: NoticeDesk) -> None:
        desk.customers(2)
        notice_id = desk.released(not_before=desk.local(hours=1))
        assert "Đã hủy" in act(desk.writer(), notice_id, "cancel")
        desk.console.later(hours=1)
        assert desk.send() == []
        other = desk.released()
        desk.stage.plan()
        act(desk.writer(), other, "pause")
        assert desk.send() == []
        act(desk.approver(), other, "cancel")
        assert desk.send() == []
        assert desk.fates(other) == [("cancelled", "cancelled")] * 2

    def test_what_is_over_cannot_be_stopped_or_gone_on_with(self, desk: NoticeDesk) -> None:
        desk.customer(1)
        notice_id = desk.released()
        desk.send()
        desk.stage.plan()
        assert desk.notice(notice_id).status == "done"
        page = desk.writer().page(f"/notices/sent/{notice_id}")
        assert [f"/{step}" in page for step in ("pause", "resume", "cancel", "retry")] == [False] * 4
        for step in ("pause", "resume", "cancel"):
            assert "sang tình trạng khác" in act(desk.writer(), notice_id, step)
        assert "Không có tin nào hỏng" in act(desk.writer(), notice_id, "retry")

    def test_only_what_failed_is_tried_again(self, desk: NoticeDesk) -> None:
        desk.customers(4)
        desk.stage.zalo.script.extend([BadRequest("-201", "x"), OutcomeUnknown("1", "x")])
        desk.stage.product.renderer._templates = {}
        try:
            notice_id = desk.released()
            assert len(desk.send()) == 2
            desk.stage.plan()
            before = [each.recipient for each in desk.stage.zalo.sent]
            writer = desk.writer()
            assert "Gửi lại 1 tin hỏng" in writer.page(f"/notices/sent/{notice_id}")
            with desk.console.database.begin() as session:
                session.execute(update(Delivery).where(Delivery.status == "failed").values(route=None))
            assert "Gửi lại 1 tin" in act(writer, notice_id, "retry")
            assert len(desk.send()) == 1
        finally:
            desk.stage.product.renderer._templates = TEMPLATES
        assert desk.stage.zalo.sent[-1].recipient not in before
        assert sorted(status for status, _ in desk.fates(notice_id)) == ["sent", "sent", "sent", "unknown"]
        assert desk.actions()[-1] == ("notice.retried", {"notice": notice_id, "count": 1})

    def test_it_is_not_tried_again_when_it_is_over(self, desk: NoticeDesk) -> None:
        desk.customer(1)
        notice_id = desk.released(valid_until=desk.local(hours=1))
        desk.send()
        with desk.console.database.begin() as session:
            session.execute(update(Delivery).values(status="failed"))
        desk.console.later(hours=1)
        assert "Hạn gửi đã qua" in act(desk.writer(), notice_id, "retry")
        assert desk.fates(notice_id)[0][0] == "failed"


class TestAutomatic:
    def test_what_paused_itself_can_be_gone_on_with(self, desk: NoticeDesk) -> None:
        with desk.console.database.begin() as session:
            notice = Notice(
                key="outage_planned:KH-1",
                kind="outage_planned",
                subject="outage:KH-1",
                version=10,
                audience={"outage_id": "KH-1", "place_codes": [PLACE]},
                facts={},
                status=NoticeStatus.PAUSED,
                paused_because="too_many_fail",
                not_before=desk.console.now,
                valid_until=desk.console.now + timedelta(days=1),
            )
            session.add(notice)
            session.add(Notice(**one_account(desk)))
        assert "1 thông báo tự động đang tạm dừng" in desk.writer().page("/notices")
        page = desk.approver().page("/notices/automatic")
        assert "tự dừng vì gửi hỏng quá nhiều" in page
        assert page.count("/notices/sent/") == 1
        assert "Đang gửi tiếp" in act(desk.approver(), notice.id, "resume")
        assert desk.notice(notice.id).status == "waiting"
        assert "Không có thông báo nào" in desk.approver().page("/notices/automatic?status=paused")

    def test_what_one_customer_is_told_is_not_for_the_desk(self, desk: NoticeDesk) -> None:
        with desk.console.database.begin() as session:
            notice = Notice(**one_account(desk))
            session.add(notice)
        for path in (f"/notices/sent/{notice.id}", f"/notices/sent/{notice.id}.csv"):
            assert desk.writer().get(path).status_code == 404
        assert desk.writer().post(f"/notices/sent/{notice.id}/cancel").status_code == 404


class TestPagesAndFiles:
    def test_pages_by_key_have_each_line_once(self, desk: NoticeDesk) -> None:
        desk.customers(53)
        notice_id = desk.released()
        desk.send()
        writer = desk.writer()
        page = writer.page(f"/notices/sent/{notice_id}")
        following = re.search(r'rel="next" href="/console([^"]+)"', page)
        assert following
        later = writer.page(following[1].replace("&amp;", "&"))
        assert len(rows(page)) == 50
        assert sorted(row[0] for row in [*rows(page), *rows(later)])[:1] == ["PA04•••001"]
        assert len({row[0] for row in [*rows(page), *rows(later)]}) == 53
        assert writer.get(f"/notices/sent/{notice_id}?before=x:y").status_code == 400

    def test_the_list_goes_on_by_key(self, desk: NoticeDesk) -> None:
        written = [desk.write() for _ in range(22)]
        writer = desk.writer()
        page = writer.page("/notices")
        following = re.search(r'rel="next" href="/console([^"]+)"', page)
        assert following
        later = writer.page(following[1])
        shown = [int(number) for each in (page, later) for number in re.findall(r'/notices/(\d+)"', each)]
        assert shown == written[::-1]
        assert "đang soạn" in writer.page("/notices?status=draft")
        assert "ở tình trạng này" in writer.page("/notices?status=submitted")

    def test_the_file_covers_codes_unless_a_reason_is_given(
        self, desk: NoticeDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.console.desk.export.ROWS_AT_ONCE", 2)
        desk.customers(5)
        notice_id = desk.released()
        desk.send()
        writer = desk.writer()
        answer = writer.get(f"/notices/sent/{notice_id}.csv")
        table = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert table[0][:3] == ["Mã khách hàng", "Kênh", "Tình trạng"]
        assert sorted(row[0] for row in table[1:]) == [f"PA04•••00{n}" for n in range(1, 6)]
        assert "attachment" in answer.headers["Content-Disposition"]
        path = f"/notices/sent/{notice_id}.csv"
        assert writer.post(path, {"reason": " "}).status_code == 302
        opened = writer.post(path, {"reason": "đối soát"})
        assert code(3) in opened.text
        assert desk.actions()[-2:] == [
            ("notice.exported", {"notice": notice_id, "masked": True}),
            ("notice.exported", {"notice": notice_id, "masked": False, "reason": "đối soát"}),
        ]

    def test_no_cell_of_the_file_is_a_formula(self, desk: NoticeDesk) -> None:
        desk.customer(1)
        notice_id = desk.released()
        desk.send()
        with desk.console.database.begin() as session:
            session.execute(update(Delivery).values(provider_code="=1+1"))
        assert "'=1+1" in desk.writer().get(f"/notices/sent/{notice_id}.csv").text

    def test_others_may_not(self, desk: NoticeDesk) -> None:
        notice_id = desk.released()
        for role in (Role.AGENT, Role.REVIEWER, Role.ADMIN):
            assert desk.console.signed_in(role).get(f"/notices/sent/{notice_id}.csv").status_code == 403

    def test_lists_are_forgotten_when_nothing_needs_them(self, desk: NoticeDesk) -> None:
        notice_id = desk.released(audience="list", places=[], codes=code(1))
        later = desk.console.now + timedelta(days=400)
        for status, left in (("running", 1), ("done", 0)):
            with desk.console.database.begin() as session:
                session.execute(update(Notice).where(Notice.id == notice_id).values(status=status))
                retention.forget_lists(session, later)
            with desk.console.database.begin() as session:
                assert session.query(ListedCode).count() == left


def one_account(desk: NoticeDesk) -> dict[str, object]:
    return {
        "key": "bill_issued:1",
        "kind": "bill_issued",
        "subject": "invoice:1",
        "version": 1,
        "customer_code": code(1),
        "facts": {},
        "not_before": desk.console.now,
        "valid_until": desk.console.now + timedelta(days=1),
    }

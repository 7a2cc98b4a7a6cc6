"""The conversation log: what is found, what is covered, what opening it leaves behind."""

import re
from datetime import timedelta

import pytest
from fixtures.console import Browser, Console
from fixtures.talk import Talk
from sqlalchemy import select

from bot.messages import ChannelName
from bot.store.models import Audit, HandoverReason, Note, Role


def talk(console: Console, **given: object) -> Talk:
    return Talk(console.database, console.now - timedelta(hours=1), **given)  # type: ignore[arg-type]


def shown(page: str) -> list[str]:
    """The lines of the list, as read."""
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", said)).strip()
        for said in re.findall(r'<span class="said">(.*?)</span>\n', page, re.DOTALL)
    ]


@pytest.fixture
def reader(console: Console) -> Browser:
    return console.signed_in(Role.REVIEWER)


class TestList:
    def test_is_empty_at_first_and_says_so(self, reader: Browser) -> None:
        assert "Chưa có hội thoại nào" in reader.page("/log")
        assert "Thử bỏ bớt điều kiện lọc" in reader.page("/log?owner=waiting")

    def test_shows_the_newest_first_with_their_last_line(self, console: Console, reader: Browser) -> None:
        first, second = talk(console), talk(console, name="Trần Văn Bình", code=None)
        first.asks("bao nhiêu tiền")
        second.now += timedelta(minutes=5)
        second.asks("mất điện rồi", "outage_report")
        assert shown(reader.page("/log")) == ["Khách: mất điện rồi", "Khách: bao nhiêu tiền"]

    def test_has_pages_by_key(self, console: Console, reader: Browser) -> None:
        for number in range(60):
            one = talk(console, name=None, code=None)
            one.now += timedelta(seconds=number)
            one.asks(f"câu số {number}")
        page = reader.page("/log")
        following = re.search(r'rel="next" href="/console([^"]+)"', page)
        assert following
        rest = reader.page(following[1].replace("&amp;", "&"))
        assert [len(shown(page)), len(shown(rest))] == [50, 10]
        assert not set(shown(page)) & set(shown(rest))

    @pytest.mark.parametrize(
        ("query", "count"), [("channel=messenger", 1), ("owner=waiting", 1), ("owner=bot", 2), ("channel=x&owner=y", 3)]
    )
    def test_is_filtered(self, console: Console, reader: Browser, query: str, count: int) -> None:
        for channel in (ChannelName.ZALO, ChannelName.ZALO, ChannelName.MESSENGER):
            one = talk(console, channel=channel)
            one.asks("xem hộ")
        one.waits()
        assert len(shown(reader.page(f"/log?{query}"))) == count


class TestSearch:
    @pytest.mark.parametrize(
        "words",
        ["tien dien", "Tiền Điện", "TIEN", '"thang truoc"', "PA04DH0000123", "tien -nuoc", "đường", "duong"],
    )
    def test_finds_words_whatever_their_marks(self, console: Console, reader: Browser, words: str) -> None:
        talk(console, code=None).asks("Tiền điện tháng trước của PA04DH0000123 ở Đường 26/3 ạ")
        assert len(shown(reader.page("/log", query_string={"q": words}))) == 1

    @pytest.mark.parametrize(
        "words", ["nuoc", '"truoc thang"', "tien -dien", "'; DROP TABLE message; --", "\\", "!!! & |"]
    )
    def test_does_not_find_what_is_not_there(self, console: Console, reader: Browser, words: str) -> None:
        talk(console, code=None).asks("Tiền điện tháng trước")
        assert shown(reader.page("/log", query_string={"q": words})) == []

    def test_marks_what_was_looked_for_and_nothing_else_becomes_a_tag(self, console: Console, reader: Browser) -> None:
        talk(console).asks("<b>tiền</b> & tiền nong")
        page = reader.page("/log?q=tien")
        assert "&lt;b&gt;<mark>tiền</mark>&lt;/b&gt; &amp; <mark>tiền</mark> nong" in page

    def test_a_code_leads_to_whoever_linked_it_even_if_they_never_wrote_it(
        self, console: Console, reader: Browser
    ) -> None:
        talk(console, code="PA04DH0000777").asks("xem hộ")
        page = reader.page("/log", query_string={"q": "pa04dh0000777"})
        assert "Đã liên kết mã này" in page

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("intent=outage_report", {"mất điện"}),
            ("unsure=1", {"ờ thì"}),
            ("fallback=1", {"asdf"}),
            ("sender=bot", {"Đã nhận"}),
            ("sender=customer&channel=zalo", {"mất điện", "ờ thì", "asdf"}),
            ("intent=outage_report&q=dien", {"mất điện"}),
            ("intent=outage_report&q=asdf", set()),
            ("intent=it's", set()),
            ("sender=customer&since=2026-11-25&until=2026-11-25", {"mất điện", "ờ thì", "asdf"}),
            ("sender=customer&since=2026-11-26", set()),
            ("sender=customer&until=2026-11-24", set()),
            ("sender=customer&since=no-day", {"mất điện", "ờ thì", "asdf"}),
        ],
    )
    def test_filters_lines(self, console: Console, reader: Browser, query: str, found: set[str]) -> None:
        one = talk(console)
        one.asks("mất điện", "outage_report")
        one.says("Đã nhận")
        one.asks("ờ thì", "inform", 0.31)
        one.asks("asdf", "out_of_scope", 0.9, handled_by="fallback")
        assert {said.split(": ", 1)[1] for said in shown(reader.page(f"/log?{query}"))} == found

    def test_words_that_were_forgotten_are_not_found(self, console: Console, reader: Browser) -> None:
        one = talk(console)
        one.asks("bí mật gia đình")
        with console.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE message SET text = '', understanding = NULL")
        assert shown(reader.page("/log?q=bi+mat")) == []


class TestThread:
    def test_shows_what_was_said_understood_done_and_sent(self, console: Console, reader: Browser) -> None:
        one = talk(console)
        one.asks(
            "mai cắt điện ko",
            "outage_schedule",
            0.88,
            entities=[{"entity": "date", "value": "2026-11-26"}],
            content={"calls": [{"operation": "listOutages", "ms": 31}]},
        )
        one.says("Ngày mai không có lịch.", status="failed", outcome="window_closed")
        page = reader.page(f"/log/{one.id}")
        for said in (
            "mai cắt điện ko",
            "Lịch cắt điện",
            "88%",
            "2026-11-26",
            "112 ms",
            "listOutages 31 ms",
            "quá thời hạn trả lời",
        ):
            assert said in page

    def test_personal_data_is_covered_until_it_is_opened_with_a_reason(self, console: Console, reader: Browser) -> None:
        one = talk(console)
        one.asks("mã PA04DH0000123, gọi 0912345678 cho chị Nguyễn Thị Hoa")
        secrets = ("PA04DH0000123", "0912345678", "Nguyễn Thị Hoa")
        for path in ("/log", "/log?q=goi", f"/log/{one.id}", f"/log/{one.id}/lines"):
            page = reader.page(path)
            assert [secret for secret in secrets if secret in page] == [], path
        assert "ít nhất vài chữ" in reader.post(f"/log/{one.id}/open", {"reason": "  x "}, follow_redirects=True).text
        reader.post(f"/log/{one.id}/open", {"reason": "Kiểm tra khiếu nại"})
        page = reader.page(f"/log/{one.id}")
        assert [secret for secret in secrets if secret not in page] == []
        other = console.signed_in(Role.REVIEWER, login="other").page(f"/log/{one.id}")
        assert "0912345678" not in other
        console.later(minutes=31)
        assert "0912345678" not in reader.page(f"/log/{one.id}")

    def test_every_opening_is_in_the_audit(self, console: Console, reader: Browser) -> None:
        one = talk(console)
        reader.post(f"/log/{one.id}/open", {"reason": "Kiểm tra khiếu nại"})
        with console.database.begin() as session:
            kept = session.scalars(select(Audit).where(Audit.action == "data.opened")).one()
        assert (kept.actor, kept.contact_id, kept.detail) == (
            "staff:1",
            one.contact_id,
            {"reason": "Kiểm tra khiếu nại"},
        )

    def test_long_ones_come_in_parts(self, console: Console, reader: Browser) -> None:
        one = talk(console)
        for number in range(70):
            one.asks(f"câu thứ {number}.")
        page = reader.page(f"/log/{one.id}")
        older = re.search(r'href="/console(/log/\d+\?before=\d+)"', page)
        assert older
        rest = reader.page(older[1])
        said = [set(re.findall(r"câu thứ (\d+)\.", part)) for part in (page, rest)]
        assert (len(said[0]), len(said[1]), said[0] & said[1]) == (60, 10, set())
        assert "Về tin mới nhất" in rest

    def test_what_was_erased_is_gone_and_an_unknown_one_is_not_there(self, console: Console, reader: Browser) -> None:
        one = talk(console)
        with console.database.begin() as session:
            session.add(Note(conversation_id=one.id, staff_id=1, text="ghi", at=console.now))
        assert "ghi" in reader.page(f"/log/{one.id}")
        for number in ("999", "9" * 30):
            assert reader.get(f"/log/{number}").status_code == 404

    def test_tells_why_a_person_is_needed(self, console: Console, reader: Browser) -> None:
        one = talk(console)
        one.asks("dây đứt", "hazard_report")
        one.waits(HandoverReason.DANGER)
        assert "nguy hiểm" in reader.page(f"/log/{one.id}")

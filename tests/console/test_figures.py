"""The page of figures: what it shows is what was counted; charts, CSV, filters, and nothing where there is nothing."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest
import yaml
from fixtures.console import Console
from sqlalchemy import event

from bot.console import graphs, numbers, report
from bot.console.report import Month
from bot.console.tables import guarded
from bot.pipeline.assembly import DATA
from bot.store.figures import CLASSES_MS, LONGER, Name
from bot.store.models import Figure, FigureArea, FigureDay, Lane, Role, UnansweredWording

WORDS = yaml.safe_load((DATA / "console" / "figures.yml").read_text("utf-8"))
CHARTS = list(WORDS["charts"])
TODAY = date(2026, 11, 25)


def count(console: Console, *rows: tuple[object, ...]) -> None:
    """`rows`: name, day, area, channel, bucket, part, whole."""
    names = ("name", "day", "area", "channel", "bucket", "part", "whole")
    with console.database.begin() as session:
        session.add_all(Figure(**dict(zip(names, row, strict=True))) for row in rows)
        for day in {row[1] for row in rows}:
            session.add(FigureDay(day=day, counted_at=console.now, final=day != TODAY))


def a_month(console: Console) -> None:
    before = date(2026, 10, 31)
    count(
        console,
        (Name.LINKED, before, "PA04DH", "", "", 100, None),
        (Name.LINKED, TODAY - timedelta(days=1), "PA04DH", "", "", 130, None),
        (Name.LINKED, TODAY, "PA04DH", "", "", 1234, None),
        (Name.LINKED, TODAY, "PA26BK", "", "", 6, None),
        (Name.LINKED, TODAY, "PA26BK", "zalo", "", 5, None),
        (Name.SERVED, before, "PA04DH", "zalo", "", 1, 2),
        (Name.SERVED, TODAY, "PA04DH", "zalo", "", 7, 8),
        (Name.SERVED, TODAY, "", "messenger", "", 0, 2),
        (Name.UNDERSTOOD, TODAY, "PA04DH", "zalo", "", 19, 20),
        (Name.UNANSWERED, TODAY, "PA04DH", "zalo", "tariff_ask", 3, None),
        (Name.FAILED, TODAY, "PA04DH", "zalo", "tariff_ask", 2, None),
        (Name.REPLY_TIME, TODAY, "PA04DH", "zalo", "400", 10, None),
        (Name.REPLY_TIME, TODAY, "PA04DH", "zalo", LONGER, 10, None),
        (Name.IN_TIME, TODAY, "PA04DH", "zalo", "urgent", 9, 10),
        (Name.IN_TIME, TODAY, "PA04DH", "zalo", "reply", 10, 20),
    )
    with console.database.begin() as session:
        session.add(FigureArea(code="PA04DH", name="Đội khu vực Định Hóa"))
        for day in (TODAY, TODAY - timedelta(days=1)):
            session.add(UnansweredWording(day=day, area="PA04DH", channel="zalo", folded="a", shown="=cmd<b>", times=1))
        session.add(UnansweredWording(day=TODAY, area="", channel="zalo", folded="b", shown="một lần thôi", times=1))


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class TestThePage:
    def test_tells_that_nothing_is_counted_yet(self, console: Console) -> None:
        page = console.signed_in(Role.ADMIN).page("/figures")
        assert "Chưa có số liệu của tháng này" in page
        assert "<img src" not in page.split("<main")[1]

    def test_shows_the_month_and_the_change_against_the_one_before(self, console: Console) -> None:
        a_month(console)
        shown = text(console.signed_in(Role.SUPERVISOR).page("/figures"))
        assert "Khách đã liên kết 1.240 ▲ 1.140 so với tháng trước" in shown
        assert "Trả lời không cần người 70,0 % ▲ 20,0 điểm so với tháng trước 7 trên 10 lượt khách" in shown
        assert "Hiểu được 95,0 % chưa có tháng trước để so" in shown
        assert "Một nửa khách chờ dưới 0,4 giây" in shown
        assert "95 % khách chờ dưới 5 phút" in shown
        assert "Thông báo khẩn trong 10 giây 90,0 %" in shown
        assert "Giá điện 3 2" in shown
        assert "=cmd&lt;b&gt; 2" in shown
        assert "một lần thôi" not in shown
        assert "Đội khu vực Định Hóa 1.234 8 87,5 % 95,0 %" in shown
        assert "PA26BK 6 0 – –" in shown
        assert "Chưa liên kết – 2 0,0 % –" in shown
        assert "không ước đoán" in shown

    @pytest.mark.parametrize(
        ("asked", "linked", "served"),
        [
            ({"area": "PA26BK"}, "6", "–"),
            ({"area": "PA26BK", "channel": "zalo"}, "5", "–"),
            ({"channel": "zalo"}, "5", "87,5 %"),
            ({"month": "2026-10"}, "100", "50,0 %"),
            ({"month": "rubbish", "channel": "fax"}, "1.240", "70,0 %"),
            ({"area": "-"}, "0", "0,0 %"),
        ],
    )
    def test_of_what_is_asked_for(self, console: Console, asked: dict[str, str], linked: str, served: str) -> None:
        a_month(console)
        shown = text(console.signed_in(Role.ADMIN).page("/figures", query_string=asked))
        assert f"Khách đã liên kết {linked} " in shown
        assert f"Trả lời không cần người {served} " in shown

    def test_a_month_without_anything_is_told_too(self, console: Console) -> None:
        a_month(console)
        page = console.signed_in(Role.ADMIN).page("/figures", query_string={"month": "2026-08"})
        assert "Chưa có số liệu của tháng này" in page
        assert '<option value="2026-08" selected>' in page

    def test_reads_nothing_but_what_was_counted(self, console: Console) -> None:
        a_month(console)
        browser = console.signed_in(Role.ADMIN)
        asked: list[str] = []
        listening = (console.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        event.listen(*listening)
        for path in ("", "/month.csv", *(f"/{name}.svg" for name in CHARTS)):
            browser.get(f"/figures{path}")
        event.remove(*listening)
        tables = {name for statement in asked for name in re.findall(r"(?:FROM|JOIN) (\w+)", statement)}
        assert tables - {"staff", "staff_session"} == {"figure", "figure_day", "figure_area", "unanswered_wording"}


class TestCharts:
    @pytest.mark.parametrize("name", CHARTS)
    def test_are_pictures_with_their_own_rules(self, console: Console, name: str) -> None:
        a_month(console)
        answer = console.signed_in(Role.ADMIN).get(f"/figures/{name}.svg")
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert ET.fromstring(answer.text).tag.endswith("svg")
        assert "<script" not in answer.text

    @pytest.mark.parametrize("name", CHARTS)
    def test_of_nothing_say_so_and_do_not_fail(self, console: Console, name: str) -> None:
        answer = console.signed_in(Role.ADMIN).get(f"/figures/{name}.svg")
        assert answer.status_code == 200
        assert ET.fromstring(answer.text).tag.endswith("svg")

    def test_there_is_no_other(self, console: Console) -> None:
        assert console.signed_in(Role.ADMIN).get("/figures/evil.svg").status_code == 404

    def test_each_has_words_for_who_cannot_see_it(self, console: Console) -> None:
        a_month(console)
        page = console.signed_in(Role.ADMIN).page("/figures")
        pictures = re.findall(r'<img src="/console/figures/(\w+)\.svg[^>]*alt="([^"]+)"', page)
        assert {name for name, alt in pictures if len(alt) > 20} == set(CHARTS)
        assert page.count('<table class="list plain">') == len(CHARTS) - 1

    def test_long_names_of_units_lose_what_they_share(self) -> None:
        shared = ["Đội khu vực Định Hóa", "Đội khu vực Đại Từ", "PA26BK"]
        assert graphs._without_common_beginning(shared) == ["Định Hóa", "Đại Từ", "PA26BK"]
        assert graphs._without_common_beginning(["Đội khu vực Định Hóa"]) == ["Đội khu vực Định Hóa"]
        assert graphs._without_common_beginning(["Đội A khu X", "Đội B khu X"]) == ["A khu X", "B khu X"]
        assert graphs._without_common_beginning([]) == []


class TestCsv:
    def test_holds_the_month_row_by_row(self, console: Console) -> None:
        a_month(console)
        answer = console.signed_in(Role.SUPERVISOR).get("/figures/month.csv")
        assert answer.headers["Content-Disposition"] == "attachment; filename=so-lieu-2026-11.csv"
        header, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";")
        assert header == WORDS["csv"]
        here = ["Đội khu vực Định Hóa", "PA04DH"]
        assert rows[0] == ["2026-11", "Khách đã liên kết", "linked", *here, "", "", "1234", "", ""]
        assert ["2026-11", "Gửi trong 10 giây", "in_time", *here, "zalo", "urgent", "9", "10", "90,0"] in rows
        assert len(rows) == 2 + 3 + 2 + 2 + 2

    def test_is_a_header_alone_where_there_is_nothing(self, console: Console) -> None:
        answer = console.signed_in(Role.SUPERVISOR).get("/figures/month.csv?month=2020-01")
        assert len(answer.data.decode("utf-8-sig").splitlines()) == 1

    @pytest.mark.parametrize("cell", ["=1+1", "+84", "-1", "@SUM", "\tx", "\rx"])
    def test_no_text_is_a_formula(self, cell: str) -> None:
        assert guarded(cell) == f"'{cell}"

    def test_numbers_stay_numbers(self) -> None:
        assert [guarded(cell) for cell in (-1, 0, None, "a-b", "")] == [-1, 0, None, "a-b", ""]


class TestReckoning:
    def times(self, **counts: int) -> dict[str, int]:
        return {**dict.fromkeys([*map(str, CLASSES_MS), LONGER], 0), **{key.strip("_"): n for key, n in counts.items()}}

    def test_quantiles_are_even_within_a_class(self) -> None:
        assert report._quantile(self.times(_1000=10), 0.5) == pytest.approx(0.9)
        assert report._quantile(self.times(_200=5, _2000=5), 0.95) == pytest.approx(1.95)
        assert report._quantile(self.times(longer=1), 0.5) == 300
        assert report._quantile(self.times(), 0.5) is None

    def test_months_go_over_the_year(self) -> None:
        assert Month(2026, 1).back(1) == Month(2025, 12)
        assert (Month(2025, 12).first, Month(2025, 12).last) == (date(2025, 12, 1), date(2025, 12, 31))
        assert str(Month(2026, 3)) == "2026-03"
        assert [Month.read(written) for written in ("2026-02", "2026-13", "x", "")] == [
            Month(2026, 2),
            None,
            None,
            None,
        ]

    def test_numbers_are_written_as_in_vietnam(self) -> None:
        assert (numbers.count(1234567), numbers.tenth(1234.56)) == ("1.234.567", "1.234,6")
        assert numbers.percent(0.875) == "87,5 %"
        assert [numbers.lasting(seconds, WORDS) for seconds in (0.2, 5, 60, 90, 300)] == [
            "0,2 giây",
            "5 giây",
            "1 phút",
            "90 giây",
            "5 phút",
        ]


def test_every_figure_lane_and_intent_has_its_words() -> None:
    assert set(Name) == WORDS["names"].keys()
    assert set(Lane) == WORDS["lanes"].keys()
    domain = yaml.safe_load((DATA.parent / "nlu" / "domain.yml").read_text("utf-8"))
    titles = yaml.safe_load((DATA / "replies" / "intents.yml").read_text("utf-8"))
    named = {key.removeprefix("intent.") for key in titles}
    assert set(domain["intents"]) - named <= WORDS["intents"].keys()

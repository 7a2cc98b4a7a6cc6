"""Sheets of slips for a hamlet: the list is read line by line, the document holds what was made, and can be revoked."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
import segno
import yaml
from fixtures.console import Browser, Console
from fixtures.pdf_reading import Pdf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from bot.console.customer_lists import MOST, BadLine, Entry, Problem, read_list
from bot.console.sheets import QR_PIXELS
from bot.store.conversations import load
from bot.store.limits import Rate
from bot.store.link_codes import LinkCodes, NoSuchCode, find_code, grouped
from bot.store.models import Audit, LinkCode, LinkSheet, Role

LIST = "PA04DH0000101; Nhà ông Tư, cuối xóm\n\npa04 dh 0000102\tTrường tiểu học\r\nPA26BK0000103\n"
WORDS = yaml.safe_load((Path(__file__).parents[2] / "data" / "console" / "messages.yml").read_text("utf-8"))


def is_ours(code: str) -> bool:
    return code.startswith(("PA04", "PA26")) and len(code) == 13


def make(browser: Browser, codes: str = LIST, place: str = "Xóm Bản Piềng") -> TestResponse:
    return browser.post("/codes/sheets", {"place": place, "codes": codes})


def made(console: Console) -> int:
    with console.database.begin() as session:
        return session.scalar(select(func.count()).select_from(LinkCode)) or 0


class TestReadingAList:
    def test_a_code_a_line_with_a_note_maybe(self) -> None:
        entries, bad = read_list(LIST, is_ours)
        assert bad == []
        assert entries == [
            Entry("PA04DH0000101", "Nhà ông Tư, cuối xóm"),
            Entry("PA04DH0000102", "Trường tiểu học"),
            Entry("PA26BK0000103", ""),
        ]

    def test_bad_lines_are_named_by_number(self) -> None:
        written = f"PA04DH0000101\n\nxóm trên\nPA01GT0000001\npa04dh0000101\nPA04DH0000102;{'a' * 41}"
        _, bad = read_list(written, is_ours)
        assert bad == [
            BadLine(3, Problem.NOT_OURS),
            BadLine(4, Problem.NOT_OURS),
            BadLine(5, Problem.TWICE),
            BadLine(6, Problem.LONG_NOTE),
        ]

    def test_nothing_and_too_much_are_told(self) -> None:
        assert read_list(" \n", is_ours) == ([], [BadLine(0, Problem.EMPTY)])
        many = "\n".join(f"PA04DH{number:07}" for number in range(MOST + 1))
        assert read_list(many, is_ours)[1] == [BadLine(0, Problem.TOO_MANY)]
        assert read_list(many.removesuffix("\nPA04DH0000500"), is_ours)[1] == []

    @given(st.text(max_size=200))
    def test_any_text_can_be_read(self, text: str) -> None:
        entries, bad = read_list(text, is_ours)
        assert entries or bad

    def test_every_problem_has_its_words(self) -> None:
        assert set(Problem) <= WORDS.keys()


class TestTheDocument:
    def test_has_a_slip_for_each_with_a_code_that_links(self, console: Console) -> None:
        answer = make(console.signed_in(Role.AGENT))
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        assert answer.headers["Content-Disposition"] == "attachment; filename=phieu-lien-ket-20261125-1000.pdf"
        document = Pdf(answer.data)
        (page,) = document.pages
        assert page.count("Công ty Điện lực Thái Nguyên") == 3
        assert page.count("Không đưa mã này cho người khác.") == 3
        assert "Mã khách hàng: PA04DH0000102" in page
        assert "Nhà ông Tư, cuối xóm · Xóm Bản Piềng" in page
        assert page.count("Dùng một lần, đến 10:00 09/12/2026.") == 3
        codes = [code for line in page.splitlines() if (code := find_code(line))]
        assert len(set(codes)) == 3
        store = LinkCodes(console.settings.secret_key.get_secret_value())
        with console.database.begin() as session:
            seals = session.scalars(select(LinkCode.code_hash).order_by(LinkCode.id)).all()
        assert [store.seal(code) for code in codes] == seals

    def test_its_pictures_lead_to_the_company_s_pages_with_the_code(self, console: Console) -> None:
        document = Pdf(make(console.signed_in(Role.AGENT)).data)
        codes = [code for line in document.pages[0].splitlines() if (code := find_code(line))]
        zalo = f"https://zalo.me/{console.settings.zalo.oa_id}" if console.settings.zalo else ""
        wanted = [f"https://m.me/1?ref={code}" for code in codes]
        shown = [modules(picture) for picture in document.pictures]
        assert sorted(shown) == sorted(qr(address) for address in [*wanted, zalo])

    def test_goes_on_over_pages(self, console: Console) -> None:
        codes = "\n".join(f"PA04DH{number:07}" for number in range(17))
        pages = Pdf(make(console.signed_in(Role.AGENT), codes).data).pages
        assert [page.count("Mã khách hàng") for page in pages] == [8, 8, 1]

    def test_what_the_letters_lack_does_not_stop_it(self, console: Console) -> None:
        answer = make(console.signed_in(Role.AGENT), "PA04DH0000101; nhà 🏠 家", place="Xóm ☀")
        assert (answer.status_code, len(Pdf(answer.data).pages)) == (200, 1)

    def test_a_file_does_as_well(self, console: Console) -> None:
        browser = console.signed_in(Role.AGENT)
        for content, status in (("\ufeff" + LIST, 200), (LIST.encode("utf-16"), 422), ("A" * 200_001, 422)):
            upload = io.BytesIO(content if isinstance(content, bytes) else content.encode())
            form = {"place": "Xóm Bản Piềng", "codes": "", "file": (upload, "xom.csv")}
            assert browser.post("/codes/sheets", form).status_code == status
        assert made(console) == 3


class TestWhatIsWrong:
    def test_is_told_by_line_and_nothing_is_made(self, console: Console) -> None:
        answer = make(console.signed_in(Role.AGENT), "PA04DH0000101\nPA01GT0000001\n<b>x")
        assert answer.status_code == 422
        assert "Dòng 2: không phải mã khách hàng của công ty" in answer.text
        assert "&lt;b&gt;x" in answer.text
        assert made(console) == 0

    @pytest.mark.parametrize("place", ["", "   ", "x" * 61])
    def test_a_hamlet_must_be_named(self, console: Console, place: str) -> None:
        answer = make(console.signed_in(Role.AGENT), place=place)
        assert (answer.status_code, "Cần tên xóm" in answer.text) == (422, True)
        assert made(console) == 0


class TestSheets:
    def test_are_listed_with_the_share_that_linked(self, console: Console) -> None:
        browser = console.signed_in(Role.AGENT)
        assert "Chưa in tờ nào" in browser.page("/codes/sheets")
        document = Pdf(make(browser).data)
        code = next(code for line in document.pages[0].splitlines() if (code := find_code(line)))
        link(console, code)
        page = browser.page("/codes/sheets")
        assert "Xóm Bản Piềng" in page
        assert "33 %" in page
        assert grouped(code) not in page
        listed = browser.page("/codes", query_string={"sheet": 1})
        assert listed.count("<tr>") == 1 + 3
        assert "1/3 đã liên kết" in listed
        assert "Không có mã nào" in browser.page("/codes", query_string={"sheet": 1, "state": "expired"})

    def test_a_lost_one_is_taken_back_at_once(self, console: Console) -> None:
        browser = console.signed_in(Role.AGENT)
        codes = [code for line in Pdf(make(browser).data).pages[0].splitlines() if (code := find_code(line))]
        link(console, codes[0])
        browser.post("/codes", {"customer_code": "PA04DH0000104"})
        answer = browser.post("/codes/sheets/1/revoke", follow_redirects=True)
        assert "Đã thu hồi 2 mã chưa dùng." in answer.text
        with pytest.raises(NoSuchCode):
            link(console, codes[1], user="2")
        with console.database.begin() as session:
            revoked = session.scalars(select(LinkCode.id).where(LinkCode.revoked_at.is_not(None))).all()
            audited = session.scalars(select(Audit).where(Audit.action == "link_code.revoked")).all()
        assert sorted(revoked) == [2, 3]
        assert [(row.actor, row.detail) for row in audited] == [
            ("staff:1", {"link_code": 2}),
            ("staff:1", {"link_code": 3}),
        ]

    def test_one_that_never_was_is_not_found(self, console: Console) -> None:
        assert console.signed_in(Role.AGENT).post("/codes/sheets/9/revoke").status_code == 404

    def test_what_tells_the_house_is_not_kept(self, console: Console) -> None:
        make(console.signed_in(Role.AGENT))
        with console.database.begin() as session:
            kept = [vars(row) for row in (*session.scalars(select(LinkCode)), *session.scalars(select(LinkSheet)))]
        assert "ông Tư" not in str(kept)


def link(console: Console, code: str, *, user: str = "1") -> None:
    store = LinkCodes(console.settings.secret_key.get_secret_value())
    with console.database.begin() as session:
        contact_id = load(session, "messenger", user).contact.id
    limit = Rate(5, timedelta(days=1))
    store.redeem(
        console.database, seal=store.seal(code), contact_id=contact_id, event_id=1, now=console.now, limit=limit
    )


def modules(picture: Image.Image) -> tuple[tuple[bool, ...], ...]:
    side = picture.size[0] // QR_PIXELS
    middle = QR_PIXELS // 2
    return tuple(
        tuple(picture.getpixel((x * QR_PIXELS + middle, y * QR_PIXELS + middle)) == 0 for x in range(side))
        for y in range(side)
    )


def qr(address: str) -> tuple[tuple[bool, ...], ...]:
    return tuple(tuple(map(bool, row)) for row in segno.make_qr(address, error="m").matrix)

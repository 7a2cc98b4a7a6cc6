"""Link codes at the counter: handed out once, found again, taken back; and who linked with them (F27)."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from fixtures.console import Console
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.store.conversations import load
from bot.store.limits import Rate
from bot.store.link_codes import LinkCodes, NoSuchCode, find_code
from bot.store.models import Audit, Contact, Link, LinkCode, Role

CODE = "PA04DH0000123"
LIMIT = Rate(5, timedelta(days=1))


def issue(console: Console, written: str = CODE) -> tuple[str, str]:
    """The page that shows a new code, and the code."""
    answer = console.signed_in(Role.AGENT).post("/codes", {"customer_code": written})
    assert answer.status_code == 200
    shown = re.search(r'<code class="big">([^<]+)</code>', answer.text)
    assert shown
    code = find_code(shown[1])
    assert code
    return answer.text, code


def redeem(console: Console, code: str, *, user: str = "1", name: str | None = None) -> Link:
    store = LinkCodes(console.settings.secret_key.get_secret_value())
    with console.database.begin() as session:
        contact_id = load(session, "zalo", user).contact.id
        session.get_one(Contact, contact_id).display_name = name
    return store.redeem(
        console.database, seal=store.seal(code), contact_id=contact_id, event_id=1, now=console.now, limit=LIMIT
    )


def actions(console: Console) -> list[tuple[str, str]]:
    with console.database.begin() as session:
        rows = session.execute(select(Audit.actor, Audit.action).order_by(Audit.id)).all()
    return [(actor, action) for actor, action in rows if action.startswith("link_code")]


class TestHandingOut:
    def test_the_code_links_whoever_gets_it(self, console: Console) -> None:
        page, code = issue(console, " pa04 dh.0000123 ")
        assert CODE in page
        assert "10:00 09/12/2026" in page
        assert redeem(console, code).customer_code == CODE
        assert actions(console) == [("staff:1", "link_code.issued"), ("contact:1", "link_code.used")]

    def test_it_is_shown_once_and_stands_in_no_address_and_no_log(self, console: Console) -> None:
        with capture_logs() as logs:
            page, code = issue(console)
        assert code not in str(logs)
        assert not [address for address in re.findall(r'(?:href|src)="([^"]+)"', page) if code in unquote(address)]
        assert page.count('src="data:image/svg+xml') == 2
        grouped = f"{code[:4]} {code[4:]}"
        browser = console.signed_in(Role.AGENT)
        assert grouped not in browser.page("/codes")
        with console.database.begin() as session:
            kept = session.scalars(select(LinkCode)).one()
        assert code not in str(vars(kept))

    @pytest.mark.parametrize("written", ["", "PA01GT0000001", "PA04DH000012", "KMT7 3VQXH"])
    def test_only_for_a_customer_of_ours(self, console: Console, written: str) -> None:
        answer = console.signed_in(Role.SUPERVISOR).post("/codes", {"customer_code": written})
        assert (answer.status_code, "không phải mã khách hàng" in answer.text) == (422, True)
        assert actions(console) == []

    def test_nobody_caches_it(self, console: Console) -> None:
        answer = console.signed_in(Role.AGENT).post("/codes", {"customer_code": CODE})
        assert answer.headers["Cache-Control"] == "private, no-store"


class TestList:
    def test_is_empty_at_first(self, console: Console) -> None:
        assert "Chưa cấp mã nào" in console.signed_in(Role.AGENT).page("/codes")

    def test_tells_what_became_of_each_and_who_linked(self, console: Console) -> None:
        codes = [issue(console, f"PA04DH000012{number}")[1] for number in range(4)]
        redeem(console, codes[0], name="Nguyễn Thị Hoa")
        browser = console.signed_in(Role.AGENT)
        browser.post("/codes/2/revoke")
        console.later(days=15)
        issue(console, "PA04DH0000129")
        browser = console.signed_in(Role.AGENT)
        for state, count in (("used", 1), ("revoked", 1), ("expired", 2), ("waiting", 1), ("", 5), ("nonsense", 5)):
            assert browser.page("/codes", query_string={"state": state}).count("<tr>") == 1 + count, state
        used = browser.page("/codes", query_string={"state": "used"})
        assert "N. T. H." in used
        assert "Zalo" in used
        assert "Hoa" not in used
        assert "PA04•••120" in used
        assert "PA04DH0000120" not in used

    def test_a_customer_s_codes_are_asked_for_in_a_form(self, console: Console) -> None:
        issue(console)
        issue(console, "PA04DH0000999")
        browser = console.signed_in(Role.AGENT)
        found = browser.post("/codes/of-customer", {"customer_code": "pa04 dh 0000123"})
        assert found.text.count("<tr>") == 1 + 1
        assert "Chưa cấp mã nào cho khách này" in browser.post("/codes/of-customer", {"customer_code": "x"}).text

    def test_by_who_handed_out(self, console: Console) -> None:
        issue(console)
        browser = console.signed_in(Role.SUPERVISOR)
        assert browser.page("/codes", query_string={"by": "staff:1"}).count("<tr>") == 2
        assert "Không có mã nào" in browser.page("/codes", query_string={"by": "staff:2"})

    def test_page_by_page(self, console: Console) -> None:
        store = LinkCodes(console.settings.secret_key.get_secret_value())
        with console.database.begin() as session:
            for _ in range(60):
                store.issue(session, customer_code=CODE, issued_by="x", now=console.now, lifetime=LIMIT.window)
        browser = console.signed_in(Role.AGENT)
        page = browser.page("/codes", query_string={"by": "x"})
        assert page.count("<tr>") == 1 + 50
        following = re.search(r'rel="next" href="/console([^"]+)"', page)
        assert following
        assert browser.page(following[1].replace("&amp;", "&")).count("<tr>") == 1 + 10


class TestRevoking:
    def test_a_code_that_is_taken_back_links_nobody(self, console: Console) -> None:
        _, code = issue(console)
        answer = console.signed_in(Role.SUPERVISOR).post("/codes/1/revoke", follow_redirects=True)
        assert "Đã thu hồi" in answer.text
        with pytest.raises(NoSuchCode):
            redeem(console, code)
        assert actions(console)[-1] == ("staff:2", "link_code.revoked")

    def test_one_that_was_used_stays_used(self, console: Console) -> None:
        _, code = issue(console)
        redeem(console, code)
        answer = console.signed_in(Role.AGENT).post("/codes/1/revoke", follow_redirects=True)
        assert "đã dùng, hết hạn hoặc đã thu hồi" in answer.text
        assert ("staff:1", "link_code.revoked") not in actions(console)

    def test_one_that_never_was_is_no_trouble(self, console: Console) -> None:
        assert console.signed_in(Role.AGENT).post("/codes/99/revoke").status_code == 302


def test_whoever_erased_their_data_is_not_named(console: Console) -> None:
    _, code = issue(console)
    redeem(console, code, name="Nguyễn Thị Hoa")
    with console.database.begin() as session:
        session.scalars(select(LinkCode)).one().used_by_contact_id = None
    assert "đã xóa dữ liệu" in console.signed_in(Role.AGENT).page("/codes")

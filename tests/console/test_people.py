"""Who works with the console: added, changed, locked; and what the audit tells of it."""

import re

from fixtures.console import Console

from bot.store.models import Role


def new_password(page: str) -> str:
    found = re.search(r'<code class="big">([^<]+)</code>', page)
    assert found
    return found[1]


def test_somebody_new_comes_in_with_the_password_that_is_shown_once(console: Console) -> None:
    admin = console.signed_in(Role.ADMIN)
    form = {"login": "Lan.NT", "name": "Nguyễn Thị Lan", "roles": ["agent", "reviewer"]}
    password = new_password(admin.post("/people", form).text)
    assert "Nguyễn Thị Lan" in admin.page("/people")
    assert password not in admin.page("/people")
    browser = console.browser()
    assert browser.post("/sign-in", {"login": "lan.nt", "password": password}).status_code == 302
    assert browser.get("/").location == "/console/me/password"


def test_what_is_wrong_with_a_form_is_said_and_what_was_typed_stays(console: Console) -> None:
    admin = console.signed_in(Role.ADMIN)
    for change, said in (
        ({"login": "x"}, "3 đến 40"),
        ({"name": "  "}, "họ tên"),
        ({"roles": []}, "vai trò"),
        ({"login": "admin"}, "đã có người"),
    ):
        answer = admin.post("/people", {"login": "lan", "name": "Lan", "roles": ["agent"], **change})
        assert (answer.status_code, said in answer.text) == (422, True), change
    assert 'value="Lan"' in answer.text


def test_roles_hold_at_once(console: Console) -> None:
    admin, other = console.signed_in(Role.ADMIN), console.signed_in(Role.SUPERVISOR, login="other")
    other.page("/audit")
    admin.post("/people/2/roles", {"roles": ["agent"]})
    assert other.get("/audit").status_code == 302
    assert console.signed_in(login="other").get("/audit").status_code == 403


def test_the_last_admin_stays(console: Console) -> None:
    admin = console.signed_in(Role.ADMIN)
    for path, form in (("roles", {"roles": ["agent"]}), ("disabled", {"off": "yes"})):
        assert "duy nhất" in admin.post(f"/people/1/{path}", form, follow_redirects=True).text
    admin.page("/people")


def test_whoever_is_locked_is_out_and_can_come_back(console: Console) -> None:
    admin, other = console.signed_in(Role.ADMIN), console.signed_in(Role.AGENT, login="other")
    admin.post("/people/2/disabled", {"off": "yes"})
    assert other.get("/me").status_code == 302
    admin.post("/people/2/disabled", {"off": "no"})
    console.signed_in(login="other").page("/me")


def test_a_reset_gives_a_new_password_and_ends_sessions(console: Console) -> None:
    admin, other = console.signed_in(Role.ADMIN), console.signed_in(Role.AGENT, login="other")
    password = new_password(admin.post("/people/2/password").text)
    assert other.get("/me").status_code == 302
    assert console.browser().post("/sign-in", {"login": "other", "password": password}).status_code == 302


def test_all_of_it_is_in_the_audit_page_by_page(console: Console) -> None:
    admin = console.signed_in(Role.ADMIN)
    console.add(Role.AGENT, login="other")
    for number in range(60):
        admin.post("/people/2/roles", {"roles": ["agent"] if number % 2 else ["reviewer"]})
    page = admin.page("/audit", query_string={"action": "staff.roles_set"})
    assert page.count("<tr>") == 1 + 50
    following = re.search(r'rel="next" href="/console([^"]+)"', page)
    assert following
    assert admin.page(following[1].replace("&amp;", "&")).count("<tr>") == 1 + 10
    assert "Không có dòng nào" in admin.page("/audit", query_string={"by": "staff:99"})

"""Signing in: passwords, second factors, lock-out, sessions."""

import re

import pytest
from fixtures.console import PASSWORD, Console, code_of
from sqlalchemy import select

from bot.app import create_app
from bot.settings import load_settings
from bot.store.models import Audit, Role, Staff, StaffSession

ADMIN = (Role.ADMIN,)
NEW = "qua-doi-nuong-che-som-mai"


def actions(console: Console) -> list[str]:
    with console.database.begin() as session:
        return list(session.scalars(select(Audit.action).order_by(Audit.id)))


class TestPasswords:
    def test_the_right_one_opens_the_console_and_is_written_down(self, console: Console) -> None:
        browser = console.signed_in(*ADMIN)
        assert "Nhân viên" in browser.page("/people")
        assert actions(console) == ["staff.added", "staff.signed_in"]

    @pytest.mark.parametrize("login", ["admin", "nobody"])
    def test_a_wrong_one_tells_nothing_of_who_exists(self, console: Console, login: str) -> None:
        console.add(*ADMIN)
        answer = console.browser().post("/sign-in", {"login": login, "password": "wrong"})
        assert answer.status_code == 401
        assert "không đúng" in answer.text
        assert login in answer.text

    def test_five_wrong_ones_lock_even_the_right_one_out_for_a_while(self, console: Console) -> None:
        console.add(*ADMIN)
        browser = console.browser()
        for _ in range(5):
            browser.post("/sign-in", {"login": "admin", "password": "wrong"})
        assert browser.post("/sign-in", {"login": "admin", "password": PASSWORD}).status_code == 401
        assert actions(console)[-1] == "staff.locked"
        console.later(minutes=16)
        assert browser.post("/sign-in", {"login": "admin", "password": PASSWORD}).status_code == 302

    def test_one_that_was_given_out_must_be_changed_first(self, console: Console) -> None:
        console.add(*ADMIN, must_change=True)
        browser = console.browser()
        browser.post("/sign-in", {"login": "admin", "password": PASSWORD})
        assert browser.get("/people").location == "/console/me/password"
        for new, again, said in (
            ("ngan", "ngan", "dễ đoán"),
            ("password123456", "password123456", "dễ đoán"),
            (NEW, NEW + "x", "không giống nhau"),
            (PASSWORD, PASSWORD, "phải khác"),
        ):
            answer = browser.post("/me/password", {"old": PASSWORD, "new": new, "again": again})
            assert (answer.status_code, said in answer.text) == (422, True), new
        assert browser.post("/me/password", {"old": PASSWORD, "new": NEW, "again": NEW}).status_code == 302
        browser.page("/people")

    def test_a_change_ends_all_other_sessions(self, console: Console) -> None:
        here, there = console.signed_in(*ADMIN), console.signed_in(*ADMIN)
        here.post("/me/password", {"old": PASSWORD, "new": NEW, "again": NEW})
        here.page("/people")
        assert there.get("/people").location.startswith("/console/sign-in")


class TestSecondFactor:
    def set_up(self, console: Console) -> str:
        browser = console.signed_in(*ADMIN)
        page = browser.page("/me/authenticator")
        secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
        assert secret
        assert browser.get("/me/authenticator.svg").mimetype == "image/svg+xml"
        answer = browser.post("/me/authenticator", {"code": code_of(secret[1], console.now)})
        assert answer.status_code == 302
        return secret[1]

    def test_is_asked_for_once_it_is_set(self, console: Console) -> None:
        secret = self.set_up(console)
        console.later(minutes=1)
        browser = console.browser()
        assert browser.post("/sign-in", {"login": "admin", "password": PASSWORD}).location == "/console/second-factor"
        assert browser.get("/people").location == "/console/second-factor"
        assert browser.post("/me/password", {"old": PASSWORD, "new": NEW, "again": NEW}).status_code == 403
        assert browser.post("/second-factor", {"code": "000000"}).status_code == 401
        assert browser.post("/second-factor", {"code": code_of(secret, console.now)}).status_code == 302
        browser.page("/people")

    def test_a_code_is_taken_once(self, console: Console) -> None:
        secret = self.set_up(console)
        console.later(minutes=1)
        code = code_of(secret, console.now)
        for expected in (302, 401):
            browser = console.browser()
            browser.post("/sign-in", {"login": "admin", "password": PASSWORD})
            assert browser.post("/second-factor", {"code": code}).status_code == expected

    def test_guessing_codes_locks_out_too(self, console: Console) -> None:
        self.set_up(console)
        browser = console.browser()
        browser.post("/sign-in", {"login": "admin", "password": PASSWORD})
        for _ in range(5):
            browser.post("/second-factor", {"code": "123456"})
        assert browser.get("/second-factor").location.startswith("/console/sign-in")
        assert browser.post("/sign-in", {"login": "admin", "password": PASSWORD}).status_code == 401

    def test_is_kept_encrypted(self, console: Console) -> None:
        secret = self.set_up(console)
        with console.database.begin() as session:
            kept = session.scalars(select(Staff.totp_secret)).one()
        assert kept
        assert secret.encode() not in kept

    def test_outside_the_sandbox_nobody_works_without_one(
        self, console: Console, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BILLING_URL", "https://billing.example.vn")
        console.app = create_app(load_settings(), console.database, clock=lambda: console.now)
        assert console.signed_in(*ADMIN).get("/people").location == "/console/me/authenticator"


class TestSessions:
    def test_each_sign_in_has_a_new_one_and_only_its_hash_is_kept(self, console: Console) -> None:
        browser = console.signed_in(*ADMIN)
        with browser.client.session_transaction("/console/") as cookie:
            token = cookie["token"]
        with console.database.begin() as session:
            assert token not in session.scalars(select(StaffSession.token_hash)).all()

    @pytest.mark.parametrize("pause", [{"hours": 3}, {"hours": 13}])
    def test_end_when_nobody_is_there(self, console: Console, pause: dict[str, float]) -> None:
        browser = console.signed_in(*ADMIN)
        console.later(**pause)
        assert browser.get("/people").location.startswith("/console/sign-in")

    def test_go_on_while_somebody_works_but_not_for_ever(self, console: Console) -> None:
        browser = console.signed_in(*ADMIN)
        for _ in range(11):
            console.later(hours=1)
            browser.page("/people")
        console.later(hours=1.5)
        assert browser.get("/people").status_code == 302

    def test_end_by_signing_out(self, console: Console) -> None:
        browser = console.signed_in(*ADMIN)
        with browser.client.session_transaction("/console/") as cookie:
            kept = dict(cookie)
        browser.post("/sign-out")
        with browser.client.session_transaction("/console/") as cookie:
            cookie.update(kept)
        assert browser.get("/people").status_code == 302

    def test_lead_back_to_the_page_that_was_wanted_and_nowhere_else(self, console: Console) -> None:
        console.add(*ADMIN)
        browser = console.browser()
        assert browser.get("/audit?by=x").location == "/console/sign-in?next=/console/audit?by%3Dx"
        for wanted, there in (
            ("/console/audit?by=x", "/console/audit?by=x"),
            ("https://evil.example/console", "/console/"),
            ("//evil.example/console", "/console/"),
            ("/console\\@evil.example", "/console/"),
        ):
            form = {"login": "admin", "password": PASSWORD}
            assert browser.post("/sign-in", form, query_string={"next": wanted}).location == there

    def test_a_form_without_its_token_does_nothing(self, console: Console) -> None:
        browser = console.signed_in(*ADMIN)
        answer = browser.client.post("/console/people", data={"login": "x.y", "name": "X", "roles": ["admin"]})
        assert answer.status_code == 400
        assert "tải lại" in answer.text

    def test_cookies_are_out_of_reach_of_scripts_and_other_sites(self, console: Console) -> None:
        console.add(*ADMIN)
        browser = console.browser()
        answer = browser.post("/sign-in", {"login": "admin", "password": PASSWORD})
        cookie = answer.headers["Set-Cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/console"))

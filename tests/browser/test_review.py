"""In Debian's Chromium, as a reviewer works: by keys alone, and by selecting text with the mouse."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fixtures.chromium import PATIENCE_MS
from fixtures.console import ENVIRONMENT, PASSWORD, Console
from fixtures.reviewing import Chat, review_of
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from bot.app import create_app
from bot.settings import load_settings
from bot.store.database import Database
from bot.store.models import Role, Verdict

TEXT = "😀 tien dien thang nay bao nhieu"
"""The face is two units of JavaScript's strings."""
SELECT = """from => {
    const text = document.getElementById("said").firstChild;
    getSelection().setBaseAndExtent(text, from, text, from + "thang nay".length);
}"""


@pytest.fixture
def console(database: Database, monkeypatch: pytest.MonkeyPatch) -> Console:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    found = Console(database, load_settings(), datetime(2026, 11, 25, 3, 0, tzinfo=UTC))
    found.app = create_app(found.settings, database, clock=lambda: found.now)
    found.add(Role.REVIEWER, login="lan")
    return found


@pytest.fixture
def chat(console: Console) -> Chat:
    return Chat(console.database, console.now - timedelta(hours=1))


@pytest.fixture
def tab(browser: Browser, console: Console) -> Iterator[Page]:
    """Signed in; any script error, or anything that the policy of the page forbids, fails the test."""
    server = make_server("127.0.0.1", 0, console.app, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.server_port}")
    context.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page = context.new_page()
    page.goto("/console/sign-in")
    page.get_by_label("Tên đăng nhập").fill("lan")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Duyệt câu hiểu")).to_be_visible()
    page.goto("/console/review")
    yield page
    context.close()
    server.shutdown()
    serving.join()
    assert errors == []


def shows(tab: Page, text: str) -> None:
    """The message, with all scripts at work."""
    expect(tab.locator("#said")).to_have_text(text)
    expect(tab.locator("#how-to-mark")).to_be_visible()


def test_a_reviewer_needs_no_mouse(tab: Page, console: Console, chat: Chat) -> None:
    ranking = [[name, 0.3] for name in ("bill_lookup", "debt_check", "due_date")]
    said = [chat.queued(f"câu {number}", value=90 - number, ranking=ranking) for number in range(7)]
    tab.reload()
    for number, key in enumerate(["c", "Enter", "o", "d", "2"]):
        shows(tab, f"câu {number}")
        tab.keyboard.press(key)
    shows(tab, "câu 5")
    tab.keyboard.press("r")
    tab.keyboard.type("han thanh toan")
    tab.keyboard.press("Enter")
    shows(tab, "câu 6")
    for key, shown in (("u", "câu 5"), ("j", "câu 6"), ("k", "câu 5")):
        tab.keyboard.press(key)
        shows(tab, shown)
    verdicts = [review.verdict for message_id in said if (review := review_of(console.database, message_id))]
    assert verdicts == ["confirmed", "confirmed", "out_of_scope", "discarded", "relabelled", None, None]


def test_enter_presses_the_button_that_has_the_focus(tab: Page, console: Console, chat: Chat) -> None:
    message_id = chat.queued("câu này")
    tab.reload()
    shows(tab, "câu này")
    tab.get_by_role("button", name="Ngoài phạm vi").focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("Không còn câu nào chờ duyệt")).to_be_visible()
    assert review_of(console.database, message_id).verdict == Verdict.OUT_OF_SCOPE  # type: ignore[union-attr]


def test_values_are_marked_by_key(tab: Page, console: Console, chat: Chat) -> None:
    message_id = chat.queued(TEXT)
    tab.reload()
    shows(tab, TEXT)
    for key in ("e", "ArrowRight", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "Enter", "ArrowDown", "Enter"):
        tab.keyboard.press(key)
    expect(tab.locator("#said mark")).to_have_text("thang nay")
    tab.keyboard.press("c")
    expect(tab.get_by_text("Không còn câu nào chờ duyệt")).to_be_visible()
    kept = review_of(console.database, message_id)
    assert kept
    assert kept.entities == [{"start": 12, "end": 21, "entity": "period"}]


def test_values_are_marked_by_mouse_taken_away_and_the_message_split(tab: Page, console: Console, chat: Chat) -> None:
    found = [{"entity": "place", "start": 2, "end": 6, "value": {}}]
    message_id = chat.queued(TEXT, entities=found)
    tab.reload()
    expect(tab.locator("#said mark")).to_have_text("tien")
    tab.locator("#values").get_by_label("Loại").select_option("")
    expect(tab.locator("#said mark")).to_have_count(0)
    tab.evaluate(SELECT, TEXT.index("thang") + 1)
    tab.locator("#said").dispatch_event("pointerup")
    tab.get_by_role("menuitem", name="ngày", exact=True).click()
    expect(tab.locator("#said mark")).to_have_text("thang nay")
    tab.keyboard.press("s")
    tab.get_by_label("Tách ở").select_option(value=str(TEXT.index("bao")))
    tab.get_by_label("Ý trước").fill("Xem tiền điện")
    tab.get_by_label("Ý sau").fill("Giá điện")
    tab.get_by_role("button", name="Tách hai ý").click()
    expect(tab.get_by_text("Không còn câu nào chờ duyệt")).to_be_visible()
    kept = review_of(console.database, message_id)
    assert kept
    assert kept.parts
    marked = [(part["intent"], part["entities"]) for part in kept.parts]
    assert marked == [("bill_lookup", [{"start": 12, "end": 21, "entity": "date"}]), ("tariff_ask", [])]

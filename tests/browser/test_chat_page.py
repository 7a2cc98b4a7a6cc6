"""In Debian's Chromium, on the chat page of a person: the code is linked with the password shown on the phone beside,
the bill is read and the QR seen.

`SCREENSHOTS=docs/img` keeps the pictures that the guides show.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from stack import Stack

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 20_000
"""A reply may take a while on a busy machine."""
CODE = "PA04DH0000123"
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "Debian's chromium is not installed"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        yield running
        running.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """Tabs in which any script error fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, permissions=["clipboard-read"])
    context.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert errors == []


def open_chat(stack: Stack, phone: BrowserContext, name: str, platform: str) -> Page:
    """From the list of people, as a visitor does."""
    people = phone.new_page()
    people.goto(stack.sandbox_url)
    with phone.expect_page() as opened:
        people.get_by_test_id("persona").filter(has_text=name).get_by_test_id(f"open-{platform}").click()
    return opened.value


def write(tab: Page, text: str) -> None:
    tab.get_by_test_id("chat-input").fill(text)
    tab.get_by_test_id("send").click()


def answer(tab: Page, text: str) -> Locator:
    """The newest message of the company that holds `text`."""
    found = tab.get_by_test_id("message-in").filter(has_text=text).last
    expect(found).to_be_visible()
    return found


def tap(tab: Page, title: str) -> None:
    tab.get_by_role("button", name=title, exact=True).last.click()


def keep(tab: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        expect(tab.get_by_text("Đã sao chép")).to_be_hidden()
        tab.screenshot(path=Path(folder) / name)


@pytest.mark.parametrize("platform", ["zalo", "messenger"])
def test_linking_a_code_and_reading_the_bill(stack: Stack, phone: BrowserContext, platform: str) -> None:
    stack.renew()
    tab = open_chat(stack, phone, "Ma Thị Hoa", platform)
    expect(tab.get_by_role("heading", name="Ma Thị Hoa")).to_be_visible()

    write(tab, "tien dien thang nay bao nhieu")
    answer(tab, "Tôi là Trợ lý Điện")
    answer(tab, "Quý khách có đồng ý không")
    tap(tab, "Đồng ý")
    answer(tab, "nhắn mã khách hàng")
    write(tab, CODE.lower())
    answer(tab, "một mã xác thực gồm 6 số")
    expect(tab.get_by_test_id("sms")).to_contain_text("Tro ly Dien: ma xac thuc")
    tab.get_by_test_id("copy-code").click()
    password = tab.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"\d{6}", password)
    write(tab, password)
    answer(tab, f"Đã liên kết mã {CODE}")
    bill = answer(tab, "Tiền điện tháng 10/2026")
    expect(bill).to_contain_text(re.compile(r"Tiền điện tháng 10/2026 của PA04DH0000123: 246\.110 đ\s+Chưa thanh toán"))
    expect(tab.get_by_test_id("message-out").last).to_contain_text(re.compile("Đã nhận|Đã xem"))
    keep(tab, f"chat-{platform}.png")

    tap(tab, "Thanh toán")
    answer(tab, "Quét mã QR này bằng ứng dụng ngân hàng để trả 246.110 đ")
    picture = tab.get_by_test_id("message-in").locator("img.photo").last
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    expect(picture).to_be_in_viewport()
    assert picture.evaluate("image => image.naturalWidth") > 200

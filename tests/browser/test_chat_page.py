"""In Debian's Chromium, on the chat page of a person: the code is linked with the password shown on the phone beside,
the bill is read and the QR seen.
"""

import re

import pytest
from fixtures.chromium import answer, keep, open_chat, tap, write
from playwright.sync_api import BrowserContext, expect
from stack import Stack

CODE = "PA04DH0000123"


@pytest.mark.parametrize("platform", ["zalo", "messenger"])
def test_linking_a_code_and_reading_the_bill(stack: Stack, tabs: BrowserContext, platform: str) -> None:
    stack.renew()
    tab = open_chat(stack, tabs, "Ma Thị Hoa", platform)
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
    expect(tab.get_by_text("Đã sao chép")).to_be_hidden()
    keep(tab, f"chat-{platform}.png")

    tap(tab, "Thanh toán")
    answer(tab, "Quét mã QR này bằng ứng dụng ngân hàng để trả 246.110 đ")
    picture = tab.get_by_test_id("message-in").locator("img.photo").last
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    expect(picture).to_be_in_viewport()
    assert picture.evaluate("image => image.naturalWidth") > 200

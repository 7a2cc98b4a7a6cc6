"""In Debian's Chromium, as members of staff: signing in, helping a customer who chats beside, finding, opening, handing
out codes, writing and approving a notice, figures, colleagues.
"""

import re
from datetime import timedelta

import pytest
from fixtures.chromium import answer, keep, open_chat, tap, write
from fixtures.console import PASSWORD, code_of
from fixtures.ticks import plan
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import delete, select
from stack import Stack

from bot.console import counting
from bot.console.factors import hash_password
from bot.messages import ChannelName
from bot.store import staff
from bot.store.models import Audit, Lane, Role, Staff, StaffSession

HASH = hash_password(PASSWORD)
CODE = "PA04DH0000123"


def member(stack: Stack, login: str, *roles: Role, name: str = "Lan") -> None:
    """Somebody who may sign in with PASSWORD, whatever they did in an earlier test."""
    with stack.database.begin() as session:
        found = staff.by_login(session, login) or staff.add(
            session, login=login, name=name, roles=roles, password_hash=HASH, by="test", at=stack.clock()
        )
        found.password_hash, found.must_change_password, found.totp_secret = HASH, False, None
        found.failures, found.locked_until, found.totp_used = 0, None, 0
        session.execute(delete(StaffSession).where(StaffSession.staff_id == found.id))


def leave(tab: Page) -> None:
    tab.get_by_role("button", name="Thoát").click()
    expect(tab.get_by_role("heading", name="Đăng nhập")).to_be_visible()


def sign_in(stack: Stack, tabs: BrowserContext, login: str, password: str = PASSWORD) -> Page:
    tab = tabs.new_page()
    tab.goto(f"http://{stack.product.settings.host}:{stack.product.settings.port}/console/")
    tab.get_by_label("Tên đăng nhập").fill(login)
    tab.get_by_label("Mật khẩu").fill(password)
    tab.get_by_role("button", name="Đăng nhập").click()
    return tab


@pytest.fixture(autouse=True)
def anew(stack: Stack) -> None:
    stack.renew()


def test_a_second_factor_is_set_up_and_then_asked_for(stack: Stack, tabs: BrowserContext) -> None:
    member(stack, "chi.lan", Role.REVIEWER)
    tab = sign_in(stack, tabs, "chi.lan")
    tab.get_by_role("link", name="Lan").click()
    tab.get_by_role("link", name="Đặt mã xác thực").click()
    expect(tab.get_by_role("img", name="Mã QR")).to_have_js_property("complete", True)
    keep(tab, "console-second-factor.png")
    tab.get_by_text("Không quét được?").click()
    secret = tab.locator("code").inner_text()
    tab.get_by_label("6 số").fill(code_of(secret, stack.clock()))
    tab.get_by_role("button", name="Xác nhận").click()
    expect(tab.get_by_role("status")).to_contain_text("Đã đặt mã xác thực")
    tab.get_by_role("button", name="Thoát").click()

    with stack.database.begin() as session:
        session.scalars(select(Staff).where(Staff.login == "chi.lan")).one().totp_used = 0
    tab = sign_in(stack, tabs, "chi.lan")
    tab.get_by_label("6 số").fill(code_of(secret, stack.clock()))
    tab.get_by_role("button", name="Tiếp tục").click()
    expect(tab.get_by_role("heading", name="Hội thoại")).to_be_attached()


def test_a_customer_who_asks_for_a_person_is_helped(stack: Stack, tabs: BrowserContext) -> None:
    """Both sides: the chat page and the console, each hearing of the other as it happens."""
    member(stack, "anh.minh", Role.AGENT, name="Minh")
    desk = sign_in(stack, tabs, "anh.minh")
    expect(desk.get_by_role("heading", name="Khách chờ người")).to_be_visible()
    chat = open_chat(stack, tabs, "Ma Thị Hoa", "zalo")
    write(chat, "cho toi gap nhan vien")
    answer(chat, "nhân viên")

    row = desk.get_by_role("row").filter(has_text="khách xin gặp").last
    expect(row).to_be_visible()
    expect(desk.locator('[data-count="waiting"]')).to_have_text(re.compile(r"^[1-9]"))
    keep(desk, "console-waiting.png")
    row.get_by_role("button", name="Nhận").click()
    expect(desk.get_by_placeholder("Viết cho khách")).to_be_visible()

    desk.get_by_placeholder("Viết cho khách").fill("Chào chị Hoa, tôi là Minh ở điện lực đây ạ.")
    desk.keyboard.press("Control+Enter")
    answer(chat, "tôi là Minh ở điện lực")
    write(chat, "cam on chu, nha chau mat dien tu sang")
    expect(desk.locator(".line.customer").last).to_contain_text("nha chau mat dien tu sang")
    keep(desk, "console-thread.png")

    desk.get_by_text("Câu soạn sẵn").click()
    desk.get_by_role("button", name="Đã chuyển kỹ thuật").click()
    desk.get_by_role("button", name="Gửi").click()
    answer(chat, "đội kỹ thuật")
    desk.get_by_role("button", name="Xong, trả cho trợ lý").click()
    expect(desk.get_by_role("status")).to_contain_text("Đã trả hội thoại")
    write(chat, "tong dai so may")
    answer(chat, "19006769")


def test_what_was_said_is_found_and_opened_with_a_reason(stack: Stack, tabs: BrowserContext) -> None:
    member(stack, "chi.ha", Role.SUPERVISOR, name="Hà")
    chat = open_chat(stack, tabs, "Ma Thị Hoa", "messenger")
    write(chat, "nhờ gọi lại số 0912345678 giúp nhé, đèn ngõ nhấp nháy")
    expect(chat.get_by_test_id("message-in").last).to_be_visible()

    tab = sign_in(stack, tabs, "chi.ha")
    expect(tab.get_by_role("searchbox")).to_be_visible()
    tab.keyboard.press("/")
    tab.keyboard.type("den ngo nhap nhay")
    tab.keyboard.press("Enter")
    found = tab.locator(".threads li").first
    expect(found.locator("mark").first).to_be_visible()
    expect(found).not_to_contain_text("0912345678")
    keep(tab, "console-search.png")
    found.get_by_role("link").click()
    line = tab.locator(".line.customer").filter(has_text="nhấp nháy").last
    expect(line).to_contain_text("•••")
    tab.get_by_label("Mở dữ liệu cá nhân vì").fill("Gọi lại cho khách theo yêu cầu")
    tab.get_by_role("button", name="Mở 30 phút").click()
    expect(tab.locator(".line.customer").filter(has_text="0912345678").last).to_be_visible()

    tab.get_by_role("link", name="Nhật ký").click()
    expect(tab.get_by_role("row").filter(has_text="Gọi lại cho khách theo yêu cầu").first).to_be_visible()
    keep(tab, "console-audit.png")
    with stack.database.begin() as session:
        assert session.scalars(select(Audit.action).where(Audit.action == "data.opened")).all()


def test_a_code_is_handed_out_and_a_notice_reaches_who_used_it(stack: Stack, tabs: BrowserContext) -> None:
    """The counter, the customer, the one who writes and the one who approves."""
    member(stack, "quay.so1", Role.AGENT, name="Quầy")
    member(stack, "nguoi.soan", Role.PUBLISHER, name="Soạn")
    member(stack, "nguoi.duyet", Role.SUPERVISOR, name="Duyệt")
    counter = sign_in(stack, tabs, "quay.so1")
    counter.get_by_role("link", name="Mã liên kết").click()
    counter.get_by_label("Mã khách hàng").first.fill(CODE)
    counter.get_by_role("button", name="Cấp mã").click()
    code = counter.locator("code.big").inner_text()
    expect(counter.get_by_role("img", name="Mã QR mở Zalo")).to_be_visible()
    keep(counter, "console-code.png")

    chat = open_chat(stack, tabs, "Ma Thị Hoa", "zalo")
    write(chat, code)
    answer(chat, "đồng ý")
    tap(chat, "Đồng ý")
    answer(chat, f"Đã liên kết mã {CODE}")
    counter.get_by_role("link", name="Xong").click()
    expect(counter.get_by_role("row").filter(has_text="Zalo").first).to_be_visible()
    keep(counter, "console-codes.png")
    leave(counter)

    desk = sign_in(stack, tabs, "nguoi.soan")
    desk.get_by_role("link", name="Soạn thông báo").click()
    desk.get_by_role("link", name="Thông báo chung").click()
    desk.get_by_label("Về việc").fill("đổi giờ làm việc")
    desk.get_by_label("Nội dung").fill("Từ 1/12, phòng giao dịch Phú Bình mở cửa từ 7:30 đến 16:30.")
    desk.get_by_label("Danh sách").check()
    desk.get_by_label("Dán mã khách hàng").fill(f"{CODE}\nPA04DH9999999")
    keep(desk, "console-notice-form.png")
    desk.get_by_role("button", name="Lưu và xem lại").click()
    expect(desk.locator(".figures")).to_contain_text("cuộc trò chuyện")
    expect(desk.locator(".sample .said").first).to_contain_text("đổi giờ làm việc")
    desk.get_by_role("button", name="Trình duyệt").click()
    expect(desk.get_by_text("một người khác phải duyệt")).to_be_visible()
    keep(desk, "console-notice.png")
    address = desk.url
    leave(desk)

    chief = sign_in(stack, tabs, "nguoi.duyet")
    expect(chief.get_by_role("link", name="Thông báo")).to_be_visible()
    chief.goto(address)
    chief.on("dialog", lambda dialog: dialog.accept())
    chief.get_by_role("button", name="Duyệt", exact=True).click()
    chief.get_by_role("button", name="Gửi ngay").click()
    expect(chief.get_by_role("heading", name="Tiến độ")).to_be_visible()
    plan(stack.product)
    stack.product.dispatcher.send_due(ChannelName.ZALO, Lane.BULK)
    answer(chat, "phòng giao dịch Phú Bình mở cửa")
    expect(chief.locator("[data-live]")).to_contain_text(re.compile("1.*(đã gửi|đã nhận|đã xem)", re.DOTALL))
    chief.reload()
    expect(chief.get_by_role("row").filter(has_text="Zalo").first).to_be_visible()
    keep(chief, "console-notice-sent.png")


def test_figures_are_shown_with_their_charts(stack: Stack, tabs: BrowserContext) -> None:
    member(stack, "chi.ha", Role.SUPERVISOR, name="Hà")
    chat = open_chat(stack, tabs, "Ma Thị Hoa", "messenger")
    write(chat, "tong dai so may")
    answer(chat, "19006769")
    settings = stack.product.settings
    counting.count_due(stack.database, settings.zone, stack.clock(), words_kept=timedelta(days=30))
    tab = sign_in(stack, tabs, "chi.ha")
    tab.get_by_role("link", name="Số liệu").click()
    expect(tab.get_by_role("heading", name="Số liệu tháng 11/2026")).to_be_visible()
    for chart in tab.locator("img").all():
        chart.scroll_into_view_if_needed()
        expect(chart).to_have_js_property("complete", True)
        assert chart.evaluate("image => image.naturalWidth") > 0
    tab.evaluate("window.scrollTo(0, 0)")
    keep(tab, "console-figures.png")


def test_an_admin_adds_a_colleague_who_then_chooses_a_password(stack: Stack, tabs: BrowserContext) -> None:
    member(stack, "quan.tri", Role.ADMIN, name="Quản trị viên")
    with stack.database.begin() as session:
        if (old := staff.by_login(session, "nguoi.moi")) is not None:
            old.login = f"cu.{old.id}"
    tab = sign_in(stack, tabs, "quan.tri")
    tab.get_by_label("Họ tên").fill("Trần Văn Mới")
    tab.get_by_label("Tên đăng nhập").fill("nguoi.moi")
    tab.locator("section.card").get_by_label("Người duyệt").check()
    tab.get_by_role("button", name="Thêm và cấp mật khẩu").click()
    password = tab.locator("code.big").inner_text()
    tab.get_by_role("link", name="Xong").click()
    expect(tab.get_by_role("row").filter(has_text="Trần Văn Mới")).to_contain_text("chờ đặt mật khẩu")
    keep(tab, "console-people.png")
    leave(tab)

    tab = sign_in(stack, tabs, "nguoi.moi", password)
    tab.get_by_label("Mật khẩu đang dùng").fill(password)
    for label in ("Mật khẩu mới", "Nhập lại mật khẩu mới"):
        tab.get_by_label(label, exact=True).fill("nuong-che-xanh-ben-suoi-cu")
    tab.get_by_role("button", name="Đổi mật khẩu").click()
    expect(tab.get_by_role("link", name="Hội thoại")).to_be_visible()

"""The page on which a presenter makes things happen at the utility."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect
from sandbox_remote import Remote

from actions.backends.models import Change

HOA = "PA04DH0000123"
PLACE = "05587"


def press(remote: Remote, action: str, **fields: str) -> requests.Response:
    return requests.post(f"{remote.base}/world/{action}", data=fields, timeout=20)


def newest(remote: Remote) -> Change:
    return remote.sandbox.world.newest_changes(1)[0]


@pytest.mark.parametrize(
    ("action", "fields", "kind", "said"),
    [
        ("issue", {"code": HOA, "kwh": "120"}, "invoice_issued", "Đã phát hành hóa đơn."),
        ("issue", {"code": HOA, "kwh": ""}, "invoice_issued", "Đã phát hành hóa đơn."),
        ("pay", {"code": HOA}, "payment_received", "Đã thu hết nợ."),
        ("flag", {"code": HOA, "flag": "leak"}, "usage_flag", "Đã báo mức dùng điện."),
        ("meter", {"code": HOA, "work": "reading", "day": "2026-11-30"}, "meter_work", "Đã báo lịch công tơ."),
        ("warn_of_cut", {"code": HOA, "in_days": "5"}, "cut_warned", "Đã báo trước khi ngừng cấp điện."),
        ("plan_outage", {"place": PLACE, "in_hours": "24", "lasts_hours": "2.5"}, "outage", "Đã công bố lịch cắt"),
        ("report_outage", {"place": PLACE, "reason": "Cây đổ"}, "outage", "Đã công bố sự cố"),
        ("warn_of_danger", {"place": PLACE, "until_hours": "6"}, "danger", "Đã phát cảnh báo nguy hiểm."),
    ],
)
def test_each_button_makes_its_change(
    remote: Remote, action: str, fields: dict[str, str], kind: str, said: str
) -> None:
    answer = press(remote, action, **fields)
    assert answer.status_code == 200
    assert answer.url.startswith(f"{remote.base}/world?done={action}")
    assert said in answer.text
    assert newest(remote).kind == kind
    for value in (fields.get("code"), fields.get("place")):
        assert value is None or f'value="{value}" selected' in answer.text


def test_an_outage_is_moved_cancelled_and_restored(remote: Remote) -> None:
    world = remote.sandbox.world
    press(remote, "plan_outage", place=PLACE, in_hours="24", lasts_hours="2")
    press(remote, "report_outage", place=PLACE)
    planned, fault = (
        next(each.id for each in world.changeable_outages() if each.kind == kind and "-H" in each.id)
        for kind in ("planned", "unplanned")
    )
    before = world.outage(planned)
    press(remote, "postpone", outage=planned)
    assert (world.outage(planned).start - before.start).total_seconds() == 3_600
    press(remote, "postpone", outage=fault)
    assert world.outage(fault).expected_end is not None
    press(remote, "cancel", outage=planned)
    press(remote, "restore", outage=fault)
    assert (world.outage(planned).state, world.outage(fault).state) == ("cancelled", "restored")
    answer = press(remote, "cancel", outage=planned)
    assert answer.status_code == 422
    assert "đã kết thúc hoặc đã hủy" in answer.text


def test_time_moves_and_things_happen_by_themselves(remote: Remote) -> None:
    assert "12:00 thứ Hai 23/11" in remote.get("/world").text
    page = press(remote, "advance", hours="24").text
    assert "12:00 thứ Ba 24/11" in page
    assert "KH-DEMO-01" in page


@pytest.mark.parametrize(
    ("action", "fields", "problem"),
    [
        ("issue", {"code": HOA, "kwh": "nhiều"}, "Chưa đúng: số kWh."),
        ("issue", {"code": "PA04ZZ9999999"}, "Không có mã khách hàng này."),
        ("issue", {}, "Chưa đúng: mã khách hàng."),
        ("pay", {"code": "PA04PY0000201"}, "không còn nợ"),
        ("warn_of_cut", {"code": "PA04PY0000201", "in_days": "5"}, "không còn nợ"),
        ("meter", {"code": HOA, "work": "reading", "day": "hôm nay"}, "Chưa đúng: ngày."),
        ("plan_outage", {"place": PLACE, "in_hours": "-1", "lasts_hours": "0"}, "số giờ nữa, số giờ kéo dài"),
        ("report_outage", {"place": "99999"}, "Không có xã, phường này."),
        ("advance", {"hours": "-3"}, "Chưa đúng: số giờ."),
    ],
)
def test_what_is_wrong_is_said(remote: Remote, action: str, fields: dict[str, str], problem: str) -> None:
    answer = press(remote, action, **fields)
    assert answer.status_code == 422
    assert problem in answer.text
    assert remote.sandbox.world.newest_changes(1) == []


def test_there_is_no_other_action(remote: Remote) -> None:
    assert press(remote, "explode").status_code == 404


def test_every_kind_of_change_can_be_read(remote: Remote) -> None:
    world = remote.sandbox.world
    for action in ("issue", "flag", "meter", "warn_of_cut", "pay", "plan_outage", "warn_of_danger"):
        fields = {"flag": "tier", "work": "replacement", "day": "2026-11-25", "in_days": "3", "kwh": "90"}
        hours = {"in_hours": "3", "lasts_hours": "1", "until_hours": "2"}
        assert press(remote, action, code=HOA, place=PLACE, **fields, **hours).status_code == 200
    world.move_request("DV26-000001", "scheduled")
    page = remote.get("/world").text
    for told in ("Hóa đơn", "Thanh toán", "Mức dùng", "Công tơ", "Ngừng cấp điện", "Mất điện", "Hồ sơ", "Nguy hiểm"):
        assert re.search(rf'class="kind \w+">{told}', page), told
    assert "Sắp lên bậc giá: " in page
    assert "đã hẹn thi công" in page


@pytest.fixture
def tab(browser: Any) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(10_000)
    yield page
    page.close()


def test_in_the_browser_from_the_people(tab: Page, remote: Remote) -> None:
    tab.goto(remote.base)
    tab.get_by_test_id("open-world").click()
    tab.get_by_label("Mã khách hàng").select_option("PA04VN0000501")
    tab.get_by_label("Ngừng sau số ngày").fill("2")
    tab.get_by_test_id("warn-of-cut").click()
    expect(tab.get_by_test_id("done")).to_have_text("Đã báo trước khi ngừng cấp điện.")
    expect(tab.get_by_test_id("change")).to_have_count(1)
    expect(tab.get_by_test_id("change")).to_contain_text("PA04VN0000501")
    tab.get_by_role("button", name="+1 giờ").click()
    expect(tab.get_by_test_id("now")).to_have_text("13:00 thứ Hai 23/11")
    expect(tab.get_by_label("Mã khách hàng")).to_have_value("PA04VN0000501")
    tab.get_by_test_id("pay").click()
    expect(tab.get_by_test_id("change").first).to_contain_text("Không còn ngừng cấp điện")


@pytest.mark.parametrize("width", [1366, 768, 375])
def test_it_fits_the_screen_and_every_field_has_its_name(tab: Page, remote: Remote, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 768})
    press(remote, "warn_of_danger", place=PLACE, until_hours="6")
    tab.goto(f"{remote.base}/world")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    nameless = tab.evaluate(
        "[...document.querySelectorAll('input:not([type=hidden]), select')].filter(f => !f.labels.length).length"
    )
    assert nameless == 0
    cut_off = tab.evaluate(
        "[...document.querySelectorAll('button')].filter(b => b.scrollWidth > b.clientWidth + 1).map(b => b.innerText)"
    )
    assert cut_off == []

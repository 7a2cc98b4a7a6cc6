"""What is read out of a message that claims to be from the company (data/genuine.yml)."""

import pytest

from actions.genuine import Evidence, load_genuine
from bot.pipeline.assembly import DATA

GENUINE = load_genuine(DATA / "genuine.yml")
HOTLINE, SITE, APP = "19006769", "cskh.npc.com.vn", "EVNNPC.CSKH"


def read(text: str) -> Evidence:
    return GENUINE.read(text, hotline=HOTLINE, site=SITE, app=APP)


@pytest.mark.parametrize("typed", ["0912345678", "0912 345 678", "0912.345.678", "+84 912-345-678"])
def test_numbers_however_typed(typed: str) -> None:
    assert read(f"số {typed} gọi tôi").strange_phones == ("0912345678",)


@pytest.mark.parametrize("typed", ["19006769", "1900 6769", "1900.6769"])
def test_our_own_number(typed: str) -> None:
    found = read(f"{typed} là số nào")
    assert found.our_phones == (HOTLINE,)
    assert not found.is_fake
    assert not found.is_strange


def test_a_trap_and_others() -> None:
    assert [number for number, _why in read("1900.292900 gọi").traps] == ["1900292900"]
    assert [number for number, _whose in read("số 1558 và 19001288").others] == ["1558", "19001288"]


@pytest.mark.parametrize(
    ("address", "imitated"),
    [
        ("https://evn-thanhtoan.top/a?b=1", "evn-thanhtoan.top"),
        ("cskh.npc.com.vn.pay.xyz", "cskh.npc.com.vn.pay.xyz"),
        ("HTTP://EVNNPC.VIP", "evnnpc.vip"),
        ("dienluc-thainguyen.com", "dienluc-thainguyen.com"),
    ],
)
def test_imitated_sites(address: str, imitated: str) -> None:
    assert read(f"vào {address} nhé").imitations == (imitated,)


def test_the_site_that_would_open_counts() -> None:
    """Not the name before the @, nor letters of another alphabet that look the same."""
    assert read("https://cskh.npc.com.vn@xau.ru/tra").strange_sites == ("xau.ru",)
    assert read("https://cskh.nрc.com.vn").our_sites == ()


@pytest.mark.parametrize("address", ["https://cskh.npc.com.vn/tra-cuu", "cskh.npc.com.vn", "www.evn.com.vn"])
def test_our_sites(address: str) -> None:
    found = read(f"trang {address} đúng không")
    assert len(found.our_sites) == 1
    assert not found.is_fake


@pytest.mark.parametrize(
    "harmless",
    [
        "nhà tôi hết 250.000đ ngày 25.11.2026",
        "mã PA04DH0000123 của tôi",
        "cắt điện.nếu không trả thì sao",
        "app EVNNPC.CSKH tải ở đâu",
        "tháng này 1.250.000 đ, công tơ 21034567",
        "tiền điện tháng này bao nhiêu",
    ],
)
def test_nothing_to_see(harmless: str) -> None:
    found = read(harmless)
    assert found == Evidence(owing=found.owing)


@pytest.mark.parametrize(
    "told",
    [
        "bắt tôi chuyển khoản ngay",
        "doi ck ngay vao stk 0123456789",
        "xin mã OTP",
        "bảo cài app lạ",
        "bắt quét khuôn mặt",
        "bảo phải cập nhật mã khách hàng",
        "dọa hai tiếng nữa cắt điện",
        "nói tôi trúng thưởng",
    ],
)
def test_demands_that_are_never_ours(told: str) -> None:
    assert read(told).is_fake


def test_accounts() -> None:
    assert read("stk: 1903 4567 8901 techcombank").strange_accounts == ("190345678901",)
    assert read("so tai khoan 0123456789").strange_phones == ()


def test_a_visit_may_be_real() -> None:
    found = read("có người đến nhà thu tiền mặt")
    assert not found.is_fake
    assert found.cautions


def test_only_a_sure_sign_takes_over_another_request() -> None:
    assert read("EVN: quý khách còn nợ, trả tại abc-pay.top").gives_itself_away
    assert read("1900292900 gọi nhỡ").gives_itself_away
    assert not read("trả tiền điện qua momo.vn được không").gives_itself_away
    assert not read("tôi muốn chuyển khoản tiền điện").gives_itself_away

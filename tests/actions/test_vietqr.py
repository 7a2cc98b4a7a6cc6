"""VietQR payloads against the published vectors (electricity.md §2.6)."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from actions.vietqr import MAX_PURPOSE, checksum, payload, picture

VECTORS = [
    "00020101021238530010A0000007270123000697041601092245284790208QRIBFTTA53037045405100005802VN"
    "62340107NPS68690819TRANSFER TO SOMEONE6304AC13",
    "00020101021153037045802VN38540010A00000072701240006970436011010319334300208QRIBFTTA"
    "62220818Thanh toan hoa don6304FCE9",
]


def fields(text: str) -> dict[str, str]:
    found = {}
    while text:
        tag, length = text[:2], int(text[2:4])
        found[tag], text = text[4 : 4 + length], text[4 + length :]
    return found


@pytest.mark.parametrize("vector", VECTORS)
def test_the_checksum_of_published_codes(vector: str) -> None:
    assert checksum(vector[:-4]) == vector[-4:]


PAID_INTO = [
    (VECTORS[0], {"bank_bin": "970416", "account": "224528479", "amount": 10_000, "purpose": "transfer to someone"}),
    (VECTORS[1], {"bank_bin": "970436", "account": "1031933430", "amount": 1, "purpose": "Thanh toán hóa đơn"}),
]


@pytest.mark.parametrize(("vector", "transfer"), PAID_INTO)
def test_our_code_holds_what_the_published_one_holds(vector: str, transfer: dict[str, Any]) -> None:
    """All but the order of the tags, capitals, and what makes ours a one-time code: its kind (12) and amount."""
    ours, published = fields(payload(**transfer)), fields(vector)
    assert {tag: ours[tag] for tag in ("00", "38", "53", "58")} == {
        tag: published[tag] for tag in ("00", "38", "53", "58")
    }
    assert fields(ours["62"])["08"] == fields(published["62"])["08"].upper()
    assert (ours["01"], ours["54"]) == ("12", str(transfer["amount"]))
    assert published.get("54") in {ours["54"], None}


@given(st.from_regex(r"\A[A-Z0-9]([A-Z0-9 ]{0,23}[A-Z0-9])?\Z").filter(lambda text: "  " not in text))
def test_the_text_that_brings_money_to_its_bill_is_in_the_code_unchanged(content: str) -> None:
    text = payload(bank_bin="970415", account="1", amount=1, purpose=content)
    assert fields(fields(text)["62"])["08"] == content


@given(
    account=st.text("0123456789", min_size=1, max_size=19),
    amount=st.integers(1, 10**12),
    purpose=st.text(max_size=200),
)
def test_every_code_reads_back(account: str, amount: int, purpose: str) -> None:
    text = payload(bank_bin="970415", account=account, amount=amount, purpose=purpose)
    read = fields(text)
    assert text.isascii()
    assert checksum(text[:-4]) == read["63"]
    assert read["54"] == str(amount)
    assert fields(fields(read["38"])["01"]) == {"00": "970415", "01": account}
    assert len(fields(read["62"])["08"]) <= MAX_PURPOSE


@pytest.mark.parametrize(
    ("bank_bin", "account", "amount"), [("97041", "1", 1), ("9704a6", "1", 1), ("970416", "", 1), ("970416", "1", 0)]
)
def test_what_cannot_be_paid_to_is_refused(bank_bin: str, account: str, amount: int) -> None:
    with pytest.raises(ValueError, match="VietQR"):
        payload(bank_bin=bank_bin, account=account, amount=amount, purpose="")


def test_the_picture_is_a_png_big_enough_to_scan() -> None:
    image = Image.open(io.BytesIO(picture(VECTORS[0])))
    assert image.format == "PNG"
    assert min(image.size) >= 300

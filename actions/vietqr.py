"""VietQR payment codes: EMVCo TLV as NAPAS defines it (electricity.md §2.6), and their picture."""

import binascii
import io
import re

import segno

from bot.text import fold

NAPAS_GUID = "A000000727"
TO_ACCOUNT = "QRIBFTTA"
MAX_PURPOSE = 25


def payload(*, bank_bin: str, account: str, amount: int, purpose: str) -> str:
    """The text of a one-time QR to an account: `amount` in đồng, `purpose` reduced to unaccented ASCII.

    Raises ValueError for a BIN that is not 6 digits, an empty account, or an amount that is not positive.
    """
    if not re.fullmatch(r"\d{6}", bank_bin) or not account or amount <= 0:
        raise ValueError("a VietQR needs a 6-digit BIN, an account and a positive amount")
    beneficiary = _field("00", bank_bin) + _field("01", account)
    merchant = _field("00", NAPAS_GUID) + _field("01", beneficiary) + _field("02", TO_ACCOUNT)
    body = "".join(
        [
            _field("00", "01"),
            _field("01", "12"),
            _field("38", merchant),
            _field("53", "704"),
            _field("54", str(amount)),
            _field("58", "VN"),
            _field("62", _field("08", _ascii(purpose))),
            "6304",
        ]
    )
    return body + checksum(body)


def checksum(body: str) -> str:
    """CRC-16/CCITT-FALSE of everything up to and including the tag and length of field 63."""
    return f"{binascii.crc_hqx(body.encode('ascii'), 0xFFFF):04X}"


def picture(text: str) -> bytes:
    """The QR code as PNG, with the quiet zone and size that a phone's camera needs."""
    stream = io.BytesIO()
    segno.make(text, error="m", micro=False).save(stream, kind="png", scale=8, border=4)
    return stream.getvalue()


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"


def _ascii(text: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9 ]", " ", fold(text).upper())
    return " ".join(plain.split())[:MAX_PURPOSE]

"""The e-invoice and the e-contract of the demonstration, as PDF and XML."""

import io
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as Xml

from font_source_sans_pro import SourceSansPro, SourceSansProBold  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

from actions.backends.models import Contract, Invoice
from sandbox.world.people import Record
from sandbox.world.places import read_yaml

_TEXTS: Final = read_yaml("documents.yml")
_A4: Final = (1240, 1754)  # pixels at 150 dpi
_MARGIN: Final = 110


def invoice_pdf(invoice: Invoice, record: Record) -> bytes:
    texts = _TEXTS["invoice"]
    lines = [form.format(invoice=invoice, record=record) for form in texts["lines"]]
    lines += ["", *(texts["priced"].format(line=line) for line in invoice.lines), ""]
    lines += [form.format(invoice=invoice) for form in texts["sums"]]
    return _pdf(texts["title"], lines, texts["note"])


def contract_pdf(contract: Contract, record: Record) -> bytes:
    texts = _TEXTS["contract"]
    lines = [form.format(contract=contract, record=record) for form in texts["lines"]]
    return _pdf(texts["title"], lines, texts["note"])


def invoice_xml(invoice: Invoice, record: Record) -> bytes:
    """In the element names of Vietnamese e-invoices, without the signature that a real one carries."""
    root = Xml.Element("HDon")
    data = Xml.SubElement(root, "DLHDon", Id=invoice.id)
    general = Xml.SubElement(data, "TTChung")
    content = Xml.SubElement(data, "NDHDon")
    buyer = Xml.SubElement(content, "NMua")
    goods = Xml.SubElement(content, "DSHHDVu")
    sums = Xml.SubElement(content, "TToan")
    _fill(general, SHDon=invoice.id, NLap=f"{invoice.issued_at:%Y-%m-%d}", DVTTe="VND")
    _fill(buyer, Ten=record.name, DChi=record.address, MKHang=record.code)
    for number, line in enumerate(invoice.lines, start=1):
        row = Xml.SubElement(goods, "HHDVu")
        _fill(row, STT=number, THHDVu=line.label, DVTinh="kWh", SLuong=line.kwh, DGia=line.price, ThTien=line.amount)
    _fill(sums, TgTCThue=invoice.amount, TSuat=f"{invoice.vat_percent}%", TgTThue=invoice.vat, TgTTTBSo=invoice.total)
    written: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _fill(parent: Xml.Element, **values: object) -> None:
    for name, value in values.items():
        Xml.SubElement(parent, name).text = str(value)


def _pdf(title: str, lines: Iterable[str], note: str) -> bytes:
    page = Image.new("L", _A4, 255)
    draw = ImageDraw.Draw(page)
    regular, bold = ImageFont.truetype(SourceSansPro, 30), ImageFont.truetype(SourceSansProBold, 46)
    draw.text((_A4[0] // 2, _MARGIN), title, font=bold, fill=0, anchor="ma")
    below = _MARGIN + 120
    for line in lines:
        draw.text((_MARGIN, below), line, font=regular, fill=0)
        below += 52
    draw.text((_A4[0] // 2, _A4[1] - _MARGIN), note, font=regular, fill=110, anchor="ms")
    stream = io.BytesIO()
    page.save(stream, "PDF", resolution=150)
    return stream.getvalue()

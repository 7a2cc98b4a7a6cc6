"""E-invoices and e-contracts: fetched from the backend when their signed address is opened, for a live link only."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from fixtures.outside import CODE, invoice
from fixtures.stage import SECRET, USER, Stage
from flask import Flask, Response, request
from flask.testing import FlaskClient
from itsdangerous import URLSafeSerializer
from werkzeug.serving import make_server

from actions.documents import SALT, Document, DocumentExpired, DocumentKind, DocumentLinks, NotADocument
from bot.app import create_app
from bot.store import conversations

PDF, XML = b"%PDF-1.7 of the test", b"<?xml version='1.0'?><HDon/>"
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


class Backend:
    """Both systems: answers every file, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.content_type: str | None = None

    def app(self) -> Flask:
        app = Flask("backend")

        @app.get("/<path:_path>")
        def file(_path: str) -> Any:
            self.asked.append(request.full_path.rstrip("?"))
            if self.status == 404:
                return {"code": "not_found", "message": "No such invoice"}, 404
            if self.status != 200:
                return Response("", self.status)
            as_xml = request.args.get("format") == "xml"
            kind = "application/xml" if as_xml else "application/pdf"
            return Response(XML if as_xml else PDF, content_type=self.content_type or kind)

        return app


@pytest.fixture
def backend() -> Iterator[tuple[Backend, str]]:
    backend = Backend()
    server = make_server("127.0.0.1", 0, backend.app(), threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield backend, f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def gateway(stage: Stage, backend: tuple[Backend, str]) -> FlaskClient:
    settings = stage.settings.model_copy(update={"billing_url": backend[1], "service_url": backend[1]})
    return create_app(settings, stage.database, clock=stage.clock).test_client()


@pytest.fixture
def given(stage: Stage) -> dict[str, str]:
    """A customer asked for the e-invoice: the paths behind the buttons."""
    stage.billing.bills[CODE] = [invoice(CODE, stage.clock().date().replace(day=1))]
    stage.link(CODE)
    stage.nlu.teach("hóa đơn điện tử", "einvoice_get")
    stage.says("hóa đơn điện tử")
    buttons = stage.zalo.sent[-1].message.buttons
    return {b.title: b.url.removeprefix(stage.settings.public_url) for b in buttons if b.url}


def test_the_address_answers_the_file_and_is_kept_nowhere(
    given: dict[str, str], gateway: FlaskClient, backend: tuple[Backend, str]
) -> None:
    for title, content, kind in (("Tải PDF", PDF, "application/pdf"), ("Tải XML", XML, "application/xml")):
        answer = gateway.get(given[title])
        assert (answer.status_code, answer.data, answer.mimetype) == (200, content, kind)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        disposition = answer.headers["Content-Disposition"]
        assert disposition.isascii()
        assert disposition.startswith('attachment; filename="hoa-don-hd-')
    assert [path.split("/file")[0] for path in backend[0].asked] == [
        f"/v1/customers/{CODE}/invoices/{invoice(CODE, datetime.now(UTC).date().replace(day=1)).id}"
    ] * 2


def test_the_address_names_no_customer(given: dict[str, str]) -> None:
    assert CODE not in given["Tải PDF"]


def test_after_its_time_it_is_closed(
    stage: Stage, given: dict[str, str], gateway: FlaskClient, backend: tuple[Backend, str]
) -> None:
    stage.clock.forward(minutes=30)
    assert gateway.get(given["Tải PDF"]).status_code == 200
    stage.clock.forward(seconds=1)
    answer = gateway.get(given["Tải PDF"])
    assert (answer.status_code, answer.mimetype) == (410, "text/html")
    assert "hết hạn" in answer.text
    assert len(backend[0].asked) == 1


def test_after_unlinking_it_is_closed(
    stage: Stage, given: dict[str, str], gateway: FlaskClient, backend: tuple[Backend, str]
) -> None:
    [link] = stage.links()
    with stage.database.begin() as session:
        conversations.end_link(session, contact_id=link.contact_id, link_id=link.id, at=stage.clock())
    assert gateway.get(given["Tải PDF"]).status_code == 410
    assert backend[0].asked == []


def test_who_links_the_code_anew_does_not_open_old_addresses(
    stage: Stage, given: dict[str, str], gateway: FlaskClient
) -> None:
    [link] = stage.links()
    with stage.database.begin() as session:
        conversations.end_link(session, contact_id=link.contact_id, link_id=link.id, at=stage.clock())
    stage.link(CODE, user=USER)
    assert gateway.get(given["Tải PDF"]).status_code == 410


@pytest.mark.parametrize(
    ("status", "content_type", "shown", "words"),
    [
        (503, None, 503, "đang bận"),
        (401, None, 503, "đang bận"),
        (200, "text/html", 503, "đang bận"),
        (404, None, 404, "chưa có tệp"),
    ],
)
def test_what_the_backend_cannot_give_is_said(
    given: dict[str, str],
    gateway: FlaskClient,
    backend: tuple[Backend, str],
    logs: list[Any],
    status: int,
    content_type: str | None,
    shown: int,
    words: str,
) -> None:
    backend[0].status, backend[0].content_type = status, content_type
    answer = gateway.get(given["Tải PDF"])
    assert (answer.status_code, answer.mimetype) == (shown, "text/html")
    assert words in answer.text
    assert CODE not in str(logs)


def test_a_contract_is_fetched_from_the_service_system(
    stage: Stage, gateway: FlaskClient, backend: tuple[Backend, str]
) -> None:
    link = stage.link(CODE)
    links = stage.product.turns._desk.documents
    url = links.url(DocumentKind.CONTRACT_PDF, link_id=link, now=stage.clock())
    answer = gateway.get(url.removeprefix(stage.settings.public_url))
    assert (answer.status_code, answer.data) == (200, PDF)
    assert 'filename="hop-dong.pdf"' in answer.headers["Content-Disposition"]
    assert backend[0].asked == [f"/v1/customers/{CODE}/contract/file"]


LINKS = DocumentLinks("https://bot.example.vn", SECRET, timedelta(minutes=30))


def test_reading_back_what_was_signed() -> None:
    url = LINKS.url(DocumentKind.INVOICE_XML, link_id=7, document_id="HD/2026 Đ", now=NOW)
    document = LINKS.read(url.rsplit("/", 1)[1], NOW + timedelta(minutes=30))
    assert document == Document(DocumentKind.INVOICE_XML, 7, "HD/2026 Đ")
    assert document.file_name == "hoa-don-hd-2026-d.xml"
    with pytest.raises(DocumentExpired):
        LINKS.read(url.rsplit("/", 1)[1], NOW + timedelta(minutes=31))


@pytest.mark.parametrize(
    "content",
    [["invoice_pdf", 1, "a"], ["picture", 1, "a", 2_000_000_000], ["invoice_pdf", "x", "a", 2_000_000_000], 5, "a"],
)
def test_what_is_signed_for_something_else_is_no_document(content: Any) -> None:
    for salt in (SALT, "media"):
        with pytest.raises(NotADocument):
            LINKS.read(URLSafeSerializer(SECRET, salt=salt).dumps(content), NOW)
    with pytest.raises(NotADocument):
        LINKS.read("garbage", NOW)

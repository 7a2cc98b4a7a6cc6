"""Meta's data deletion callback: signed, taken in like any event, followed by its code (messenger.md §9)."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from fixtures.stage import ENVIRONMENT, Stage
from flask.testing import FlaskClient
from sqlalchemy import select

from bot.app import create_app
from bot.store.models import Contact, InboundEvent, Message, RightsRequest

CALLBACK = "/webhooks/messenger/data-deletion"
ASKED = {"algorithm": "HMAC-SHA256", "issued_at": 1795489200, "user_id": "2"}


@pytest.fixture
def gateway(stage: Stage) -> FlaskClient:
    return create_app(stage.settings, stage.database, clock=stage.clock).test_client()


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def signed(asked: Any, secret: str = ENVIRONMENT["MESSENGER_APP_SECRET"]) -> str:
    content = encoded(json.dumps(asked).encode())
    return f"{encoded(hmac.digest(secret.encode(), content.encode(), hashlib.sha256))}.{content}"


def ask(gateway: FlaskClient, request: str) -> Any:
    return gateway.post(CALLBACK, data={"signed_request": request})


def the_request(stage: Stage) -> RightsRequest:
    with stage.database.begin() as session:
        return session.scalars(select(RightsRequest)).one()


def test_whom_we_know_by_that_id_is_erased(stage: Stage, gateway: FlaskClient) -> None:
    stage.hears_on_messenger("xin chào", user="2")
    stage.work()
    answer = ask(gateway, signed(ASKED)).json
    stage.work()
    with stage.database.begin() as session:
        assert session.scalars(select(Message)).all() == []
    assert the_request(stage).done_at == stage.clock()
    where = answer["url"].removeprefix(stage.settings.public_url)
    assert where.endswith(f"/{answer['confirmation_code']}")
    page = gateway.get(where)
    assert page.status_code == 200
    assert "Đã xóa lúc" in page.text


def test_whom_we_do_not_know_by_it_is_left_to_people_and_told_the_way(stage: Stage, gateway: FlaskClient) -> None:
    stage.hears_on_messenger("xin chào", user="2")
    stage.work()
    answer = ask(gateway, signed({**ASKED, "user_id": "app-scoped-9"})).json
    where = answer["url"].removeprefix(stage.settings.public_url)
    assert "Đã nhận lúc" in gateway.get(where).text
    stage.work()
    assert the_request(stage).done_at is None
    shown = gateway.get(where).text
    assert "xóa dữ liệu của tôi" in shown
    assert "Hạn xong" in shown
    with stage.database.begin() as session:
        assert session.scalars(select(Message)).all() != []
        assert "app-scoped-9" in session.scalars(select(Contact.channel_user_id)).all()


def test_a_repeat_is_the_same_request(stage: Stage, gateway: FlaskClient) -> None:
    first, second = (ask(gateway, signed(ASKED)).json for _ in range(2))
    assert first == second
    with stage.database.begin() as session:
        assert len(session.scalars(select(InboundEvent)).all()) == 1


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("", 403),
        ("garbage", 403),
        ("é.é", 403),
        (signed(ASKED, "another secret"), 403),
        (signed(ASKED).partition(".")[0] + "." + encoded(b'{"user_id": "3"}'), 403),
        (signed([1]), 400),
        (signed({"user_id": None}), 400),
        (signed({"user_id": "1" * 300}), 400),
    ],
)
def test_what_is_not_meta_s_or_names_nobody_is_refused(
    stage: Stage, gateway: FlaskClient, request_: str, status: int
) -> None:
    assert ask(gateway, request_).status_code == status
    with stage.database.begin() as session:
        assert session.scalars(select(InboundEvent)).all() == []


def test_the_signature_comes_before_the_reading(gateway: FlaskClient) -> None:
    unreadable = encoded(b"\xff\xfe not json")
    assert ask(gateway, f"{encoded(b'x' * 32)}.{unreadable}").status_code == 403


def test_nobody_s_code_says_so(gateway: FlaskClient) -> None:
    answer = gateway.get("/data-deletion/0123456789abcdef")
    assert answer.status_code == 404
    assert "Không có yêu cầu nào" in answer.text

"""A payment's QR code: kept for its contact, handed to the platform, and fetched at an address nobody can guess."""

import io

import itsdangerous.timed
import pytest
from fixtures.outside import CODE, invoice
from fixtures.stage import SECRET, Stage
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from PIL import Image
from sqlalchemy import select

from bot.app import create_app
from bot.pipeline.turns import MEDIA_LIFETIME
from bot.store.models import Media


@pytest.fixture
def paid(stage: Stage) -> Stage:
    """A customer asked to pay and got the QR code."""
    stage.billing.bills[CODE] = [invoice(CODE, stage.clock().date().replace(day=1))]
    stage.link(CODE)
    stage.nlu.teach("thanh toán", "pay_bill")
    stage.says("thanh toán")
    return stage


@pytest.fixture
def gateway(paid: Stage) -> FlaskClient:
    return create_app(paid.settings, paid.database).test_client()


def address(stage: Stage) -> str:
    """The path of the picture's address that the platform was given."""
    picture = stage.zalo.sent[-1].picture
    assert picture is not None
    assert picture.url is not None
    assert picture.url.startswith(f"{stage.settings.public_url}/media/")
    return picture.url.removeprefix(stage.settings.public_url)


def test_the_platform_gets_a_png_of_the_contact_s_own(paid: Stage) -> None:
    sent = paid.zalo.sent[-1]
    assert sent.picture is not None
    assert sent.picture.content_type == "image/png"
    assert Image.open(io.BytesIO(sent.picture.content)).format == "PNG"
    with paid.database.begin() as session:
        (media,) = session.scalars(select(Media)).all()
    assert media.contact_id == paid.conversation().contact_id
    assert media.expires_at == paid.clock() + MEDIA_LIFETIME
    assert sent.message.media_id == media.id
    assert paid.deliveries()[-1].content["media_id"] == media.id


def test_its_address_shows_it_and_lets_nobody_keep_it(paid: Stage, gateway: FlaskClient) -> None:
    answer = gateway.get(address(paid))
    assert answer.status_code == 200
    assert answer.mimetype == "image/png"
    assert answer.data == paid.zalo.sent[-1].picture.content  # type: ignore[union-attr]
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_an_address_that_was_not_given_shows_nothing(paid: Stage, gateway: FlaskClient) -> None:
    given = address(paid)
    media_id = paid.zalo.sent[-1].message.media_id
    signed_for_something_else = URLSafeTimedSerializer(SECRET, salt="button:1").dumps(media_id)
    signed_by_somebody_else = URLSafeTimedSerializer("another-secret-of-16", salt="media").dumps(media_id)
    of_no_row = URLSafeTimedSerializer(SECRET, salt="media").dumps(10**9)
    wrong = [
        given[:-2],
        given.replace(".", "", 1),
        f"/media/{media_id}",
        f"/media/{signed_for_something_else}",
        f"/media/{signed_by_somebody_else}",
        f"/media/{of_no_row}",
    ]
    assert [gateway.get(path).status_code for path in wrong] == [404] * len(wrong)


def test_its_time_ends(paid: Stage, gateway: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    given = address(paid)
    real = itsdangerous.timed.time.time
    monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: real() + MEDIA_LIFETIME.total_seconds() + 2)
    assert gateway.get(given).status_code == 404


def test_a_picture_that_was_deleted_shows_nothing(paid: Stage, gateway: FlaskClient) -> None:
    given = address(paid)
    paid.clock.forward(seconds=MEDIA_LIFETIME.total_seconds() + 1)
    paid.tick("forget_old_data")
    assert gateway.get(given).status_code == 404
    with paid.database.begin() as session:
        assert session.scalars(select(Media)).all() == []


def test_a_reply_whose_picture_is_gone_is_still_sent(stage: Stage) -> None:
    """Its text names the amount and the account, which is enough to pay."""
    stage.billing.bills[CODE] = [invoice(CODE, stage.clock().date().replace(day=1))]
    stage.link(CODE)
    stage.nlu.teach("thanh toán", "pay_bill")
    stage.product.turns.handle(stage.event(stage.hears("thanh toán")))
    with stage.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM media")
    stage.work()
    assert stage.zalo.sent[-1].picture is None
    assert "512.340 đ" in stage.zalo.texts[-1]

"""POST /hooks/changes: the utility's systems say that something is new."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gateway import ENVIRONMENT, Gateway, refused
from sqlalchemy import text
from werkzeug.test import TestResponse

from bot.app import create_app
from bot.settings import SettingsError, load_settings
from bot.store.database import Database
from bot.webhooks.intake import MAX_BODY_BYTES

SECRET = "a-secret-of-the-utility"
BILLING = b'{"feed":"billing"}'
Nudge = Callable[..., TestResponse]


def signature(body: bytes, stamp: str, *, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.fixture
def hooked(gateway: Gateway, shared_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gateway:
    """The gateway of an installation whose systems can call it."""
    monkeypatch.setenv("CHANGES_SECRET", SECRET)
    return Gateway(create_app(load_settings(), shared_database).test_client(), shared_database)


@pytest.fixture
def nudge(hooked: Gateway) -> Nudge:
    """Send a body as the utility does: signed, and with the time, unless others are given."""

    def send(body: bytes = BILLING, *, stamp: str | None = None, signed: str | None = None) -> TestResponse:
        at = str(int(time.time())) if stamp is None else stamp
        headers = {"X-Timestamp": at, "X-Signature": signature(body, at) if signed is None else signed}
        return hooked.client.post("/hooks/changes", data=body, headers=headers)

    return send


def test_a_nudge_has_the_feed_read_at_once(hooked: Gateway, nudge: Nudge) -> None:
    answer = nudge(b'{"feed": "service", "count": 3}')
    assert (answer.status_code, answer.text) == (202, "")
    (job,) = hooked.jobs()
    assert (job["task_name"], job["queue_name"], job["queueing_lock"]) == ("poll_feed", "upkeep", "poll_feed:service")
    assert job["args"] == {"feed": "service"}


def test_nudges_that_come_meanwhile_add_no_jobs(hooked: Gateway, nudge: Nudge) -> None:
    assert [nudge().status_code for _ in range(3)] == [202, 202, 202]
    assert nudge(b'{"feed":"service"}').status_code == 202
    assert [job["queueing_lock"] for job in hooked.jobs()] == ["poll_feed:billing", "poll_feed:service"]


def test_one_that_comes_while_the_feed_is_being_read_is_not_lost(hooked: Gateway, nudge: Nudge) -> None:
    nudge()
    with hooked.database.begin() as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    nudge()
    assert len(hooked.jobs()) == 2


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        signature(BILLING, "0"),
        signature(BILLING, str(int(time.time())), secret=ENVIRONMENT["SECRET_KEY"]),
        "sha256=\u00e9",
    ],
    ids=["missing", "empty", "zeros", "another-time", "another-secret", "not-ascii"],
)
def test_a_wrong_signature_is_refused_and_counted(hooked: Gateway, nudge: Nudge, forged: str) -> None:
    before = refused("changes", "bad_signature")
    assert nudge(signed=forged).status_code == 403
    assert refused("changes", "bad_signature") == before + 1
    assert hooked.jobs() == []


def test_the_body_and_the_time_are_signed(hooked: Gateway, nudge: Nudge) -> None:
    now = int(time.time())
    good = signature(BILLING, str(now))
    assert nudge(b'{"feed":"service"}', stamp=str(now), signed=good).status_code == 403
    assert nudge(stamp=str(now + 1), signed=good).status_code == 403
    assert nudge(stamp=str(now), signed=good.removeprefix("sha256=")).status_code == 403
    assert nudge(stamp=str(now), signed=good).status_code == 202


@pytest.mark.parametrize("seconds", [-301, 302, -(10**9)])
def test_a_call_of_another_time_is_refused(hooked: Gateway, nudge: Nudge, seconds: int) -> None:
    before = refused("changes", "bad_timestamp")
    assert nudge(stamp=str(int(time.time()) + seconds)).status_code == 403
    assert refused("changes", "bad_timestamp") == before + 1
    assert hooked.jobs() == []


@pytest.mark.parametrize("seconds", [-290, 290])
def test_clocks_may_differ_a_little(nudge: Nudge, seconds: int) -> None:
    assert nudge(stamp=str(int(time.time()) + seconds)).status_code == 202


@pytest.mark.parametrize("stamp", ["", "soon", "1.5", "-5", "+1", " 1", "²", "9" * 13, "1" * 5_000])
def test_a_time_that_is_none_is_refused(nudge: Nudge, stamp: str) -> None:
    assert nudge(stamp=stamp).status_code == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"billing"', b"{}", b'{"feed":"tickets"}', b'{"feed":["billing"]}', b'{"feed":null}', b"\xff"],
)
def test_signed_but_meaningless_is_400(hooked: Gateway, nudge: Nudge, body: bytes) -> None:
    assert nudge(body).status_code == 400
    assert hooked.jobs() == []


def test_too_large_is_413(nudge: Nudge) -> None:
    assert nudge(json.dumps({"feed": "billing", "x": "x" * MAX_BODY_BYTES}).encode()).status_code == 413


def test_without_a_secret_there_is_no_such_address(gateway: Gateway) -> None:
    stamp = str(int(time.time()))
    headers = {"X-Timestamp": stamp, "X-Signature": signature(BILLING, stamp, secret="")}
    assert gateway.client.post("/hooks/changes", data=BILLING, headers=headers).status_code == 404


def test_a_short_secret_is_a_wrong_setting(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGES_SECRET", "short")
    with pytest.raises(SettingsError, match="CHANGES_SECRET"):
        load_settings()

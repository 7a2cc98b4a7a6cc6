"""What a failure on the way means, with real sockets."""

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from scripted import CutOff, Drop, Hang, Platform, Say

from bot.channels.http import HttpClient, raise_for_status
from bot.channels.outcomes import BadRequest, OutcomeUnknown, Retry, SendError, SlowDown
from bot.messages import ChannelName


@pytest.fixture
def http() -> HttpClient:
    return HttpClient(ChannelName.ZALO, connect_timeout=1, read_timeout=0.2)


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def call(http: HttpClient, url: str, *, sends: bool) -> None:
    raise_for_status(http.request("cs", "POST", url, sends=sends, json={"a": 1}), sends=sends)


def test_nobody_listening_is_a_retry_even_for_a_send(http: HttpClient, closed_port: int) -> None:
    with pytest.raises(Retry, match="connect"):
        call(http, f"http://127.0.0.1:{closed_port}/x", sends=True)


def test_no_secure_connection_is_a_retry_that_alerts(http: HttpClient, platform: Platform) -> None:
    with pytest.raises(Retry, match="tls") as caught:
        call(http, platform.url.replace("http:", "https:"), sends=True)
    assert caught.value.alert


@pytest.mark.parametrize(
    ("reaction", "code"), [(Hang, "timeout"), (Drop, "connection-lost"), (CutOff, "connection-lost")]
)
def test_no_answer_is_unknown_for_a_send_and_a_retry_for_a_question(
    http: HttpClient, platform: Platform, reaction: type, code: str
) -> None:
    platform.otherwise = reaction
    with pytest.raises(OutcomeUnknown, match=code):
        call(http, platform.url, sends=True)
    with pytest.raises(Retry, match=code):
        call(http, platform.url, sends=False)
    assert len(platform.asked) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, Retry),
        (503, Retry),
        (502, OutcomeUnknown),
        (504, OutcomeUnknown),
        (200, OutcomeUnknown),
        (429, SlowDown),
        (404, BadRequest),
        (302, BadRequest),
    ],
)
def test_a_status_without_an_error_body(
    http: HttpClient, platform: Platform, status: int, error: type[SendError]
) -> None:
    platform.otherwise = Say(b"", status, {"Location": platform.url + "/elsewhere"})
    with pytest.raises(error) as caught:
        call(http, platform.url, sends=True)
    assert type(caught.value) is error
    assert caught.value.code == f"http-{status}"
    assert len(platform.asked) == 1


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("99999", 600), ("soon", 60), ("-1", 60)])
def test_retry_after_is_heeded_within_reason(http: HttpClient, platform: Platform, header: str, seconds: int) -> None:
    platform.otherwise = Say(b"", 429, {"Retry-After": header})
    with pytest.raises(SlowDown) as caught:
        call(http, platform.url, sends=True)
    assert caught.value.after == timedelta(seconds=seconds)


def test_errors_carry_nothing_of_the_call(http: HttpClient, closed_port: int) -> None:
    with pytest.raises(Retry) as caught:
        call(http, f"http://127.0.0.1:{closed_port}/user/84912345678?appsecret_proof=abc", sends=True)
    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    assert "84912345678" not in shown
    assert "appsecret_proof" not in shown
    assert caught.value.__suppress_context__


def test_connections_are_kept(http: HttpClient, platform: Platform) -> None:
    ports = set()
    platform.otherwise = lambda asked: Say({"error": 0, "port": ports.add(asked.headers.get("Connection"))})
    for _ in range(3):
        http.request("cs", "GET", platform.url, sends=False)
    assert ports == {"keep-alive"}

"""The whole Zalo channel against the emulator of Zalo, over HTTP."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from bot.channels.base import Picture
from bot.channels.http import HttpClient
from bot.channels.outcomes import OutcomeUnknown, Reauthorise, RecipientGone, Retry, SlowDown, WindowClosed
from bot.channels.zalo.api import ZaloApi
from bot.channels.zalo.channel import ZaloChannel
from bot.channels.zalo.tokens import ZaloTokens
from bot.messages import Button, ChannelName, OutMessage
from bot.settings import ZaloSettings
from bot.store.database import Database
from sandbox.server import free_port, running_sandbox
from sandbox.settings import SandboxSettings

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
USER = "2222222222222222222"
PNG = Picture(b"\x89PNG\r\n\x1a\n picture", "image/png")

Control = Callable[..., Any]


@pytest.fixture
def sandbox() -> Iterator[SandboxSettings]:
    settings = SandboxSettings(_env_file=None, sandbox_port=free_port(), public_url=f"http://127.0.0.1:{free_port()}")
    with running_sandbox(settings, now=lambda: NOON):
        yield settings


@pytest.fixture
def control(sandbox: SandboxSettings) -> Control:
    def call(path: str, **body: Any) -> Any:
        answer = requests.post(f"{sandbox.base_url}/control/zalo/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    call("options", echo="off")
    call("say", user=USER, text="Xin chào")
    return call


@pytest.fixture
def received(sandbox: SandboxSettings, control: Control) -> Callable[[], list[dict[str, Any]]]:
    def messages() -> list[dict[str, Any]]:
        answer = requests.get(f"{sandbox.base_url}/control/zalo/messages", params={"user": USER}, timeout=10)
        found: list[dict[str, Any]] = answer.json()["messages"]
        return found

    return messages


@pytest.fixture
def make(sandbox: SandboxSettings, database: Database) -> Callable[[], ZaloChannel]:
    """A channel as each process has it."""

    def channel() -> ZaloChannel:
        settings = ZaloSettings(
            _env_file=None,
            app_id=sandbox.zalo_app_id,
            app_secret=SecretStr(sandbox.zalo_app_secret),
            oa_secret_key=SecretStr(sandbox.zalo_oa_secret_key),
            oa_id=sandbox.zalo_oa_id,
            refresh_token=SecretStr(sandbox.zalo_refresh_token),
            oauth_url=f"{sandbox.base_url}/zalo/oauth",
            openapi_url=f"{sandbox.base_url}/zalo/openapi",
            business_url=f"{sandbox.base_url}/zalo/business",
        )
        http = HttpClient(ChannelName.ZALO, read_timeout=2)
        tokens = ZaloTokens(settings, database, lambda: NOON, http)
        return ZaloChannel(settings, ZaloApi(settings, tokens, lambda: NOON, http), tokens)

    return channel


@pytest.fixture
def channel(make: Callable[[], ZaloChannel], control: Control) -> ZaloChannel:
    return make()


def send(channel: ZaloChannel, message: OutMessage, picture: Picture | None = None) -> list[str | None]:
    parts = channel.render(message)
    return [channel.send(USER, part, delivery_key="d", picture=picture).provider_message_id for part in parts]


def test_text_buttons_and_picture_arrive(channel: ZaloChannel, received: Callable[[], list[dict[str, Any]]]) -> None:
    buttons = (
        Button(title="Tiền điện", payload="#bill"),
        Button(title="Thanh toán", url="https://example.vn/p"),
        Button(title="Tổng đài", phone="19006769"),
    )
    ids = send(channel, OutMessage(text="Quý khách cần trả 512.340 đ", buttons=buttons, media_id=1), PNG)
    picture, text = received()
    assert ids == [picture["message_id"], text["message_id"]]
    assert picture["media"][0]["size"] == len(PNG.content)
    assert text["text"] == "Quý khách cần trả 512.340 đ"
    assert [b["title"] for b in text["buttons"]] == ["Tiền điện", "Thanh toán", "Tổng đài"]


def test_a_long_text_arrives_in_parts(channel: ZaloChannel, received: Callable[[], list[dict[str, Any]]]) -> None:
    text = "Điện năng tiêu thụ tháng này là 210 kWh. " * 120
    send(channel, OutMessage(text=text))
    assert " ".join(m["text"] for m in received()) == text.strip()


@pytest.mark.parametrize("code", [-201, -233])
def test_an_account_without_buttons_gets_numbers(
    channel: ZaloChannel, control: Control, received: Callable[[], list[dict[str, Any]]], code: int
) -> None:
    control("options", buttons=code)
    send(channel, OutMessage(text="Chọn:", buttons=(Button(title="Tiền điện", payload="#bill"),)))
    assert [m["text"] for m in received()] == ["Chọn:\nQuý khách nhắn số để chọn:\n1. Tiền điện"]


def test_a_revoked_token_is_renewed_unseen(
    channel: ZaloChannel, control: Control, received: Callable[[], list[dict[str, Any]]]
) -> None:
    send(channel, OutMessage(text="Một"))
    control("token", remove=["access"])
    control("clock", advance_seconds=1)
    send(channel, OutMessage(text="Hai"))
    assert [m["text"] for m in received()] == ["Một", "Hai"]


def test_processes_that_start_together_refresh_once(
    make: Callable[[], ZaloChannel], control: Control, received: Callable[[], list[dict[str, Any]]]
) -> None:
    channels = [make(), make()]
    threads = [threading.Thread(target=send, args=(channels[n % 2], OutMessage(text=f"Câu {n}"))) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(m["text"] for m in received()) == [f"Câu {n}" for n in range(6)]
    assert control("token")["refreshes"] == 1


def test_withdrawn_consent_needs_a_person(channel: ZaloChannel, control: Control) -> None:
    control("token", remove=["access", "refresh"])
    for _ in range(2):
        with pytest.raises(Reauthorise):
            send(channel, OutMessage(text="Một"))


@pytest.mark.parametrize(
    ("fault", "error", "arrives"),
    [
        ({"kind": "status", "status": 503}, Retry, 0),
        ({"kind": "status", "status": 504}, OutcomeUnknown, 0),
        ({"kind": "empty"}, OutcomeUnknown, 0),
        ({"kind": "error", "code": -32}, SlowDown, 0),
        ({"kind": "hang", "seconds": 3}, OutcomeUnknown, 0),
        ({"kind": "accept_then_hang", "seconds": 3}, OutcomeUnknown, 1),
    ],
)
def test_faults_are_told_apart(
    channel: ZaloChannel,
    control: Control,
    received: Callable[[], list[dict[str, Any]]],
    fault: dict[str, Any],
    error: type[Exception],
    arrives: int,
) -> None:
    control("faults", call="cs", **fault)
    with pytest.raises(error):
        send(channel, OutMessage(text="Một"))
    assert len(received()) == arrives


def test_windows_and_refusals(channel: ZaloChannel, control: Control) -> None:
    control("users", user=USER, refuses=-227)
    with pytest.raises(RecipientGone):
        send(channel, OutMessage(text="Một"))
    control("users", user=USER, refuses=None)
    control("clock", advance_seconds=timedelta(days=8).total_seconds())
    with pytest.raises(WindowClosed):
        send(channel, OutMessage(text="Một"))


def test_templates_reach_whoever_is_out_of_the_window(
    channel: ZaloChannel, received: Callable[[], list[dict[str, Any]]]
) -> None:
    data = {"amount": "512340", "period": "11/2026", "customer_code": "PA04TN000001"}
    by_user = channel.api.send_template_to_user(USER, "300004", data)
    by_phone = channel.api.send_template_to_phone("84912345678", "300004", data, "notice1")
    assert by_phone.provider_message_id
    assert [m["message_id"] for m in received()] == [by_user.provider_message_id]


def test_names_account_quota_and_reaction(channel: ZaloChannel, control: Control) -> None:
    control("users", user=USER, name="Lan Anh")
    assert channel.display_name(USER) == "Lan Anh"
    assert channel.display_name("9") is None
    channel.check()
    assert channel.api.reply_quota(USER).last_interaction is not None
    channel.api.react(USER, control("say", user=USER, text="Cảm ơn")["message_id"], "/-strong")

"""The whole Messenger channel against the emulator of Messenger, over HTTP."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from bot.channels.base import Picture
from bot.channels.http import HttpClient
from bot.channels.messenger.api import MessengerApi
from bot.channels.messenger.channel import MessengerChannel
from bot.channels.outcomes import (
    OutcomeUnknown,
    Reauthorise,
    RecipientGone,
    Retry,
    Scope,
    SlowDown,
    WindowClosed,
)
from bot.messages import Button, ChannelName, OutMessage
from bot.settings import MessengerSettings
from sandbox.server import free_port, running_sandbox
from sandbox.settings import SandboxSettings

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
USER = "7777777777777777"
PNG = Picture(b"\x89PNG\r\n\x1a\n picture", "image/png")

Control = Callable[..., Any]
Received = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def sandbox() -> Iterator[SandboxSettings]:
    settings = SandboxSettings(_env_file=None, sandbox_port=free_port(), public_url=f"http://127.0.0.1:{free_port()}")
    with running_sandbox(settings, now=lambda: NOON):
        yield settings


@pytest.fixture
def control(sandbox: SandboxSettings) -> Control:
    def call(path: str, **body: Any) -> Any:
        answer = requests.post(f"{sandbox.base_url}/control/messenger/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    call("say", user=USER, text="Xin chào")
    return call


@pytest.fixture
def received(sandbox: SandboxSettings, control: Control) -> Received:
    def messages() -> list[dict[str, Any]]:
        answer = requests.get(f"{sandbox.base_url}/control/messenger/messages", params={"user": USER}, timeout=10)
        found: list[dict[str, Any]] = answer.json()["messages"]
        return found

    return messages


@pytest.fixture
def channel(sandbox: SandboxSettings, control: Control) -> MessengerChannel:
    settings = MessengerSettings(
        _env_file=None,
        app_secret=SecretStr(sandbox.messenger_app_secret),
        verify_token=SecretStr(sandbox.messenger_verify_token),
        page_id=sandbox.messenger_page_id,
        page_token=SecretStr(sandbox.messenger_page_token),
        api_url=f"{sandbox.base_url}/messenger/v25.0",
    )
    http = HttpClient(ChannelName.MESSENGER, read_timeout=2)
    return MessengerChannel(settings, MessengerApi(settings, lambda: NOON, http))


def send(channel: MessengerChannel, message: OutMessage, picture: Picture | None = None) -> list[str | None]:
    parts = channel.render(message)
    return [
        channel.send(USER, part, delivery_key=f"reply:{n}", picture=picture).provider_message_id
        for n, part in enumerate(parts)
    ]


def test_picture_template_and_quick_replies_arrive(channel: MessengerChannel, received: Received) -> None:
    links = (Button(title="Thanh toán", url="https://example.vn/p"), Button(title="Gọi", phone="0912345678"))
    taps = tuple(Button(title=f"Nhà {n}", payload=f"#h:{n}") for n in range(1, 5))
    message = OutMessage(text="Quý khách cần trả 512.340 đ", buttons=(*links, *taps), media_id=1)
    ids = send(channel, message, PNG)
    picture, text, choice = received()
    assert ids == [picture["message_id"], text["message_id"], choice["message_id"]]
    assert picture["media"][0]["size"] == len(PNG.content)
    assert [b["title"] for b in text["buttons"]] == ["Thanh toán", "Gọi"]
    assert [r["payload"] for r in choice["quick_replies"]] == ["#h:1", "#h:2", "#h:3", "#h:4"]
    assert [m["metadata"] for m in (picture, text, choice)] == ["reply:0", "reply:1", "reply:2"]


def test_a_long_text_arrives_in_parts(channel: MessengerChannel, received: Received) -> None:
    text = "Điện năng tiêu thụ tháng này là 210 kWh. " * 120
    send(channel, OutMessage(text=text, buttons=(Button(title="Xong", payload="#done"),)))
    assert " ".join(m["text"] for m in received()) == text.strip()


@pytest.mark.parametrize(
    ("fault", "error", "arrives"),
    [
        ({"kind": "status", "status": 503}, Retry, 0),
        ({"kind": "empty"}, OutcomeUnknown, 0),
        ({"kind": "error", "code": 2}, Retry, 0),
        ({"kind": "error", "code": 613}, SlowDown, 0),
        ({"kind": "error", "code": 1, "subcode": 1357046}, OutcomeUnknown, 0),
        ({"kind": "accept_then_hang", "seconds": 3}, OutcomeUnknown, 1),
    ],
)
def test_faults_are_told_apart(
    channel: MessengerChannel,
    control: Control,
    received: Received,
    fault: dict[str, Any],
    error: type[Exception],
    arrives: int,
) -> None:
    control("faults", call="messages", **fault)
    with pytest.raises(error):
        send(channel, OutMessage(text="Một"))
    assert len(received()) == arrives


def test_window_block_and_stranger(channel: MessengerChannel, control: Control) -> None:
    control("users", user=USER, blocked=True)
    with pytest.raises(RecipientGone):
        send(channel, OutMessage(text="Một"))
    control("users", user=USER, blocked=False)
    control("clock", advance_seconds=25 * 3600)
    with pytest.raises(WindowClosed):
        send(channel, OutMessage(text="Một"))
    with pytest.raises(RecipientGone):
        channel.send("1", OutMessage(text="Một"), delivery_key="d", picture=None)


def test_a_thread_of_others_is_left_alone(channel: MessengerChannel, control: Control) -> None:
    control("options", routing="default_app")
    control("staff_reply", user=USER, text="Tôi là nhân viên")
    with pytest.raises(SlowDown) as caught:
        send(channel, OutMessage(text="Một"))
    assert caught.value.scope is Scope.RECIPIENT


def test_a_refused_token_needs_a_person(channel: MessengerChannel, control: Control) -> None:
    control("token", code=190, subcode=463)
    with pytest.raises(Reauthorise, match="190/463"):
        send(channel, OutMessage(text="Một"))
    with pytest.raises(Reauthorise):
        channel.check()


@pytest.mark.parametrize("as_attachment", [False, True])
def test_a_utility_template_reaches_whoever_is_out_of_the_window(
    channel: MessengerChannel, control: Control, received: Received, sandbox: SandboxSettings, *, as_attachment: bool
) -> None:
    page = f"{sandbox.base_url}/messenger/v25.0/{sandbox.messenger_page_id}/message_templates"
    body = {
        "name": "lich_cat_dien",
        "language": "vi",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {
                "type": "BODY",
                "text": "Khu vực của quý khách tạm ngừng cấp điện ngày {{ngay}} để bảo trì.",
                "example": {"body_text_named_params": [{"param_name": "ngay", "example": "27/11/2026"}]},
            }
        ],
    }
    token = {"Authorization": f"Bearer {sandbox.messenger_page_token}"}
    assert requests.post(page, json=body, headers=token, timeout=10).json()["status"] == "APPROVED"
    control("clock", advance_seconds=25 * 3600)
    sent = channel.api.send_utility(
        USER, "lich_cat_dien", "vi", {"ngay": "30/11/2026"}, metadata="notice:1", as_attachment=as_attachment
    )
    [message] = received()
    assert message["message_id"] == sent.provider_message_id
    assert "30/11/2026" in message["text"]


def test_name_typing_and_subscription(channel: MessengerChannel, control: Control, sandbox: SandboxSettings) -> None:
    control("users", user=USER, name="Nguyễn Lan Anh")
    assert channel.display_name(USER) == "Nguyễn Lan Anh"
    assert channel.display_name("1") is None
    channel.show_typing(USER)
    page = f"{sandbox.base_url}/messenger/v25.0/{sandbox.messenger_page_id}/subscribed_apps"
    token = {"Authorization": f"Bearer {sandbox.messenger_page_token}"}
    requests.post(page, params={"subscribed_fields": "messages"}, headers=token, timeout=10).raise_for_status()
    channel.check()

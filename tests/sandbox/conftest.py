"""The sandbox on a free port, with its webhooks recorded."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sandbox_remote import NOON, Remote
from webhook_receiver import Receiver, running_receiver

from sandbox.server import free_port, running_sandbox
from sandbox.settings import SandboxSettings


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def settings(receiver: Receiver) -> SandboxSettings:
    return SandboxSettings(_env_file=None, sandbox_port=free_port(), public_url=receiver.url)


@pytest.fixture
def remote(settings: SandboxSettings) -> Iterator[Remote]:
    with running_sandbox(settings, now=lambda: NOON, customers=40) as sandbox:
        yield Remote(sandbox, settings.base_url)


@pytest.fixture
def zalo(remote: Remote) -> Remote:
    """Calls with an access token that is good at the time of the fixture."""
    return remote.with_zalo_token()


@pytest.fixture
def cs(remote: Remote) -> Callable[[str, Any], dict[str, Any]]:
    """Send a consultation message: (user, message) → answer."""

    def send(user: str, message: Any) -> dict[str, Any]:
        body = {"recipient": {"user_id": user}, "message": message}
        answer: dict[str, Any] = remote.with_zalo_token().post("/zalo/openapi/v3.0/oa/message/cs", body).json()
        return answer

    return send


@pytest.fixture
def page(remote: Remote) -> Remote:
    """Graph calls with the Page's token."""
    token = remote.sandbox.settings.messenger_page_token
    return Remote(remote.sandbox, remote.base, {"Authorization": f"Bearer {token}"})


@pytest.fixture
def send(page: Remote) -> Callable[..., dict[str, Any]]:
    """Send a Messenger message: (user, message, further fields of the body) → answer."""

    def send(user: str, message: Any, **beside: Any) -> dict[str, Any]:
        body = {"recipient": {"id": user}, "messaging_type": "RESPONSE", "message": message} | beside
        answer: dict[str, Any] = page.post("/messenger/v25.0/me/messages", body).json()
        return answer

    return send

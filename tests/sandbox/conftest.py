"""The sandbox on a free port, with its webhooks recorded."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fixtures.chromium import browser
from sandbox_remote import NOON, Remote
from webhook_receiver import Receiver, running_receiver

from sandbox.server import free_port, running_sandbox
from sandbox.settings import SandboxSettings

__all__ = ["browser"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def settings(receiver: Receiver) -> SandboxSettings:
    return SandboxSettings(_env_file=None, sandbox_port=free_port(), public_url=receiver.url)


@pytest.fixture
def remote(settings: SandboxSettings) -> Iterator[Remote]:
    with running_sandbox(settings, now=lambda: NOON) as sandbox:
        yield Remote(sandbox, settings.base_url)


@pytest.fixture
def zalo(remote: Remote) -> Remote:
    """Calls with an access token that is good at the time of the fixture."""
    return remote.with_zalo_token()


@pytest.fixture(scope="module")
def shared() -> Iterator[Remote]:
    """A sandbox for all tests of a module that change nothing but a transcript; nobody takes its webhooks."""
    settings = SandboxSettings(_env_file=None, sandbox_port=free_port(), public_url="http://127.0.0.1:9")
    with running_sandbox(settings, now=lambda: NOON) as sandbox:
        yield Remote(sandbox, settings.base_url)


@pytest.fixture
def cs(remote: Remote) -> Callable[[str, Any], dict[str, Any]]:
    """Send a consultation message: (user, message) → answer."""
    return remote.consult


@pytest.fixture
def page(remote: Remote) -> Remote:
    """Graph calls with the Page's token."""
    return remote.with_page_token()


@pytest.fixture
def send(remote: Remote) -> Callable[..., dict[str, Any]]:
    """Send a Messenger message: (user, message, further fields of the body) → answer."""
    return remote.send

"""Short hands to speak to a running sandbox over HTTP."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from sandbox.app import Sandbox

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
"""Monday noon in Vietnam: nothing is refused for the night."""


@dataclass
class Remote:
    """HTTP to the sandbox."""

    sandbox: Sandbox
    base: str
    headers: dict[str, str] = field(default_factory=dict)

    def with_zalo_token(self) -> "Remote":
        token = self.control("zalo/token")["access_token"]
        return Remote(self.sandbox, self.base, {"access_token": token})

    def with_page_token(self) -> "Remote":
        token = self.sandbox.settings.messenger_page_token
        return Remote(self.sandbox, self.base, {"Authorization": f"Bearer {token}"})

    def consult(self, user: str, message: Any) -> dict[str, Any]:
        """Send a Zalo consultation message with a fresh token."""
        body = {"recipient": {"user_id": user}, "message": message}
        answer: dict[str, Any] = self.with_zalo_token().post("/zalo/openapi/v3.0/oa/message/cs", body).json()
        return answer

    def send(self, user: str, message: Any, **beside: Any) -> dict[str, Any]:
        """Send a Messenger message; `beside` are further fields of the body."""
        body = {"recipient": {"id": user}, "messaging_type": "RESPONSE", "message": message} | beside
        answer: dict[str, Any] = self.with_page_token().post("/messenger/v25.0/me/messages", body).json()
        return answer

    def post(self, path: str, body: Any = None, **given: Any) -> requests.Response:
        return requests.post(self.base + path, json=body, headers=self.headers, timeout=20, **given)

    def get(self, path: str, **params: Any) -> requests.Response:
        return requests.get(self.base + path, params=params, headers=self.headers, timeout=20)

    def control(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.base}/control/{path}", json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def see(self, path: str, **params: Any) -> Any:
        answer = requests.get(f"{self.base}/control/{path}", params=params, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Ask again and again until the condition holds; fails when the deadline passes first."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        pause.wait(0.02)

"""What became of a send, as types with meanings: the caller chooses by type, never by reading a message.

    Sent                    accepted by the platform
    SendError
    ├── Retry               not taken now; try again after a pause
    ├── SlowDown            a limit is reached; hold its scope until it is over
    ├── Reauthorise         credentials, permissions or money: hold its scope, a person must act
    ├── WindowClosed        only a template, or a message of the customer's, opens the way again
    ├── RecipientGone       this person cannot or does not want to get it
    ├── BadRequest          this message can never go; never retried
    └── OutcomeUnknown      handed over, no answer: it may have arrived, so it is never sent again by itself

(architecture.md §3.4)
"""

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

MAX_ATTEMPTS = 5
REAUTHORISE_PAUSE = timedelta(seconds=30)


class Scope(StrEnum):
    """What an error speaks about, and so what the caller has to hold back."""

    MESSAGE = "message"
    """This message only."""
    RECIPIENT = "recipient"
    """All messages to this person."""
    KIND = "kind"
    """Sends of this kind: the same template, or whatever is charged or counted. Plain replies go on."""
    TOKEN = "token"
    """Everything sent with this provider token."""


@dataclass(frozen=True)
class Sent:
    """The platform took the message. The id is what its receipts and echoes will name."""

    provider_message_id: str | None


class SendError(Exception):
    """A send that did not certainly succeed.

    `code` is what the platform (or the network) said: "-216", "10/2018278", "http-503", "timeout". `reason` is ours,
    short, English, without personal data. `alert`: a person should hear of it.
    """

    usual_scope: ClassVar[Scope] = Scope.MESSAGE

    def pause(self, tries: int) -> timedelta | None:  # noqa: ARG002
        """How long to wait before the same message is tried again, after so many tries; None for never."""
        return None

    def __init__(self, code: str, reason: str, *, alert: bool = False, scope: Scope | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.alert = alert
        self.scope = scope or self.usual_scope


class Retry(SendError):
    """Try again after `after`; `max_attempts` in all when the platform's error deserves fewer than usual."""

    def __init__(
        self, code: str, reason: str, *, after: timedelta, max_attempts: int | None = None, alert: bool = False
    ) -> None:
        super().__init__(code, reason, alert=alert)
        self.after = after
        self.max_attempts = max_attempts

    def pause(self, tries: int) -> timedelta | None:
        most = min(MAX_ATTEMPTS, self.max_attempts or MAX_ATTEMPTS)
        return self.after * 2 ** (tries - 1) if tries < most else None


class SlowDown(SendError):
    """Hold back everything in `scope` for `after`, then go on with the same message."""

    usual_scope = Scope.TOKEN

    def __init__(
        self, code: str, reason: str, *, after: timedelta, alert: bool = False, scope: Scope | None = None
    ) -> None:
        super().__init__(code, reason, alert=alert, scope=scope)
        self.after = after

    def pause(self, tries: int) -> timedelta:  # noqa: ARG002
        return self.after


class Reauthorise(SendError):
    """Consent, permission, configuration or balance: pause `scope` until a person has put it right."""

    usual_scope = Scope.TOKEN

    def __init__(self, code: str, reason: str, *, scope: Scope | None = None) -> None:
        super().__init__(code, reason, alert=True, scope=scope)

    def pause(self, tries: int) -> timedelta:  # noqa: ARG002
        return REAUTHORISE_PAUSE


class WindowClosed(SendError):
    """The customer has not written lately enough for a free-form message."""

    usual_scope = Scope.RECIPIENT


class RecipientGone(SendError):
    """Blocked, left, unknown to the platform; with scope `kind`, refuses this kind of message only."""

    usual_scope = Scope.RECIPIENT


class BadRequest(SendError):
    """The message itself is refused."""


class OutcomeUnknown(SendError):
    """It left us and no answer came back. An echo or a receipt may still tell; we never send it again unasked."""


@contextmanager
def rights_concern_templates_only(codes: Container[str]) -> Iterator[None]:
    """Around the send of a template: these codes, of a right to a call, are then of templates; all else goes on."""
    try:
        yield
    except Reauthorise as error:
        if error.code in codes:
            error.scope = Scope.KIND
        raise


Verdict = Callable[[str, datetime], SendError]
"""A row of an error table: from the platform's code and the time now (aware UTC) to the error to raise."""

Hold = Callable[[datetime], timedelta]
"""How long a limit lasts, counted from now (aware UTC)."""


def seconds(count: float) -> Hold:
    return lambda _now: timedelta(seconds=count)


def retry(reason: str, after: Hold, *, max_attempts: int | None = None) -> Verdict:
    return lambda code, now: Retry(code, reason, after=after(now), max_attempts=max_attempts)


def slow_down(reason: str, after: Hold, *, scope: Scope | None = None, alert: bool = False) -> Verdict:
    return lambda code, now: SlowDown(code, reason, after=after(now), scope=scope, alert=alert)


def reauthorise(reason: str, *, scope: Scope | None = None) -> Verdict:
    return lambda code, _now: Reauthorise(code, reason, scope=scope)


def window_closed(reason: str) -> Verdict:
    return lambda code, _now: WindowClosed(code, reason)


def recipient_gone(reason: str, *, scope: Scope | None = None, alert: bool = False) -> Verdict:
    return lambda code, _now: RecipientGone(code, reason, scope=scope, alert=alert)


def bad_request(reason: str, *, alert: bool = False) -> Verdict:
    return lambda code, _now: BadRequest(code, reason, alert=alert)


def outcome_unknown(reason: str) -> Verdict:
    return lambda code, _now: OutcomeUnknown(code, reason)

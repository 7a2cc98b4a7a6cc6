"""Every row of messenger.md §7: what it makes us do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.messenger.errors import graph_error
from bot.channels.outcomes import (
    BadRequest,
    OutcomeUnknown,
    Reauthorise,
    RecipientGone,
    Retry,
    Scope,
    SendError,
    SlowDown,
    WindowClosed,
)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

ROWS: list[tuple[str, type[SendError], Scope]] = [
    ("1 2", Retry, Scope.MESSAGE),
    ("1/1357046", OutcomeUnknown, Scope.MESSAGE),
    ("4 17 32 80006 613 613/2534040 613/999", SlowDown, Scope.TOKEN),
    ("613/2018338", SlowDown, Scope.RECIPIENT),
    ("4/2018354 9/2018352 613/1893016", BadRequest, Scope.MESSAGE),
    ("190 190/458 190/460 190/463 190/467", Reauthorise, Scope.TOKEN),
    ("10 200 3 200/2018028 200/2018027 200/2018021", Reauthorise, Scope.TOKEN),
    ("10/2018278 10/2018065 10/2534022", WindowClosed, Scope.RECIPIENT),
    ("1545041 551 551/1545041 200/1545041 10/2018108 100/2018001", RecipientGone, Scope.RECIPIENT),
    ("100 100/999 100/33 100/2018047 100/2018074 100/2018109 100/2018014", BadRequest, Scope.MESSAGE),
    ("100/2018008 100/2018294 2018294", Retry, Scope.MESSAGE),
    ("10/1893063 2022 10/1404170", Reauthorise, Scope.TOKEN),
    ("10/1893015", RecipientGone, Scope.KIND),
    ("2018300 10/2018300 2018321 10/2018321 100/2534037", SlowDown, Scope.RECIPIENT),
    ("2018218 100/2018218 2018247 10303 2018416 100/2018416", BadRequest, Scope.MESSAGE),
]


def body(label: str, message: str = "(#1) An error") -> dict[str, Any]:
    code, _, subcode = label.partition("/")
    error = {"message": message, "type": "OAuthException", "code": int(code), "fbtrace_id": "A1b2"}
    return {"error": error | ({"error_subcode": int(subcode)} if subcode else {})}


def raised(label: str, message: str = "(#1) An error") -> SendError:
    found = graph_error(body(label, message))
    assert found is not None
    return found.as_send_error(NOW)


@pytest.mark.parametrize(
    ("label", "kind", "scope"), [(label, kind, scope) for labels, kind, scope in ROWS for label in labels.split()]
)
def test_codes(label: str, kind: type[SendError], scope: Scope) -> None:
    error = raised(label)
    assert type(error) is kind
    assert error.code == label
    assert error.scope is scope
    assert error.reason != "unknown code"
    if isinstance(error, Retry | SlowDown):
        assert timedelta(0) < error.after <= timedelta(days=1)


@pytest.mark.parametrize("label", ["9", "12345", "10/999", "200/999", "1/999"])
def test_an_unknown_code_or_subcode_ends_the_message_and_alerts(label: str) -> None:
    error = raised(label)
    assert type(error) is BadRequest
    assert error.alert


def test_the_words_of_one_error_count() -> None:
    assert type(raised("100", "(#100) No matching user found")) is RecipientGone


def test_bounds_of_the_doubtful_ones() -> None:
    for label in ("1", "2"):
        error = raised(label)
        assert isinstance(error, Retry)
        assert error.max_attempts == 4


def test_what_is_no_error() -> None:
    assert graph_error(None) is None
    assert graph_error({"recipient_id": "1", "message_id": "m_1"}) is None
    assert graph_error({"error": "text"}) is None


def test_an_error_without_a_code_is_unknown() -> None:
    found = graph_error({"error": {"message": "?"}})
    assert found is not None
    assert type(found.as_send_error(NOW)) is BadRequest

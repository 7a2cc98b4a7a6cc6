"""Every row of zalo.md §1.4, §7.1 and §7.2: what it makes us do."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.outcomes import (
    BadRequest,
    Reauthorise,
    RecipientGone,
    Retry,
    Scope,
    SendError,
    SlowDown,
    WindowClosed,
)
from bot.channels.zalo.errors import (
    BUSINESS,
    OAUTH,
    OPENAPI,
    business_error,
    error_code,
    morning,
    next_minute,
    next_month,
    oauth_error,
    openapi_error,
    tomorrow,
)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

OPENAPI_ROWS: list[tuple[str, type[SendError], Scope]] = [
    ("-32", SlowDown, Scope.TOKEN),
    ("-200 -214", Retry, Scope.MESSAGE),
    ("-100 -201 -210 -233 -240 -248 -249 -1340 -1341", BadRequest, Scope.MESSAGE),
    ("-204 -205 -209 -212 -216 -219 -220 -221 -223 -224 -235 -242 216 401 -401", Reauthorise, Scope.TOKEN),
    ("-237 -238 -241 -320 -403", Reauthorise, Scope.KIND),
    ("-211 -234 -321", SlowDown, Scope.KIND),
    ("-218", SlowDown, Scope.RECIPIENT),
    ("-213 -217 -227", RecipientGone, Scope.RECIPIENT),
    ("-244", RecipientGone, Scope.KIND),
    ("-230 -232", WindowClosed, Scope.RECIPIENT),
]
BUSINESS_ROWS: list[tuple[str, type[SendError], Scope]] = [
    ("-100", Retry, Scope.MESSAGE),
    (
        "-106 -107 -109 -1091 -111 -112 -1121 -1122 -1123 -1124 -113 -1131 -116 -121 -122 -130 -132 -153 -127"
        " -148 -149 -1491 -150 -158 -159 -161 -162",
        BadRequest,
        Scope.MESSAGE,
    ),
    ("-108 -110 -114 -118 -119 -141", RecipientGone, Scope.RECIPIENT),
    ("-134 -139 -140", RecipientGone, Scope.KIND),
    ("-101 -102 -103 -104 -105 -120 -1201 -1202 -138 -1381 -124 -1241 -125", Reauthorise, Scope.TOKEN),
    ("-117 -123 -128 -129 -142 -143 -151 -152 -131 -135 -1351 -136 -145 -146", Reauthorise, Scope.KIND),
    ("-115 -126 -133 -137 -144 -1441 -147 -160", SlowDown, Scope.KIND),
    ("-1471 -1472", SlowDown, Scope.MESSAGE),
]
OAUTH_ROWS: list[tuple[str, type[SendError], Scope]] = [
    ("-14002 -14003 -14014 -118 -14005 -14029", Reauthorise, Scope.TOKEN)
]


def rows(table: list[tuple[str, type[SendError], Scope]]) -> list[tuple[int, type[SendError], Scope]]:
    return [(int(code), kind, scope) for codes, kind, scope in table for code in codes.split()]


@pytest.mark.parametrize(("code", "kind", "scope"), rows(OPENAPI_ROWS))
def test_openapi_codes(code: int, kind: type[SendError], scope: Scope) -> None:
    check(openapi_error(code, NOW), code, kind, scope)


@pytest.mark.parametrize(("code", "kind", "scope"), rows(BUSINESS_ROWS))
def test_business_codes(code: int, kind: type[SendError], scope: Scope) -> None:
    check(business_error(code, NOW), code, kind, scope)


@pytest.mark.parametrize(("code", "kind", "scope"), rows(OAUTH_ROWS))
def test_oauth_codes(code: int, kind: type[SendError], scope: Scope) -> None:
    check(oauth_error(code, NOW), code, kind, scope)


def check(error: SendError, code: int, kind: type[SendError], scope: Scope) -> None:
    assert type(error) is kind
    assert error.code == str(code)
    assert error.scope is scope
    assert error.reason != "unknown code"
    if isinstance(error, Reauthorise):
        assert error.alert
    if isinstance(error, Retry | SlowDown):
        assert timedelta(0) < error.after <= timedelta(days=32)


def test_the_tables_hold_these_rows_and_no_others() -> None:
    assert {code for code, _, _ in rows(OPENAPI_ROWS)} == set(OPENAPI)
    assert {code for code, _, _ in rows(BUSINESS_ROWS)} == set(BUSINESS)
    assert {code for code, _, _ in rows(OAUTH_ROWS)} == set(OAUTH)


@pytest.mark.parametrize("error", [openapi_error(-155, NOW), business_error(-155, NOW), openapi_error(7, NOW)])
def test_an_unknown_code_ends_the_message_and_alerts(error: SendError) -> None:
    assert type(error) is BadRequest
    assert error.alert


def test_an_unknown_code_of_the_token_endpoint_needs_a_person() -> None:
    assert type(oauth_error(-14999, NOW)) is Reauthorise


def test_a_generic_failure_is_tried_once_more_only() -> None:
    error = openapi_error(-200, NOW)
    assert isinstance(error, Retry)
    assert error.max_attempts == 2


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-24T15:30:00+00:00", "2026-11-24T23:05:00+00:00"),
        ("2026-11-23T20:00:00+00:00", "2026-11-23T23:05:00+00:00"),
        ("2026-11-24T03:00:00+00:00", "2026-11-24T23:05:00+00:00"),
    ],
)
def test_the_night_ends_at_five_past_six_in_vietnam(now: str, opens: str) -> None:
    start = datetime.fromisoformat(now)
    wait = start + morning(start) - datetime.fromisoformat(opens)
    assert timedelta(0) <= wait <= timedelta(minutes=10)


def test_quotas_return_with_the_vietnamese_calendar() -> None:
    late = datetime(2026, 12, 30, 18, 0, tzinfo=UTC)
    assert (late + tomorrow(late)).strftime("%d %H") == "31 23"
    assert (late + next_month(late)).strftime("%Y-%m-%d") == "2026-12-31"
    assert timedelta(seconds=1) <= next_minute(late.replace(second=59)) <= timedelta(seconds=6)


@pytest.mark.parametrize(
    ("body", "code"), [({}, 0), ({"error": 0}, 0), ({"error": "-216"}, -216), ({"error": "x"}, 1), ({"error": []}, 0)]
)
def test_reading_the_code(body: dict[str, object], code: int) -> None:
    assert error_code(body) == code

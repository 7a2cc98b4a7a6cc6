"""Whatever JSON a platform sends is understood as far as it goes: no parser ever raises."""

import json
from datetime import UTC
from typing import Any

import pytest
from gateway import PAGE_ID, Gateway, captured, names
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.messenger.inbound import events
from bot.channels.messenger.inbound import parse as parse_messenger
from bot.channels.zalo.inbound import parse as parse_zalo
from bot.messages import Inbound, InboundKind
from bot.webhooks.intake import Malformed, read_json


def walk(value: Any) -> Any:
    keys = range(len(value)) if isinstance(value, list) else list(value)
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from walk(value[key])


def words() -> set[str]:
    """Every name of the protocols that the captured events hold."""
    bodies = [json.loads(captured(channel, name)) for channel in ("zalo", "messenger") for name in names(channel)]
    return {key for body in bodies for _where, key in walk(body) if isinstance(key, str)}


WORDS = st.sampled_from(sorted(words() | set(names("zalo")) | {"page", "image", "audio", PAGE_ID}))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    WORDS,
    st.sampled_from(["\ud800", "\x00", "", "9" * 30, "²", "٣", -1, 2**63, 1e308, "1e999", "nan", "inf"]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=6),
    max_leaves=25,
)
OBJECTS = st.dictionaries(WORDS, ANYTHING, max_size=8)


def sound(event: Inbound) -> None:
    """What everybody after the parser relies on."""
    assert isinstance(event.kind, InboundKind)
    assert event.key
    assert event.name
    assert event.at.tzinfo is UTC
    assert event.user_id is None or event.user_id
    assert (event.latitude is None) == (event.longitude is None)
    assert "\x00" not in event.text


@st.composite
def damaged(draw: st.DrawFn, channel: str) -> dict[str, Any]:
    """A captured event in which some values are replaced by something else, or are gone."""
    body: dict[str, Any] = json.loads(captured(channel, draw(st.sampled_from(names(channel)))))
    for _ in range(draw(st.integers(1, 3))):
        spots = [*walk(body)]
        where, key = draw(st.sampled_from(spots))
        if draw(st.booleans()):
            where[key] = draw(ANYTHING)
        else:
            del where[key]
        if not body:
            break
    return body


@settings(max_examples=400, deadline=None)
@given(OBJECTS | damaged("zalo"))
def test_zalo(payload: dict[str, Any]) -> None:
    sound(parse_zalo(payload))
    sound(parse_zalo(payload, raw_body=b"the body"))


@settings(max_examples=400, deadline=None)
@given(OBJECTS | damaged("messenger"), st.sampled_from([None, "990001"]))
def test_messenger(payload: dict[str, Any], app_id: str | None) -> None:
    for event in events(payload):
        sound(parse_messenger(event, page_id=PAGE_ID, app_id=app_id))
    sound(parse_messenger(payload, page_id=PAGE_ID, app_id=app_id))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_an_object_or_malformed(body: bytes) -> None:
    try:
        assert isinstance(read_json(body), dict)
    except Malformed:
        return


@pytest.mark.parametrize("channel", ["zalo", "messenger"])
def test_damaged_events_are_stored_without_an_error(gateway: Gateway, channel: str) -> None:
    """The same over HTTP and the real database: 200, 400, 403 or 404, never an exception."""

    @settings(max_examples=60, deadline=None, database=None)
    @given(damaged(channel))
    def post(payload: dict[str, Any]) -> None:
        body = json.dumps({**payload, "timestamp": "1", "object": "page"}).encode()
        answer = gateway.zalo(body) if channel == "zalo" else gateway.messenger(body)
        assert answer.status_code in {200, 400, 403}

    post()

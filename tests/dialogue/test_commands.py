"""Button payloads: only ours, only in their own conversation, only for their time."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from bot.dialogue.commands import BUTTON_LIFETIME, PAYLOAD_PREFIX, Command, PayloadSigner, Period, Slots, StalePayload

SIGNER = PayloadSigner("a secret of the tests")
COMMAND = Command(name="bill_lookup", slots=Slots(link=3, period=Period.of(date(2026, 10, 24))))


def test_reads_what_it_signed() -> None:
    payload = SIGNER.sign(7, COMMAND)
    assert payload.startswith(PAYLOAD_PREFIX)
    assert SIGNER.read(7, payload) == COMMAND


@pytest.mark.parametrize(
    "payload",
    [
        SIGNER.sign(8, COMMAND),
        PayloadSigner("another secret").sign(7, COMMAND),
        SIGNER.sign(7, COMMAND)[:-1],
        SIGNER.sign(7, COMMAND).replace("#td.", "#td.x"),
        PAYLOAD_PREFIX,
        PAYLOAD_PREFIX + "bill_lookup",
    ],
    ids=["other conversation", "other secret", "cut", "changed", "empty", "by hand"],
)
def test_refuses_all_others(payload: str) -> None:
    with pytest.raises(StalePayload):
        SIGNER.read(7, payload)


def test_refuses_a_payload_of_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = SIGNER.sign(7, COMMAND)
    later = TimestampSigner("any").get_timestamp() + int(BUTTON_LIFETIME.total_seconds()) + 1
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self: later)
    with pytest.raises(StalePayload):
        SIGNER.read(7, payload)


@given(st.text(max_size=300))
def test_no_typed_text_is_a_payload(text: str) -> None:
    with pytest.raises(StalePayload):
        SIGNER.read(7, PAYLOAD_PREFIX + text)


def test_slots_said_later_win() -> None:
    before = Slots(link=3, period=Period.of(date(2026, 10, 1)))
    assert before.merged(Slots(period=Period.of(date(2026, 9, 1)))) == Slots(link=3, period=Period.of(date(2026, 9, 1)))
    assert before.without_account() == Slots(period=Period.of(date(2026, 10, 1)))
    assert not Slots().said()

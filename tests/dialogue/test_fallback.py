"""When to act, when to ask, when to give up."""

import pytest

from bot.dialogue.commands import Place, Slots
from bot.dialogue.fallback import Certainty, Thresholds, certainty
from bot.dialogue.understanding import Understanding

THRESHOLDS = Thresholds(act=0.6, suggest=0.3, lead=0.1)


def understood(intent: str, confidence: float, second: float = 0.0, slots: Slots | None = None) -> Understanding:
    return Understanding(
        text="…",
        intent=intent,
        confidence=confidence,
        ranking=((intent, confidence), ("another", second)),
        slots=slots or Slots(),
    )


@pytest.mark.parametrize(
    ("understanding", "expected"),
    [
        (understood("bill_lookup", 0.6), Certainty.HIGH),
        (understood("bill_lookup", 0.59), Certainty.MEDIUM),
        (understood("bill_lookup", 0.65, second=0.6), Certainty.MEDIUM),
        (understood("bill_lookup", 0.29), Certainty.LOW),
        (understood("out_of_scope", 0.9), Certainty.LOW),
        (understood("out_of_scope", 0.2), Certainty.MEDIUM),
        (understood("out_of_scope", 0.63, second=0.37), Certainty.MEDIUM),
        (understood("out_of_scope", 0.9, slots=Slots(place=Place(name="Tân Lập"))), Certainty.MEDIUM),
        (understood("out_of_scope", 0.9, slots=Slots(customer_code="PA04DH0000123")), Certainty.MEDIUM),
    ],
)
def test_certainty(understanding: Understanding, expected: Certainty) -> None:
    assert certainty(understanding, THRESHOLDS) is expected

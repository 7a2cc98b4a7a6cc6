"""What the customers of the bench say: thousands of different questions, made from the training data's sentences."""

import random
from collections import defaultdict
from collections.abc import Iterator

from nlu.corpus import read

SHARES = {
    "bill_lookup": 24,
    "debt_check": 12,
    "usage_history": 8,
    "usage_daily": 4,
    "pay_bill": 8,
    "due_date": 5,
    "bill_explain": 5,
    "payment_history": 4,
    "outage_status": 8,
    "outage_schedule": 8,
    "tariff_ask": 4,
    "hotline": 3,
    "office_info": 3,
    "greet": 2,
    "thank": 2,
}
"""Questions by intent, of a hundred: most look something up in the backends, some with a picture."""
MAY_NAME = {"period", "date"}
"""Entities that lead into no form: naming another's code would start the linking of it."""
OPENINGS = ("", "alo ", "ad ơi ", "cho hỏi chút ", "xin chào, ", "điện lực ơi ", "bác hỏi tí, ", "làm ơn ", "dạ ")
ENDINGS = ("", " ạ", " nhé", " vậy", " với", " nha ad", " giúp mình", " cảm ơn nhiều", " được không", " ?")


def questions(seed: int) -> Iterator[str]:
    """Endless, in the shares above; one text comes again only after thousands of others."""
    chance = random.Random(seed)
    said: set[str] = set()
    sentences: dict[str, list[str]] = defaultdict(list)
    for example in read():
        if example.intent in SHARES and {span.entity for span in example.entities} <= MAY_NAME:
            sentences[example.intent].append(example.text)
    intents = chance.choices(list(SHARES), weights=list(SHARES.values()), k=10_000)
    number = 0
    while True:
        intent = intents[number % len(intents)]
        text = chance.choice(OPENINGS) + chance.choice(sentences[intent]) + chance.choice(ENDINGS)
        if text not in said:
            said.add(text)
            number += 1
            yield text

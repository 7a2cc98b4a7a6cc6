"""What customers answer about a payment that went wrong, read from their own words (F4)."""

import re
from datetime import timedelta
from typing import Any, Final

from actions.answers import option_meant
from bot.dialogue.forms import Invalid
from bot.dialogue.turn import Turn

SKIPPED: Final = ""
"""The answer of who does not know, or has none."""
LEAST_MONEY, MOST_MONEY = 1_000, 10_000_000_000
OLDEST: Final = timedelta(days=3 * 366)
LONGEST_ANSWER: Final = 80
WORDS_OF_A_TALE: Final = 3
ONLY_AN_ANSWER = frozenset({"inform", "out_of_scope", "payment_channels"})
ABOUT_PAYING = ONLY_AN_ANSWER | {"payment_problem", "debt_check", "payment_history", "pay_bill"}
ABOUT_A_CODE = ONLY_AN_ANSWER | {"find_customer_code", "link_account", "list_accounts", "payment_problem"}
"""What an answer in the customer's own words is understood as."""


def read_link(turn: Turn[Any]) -> int | None:
    code = turn.slots.customer_code
    named = next((a for a in turn.caller.accounts if a.customer_code == code), None) or turn.named_account()
    return named.link_id if named and turn.asks_for("link") else None


def read_told_code(turn: Turn[Any]) -> str | None:
    return turn.slots.customer_code if turn.asks_for("told_code") else None


def read_wrong(turn: Turn[Any]) -> str | None:
    """Where the money went, in a code or in words; a code corrects what is shown for confirmation, too."""
    form, code = turn.state.form, turn.slots.customer_code
    if not turn.asks_for("wrong"):
        return code if form and form.reviewing else None
    if code is None and _is_unknown(turn, "wrong"):
        return SKIPPED
    return code or (turn.text.strip() if turn.intent in ABOUT_A_CODE else None) or None


def read_kind(turn: Turn[Any]) -> str | None:
    answers = turn.desk.answers
    meant = option_meant(answers, "payment.kind", turn.text) or option_meant(answers, "payment.paid", turn.text)
    if meant or not turn.asks_for("kind"):
        return meant
    tells = len(turn.text.split()) >= WORDS_OF_A_TALE and not turn.slots.said()
    return "other" if tells and turn.intent in ABOUT_PAYING else None


def read_amount(turn: Turn[Any]) -> int | str | None:
    digits = re.sub(r"[.\s]", "", turn.text)
    bare = turn.asks_for("amount") and digits.isdecimal() and not turn.secret
    amount = turn.slots.money or (int(digits) if bare else None)
    if amount is not None and not LEAST_MONEY <= amount <= MOST_MONEY:
        raise Invalid("payment_problem.amount_wrong")
    return SKIPPED if amount is None and _is_unknown(turn, "amount") else amount


def read_day(turn: Turn[Any]) -> str | None:
    paid = turn.slots.date
    if paid is None:
        return SKIPPED if _is_unknown(turn, "day") else None
    today = turn.desk.today(turn.now)
    if not today - OLDEST <= paid <= today:
        raise Invalid("payment_problem.day_wrong", today=today)
    return paid.isoformat()


def read_channel(turn: Turn[Any]) -> str | None:
    named = option_meant(turn.desk.answers, "payment.channel", turn.text)
    if named is None and _is_unknown(turn, "channel"):
        return SKIPPED
    own_words = turn.asks_for("channel") and turn.intent in ONLY_AN_ANSWER and not turn.secret
    return named or (turn.text.strip()[:LONGEST_ANSWER] if own_words else None)


def _is_unknown(turn: Turn[Any], field: str) -> bool:
    """Is the question answered with not knowing?"""
    said = turn.intent == "deny" or option_meant(turn.desk.answers, "payment.unknown", turn.text)
    return turn.asks_for(field) and bool(said)

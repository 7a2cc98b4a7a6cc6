"""How a notice will read: for a few of those whom it reaches, without what is personal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.console.masking import COVER, Kind, cover, cover_code, find_personal
from bot.console.office import office
from bot.messages import ChannelName, OutMessage
from bot.pipeline.assembly import Product
from bot.store.recipients import Reached
from notifier.forecast import Plan
from notifier.policy import Route
from notifier.rendering import Told
from notifier.truth import OF_DEBT, Answer, question


@dataclass(frozen=True)
class Sample:
    """`goes`: by which way it would go to this chat. `values` are those of the approved template, if there is one.

    `holds`: what the utility says now; False where it would not be sent, None where it could not be asked.
    """

    channel: str
    code: str | None
    goes: Route
    message: OutMessage
    template: str | None
    values: Mapping[str, str]
    holds: bool | None


def samples(plan: Plan, examples: Sequence[tuple[Reached, Route]]) -> list[Sample]:
    product = office().product
    asked = [question(plan.kind.sent.holds_while, plan.facts, chat.customer_code) for chat, _ in examples]
    answers = product.truth.ask(filter(None, asked))
    return [
        _sample(product, plan, chat, route, answers[what] if what else Answer(holds=True))
        for (chat, route), what in zip(examples, asked, strict=True)
    ]


def _sample(product: Product, plan: Plan, chat: Reached, route: Route, answer: Answer) -> Sample:
    facts = {**plan.facts, **{name: answer.facts[name] for name in plan.facts if name in answer.facts}}
    code = cover_code(chat.customer_code) if chat.customer_code else None
    told = Told(facts, link_id=0, code=code, as_of=answer.as_of)
    message = product.renderer.message(plan.kind, [told], chat.conversation_id or 0)
    data = product.renderer.template_of(plan.kind.key, ChannelName(chat.channel)) if code else None
    values: Mapping[str, Any] = product.renderer.template(data, plan.kind, told).values if data else {}
    if plan.kind.sent.holds_while in OF_DEBT:
        message = message.model_copy(update={"text": _without_sums(message.text)})
        values = {name: COVER if text.isdigit() else _without_sums(text) for name, text in values.items()}
    return Sample(chat.channel, code, route, message, data.name if data else None, values, answer.holds)


def _without_sums(text: str) -> str:
    """What one customer owes is theirs; all else is for the reader to check."""
    return cover(text, [span for span in find_personal(text) if span.kind is Kind.MONEY])

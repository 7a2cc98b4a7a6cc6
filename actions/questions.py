"""Answers that are the same for everybody (F13): the topic of data/faq that a message asks, or the nearest to it."""

from collections.abc import Callable

from actions.desk import DeskTurn
from actions.faq import ADVICE, Topic, faq
from actions.faq_facts import facts
from actions.handlers import registry
from actions.scam import evidence_in, judge
from bot.dialogue.commands import Command, Slots

TOPIC, SCAM = "faq.topic", "scam_check"
FAQ = faq()


@registry.advises
def asked(turn: DeskTurn, intent: str | None) -> Command | None:
    """Is it about a scam, or a topic of the FAQ? Without an intent only what its words leave no doubt of."""
    evidence = evidence_in(turn)
    requests = turn.understanding.requests if turn.understanding else ()
    told = intent == SCAM or any(request.intent == SCAM for request in requests)
    if evidence.gives_itself_away or (told and evidence.is_anything):
        return Command(name=SCAM, slots=turn.slots)
    if requests:
        return None
    found = FAQ.topic_for(turn.text, intent) if intent else FAQ.unmistakable(turn.text)
    if found is None:
        return None
    if isinstance(found, Topic):
        return Command(name=TOPIC, slots=Slots(value=found.key))
    return Command(name=found.run, slots=turn.slots)


@registry.handles(TOPIC)
def answer(turn: DeskTurn, slots: Slots) -> None:
    """The answer of a topic with its source, and the likely next steps."""
    topic = FAQ.topics.get(slots.value or "")
    if topic is None:
        turn.say("button.stale")
        return
    turn.offer(
        "faq.answer" if topic.is_sure else "faq.unsure",
        [(turn.replies.render(f"intent.{intent}")[0], Command(name=intent)) for intent in topic.next],
        answer=turn.replies.fill(topic.answer, **facts(turn.desk.today(turn.now), turn.desk.hazards)),
        source=topic.source,
        as_of=topic.as_of,
    )


def offer_topics(turn: DeskTurn, reply: str, intent: str) -> None:
    """What can be said of an intent in general, and the topics nearest to what was written."""
    written = turn.text if turn.understanding else ""
    options = [
        (topic.title, Command(name=TOPIC, slots=Slots(value=topic.key))) for topic in FAQ.nearest(written, intent)
    ]
    turn.offer(reply, options)


@registry.handles(SCAM)
def scam_check(turn: DeskTurn, slots: Slots) -> None:
    """A verdict on what was shown or told; what a fake looks like, if nothing was."""
    evidence = evidence_in(turn)
    if turn.understanding and evidence.is_anything:
        judge(turn, slots, evidence)
    else:
        offer_topics(turn, f"advice.{SCAM}", SCAM)


@registry.handles("media.link")
def link(turn: DeskTurn, slots: Slots) -> None:
    """A link or a business card: never opened, but compared with our own."""
    evidence = evidence_in(turn)
    if evidence.is_anything:
        judge(turn, slots, evidence)
    else:
        turn.say("media.link")


def _advising(intent: str) -> Callable[[DeskTurn, Slots], None]:
    def advise(turn: DeskTurn, _slots: Slots) -> None:
        offer_topics(turn, f"advice.{intent}", intent)

    return advise


for _intent in ADVICE:
    if _intent != SCAM:
        registry.handles(_intent)(_advising(_intent))

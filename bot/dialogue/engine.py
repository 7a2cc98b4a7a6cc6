"""The dialogue: from one inbound event and the state before it to the replies and the state after it.

Order of a turn: what was tapped or picked from the options; danger; the running form; yes, no and follow-ups;
the intent; the fallback ladder. The engine knows no intent's business: that is in the registry's handlers.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic

from bot.dialogue import filling
from bot.dialogue.commands import PAYLOAD_PREFIX, Command, PayloadSigner, Slots, StalePayload
from bot.dialogue.fallback import Certainty, Thresholds, certainty, suggest
from bot.dialogue.registry import Handler, Registry
from bot.dialogue.replies import ReplyBook
from bot.dialogue.state import Choice, DialogueState, FormState, Topic
from bot.dialogue.turn import AccountGone, D, NeedsAccountChoice, NeedsLink, Turn
from bot.dialogue.understanding import NluClient, Request, Understanding
from bot.messages import InboundKind
from bot.text import fold

DANGER = "hazard_report"
LINK = "link_account"
CONVERSATIONAL = frozenset({"greet", "goodbye", "thank", "affirm", "deny", "cancel", "help", "inform", "praise"})
"""Intents that say nothing of a new subject."""
NO_TOPIC = CONVERSATIONAL | {LINK, "list_accounts", "unlink_account", "insult", "human", "out_of_scope", "bot_identity"}
"""Intents that a follow-up ("thế còn tháng 9?") never refers to."""

COMES_BACK_AFTER = timedelta(hours=3)
"""Who greets after so long has come back: the form is offered, its bare question would puzzle."""

NEW_SUBJECT = 0.75
"""Confidence from which a few words with a value are a new subject, not more of the last one ("thế 100 số thì sao")."""
REQUEST_WITHIN_A_STORY = 0.95
"""Confidence from which a few words are a request of their own though the form asks for a story."""


class Engine(Generic[D]):
    """Answers turns. `parse` raises NluUnavailable, which is the caller's to deal with."""

    def __init__(
        self,
        registry: Registry[D],
        replies: ReplyBook,
        signer: PayloadSigner,
        nlu: NluClient,
        thresholds: Thresholds,
    ) -> None:
        self.registry = registry
        self.replies = replies
        self.signer = signer
        self.nlu = nlu
        self.thresholds = thresholds
        self._own: dict[str, Handler[D]] = {
            "form.fill": lambda turn, slots: filling.fill_by_button(self.registry, turn, slots),
            "form.confirm": lambda turn, slots: filling.confirm(self.registry, turn, slots),
            "form.edit": lambda turn, slots: filling.edit(self.registry, turn, slots),
            "form.cancel": lambda turn, _slots: filling.cancel(self.registry, turn),
            "form.resume": lambda turn, _slots: filling.resume(self.registry, turn),
        }

    @property
    def command_names(self) -> frozenset[str]:
        """Everything a button may carry."""
        return frozenset(self.registry.handlers) | frozenset(self._own) | frozenset(self.registry.forms)

    def respond(self, turn: Turn[D]) -> None:
        """Fill `turn` with the answer to its inbound event. Raises NluUnavailable."""
        state = turn.state
        offered = _take_offers(state)
        if state.forget_old(turn.now):
            turn.say("form.expired")
        state.keep_files(turn.inbound.files, turn.now)
        if known := self.registry.recognised(turn):
            self._introduce(turn)
            self.run(turn, known)
            self._run_what_waited(turn)
            return
        if turn.inbound.kind in {InboundKind.FOLLOW, InboundKind.OPENED} or self._is_get_started(turn):
            self._welcome(turn)
            return
        try:
            command = self._chosen(turn, offered)
        except StalePayload:
            turn.say("button.stale")
            return
        if command:
            self.run(turn, command)
        elif turn.inbound.thumbs_up and offered.on_yes:
            self.run(turn, offered.on_yes)
        elif turn.inbound.is_written and not turn.inbound.thumbs_up:
            self._text(turn, offered)
        else:
            self._not_text(turn)
        self._run_what_waited(turn)

    def _run_what_waited(self, turn: Turn[D]) -> None:
        """The request that an account was linked for, once it is; then the second of two."""
        state = turn.state
        if state.pending and not state.form and turn.has_verified:
            waiting, state.pending = state.pending, None
            self.run(turn, waiting)
        if state.next and not (state.form or state.paused or turn.asks_which):
            following, state.next = state.next, None
            self.run(turn, following)

    def run(self, turn: Turn[D], command: Command) -> None:
        """Carry out a command, turning what stands in its way into a question or an honest word."""
        turn.handled_by.append(command.name)
        if turn.state.next and command.slots.link is not None:
            turn.state.next = turn.state.next.with_slots(link=command.slots.link)
        turn.state.misses = 0
        turn.request = command.slots
        turn.about = None

        def asked() -> Command:
            return Command(name=command.name, slots=turn.request)

        with self._failures_told(turn, retry=asked):
            try:
                self._carry_out(turn, command)
            except NeedsLink as need:
                turn.state.pending = Command(name=command.name, slots=turn.request.without_account())
                link = self.registry.forms[LINK]
                filling.start(self.registry, turn, link, slots=Slots(customer_code=need.customer_code))
            except NeedsAccountChoice:
                turn.asks_which = True
                turn.offer(
                    "account.which",
                    [(account.label, asked().with_slots(link=account.link_id)) for account in turn.caller.accounts],
                )
            except AccountGone:
                turn.say("account.gone")

    def _carry_out(self, turn: Turn[D], command: Command) -> None:
        handler = self._own.get(command.name) or self.registry.handlers.get(command.name)
        form = self.registry.forms.get(command.name)
        if handler:
            before = turn.state.topic
            meant = handler(turn, command.slots)
            if meant:
                self.run(turn, meant)
            if turn.state.topic is not before:
                return
            if command.name in self.registry.handlers and command.name not in NO_TOPIC and "." not in command.name:
                topic = Topic(command=meant or Command(name=command.name, slots=turn.request), at=turn.now)
                several = len(turn.caller.accounts) > 1
                turn.state.topic = topic.about(link=turn.about) if several and turn.about else topic
        elif form:
            filling.start(self.registry, turn, form, slots=command.slots)
        else:
            turn.say("button.stale")

    @contextmanager
    def _failures_told(self, turn: Turn[D], *, retry: Callable[[], Command]) -> Iterator[list[Exception]]:
        """A failure that the registry knows becomes its reply with a button to try again; nothing half-said stays.

        Yields a list that then holds the failure.
        """
        failed: list[Exception] = []
        drafts, changes, state = len(turn.drafts), len(turn.changes), turn.state
        offers = (state.choices, state.on_yes, state.on_no)
        try:
            yield failed
        except Exception as error:
            reply = self.registry.reply_for(error)
            if reply is None:
                raise
            failed.append(error)
            del turn.drafts[drafts:], turn.changes[changes:]
            state.choices, state.on_yes, state.on_no = offers
            turn.handled_by.append(f"failure:{type(error).__name__}")
            form, again = state.form, retry()
            if again.name == "form.fill" and form and form.asking is None:
                again = Command(name="form.resume")
            turn.offer(reply, [(self.replies.render("button.retry")[0], again)])

    @staticmethod
    def _is_get_started(turn: Turn[D]) -> bool:
        """The platform's own first button carries a payload that is not ours."""
        payload = turn.inbound.payload
        return payload is not None and not payload.startswith(PAYLOAD_PREFIX) and not turn.state.greeted

    def _welcome(self, turn: Turn[D]) -> None:
        """Who is speaking and the question of consent, to those who came without a request."""
        turn.state.greeted = True
        turn.say("welcome")
        if not turn.caller.consents:
            turn.say("consent.ask")
            turn.ask_yes_no(yes=Command(name="consent.give"), no=Command(name="consent.refuse"))

    @staticmethod
    def _introduce(turn: Turn[D]) -> None:
        """A word on who is answering, before the first answer."""
        if not turn.state.greeted:
            turn.state.greeted = True
            turn.say("welcome.short")

    def _chosen(self, turn: Turn[D], offered: "Offered") -> Command | None:
        """The command of a tap, or of typing the number or the title of an option. Raises StalePayload."""
        payload = next((p for p in (turn.inbound.payload, turn.text) if p and p.startswith(PAYLOAD_PREFIX)), None)
        if payload:
            command = self.signer.read(turn.caller.conversation_id, payload)
            turn.tapped = next((choice.title for choice in offered.choices if choice.command == command), command.name)
            return command
        said = fold(turn.text).strip(" .!)")
        choices = offered.choices
        if said.isdecimal() and len(said) <= 2 and 1 <= int(said) <= len(choices):
            return choices[int(said) - 1].command
        return next((choice.command for choice in choices if fold(choice.title) == said), None)

    def _text(self, turn: Turn[D], offered: "Offered") -> None:
        understanding = turn.understanding = self.nlu.parse(turn.text, turn.now)
        sure = certainty(understanding, self.thresholds)
        intent = understanding.intent
        if intent == "greet" and not turn.state.greeted:
            self._welcome(turn)
            return
        self._introduce(turn)
        go_back = Command(name="form.resume") if turn.state.paused and not turn.state.form else None
        on_cancel = None if turn.state.form else offered.on_no
        answers = {"affirm": offered.on_yes or go_back, "deny": offered.on_no, "cancel": on_cancel}
        answered = answers.get(intent) if sure is not Certainty.LOW and not understanding.slots.said() else None
        if danger := _danger(understanding, sure):
            turn.state.pause_form()
            turn.state.next = next((r.command for r in understanding.requests if r.intent != DANGER), None)
            self.run(turn, danger)
            if understanding.slots.place:
                self._offer_to_resume(turn)
        elif answered and answered.name in self._own:
            self.run(turn, answered)
        elif turn.state.form:
            with self._failures_told(turn, retry=lambda: Command(name="form.resume")):
                self._in_form(turn, turn.state.form, understanding, sure)
        elif answered:
            self.run(turn, answered)
        else:
            self._request(turn, understanding, sure)

    def _request(self, turn: Turn[D], understanding: Understanding, sure: Certainty) -> None:
        """What is wanted, when nothing was asked: two things, more of the last, something new, or nobody knows."""
        if understanding.requests and (whole := self.registry.advised(turn, None)):
            self.run(turn, whole)
        elif understanding.requests:
            self._run_both(turn, understanding.requests)
        elif follow_up := self._follow_up(turn, understanding, sure):
            self.run(turn, follow_up)
            if follow_up.name == DANGER:
                self._offer_to_resume(turn)
        elif sure is Certainty.HIGH:
            if understanding.intent not in CONVERSATIONAL:
                turn.state.next = None
            self.run(turn, self._asked(turn, understanding))
        elif understanding.slots.customer_code:
            self.run(turn, Command(name="inform", slots=understanding.slots))
        elif advised := self._after_all(turn, understanding):
            self.run(turn, advised)
        else:
            turn.handled_by.append("fallback")
            known = self.registry.handlers.keys() | self.registry.forms.keys()
            if command := suggest(turn, understanding, sure, known):
                self.run(turn, command)

    def _asked(self, turn: Turn[D], understanding: Understanding) -> Command:
        """What an understood message asks: its intent, or what lies nearer to its words."""
        own = Command(name=understanding.intent, slots=understanding.slots)
        return self.registry.advised(turn, understanding.intent) or own

    def _after_all(self, turn: Turn[D], understanding: Understanding) -> Command | None:
        """What a message asks that was not understood, by its words; surely none of our business stays that."""
        foreign = understanding.intent == "out_of_scope" and understanding.confidence >= self.thresholds.act
        return None if foreign else self.registry.advised(turn, None)

    def _run_both(self, turn: Turn[D], requests: Sequence[Request]) -> None:
        """What can be answered at once goes before what starts a form."""
        commands = [request.command for request in requests]
        first, turn.state.next = sorted(commands, key=lambda command: command.name in self.registry.forms)
        self.run(turn, first)

    def _in_form(self, turn: Turn[D], state: FormState, understanding: Understanding, sure: Certainty) -> None:
        """An answer to the form's question, a correction, a cancel, or a change of subject with return."""
        form = self.registry.forms[state.name]
        turn.handled_by.append(f"form:{state.name}")
        asked = form.asks().get(state.asking or "")
        new_subject = (
            sure is Certainty.HIGH
            and not (asked and asked.free_text and _may_be_told(understanding))
            and understanding.intent not in CONVERSATIONAL | form.intents | {"out_of_scope"}
            and (understanding.intent in self.registry.handlers or understanding.intent in self.registry.forms)
        )
        if understanding.intent == "cancel" and sure is not Certainty.LOW:
            filling.cancel(self.registry, turn)
        elif filling.answer(self.registry, turn, new_subject=new_subject):
            return
        elif new_subject:
            turn.state.pause_form()
            self.run(turn, self._asked(turn, understanding))
            self._offer_to_resume(turn)
        elif understanding.intent in {"help", "greet", "thank"} and sure is Certainty.HIGH:
            self.run(turn, Command(name=understanding.intent))
            if turn.now - state.touched_at > COMES_BACK_AFTER:
                turn.state.pause_form()
                self._offer_to_resume(turn)
            else:
                filling.ask_again(self.registry, turn)
        else:
            filling.misunderstood(self.registry, turn)

    def _follow_up(self, turn: Turn[D], understanding: Understanding, sure: Certainty) -> Command | None:
        """The last request again with what is said now: "thế còn tháng 9?", "không, mã kia"."""
        topic, said = turn.state.topic, understanding.slots
        few_words = len(understanding.text.split()) <= filling.WORDS_OF_A_BARE_ANSWER
        vague = sure is not Certainty.HIGH or (few_words and said.said() and understanding.confidence < NEW_SUBJECT)
        if topic is None:
            return None
        unclear = sure is not Certainty.HIGH or understanding.intent == "out_of_scope"
        if turn.told and few_words and unclear and not said.said():
            return turn.told
        last = topic.command.name
        more_of_it = few_words and understanding.intent == last and self.registry.is_about(last, said)
        if not (understanding.intent in {"inform", "deny"} or vague or more_of_it):
            return None
        about_another = said.customer_code and topic.command.slots.request_code
        if about_another or not self.registry.goes_on(last, said):
            return None
        named = turn.named_account()
        if named and not said.customer_code:
            topic = topic.about(link=named.link_id)
            if understanding.intent == "deny":
                turn.state.default_link = named.link_id
        if said.said() or named:
            return Command(name=topic.command.name, slots=topic.command.slots.merged(said))
        others = [a for a in turn.caller.accounts if a.link_id != (topic.command.slots.link or turn.state.default_link)]
        if understanding.intent == "deny" and "kia" in fold(turn.text).split() and others:
            link = others[0].link_id if len(others) == 1 else None
            slots = topic.command.slots.model_copy(update={"link": link, "customer_code": None})
            turn.state.default_link = link
            return Command(name=topic.command.name, slots=slots)
        return None

    def _offer_to_resume(self, turn: Turn[D]) -> None:
        """After a digression: the way back to the form that waits."""
        if turn.state.paused and not turn.state.form and not turn.to_person and turn.inbound.kind is InboundKind.TEXT:
            name = turn.state.paused[-1].name
            turn.say("form.offer_resume", form=self.replies.render(f"form.name.{name}")[0])
            turn.ask_yes_no(yes=Command(name="form.resume"), no=Command(name="form.cancel"))

    def _not_text(self, turn: Turn[D]) -> None:
        """Pictures, stickers, places, files: used where a form asks for them, else answered sensibly."""
        if turn.state.form:
            with self._failures_told(turn, retry=lambda: Command(name="form.resume")) as failed:
                if filling.answer(self.registry, turn, new_subject=False):
                    turn.state.drop_files(turn.inbound.files)
                    return
            if failed:
                return
        kind = InboundKind.STICKER if turn.inbound.thumbs_up else turn.inbound.kind
        if not turn.state.greeted and kind in {InboundKind.STICKER, InboundKind.TEXT}:
            self._welcome(turn)
            return
        self._introduce(turn)
        known, asking = f"media.{kind}", turn.state.form
        if known in self.registry.handlers:
            self.run(turn, Command(name=known))
        else:
            turn.say(known if known in self.replies.replies else "media.other")
            turn.handled_by.append(known)
        if asking and turn.state.form is asking:
            filling.ask_again(self.registry, turn)


def _danger(understanding: Understanding, sure: Certainty) -> Command | None:
    """The danger that the message tells of, alone or besides something else."""
    if told := next((request for request in understanding.requests if request.intent == DANGER), None):
        return told.command
    if understanding.intent == DANGER and sure is not Certainty.LOW:
        return Command(name=DANGER, slots=understanding.slots)
    return None


def _may_be_told(understanding: Understanding) -> bool:
    """A story may speak of anything; only a short and certain request is no part of it. The review shows it anyway."""
    short = len(understanding.text.split()) <= filling.WORDS_OF_A_BARE_ANSWER
    return not (short and understanding.confidence >= REQUEST_WITHIN_A_STORY)


@dataclass(frozen=True)
class Offered:
    """What the last answer offered: options to pick, and what yes and no would mean."""

    choices: list[Choice]
    on_yes: Command | None
    on_no: Command | None


def _take_offers(state: DialogueState) -> Offered:
    """Offers hold for one answer only."""
    offered = Offered(state.choices, state.on_yes, state.on_no)
    state.choices, state.on_yes, state.on_no = [], None, None
    return offered

"""Sending what was planned: claim a batch, ask whether it still holds, decide, hand over at the provider's pace."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock
from time import monotonic, sleep
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from bot.channels.base import Channel, Template
from bot.channels.budget import Budget, Granted
from bot.channels.outcomes import (
    BadRequest,
    OutcomeUnknown,
    Reauthorise,
    RecipientGone,
    Retry,
    Scope,
    SendError,
    Sent,
    SlowDown,
    WindowClosed,
)
from bot.clock import Clock
from bot.logs import get_logger
from bot.messages import ChannelName, OutMessage
from bot.metrics import DELIVERIES, DELIVERY_SECONDS, NOTICES_PAUSED, TOKEN_ALERT
from bot.notice_kinds import NoticeKind, NoticeKinds
from bot.store import conversations, ledger, notices
from bot.store.database import Database
from bot.store.ledger import Claimed, Line, Result
from bot.store.models import NOTICE_LANES, DeliveryStatus, Lane, NoticeStatus
from bot.store.preferences import Level
from notifier.policy import Case, Reason, Route, Send, Skip, Wait, decide
from notifier.reach import Reach, Rules
from notifier.rendering import MOST_TOGETHER, NoticeRenderer, Told
from notifier.room import Room, Share
from notifier.truth import Answer, Truth, question

BATCH: Final = 200
AT_ONCE: Final = 32
"""Sends under way at a time in a process: the most that a worker that dies leaves as unknown."""
WORTH_IT: Final = 8
"""So many sends at a time are waited for at a provider's limit: one by one, each would cost two transactions."""
BUDGET_PATIENCE: Final = timedelta(seconds=5)
BUSY_SECONDS: Final = 20.0
"""So long a job goes on before it makes room for others."""
TEMPLATE_PAUSE: Final = timedelta(minutes=10)
FEW_SENT: Final = 20
TOO_MANY_FAIL: Final = 0.3
"""A notice to many of which so many fail is paused for people to look at."""

LATE_TRIES: Final = 20
LATE_PAUSE_SECONDS: Final = 1.0
DATABASE_AWAY: Final = (OperationalError, InterfaceError)

log = get_logger(__name__)


@dataclass(frozen=True)
class Message:
    """One message to be sent: the deliveries that it tells of, the first of which carries it."""

    told: Sequence[Claimed]
    kind: NoticeKind
    route: Route
    content: OutMessage
    template: Template | None

    @property
    def ids(self) -> list[int]:
        return [each.id for each in self.told]

    @property
    def rows(self) -> list[tuple[int, str, Mapping[str, Any]]]:
        """For the ledger: the first carries the message, the others go with it."""
        first, *others = self.ids
        return [(first, self.route, self.kept), *((each, self.route, {}) for each in others)]

    @cached_property
    def kept(self) -> Mapping[str, Any]:
        """As it stands in the ledger and in the thread."""
        content = self.content.model_dump(mode="json", exclude_defaults=True)
        content |= {"template": self.template.name} if self.template else {}
        return content | ({"several": len(self.told)} if len(self.told) > 1 else {})


@dataclass
class Verdict:
    """What there is to write down at `at` of sends that are held by `lease`."""

    lease: datetime
    at: datetime
    results: list[Result] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    pause: dict[int, str] = field(default_factory=dict)


class Dispatcher:
    """Safe to run at once in several workers: rows are leased. `dispatch` raises nothing that a send can bring."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[ChannelName, Channel],
        budget: Budget,
        clock: Clock,
        *,
        kinds: NoticeKinds,
        rules: Rules,
        renderer: NoticeRenderer,
        truth: Truth,
        zone: ZoneInfo,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        self._database = database
        self._channels = channels
        self._budget = budget
        self._clock = clock
        self._kinds = kinds
        self._rules = rules
        self._renderer = renderer
        self._reach = Reach(channels, renderer)
        self._truth = truth
        self._zone = zone
        self._sleep = sleep
        self._threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="notice")
        self._room = Room(AT_ONCE)
        self._fates: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._busy = {(channel, lane): Lock() for channel in ChannelName for lane in NOTICE_LANES}
        self._dead_tokens: set[ChannelName] = set()
        self._templates_held: dict[tuple[ChannelName, str], datetime] = {}

    def send_due(self, channel: ChannelName, lane: Lane) -> bool:
        """Batch after batch, for a while. True if there may be more that can be sent now.

        One at a time in a process: another lane, and answers, need its threads too.
        """
        if not self._busy[channel, lane].acquire(blocking=False):
            return False
        try:
            busy_until, more = monotonic() + BUSY_SECONDS, True
            while more and monotonic() < busy_until:
                more = self.dispatch(channel, lane)
            return more
        finally:
            self._busy[channel, lane].release()

    def dispatch(self, channel: ChannelName, lane: Lane) -> bool:
        """One batch of what is due. True if there may be more that can be sent now."""
        now = self._clock()
        midnight = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        with self._database.begin() as session:
            held = ledger.lease(now)
            ids = ledger.claim(session, channel, lane, BATCH, now=now, until=held)
        if not ids:
            return False
        with self._database.begin() as session:
            read = ledger.read(session, ids, self._kinds, midnight=midnight)
        claimed = [each for each in read if each.kind in self._kinds]
        gone = [each for each in read if each.kind not in self._kinds]
        settled = [Result(each.id, DeliveryStatus.FAILED, "unknown_kind") for each in gone]
        to_send: list[tuple[Claimed, Route]] = []
        told_today: defaultdict[int, set[Any]] = defaultdict(set)
        for each, answer in self._answered(claimed):
            told, group = told_today[each.contact_id], _goes_with(each, self._kinds[each.kind])
            case = self._case(each, channel, answer, now, len(told - {group}))
            match decide(case, self._zone):
                case Send(route):
                    to_send.append((each, route))
                    told.add(group if route == "window" else each.id)
                case Wait(until, reason):
                    settled.append(Result(each.id, DeliveryStatus.PENDING, reason, not_before=until))
                case Skip(reason):
                    settled.append(Result(each.id, _status_of(reason), reason))
        messages = self._messages(to_send, channel, settled)
        with self._database.begin() as session:
            ledger.settle(session, settled, held, now)
        return self._send_all(messages, held, channel, lane)

    # --- Deciding ---

    def _answered(self, claimed: Sequence[Claimed]) -> Iterator[tuple[Claimed, Answer]]:
        """Each with what the utility says of it now."""
        asked = [question(self._kinds[each.kind].sent.holds_while, each.facts, each.customer_code) for each in claimed]
        answers = self._truth.ask(filter(None, asked))
        for each, what in zip(claimed, asked, strict=True):
            answer = answers[what] if what else Answer(holds=True)
            yield _as_it_is_now(each, answer), answer

    def _case(self, claimed: Claimed, channel: ChannelName, answer: Answer, now: datetime, told_in_batch: int) -> Case:
        kind, held_until = self._kinds[claimed.kind], self._held_until(channel, claimed.kind, now)
        return Case(
            kind=kind,
            status=NoticeStatus(claimed.notice_status),
            now=now,
            valid_until=claimed.valid_until,
            quiet=self._rules.quiet_of(claimed),
            most_per_day=self._rules.most_of(claimed),
            reachable=not claimed.unreachable,
            linked=claimed.link_id is None or claimed.link_lives,
            agreed=claimed.agreed,
            wanted=claimed.wanted,
            holds=answer.holds,
            level_reached=claimed.kind != "usage_level" or _level_reached(claimed),
            told_already=claimed.told_already,
            told_today=claimed.told_today + told_in_batch,
            ways=self._reach.ways(claimed, channel, now, kind, claimed.facts, templates=held_until is None),
            template_held_until=held_until,
            failed=_failed(claimed),
        )

    def _held_until(self, channel: ChannelName, kind: str, now: datetime) -> datetime | None:
        until = self._templates_held.get((channel, kind), now)
        return until if until > now else None

    def _messages(
        self, to_send: Iterable[tuple[Claimed, Route]], channel: ChannelName, settled: list[Result]
    ) -> list[Message]:
        """One for each delivery, or for all of a kind to one chat that go together. What cannot be put into words fails
        by itself."""
        together: dict[Any, list[Claimed]] = {}
        begun: Counter[Any] = Counter()
        for each, route in to_send:
            kind = self._kinds[each.kind]
            alone = route != "window" or not kind.sent.together
            group = (each.contact_id, each.kind, route)
            part = each.id if alone else -(begun[group] // MOST_TOGETHER)
            begun[group] += 1
            together.setdefault((*group, part), []).append(each)
        messages = []
        for (_, key, route, _), told in together.items():
            try:
                messages.append(self._message(self._kinds[key], route, told, channel))
            except Exception:
                log.exception("notice_not_worded", delivery=told[0].id, kind=key)
                settled += [Result(each.id, DeliveryStatus.FAILED, "not_worded") for each in told]
        return messages

    def _message(self, kind: NoticeKind, route: Route, told: Sequence[Claimed], channel: ChannelName) -> Message:
        shown = [_told(each) for each in told]
        conversation_id = told[0].conversation_id
        assert conversation_id is not None
        (content,) = self._channels[channel].render(self._renderer.message(kind, shown, conversation_id))
        data = self._renderer.template_of(kind.key, channel) if route == "template" else None
        template = self._renderer.template(data, kind, shown[0]) if data else None
        return Message(told, kind, route, content, template)

    # --- Sending ---

    def _send_all(self, messages: list[Message], held: datetime, channel: ChannelName, lane: Lane) -> bool:
        """Wave by wave, each as large as the budget allows. False when the provider must be left alone for a while.

        What became of a wave is written down in the transaction that begins the next one, unless that must wait.
        """
        left, verdict, mine = messages, Verdict(held, self._clock()), Share(self._room)
        try:
            while left:
                most, least = min(AT_ONCE, len(left)), min(WORTH_IT, len(left))
                leave = self._budget.acquire(channel, lane, n=most, at_least=least)
                if not isinstance(leave, Granted):
                    verdict = self._turn(verdict, [], held, channel)
                    mine.keep(0)
                    leave = self._budget.acquire_within(channel, lane, BUDGET_PATIENCE, n=most, at_least=least)
                if not isinstance(leave, Granted):
                    self._put_back(left, held, timedelta(seconds=leave.seconds))
                    return False
                granted, left = left[: leave.count], left[leave.count :]
                while granted:
                    size = mine.grow(len(granted))
                    verdict = self._turn(verdict, granted[:size], held, channel)
                    mine.keep(size)
                    granted = granted[size:]
            self._turn(verdict, [], held, channel)
        except DATABASE_AWAY:
            self._write_late(verdict, channel)
            raise
        finally:
            mine.keep(0)
        return True

    def _turn(self, verdict: Verdict, wave: Sequence[Message], held: datetime, channel: ChannelName) -> Verdict:
        """Write down what became of the last wave, begin the next and hand it over. Returns what became of it."""
        now = self._clock()
        lease, begun = ledger.lease(now), set[int]()
        with self._database.begin() as session:
            self._settle(session, verdict)
            if wave:
                begun = ledger.begin(session, [row for each in wave for row in each.rows], held, lease)
                stopped = [each for each in wave if not begun.issuperset(each.ids)]
                for until in (held, lease):
                    ledger.settle(session, _put_back(stopped, now, begun=begun), until, now)
        self._tell(verdict, channel)
        going = [each for each in wave if begun.issuperset(each.ids)]
        outcomes = self._threads.map(lambda each: self._send(each, self._channels[channel]), going)
        return self._verdict(list(zip(going, outcomes, strict=True)), lease, channel)

    def _write_late(self, verdict: Verdict, channel: ChannelName) -> None:
        """The database went away: what is known to have been sent does not become unknown if it is back soon."""
        ids = [result.id for result in verdict.results]
        for _ in range(LATE_TRIES if ids else 0):
            self._sleep(LATE_PAUSE_SECONDS)
            try:
                with self._database.begin() as session:
                    if ledger.holds(session, ids, verdict.lease):
                        self._settle(session, verdict)
            except DATABASE_AWAY:
                continue
            self._tell(verdict, channel)
            return

    @staticmethod
    def _send(message: Message, channel: Channel) -> Sent | SendError:
        first = message.told[0]
        try:
            if message.template:
                return channel.send_template(first.channel_user_id, message.template, delivery_key=first.key)
            return channel.send(first.channel_user_id, message.content, delivery_key=first.key, picture=None)
        except SendError as error:
            return error
        except Exception:
            log.exception("send_broke", delivery=first.id)
            return OutcomeUnknown("broken", "the send broke off")

    def _verdict(
        self, sent: Sequence[tuple[Message, Sent | SendError]], lease: datetime, channel: ChannelName
    ) -> Verdict:
        """Also holds the provider, if it says so, before anything else is asked of it."""
        now = self._clock()
        verdict = Verdict(lease, now)
        for message, outcome in sent:
            first = message.told[0]
            result = self._result(message, outcome, channel, now)
            verdict.results += [result, *(_with_the_first(each, result) for each in message.told[1:])]
            DELIVERIES.labels(channel, result.outcome).inc()
            if first.campaign:
                self._fates[first.notice_id][result.status] += 1
            if isinstance(outcome, Sent):
                DELIVERY_SECONDS.labels(channel, message.kind.sent.lane).observe(
                    max(0.0, (now - first.created_at).total_seconds())
                )
                if first.conversation_id is not None:
                    verdict.lines.append(Line(first.id, first.conversation_id, message.content.text, message.kept))
            elif isinstance(outcome, RecipientGone) and outcome.scope is Scope.RECIPIENT:
                verdict.gone.append(first.contact_id)
        failing = {message.told[0].notice_id for message, _ in sent}
        verdict.pause |= {notice: "too_many_fail" for notice in failing if self._fails(notice)}
        return verdict

    @staticmethod
    def _settle(session: Session, verdict: Verdict) -> None:
        ledger.settle(session, verdict.results, verdict.lease, verdict.at)
        ledger.record(session, verdict.lines, verdict.at)
        for contact_id in verdict.gone:
            conversations.mark_unreachable(session, contact_id, verdict.at)
        for notice_id, why in verdict.pause.items():
            notices.pause(session, notice_id, why)

    def _tell(self, verdict: Verdict, channel: ChannelName) -> None:
        for notice_id, why in verdict.pause.items():
            log.error("notice_paused", notice=notice_id, because=why)
            NOTICES_PAUSED.inc()
        if any(result.status is DeliveryStatus.SENT for result in verdict.results):
            TOKEN_ALERT.labels(channel).set(0)
            self._dead_tokens.discard(channel)

    def _result(self, message: Message, outcome: Sent | SendError, channel: ChannelName, now: datetime) -> Result:
        first = message.told[0]
        if isinstance(outcome, Sent):
            return Result(first.id, DeliveryStatus.SENT, "sent", provider_message_id=outcome.provider_message_id)
        name, code = type(outcome).__name__.lower(), outcome.code
        match outcome:
            case OutcomeUnknown():
                return Result(first.id, DeliveryStatus.UNKNOWN, "outcome_unknown", code)
            case SlowDown() | Reauthorise() if message.template and outcome.scope is Scope.KIND:
                self._hold_template(channel, message.kind, outcome, now)
                return Result(first.id, DeliveryStatus.PENDING, name, code, not_before=now, counts=False)
            case Retry() | SlowDown() | Reauthorise() if (pause := outcome.pause(first.attempts + 1)) is not None:
                if not isinstance(outcome, Retry) and outcome.scope is Scope.TOKEN:
                    self._hold(channel, outcome, pause)
                later, counts = now + _jittered(pause), isinstance(outcome, Retry)
                return Result(first.id, DeliveryStatus.PENDING, name, code, not_before=later, counts=counts)
            case WindowClosed() | BadRequest() | RecipientGone() if self._has_another_way(message, channel, outcome):
                return Result(first.id, DeliveryStatus.PENDING, name, code, not_before=now)
            case _:
                return Result(first.id, DeliveryStatus.FAILED, name, code)

    def _has_another_way(self, message: Message, channel: ChannelName, error: SendError) -> bool:
        gone = isinstance(error, RecipientGone) and error.scope is Scope.RECIPIENT
        return message.route == "window" and not gone and bool(self._renderer.template_of(message.kind.key, channel))

    def _hold_template(
        self, channel: ChannelName, kind: NoticeKind, error: SlowDown | Reauthorise, now: datetime
    ) -> None:
        """A right, a quota or money is missing for this template: all else goes on."""
        held = (channel, kind.key)
        pause = error.after if isinstance(error, SlowDown) else TEMPLATE_PAUSE
        if self._templates_held.get(held, now) <= now:
            log.error("template_held", channel=channel, kind=kind.key, code=error.code, reason=error.reason)
        self._templates_held[held] = now + pause

    def _hold(self, channel: ChannelName, error: SlowDown | Reauthorise, pause: timedelta) -> None:
        """The whole provider waits; that its token is dead is told once."""
        self._budget.slow_down(channel, pause)
        if isinstance(error, Reauthorise):
            TOKEN_ALERT.labels(channel).set(1)
            if channel in self._dead_tokens:
                return
            self._dead_tokens.add(channel)
            log.error("provider_paused", channel=channel, code=error.code, reason=error.reason)

    def _fails(self, notice_id: int) -> bool:
        fates = self._fates[notice_id]
        failed, tried = fates[DeliveryStatus.FAILED], sum(fates.values())
        if failed < FEW_SENT or failed <= TOO_MANY_FAIL * tried:
            return False
        del self._fates[notice_id]
        return True

    def _put_back(self, messages: Sequence[Message], held: datetime, after: timedelta) -> None:
        now = self._clock()
        with self._database.begin() as session:
            ledger.settle(session, _put_back(messages, now + after), held, now)


def _put_back(messages: Sequence[Message], until: datetime, *, begun: AbstractSet[int] = frozenset()) -> list[Result]:
    """Due again, and no try of theirs is counted, though the ledger has some of them as begun."""
    return [
        Result(each, DeliveryStatus.PENDING, None, not_before=until, counts=each not in begun)
        for message in messages
        for each in message.ids
    ]


def _with_the_first(claimed: Claimed, first: Result) -> Result:
    """What becomes of a delivery that the message of another one tells of, too."""
    if first.status is DeliveryStatus.SENT:
        return Result(claimed.id, DeliveryStatus.SKIPPED, Reason.BUNDLED)
    return Result(claimed.id, first.status, first.outcome, first.code, not_before=first.not_before, counts=first.counts)


def _goes_with(claimed: Claimed, kind: NoticeKind) -> Any:
    """What is told of in one message counts as one."""
    return kind.key if kind.sent.together else claimed.id


def _as_it_is_now(claimed: Claimed, answer: Answer) -> Claimed:
    """With what the utility says now in place of what it said when the notice was written down."""
    facts = {name: answer.facts[name] for name in claimed.facts if name in answer.facts}
    if "cut" in claimed.facts and "left" in answer.facts:
        facts["cut"] = {**claimed.facts["cut"], "total": answer.facts["left"]}
    return replace(claimed, facts={**claimed.facts, **facts}, as_of=answer.as_of) if facts else claimed


def _told(claimed: Claimed) -> Told:
    return Told(
        as_of=claimed.as_of,
        facts=claimed.facts,
        link_id=claimed.link_id,
        code=claimed.customer_code,
        nickname=claimed.nickname,
        level=Level(claimed.level_kwh, claimed.level_dong) if claimed.kind == "usage_level" else None,
    )


def _level_reached(claimed: Claimed) -> bool:
    usage = claimed.facts["usage"]
    if claimed.level_kwh is not None:
        return float(usage["kwh"]) >= claimed.level_kwh
    cost = usage.get("cost")
    return claimed.level_dong is not None and cost is not None and cost >= claimed.level_dong


def _failed(claimed: Claimed) -> frozenset[Route]:
    """The way that was tried in vain, if it led nowhere for good."""
    vain = claimed.last_outcome in {"windowclosed", "badrequest", "recipientgone"}
    return frozenset({"window"}) if vain and claimed.last_route == "window" else frozenset()


def _status_of(reason: Reason) -> DeliveryStatus:
    match reason:
        case Reason.PAUSED:
            return DeliveryStatus.PAUSED
        case Reason.CANCELLED:
            return DeliveryStatus.CANCELLED
        case _:
            return DeliveryStatus.SKIPPED


def _jittered(pause: timedelta) -> timedelta:
    """Up to a quarter more, so that what failed together does not come back together."""
    return pause * (1 + random.random() / 4)  # noqa: S311

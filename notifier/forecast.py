"""What would become of a notice, before it is sent: whom it reaches, by which way, who not and why, at what price."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Final
from zoneinfo import ZoneInfo

from actions.backends.errors import BackendError
from bot.channels.base import Channel
from bot.logs import get_logger
from bot.messages import ChannelName
from bot.notice_kinds import NoticeKind
from bot.store import recipients
from bot.store.database import Database
from bot.store.models import NoticeStatus
from bot.store.recipients import Reached
from notifier.planner import NOBODY, Audience, Page
from notifier.policy import Case, Decision, Reason, Route, Send, Skip, Way, decide
from notifier.reach import Reach, Rules
from notifier.rendering import NoticeRenderer

CODES_AT_ONCE: Final = 1_000
AT_ONCE: Final = 4
"""Forecasts that wait for a backend at a time in a process."""
EXAMPLES: Final = 3

log = get_logger(__name__)


@dataclass
class Forecast:
    """What was counted. `cut_short`: time ran out, there are more. `unknown`: the utility's systems did not answer.

    `goes` counts chats by channel and way, `later` and `skipped` by reason; `cost` is in đồng before VAT.
    """

    codes: int = 0
    chats: int = 0
    channels: Counter[str] = field(default_factory=Counter)
    goes: Counter[tuple[str, Route]] = field(default_factory=Counter)
    later: Counter[Reason] = field(default_factory=Counter)
    skipped: Counter[Reason] = field(default_factory=Counter)
    cost: int = 0
    examples: list[tuple[Reached, Route]] = field(default_factory=list)
    cut_short: bool = False
    unknown: bool = False

    @property
    def going(self) -> int:
        return self.goes.total() + self.later.total()

    @property
    def by_template(self) -> int:
        return sum(count for (_, route), count in self.goes.items() if route == "template")


@dataclass(frozen=True)
class Plan:
    """A notice to be: `at` is when it goes."""

    kind: NoticeKind
    facts: Mapping[str, Any]
    query: Mapping[str, Any]
    at: datetime
    valid_until: datetime


class Forecaster:
    """Decides by the same rules as the dispatcher, from what can be known without asking about each customer."""

    def __init__(
        self,
        database: Database,
        audience: Audience,
        channels: Mapping[ChannelName, Channel],
        *,
        renderer: NoticeRenderer,
        rules: Rules,
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._audience = audience
        self._reach = Reach(channels, renderer)
        self._rules = rules
        self._zone = zone
        self._threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="forecast")

    def look(self, plan: Plan, seconds: float) -> Forecast:
        """Count for so long at most."""
        found, seen, until = Forecast(), set[int](), monotonic() + seconds
        after: str | None = None
        while True:
            page = self._page(plan.query, after, until, found)
            with self._database.begin() as session:
                reached = recipients.reached_by_codes(session, plan.kind, page.codes)
            found.codes += len(page.codes)
            self._count(found, plan, reached, seen)
            after = page.next
            if after is None:
                break
        if "place" in plan.kind.per and (places := plan.query.get("place_codes")):
            with self._database.begin() as session:
                self._count(found, plan, recipients.reached_by_places(session, plan.kind, places), seen)
        return found

    def _page(self, query: Mapping[str, Any], after: str | None, until: float, found: Forecast) -> Page:
        """Empty and the last one where it cannot be had, or not in time."""
        asked = self._threads.submit(self._audience, query, after, CODES_AT_ONCE)
        try:
            return asked.result(timeout=max(0.0, until - monotonic()))
        except TimeoutError:
            asked.cancel()
            found.cut_short = True
        except BackendError as error:
            log.warning("forecast_not_known", error=type(error).__name__)
            found.unknown = True
        return NOBODY

    def _count(self, found: Forecast, plan: Plan, reached: Sequence[Reached], seen: set[int]) -> None:
        for chat in reached:
            if chat.contact_id in seen:
                continue
            seen.add(chat.contact_id)
            found.chats += 1
            found.channels[chat.channel] += 1
            ways = self._reach.ways(chat, ChannelName(chat.channel), plan.at, plan.kind, plan.facts)
            match self._decide(plan, chat, ways):
                case Send(route):
                    found.goes[chat.channel, route] += 1
                    found.cost += next(way.price for way in ways if way.route == route)
                    self._keep_example(found, chat, route)
                case Skip(reason):
                    found.skipped[reason] += 1
                case wait:
                    found.later[wait.reason] += 1

    def _decide(self, plan: Plan, chat: Reached, ways: Sequence[Way]) -> Decision:
        return decide(
            Case(
                kind=plan.kind,
                status=NoticeStatus.RUNNING,
                now=plan.at,
                valid_until=plan.valid_until,
                quiet=self._rules.quiet_of(chat),
                most_per_day=self._rules.most_of(chat),
                reachable=not chat.unreachable,
                agreed=chat.agreed,
                wanted=chat.wanted,
                ways=ways,
            ),
            self._zone,
        )

    @staticmethod
    def _keep_example(found: Forecast, chat: Reached, route: Route) -> None:
        """One of each channel and way, as far as there is room."""
        known = {(kept.channel, way) for kept, way in found.examples}
        if len(found.examples) < EXAMPLES and (chat.channel, route) not in known:
            found.examples.append((chat, route))

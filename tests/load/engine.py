"""The planner and the dispatcher of notices alone, each in a process of its own: its memory and its pace are theirs.

`python -m tests.load.engine plan URL NOTICE PEOPLE`, `… send URL LANE SECONDS` and `… limited URL LANE SECONDS` print
figures as JSON: `Planned` and `Handed`. The provider is none, and every send is accepted at once; `limited`: it is Zalo
as the settings say, within the product's own budget.
"""

import itertools
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from datetime import time as day_time
from os import getpid
from pathlib import Path
from typing import Any, ClassVar

from actions.desk import load_company
from bot.channels.base import Limits, Picture, Template
from bot.channels.budget import Bucket, Budget, build_budget
from bot.channels.outcomes import Sent, SlowDown
from bot.channels.registry import build_zalo
from bot.channels.zalo import rendering
from bot.channels.zalo.channel import ZaloChannel
from bot.clock import system_clock
from bot.dialogue.commands import PayloadSigner
from bot.dialogue.replies import ReplyBook
from bot.logs import configure_logs
from bot.messages import ChannelName, OutMessage
from bot.settings import Settings, load_settings
from bot.store.database import Database
from bot.store.models import Lane
from bot.store.preferences import QuietHours
from notifier.dispatch import Dispatcher
from notifier.planner import Planner
from notifier.reach import Rules
from notifier.rendering import NoticeRenderer, load_templates
from notifier.truth import Truth
from tests.load.audience import DATA, KINDS, VIETNAM, Pages, Utility, cut

UNLIMITED = 10.0**9
NO_QUIET_HOURS = QuietHours(day_time(0), day_time(0))
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Planned:
    """`rss_bytes` is the most that the process ever had."""

    seconds: float
    rss_bytes: int


@dataclass(frozen=True)
class Handed:
    """`within`: how many were accepted in each second since the start; `refused`: how many were over the provider's
    limit. `cpu_seconds` is the process's own.
    """

    count: int
    seconds: float
    cpu_seconds: float
    within: list[int]
    refused: int = 0


class NullChannel:
    """Takes every message at once and forgets it, but for when it came."""

    name: ClassVar[ChannelName] = ChannelName.ZALO
    limits: ClassVar[Limits] = rendering.LIMITS

    def __init__(self) -> None:
        self.at: list[float] = []
        self.refused = 0
        self._numbers = itertools.count(1)
        self._run = f"null-{getpid()}-{time.time_ns()}"

    def render(self, message: OutMessage) -> list[OutMessage]:
        return rendering.render(message)

    def send(self, recipient: str, message: OutMessage, *, delivery_key: str, picture: Picture | None) -> Sent:
        self.at.append(time.monotonic())
        return Sent(provider_message_id=f"{self._run}-{next(self._numbers)}")

    def send_template(self, recipient: str, template: Template, *, delivery_key: str) -> Sent:
        self.at.append(time.monotonic())
        return Sent(provider_message_id=f"{self._run}-{next(self._numbers)}")

    def window_ends(self, last_inbound_at: datetime | None) -> datetime | None:
        return last_inbound_at

    def reply_window(self, last_inbound_at: datetime | None, now: datetime) -> bool:
        return True

    def show_typing(self, recipient: str) -> None:
        pass

    def display_name(self, recipient: str) -> str | None:
        return None

    def keep_credentials(self) -> None:
        pass

    def check(self) -> None:
        pass


class Watched(ZaloChannel):
    """The real one, which notes when a send was accepted, and how many the provider found too many."""

    def __init__(self, settings: Settings, database: Database) -> None:
        assert settings.zalo
        built = build_zalo(settings.zalo, database, system_clock(None))
        super().__init__(settings.zalo, built.api, built.tokens)
        self.at: list[float] = []
        self.refused = 0

    def send(self, recipient: str, message: OutMessage, *, delivery_key: str, picture: Picture | None) -> Sent:
        try:
            sent = super().send(recipient, message, delivery_key=delivery_key, picture=picture)
        except SlowDown:
            self.refused += 1
            raise
        self.at.append(time.monotonic())
        return sent


def dispatcher(database: Database, channel: Any, budget: Budget, utility: Any) -> Dispatcher:
    """The product's own, sending by `channel` alone, at any hour."""
    replies = ReplyBook(DATA / "replies", VIETNAM, load_company(DATA).model_dump())
    return Dispatcher(
        database,
        {channel.name: channel},
        budget,
        system_clock(None),
        kinds=KINDS,
        rules=Rules(NO_QUIET_HOURS, most_per_day=1_000_000),
        renderer=NoticeRenderer(
            replies, PayloadSigner("a secret of the bench"), load_templates(DATA / "notice_templates.yml")
        ),
        truth=Truth(utility, utility),
        zone=VIETNAM,
    )


def plan(url: str, notice_id: int, people: int) -> Planned:
    database = Database(url, pool_size=2)
    planner = Planner(database, Pages(people), KINDS, system_clock(None))
    began = time.monotonic()
    planner.plan_audience(notice_id)
    seconds = time.monotonic() - began
    database.close()
    return Planned(seconds, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def send(url: str, lane: Lane, seconds: float) -> Handed:
    """Until nothing is due, or `seconds` have passed."""
    database = Database(url)
    budget = Budget(database, {ChannelName.ZALO: Bucket(rate=UNLIMITED, burst=UNLIMITED)})
    return _send(database, NullChannel(), budget, lane, seconds)


def send_limited(url: str, lane: Lane, seconds: float) -> Handed:
    """The same by Zalo, at the pace that its limit allows."""
    database, settings = Database(url), load_settings()
    return _send(database, Watched(settings, database), build_budget(settings, database), lane, seconds)


def _send(database: Database, channel: NullChannel | Watched, budget: Budget, lane: Lane, seconds: float) -> Handed:
    engine = dispatcher(database, channel, budget, Utility(*(cut(number) for number in range(10))))
    began, cpu = time.monotonic(), time.process_time()
    more = True
    while more and time.monotonic() - began < seconds:
        more = engine.dispatch(ChannelName.ZALO, lane)
    took, spent = time.monotonic() - began, time.process_time() - cpu
    database.close()
    within = [0] * (int(took) + 1)
    for at in channel.at:
        within[int(at - began)] += 1
    return Handed(len(channel.at), took, spent, within, channel.refused)


def run(*arguments: object) -> dict[str, Any]:
    """The figures of a run in another process. Raises subprocess.CalledProcessError."""
    command = [sys.executable, "-m", "tests.load.engine", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _main(what: str, url: str, *arguments: str) -> None:
    configure_logs("WARNING", "bench")
    figures: Planned | Handed
    if what == "plan":
        figures = plan(url, int(arguments[0]), int(arguments[1]))
    else:
        carry_out = send if what == "send" else send_limited
        figures = carry_out(url, Lane(arguments[0]), float(arguments[1]))
    print(json.dumps(asdict(figures)))


if __name__ == "__main__":
    _main(*sys.argv[1:])

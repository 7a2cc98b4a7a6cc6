"""Putting the product together from its settings: the one place that knows all parts."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from actions import desk, registry
from actions.backends.service import ServiceClient
from actions.deadlines import Deadlines
from actions.office_hours import OfficeHours
from bot.channels.base import Channel
from bot.channels.budget import Budget, build_budget
from bot.channels.registry import build_channels
from bot.clock import Clock, system_clock
from bot.dialogue.commands import PayloadSigner
from bot.dialogue.engine import Engine
from bot.dialogue.fallback import Thresholds
from bot.dialogue.replies import ReplyBook
from bot.dialogue.understanding import NluClient
from bot.messages import ChannelName
from bot.pipeline.receipts import OneByOne
from bot.pipeline.sending import ReplySender
from bot.pipeline.turns import TurnHandler
from bot.pipeline.waiting import WaitingEvents
from bot.settings import Settings
from bot.store.database import Database
from notifier.audiences import Audiences
from notifier.changes import Intake
from notifier.dispatch import Dispatcher
from notifier.drafts import Drafting, LeadTimes
from notifier.feeds import FeedPoller
from notifier.forecast import Forecaster
from notifier.planner import Planner
from notifier.reach import Rules
from notifier.rendering import NoticeRenderer, load_templates, topic_of
from notifier.truth import Truth

DATA = Path(__file__).parents[2] / "data"


@dataclass(frozen=True)
class Product:
    """The working parts of one process."""

    settings: Settings
    database: Database
    clock: Clock
    channels: dict[ChannelName, Channel]
    company: desk.Company
    service: ServiceClient
    hours: OfficeHours
    deadlines: Deadlines
    turns: TurnHandler
    waiting: WaitingEvents
    sender: ReplySender
    feeds: FeedPoller
    intake: Intake
    planner: Planner
    dispatcher: Dispatcher
    desk: desk.Desk
    renderer: NoticeRenderer
    truth: Truth
    forecaster: Forecaster


def assemble(settings: Settings, database: Database, *, data: Path = DATA, clock: Clock | None = None) -> Product:
    """Raises ValueError when a data file is not as its reader says."""
    clock = clock or system_clock(settings.trolydien_now)
    return put_together(
        settings,
        database,
        clock,
        own_desk=desk.build_desk(settings, database, desk.load_company(data), data),
        channels=build_channels(settings, database, clock),
        budget=build_budget(settings, database),
        nlu=NluClient(settings.nlu_url),
        data=data,
    )


def put_together(
    settings: Settings,
    database: Database,
    clock: Clock,
    *,
    own_desk: desk.Desk,
    channels: dict[ChannelName, Channel],
    budget: Budget,
    nlu: NluClient,
    data: Path = DATA,
) -> Product:
    """The product around what leads outside of it."""
    company, kinds, secret = own_desk.company, own_desk.notice_kinds, settings.secret_key.get_secret_value()
    replies, signer = ReplyBook(data / "replies", settings.zone, company.model_dump()), PayloadSigner(secret)
    engine = Engine(registry.registry, replies, signer, nlu, Thresholds(**company.understanding.model_dump()))
    renderer = NoticeRenderer(replies, signer, load_templates(data / "notice_templates.yml"))
    audiences = Audiences(own_desk.billing, own_desk.service, database)
    truth = Truth(own_desk.billing, own_desk.service)
    rules = Rules(company.notices.quiet, company.notices.most_per_day)
    intake = Intake(Drafting(kinds, _lead_times(company), settings.zone))
    return Product(
        settings=settings,
        database=database,
        clock=clock,
        channels=channels,
        company=company,
        service=own_desk.service,
        hours=own_desk.hours,
        deadlines=own_desk.deadlines,
        turns=TurnHandler(database, channels, engine, own_desk, clock, topic_of=partial(topic_of, kinds)),
        waiting=WaitingEvents(database, clock, settings, channels, OneByOne(clock, own_desk.deadlines)),
        sender=ReplySender(database, channels, budget, clock, public_url=settings.public_url, secret=secret),
        feeds=FeedPoller(
            database, {"billing": own_desk.billing.changes, "service": own_desk.service.changes}, intake.take, clock
        ),
        intake=intake,
        planner=Planner(database, audiences.page, kinds, clock),
        dispatcher=Dispatcher(
            database,
            channels,
            budget,
            clock,
            kinds=kinds,
            rules=rules,
            renderer=renderer,
            truth=truth,
            zone=settings.zone,
        ),
        desk=own_desk,
        renderer=renderer,
        truth=truth,
        forecaster=Forecaster(database, audiences.page, channels, renderer=renderer, rules=rules, zone=settings.zone),
    )


def _lead_times(company: desk.Company) -> LeadTimes:
    told = company.notices
    return LeadTimes(told.due_days_before, told.overdue_days_after, told.outage_hours_before)

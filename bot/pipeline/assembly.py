"""Putting the product together from its settings: the one place that knows all parts."""

from dataclasses import dataclass
from pathlib import Path

from actions import desk, registry
from actions.deadlines import Deadlines
from actions.office_hours import OfficeHours
from bot.channels.base import Channel
from bot.channels.budget import build_budget
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

DATA = Path(__file__).parents[2] / "data"


@dataclass(frozen=True)
class Product:
    """The working parts of one process."""

    settings: Settings
    database: Database
    clock: Clock
    channels: dict[ChannelName, Channel]
    company: desk.Company
    hours: OfficeHours
    deadlines: Deadlines
    turns: TurnHandler
    waiting: WaitingEvents
    sender: ReplySender


def assemble(settings: Settings, database: Database, *, data: Path = DATA, clock: Clock | None = None) -> Product:
    """Raises ValueError when a data file is not as its reader says."""
    clock = clock or system_clock(settings.trolydien_now)
    secret = settings.secret_key.get_secret_value()
    own_desk = desk.build_desk(settings, database, desk.load_company(data), data)
    channels = build_channels(settings, database, clock)
    budget = build_budget(settings, database)
    company = own_desk.company
    engine = Engine(
        registry.registry,
        ReplyBook(data / "replies", settings.zone, company.model_dump()),
        PayloadSigner(secret),
        NluClient(settings.nlu_url),
        Thresholds(**company.understanding.model_dump()),
    )
    return Product(
        settings=settings,
        database=database,
        clock=clock,
        channels=channels,
        company=company,
        hours=own_desk.hours,
        deadlines=own_desk.deadlines,
        turns=TurnHandler(database, channels, engine, own_desk, clock),
        waiting=WaitingEvents(database, clock, settings, channels, OneByOne(clock, own_desk.deadlines)),
        sender=ReplySender(database, channels, budget, clock, public_url=settings.public_url, secret=secret),
    )

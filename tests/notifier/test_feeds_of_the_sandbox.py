"""The poller over the real clients and the sandbox's feeds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from actions.backends import BillingClient, ServiceClient
from actions.backends.models import Change, InvoiceIssued, OutageKnown
from bot.store.database import Database
from bot.store.feeds import FEEDS
from bot.store.models import FeedCursor
from notifier.feeds import FeedPoller
from sandbox.app import Sandbox
from sandbox.server import free_port, running_sandbox
from sandbox.settings import SandboxSettings

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HOA = "PA04DH0000123"


@dataclass
class Outside:
    """A port on which the utility's systems live; they may be started anew."""

    settings: SandboxSettings
    taken: list[Change] = field(default_factory=list)

    def take(self, session: Session, changes: Sequence[Change], now: datetime) -> None:
        self.taken += changes

    def poller(self, database: Database) -> FeedPoller:
        url, token = self.settings.base_url, self.settings.backend_token
        billing, service = BillingClient(f"{url}/billing", token), ServiceClient(f"{url}/service", token)
        return FeedPoller(database, {"billing": billing.changes, "service": service.changes}, self.take, lambda: NOW)

    def kinds(self) -> list[str]:
        kinds = [change.kind for change in self.taken]
        self.taken.clear()
        return kinds


@pytest.fixture
def outside() -> Outside:
    return Outside(SandboxSettings(_env_file=None, sandbox_port=free_port(), public_url="http://127.0.0.1:9"))


@pytest.fixture
def sandbox(outside: Outside) -> Iterator[Sandbox]:
    with running_sandbox(outside.settings, now=lambda: NOW) as running:
        yield running


def failing(database: Database) -> dict[str, bool]:
    with database.begin() as session:
        return {name: session.get_one(FeedCursor, name).failed_since is not None for name in FEEDS}


def test_what_happens_comes_once(database: Database, outside: Outside, sandbox: Sandbox) -> None:
    poller = outside.poller(database)
    bill = sandbox.world.issue(HOA)
    outage = sandbox.world.create_outage(["05587"])
    for _ in range(2):
        for name in FEEDS:
            poller.drain(name)
    issued, known = outside.taken
    assert isinstance(issued, InvoiceIssued)
    assert isinstance(known, OutageKnown)
    assert (issued.invoice, known.outage) == (bill, outage)


def test_a_leap_of_time_comes_in_pages(database: Database, outside: Outside, sandbox: Sandbox) -> None:
    sandbox.world.advance(timedelta(days=30))
    poller = outside.poller(database)
    assert poller.poll("service") is True
    poller.drain("service")
    assert len(outside.taken) > 200
    assert [change.at for change in outside.taken] == sorted(change.at for change in outside.taken)


def test_down_and_up_again(database: Database, outside: Outside, sandbox: Sandbox) -> None:
    poller = outside.poller(database)
    sandbox.faults.set(down=True)
    sandbox.world.issue(HOA)
    for name in FEEDS:
        assert poller.poll(name) is False
    assert failing(database) == dict.fromkeys(FEEDS, True)
    sandbox.faults.set(down=False, garbage=True)
    assert poller.poll("billing") is False
    sandbox.faults.reset()
    for name in FEEDS:
        poller.drain(name)
    assert failing(database) == dict.fromkeys(FEEDS, False)
    assert outside.kinds() == ["invoice_issued"]


def test_systems_that_start_anew_are_a_gap(database: Database, outside: Outside) -> None:
    """The sandbox forgets its feeds when it ends; what happens after its next start comes all the same."""
    poller = outside.poller(database)
    with running_sandbox(outside.settings, now=lambda: NOW) as first:
        for _ in range(3):
            first.world.issue(HOA)
        poller.drain("billing")
    assert outside.kinds() == ["invoice_issued"] * 3
    with running_sandbox(outside.settings, now=lambda: NOW) as second:
        for _ in range(4):
            second.world.flag_usage(HOA, "tier")
        poller.drain("billing")
    assert outside.kinds() == ["usage_flag"] * 4

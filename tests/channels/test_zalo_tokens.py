"""The chain of refresh tokens never breaks by our doing, and a broken one never loops (zalo.md §1.3)."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import SecretStr
from scripted import Asked, Drop, Hang, Platform, Say, StoppedClock
from sqlalchemy import text

from bot.channels.http import HttpClient
from bot.channels.outcomes import Reauthorise, Retry
from bot.channels.zalo.tokens import ZaloTokens
from bot.messages import ChannelName
from bot.settings import ZaloSettings
from bot.store.database import Database
from bot.store.models import PlatformToken

Make = Callable[..., ZaloTokens]


class Office:
    """Zalo's token endpoint: every refresh token works once."""

    def __init__(self, *first: str) -> None:
        self.live = set(first)
        self.issued = 0
        self.lock = threading.Lock()

    def __call__(self, asked: Asked) -> Say:
        assert asked.path == "/v4/oa/access_token"
        assert asked.headers["secret_key"] == "app-secret"
        assert asked.form["app_id"] == "app"
        assert asked.form["grant_type"] == "refresh_token"
        with self.lock:
            used = asked.form["refresh_token"]
            if used not in self.live:
                return Say({"error": -14014, "error_name": "Invalid refresh token", "error_reason": ""})
            self.live.remove(used)
            self.issued += 1
            self.live.add(f"refresh-{self.issued}")
            return Say(
                {
                    "access_token": f"access-{self.issued}",
                    "refresh_token": f"refresh-{self.issued}",
                    "expires_in": "90000",
                }
            )


@pytest.fixture
def office(platform: Platform) -> Office:
    found = Office("first")
    platform.otherwise = found
    return found


@pytest.fixture
def make(platform: Platform, database: Database, clock: StoppedClock) -> Make:
    """Tokens as another process would have them."""

    def tokens(refresh_token: str | None = "first") -> ZaloTokens:
        settings = ZaloSettings(
            _env_file=None,
            app_id="app",
            app_secret=SecretStr("app-secret"),
            oa_secret_key=SecretStr("k"),
            oa_id="oa",
            refresh_token=SecretStr(refresh_token) if refresh_token else None,
            oauth_url=platform.url,
        )
        http = HttpClient(ChannelName.ZALO, read_timeout=0.3)
        return ZaloTokens(settings, database, clock, http)

    return tokens


def row(database: Database) -> PlatformToken:
    with database.begin() as session:
        return session.get_one(PlatformToken, "zalo")


def test_the_setting_starts_the_chain(make: Make, office: Office, database: Database, clock: StoppedClock) -> None:
    assert make().access_token() == "access-1"
    kept = row(database)
    assert (kept.access_token, kept.refresh_token) == ("access-1", "refresh-1")
    assert kept.access_expires_at == clock() + timedelta(hours=25)
    assert make().access_token() == "access-1"
    assert office.issued == 1


@pytest.mark.parametrize("expires_in", ["3600", 3600])
def test_the_life_of_a_token_is_what_zalo_says(
    make: Make, platform: Platform, database: Database, clock: StoppedClock, expires_in: object
) -> None:
    platform.otherwise = Say({"access_token": "a", "refresh_token": "r", "expires_in": expires_in})
    make().access_token()
    assert row(database).access_expires_at == clock() + timedelta(hours=1)


def test_refreshed_after_twenty_hours(make: Make, office: Office, clock: StoppedClock) -> None:
    tokens = make()
    tokens.access_token()
    clock.forward(hours=19.9)
    assert tokens.access_token() == "access-1"
    clock.forward(hours=0.2)
    assert tokens.access_token() == "access-2"
    assert office.issued == 2


def test_the_clock_keeps_the_chain_alive(make: Make, office: Office, clock: StoppedClock) -> None:
    tokens = make()
    tokens.refresh_if_due()
    tokens.refresh_if_due()
    assert office.issued == 1
    clock.forward(hours=21)
    tokens.refresh_if_due()
    assert office.issued == 2


@pytest.mark.parametrize("refused", [False, True])
def test_many_at_once_refresh_exactly_once(make: Make, office: Office, clock: StoppedClock, *, refused: bool) -> None:
    """Two processes of four threads each find the token missing, or refused, at the same moment."""
    processes = [make(), make()]
    if refused:
        processes[0].access_token()
        clock.forward(hours=1)
    before, got, start = office.issued, [], threading.Barrier(8)

    def work(tokens: ZaloTokens) -> None:
        start.wait()
        got.append(tokens.renew(rejected="access-1") if refused else tokens.access_token())

    threads = [threading.Thread(target=work, args=(processes[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert office.issued == before + 1
    assert got == [f"access-{office.issued}"] * 8


def test_nobody_waits_for_a_refresh_while_the_token_serves(
    make: Make, office: Office, platform: Platform, clock: StoppedClock
) -> None:
    """One process refreshes and gets no answer yet; the others, in and out of it, go on with the old token."""
    tokens = make()
    tokens.access_token()
    clock.forward(hours=21)
    asked, release = threading.Event(), threading.Event()

    def slowly(request: Asked) -> Say:
        asked.set()
        release.wait(10)
        return office(request)

    platform.script.append(slowly)
    got: list[str] = []
    slow = HttpClient(ChannelName.ZALO, read_timeout=10)
    tokens._http = slow
    winner = threading.Thread(target=lambda: got.append(tokens.access_token()))
    winner.start()
    assert asked.wait(5)
    assert tokens.access_token() == "access-1"
    assert make().access_token() == "access-1"
    release.set()
    winner.join(10)
    assert got == ["access-2"]
    assert make().access_token() == "access-2"


def test_a_lost_answer_breaks_the_chain_and_only_a_person_mends_it(
    make: Make, office: Office, platform: Platform, database: Database, clock: StoppedClock
) -> None:
    tokens = make()
    tokens.access_token()
    clock.forward(hours=21)

    def lost(request: Asked) -> Say:
        office(request)
        return Say(b"", 504)

    platform.script.append(lost)
    assert tokens.access_token() == "access-1"
    assert row(database).refresh_token == "refresh-1"
    assert row(database).needs_consent_since is None

    clock.forward(minutes=2)
    assert tokens.access_token() == "access-1"
    assert row(database).needs_consent_since == clock()
    asked = len(platform.asked)
    for _ in range(3):
        assert tokens.access_token() == "access-1"
        with pytest.raises(Reauthorise):
            tokens.refresh_if_due()
    clock.forward(hours=5)
    for process in (tokens, make(), tokens):
        with pytest.raises(Reauthorise):
            process.access_token()
    with pytest.raises(Reauthorise):
        tokens.refresh_if_due()
    assert len(platform.asked) == asked

    office.live.add("second")
    assert make("second").access_token() == "access-3"
    assert row(database).needs_consent_since is None
    assert tokens.access_token() == "access-3"


@pytest.mark.parametrize("code", [-14014, -14005, -118])
def test_a_dead_refresh_token_is_asked_about_once(
    make: Make, platform: Platform, database: Database, code: int
) -> None:
    platform.otherwise = Say({"error": code})
    tokens = make()
    for process in (tokens, tokens, make()):
        with pytest.raises(Reauthorise) as caught:
            process.access_token()
        assert caught.value.alert
    assert len(platform.asked) == 1
    assert row(database).needs_consent_since is not None


@pytest.mark.parametrize("trouble", [Say(b"", 503), Say(b"<html>", 502), Say(b"", 200), Hang, Drop])
def test_outages_never_cost_the_token(
    make: Make, office: Office, platform: Platform, database: Database, clock: StoppedClock, trouble: Say
) -> None:
    tokens = make()
    platform.script.append(trouble)
    for _ in range(3):
        with pytest.raises(Retry):
            tokens.access_token()
    assert len(platform.asked) == 1
    assert row(database).needs_consent_since is None
    clock.forward(seconds=11)
    assert tokens.access_token() == "access-1"


def test_a_wrong_configuration_is_not_asked_about_again_and_again(
    make: Make, office: Office, platform: Platform, database: Database, clock: StoppedClock
) -> None:
    platform.script.append(Say({"error": -14002}))
    tokens = make()
    for _ in range(3):
        with pytest.raises(Reauthorise, match="-14002"):
            tokens.access_token()
    assert len(platform.asked) == 1
    assert row(database).needs_consent_since is None
    clock.forward(seconds=61)
    assert tokens.access_token() == "access-1"


def test_without_any_consent_nothing_is_asked(make: Make, platform: Platform) -> None:
    with pytest.raises(Reauthorise, match="ZALO_REFRESH_TOKEN"):
        make(None).access_token()
    assert platform.asked == []


def test_the_chain_goes_on_without_the_setting(make: Make, office: Office, clock: StoppedClock) -> None:
    make().access_token()
    clock.forward(hours=21)
    assert make(None).access_token() == "access-2"


def test_a_new_setting_starts_a_new_chain_that_old_processes_follow(
    make: Make, office: Office, clock: StoppedClock
) -> None:
    old = make()
    old.access_token()
    office.live.add("second")
    assert make("second").access_token() == "access-2"
    assert old.access_token() == "access-2"
    clock.forward(hours=21)
    assert old.access_token() == "access-3"
    assert make("second").access_token() == "access-3"


def test_a_stale_setting_does_not_break_a_running_chain(
    make: Make, office: Office, platform: Platform, database: Database, clock: StoppedClock
) -> None:
    make().access_token()
    office.live.add("second")
    make("second").access_token()
    stale = make("first")
    assert stale.access_token() == "access-2"
    assert row(database).needs_consent_since is None
    asked = len(platform.asked)
    assert make("first").access_token() == "access-2"
    assert stale.access_token() == "access-2"
    assert len(platform.asked) == asked
    clock.forward(hours=21)
    assert stale.access_token() == "access-3"


def test_a_token_that_replaced_a_refused_one_is_not_replaced_again_at_once(
    make: Make, office: Office, clock: StoppedClock
) -> None:
    tokens = make()
    assert tokens.renew(rejected=tokens.access_token()) == "access-2"
    for _ in range(3):
        with pytest.raises(Reauthorise, match="fresh"):
            tokens.renew(rejected="access-2")
    assert office.issued == 2
    clock.forward(minutes=2)
    assert tokens.renew(rejected="access-2") == "access-3"


def test_a_renewal_that_did_not_come_through_is_tried_again(
    make: Make, office: Office, platform: Platform, clock: StoppedClock
) -> None:
    tokens = make()
    token = tokens.access_token()
    platform.script.append(Say(b"", 503))
    with pytest.raises(Retry):
        tokens.renew(rejected=token)
    clock.forward(seconds=61)
    assert tokens.renew(rejected=token) == "access-2"


def test_a_refused_token_without_successor_is_not_handed_out_again(
    make: Make, office: Office, database: Database, clock: StoppedClock
) -> None:
    tokens = make()
    token = tokens.access_token()
    office.live.clear()
    clock.forward(hours=1)
    for _ in range(2):
        with pytest.raises(Reauthorise):
            tokens.renew(rejected=token)
        with pytest.raises(Reauthorise):
            tokens.access_token()
    assert row(database).needs_consent_since == clock()


def test_a_pair_in_hand_survives_the_loss_of_the_database_connection(
    make: Make, office: Office, platform: Platform, database: Database
) -> None:
    def answer_after_the_connection_is_cut(request: Asked) -> Say:
        with database.begin() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND state = 'idle in transaction'"
                )
            )
        return office(request)

    platform.script.append(answer_after_the_connection_is_cut)
    assert make().access_token() == "access-1"
    kept = row(database)
    assert (kept.access_token, kept.refresh_token) == ("access-1", "refresh-1")
    assert make().access_token() == "access-1"


def test_secrets_stay_out_of_errors(make: Make, platform: Platform) -> None:
    platform.otherwise = Say({"error": -14014})
    with pytest.raises(Reauthorise) as caught:
        make("very-secret").access_token()
    assert "very-secret" not in repr(caught.value)

"""`trolydien link-codes`: a table that staff can print, of codes that then link."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from bot.handing_out import COLUMNS, NotOurs, hand_out, write_csv
from bot.settings import Settings, load_settings
from bot.store.conversations import load
from bot.store.database import Database
from bot.store.limits import Rate
from bot.store.link_codes import LinkCodes, find_code

CODES = ["PA04DH0000123", "PA26BK0000001"]
ENVIRONMENT = {
    "SECRET_KEY": "a-secret-of-the-tests",
    "BILLING_URL": "http://127.0.0.1:1/billing",
    "SERVICE_URL": "http://127.0.0.1:1/service",
    "BACKEND_TOKEN": "t",
    "MESSENGER_APP_SECRET": "s",
    "MESSENGER_VERIFY_TOKEN": "v",
    "MESSENGER_PAGE_ID": "4711",
    "MESSENGER_PAGE_TOKEN": "t",
}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_each_line_holds_a_code_that_links(database: Database, settings: Settings) -> None:
    file = io.StringIO()
    write_csv(file, hand_out(settings, database, CODES, days=3))
    header, *rows = csv.reader(io.StringIO(file.getvalue()))
    assert tuple(header) == COLUMNS
    assert [row[0] for row in rows] == CODES
    store, now = LinkCodes(ENVIRONMENT["SECRET_KEY"]), datetime.now(UTC)
    with database.begin() as session:
        me = load(session, "zalo", "1").contact.id
    for number, (customer_code, link_code, expires, messenger, zalo) in enumerate(rows):
        code = find_code(link_code)
        assert code
        assert messenger == f"https://m.me/4711?ref={code}"
        assert zalo == ""
        until = datetime.strptime(expires, "%Y-%m-%d %H:%M").replace(tzinfo=settings.zone)
        assert timedelta(days=2, hours=23) < until - now <= timedelta(days=3)
        limit = Rate(5, timedelta(days=1))
        link = store.redeem(database, seal=store.seal(code), contact_id=me, event_id=number, now=now, limit=limit)
        assert link.customer_code == customer_code


def test_a_code_that_is_none_stops_it_before_any_is_made(database: Database, settings: Settings) -> None:
    with pytest.raises(NotOurs, match="PA01"):
        hand_out(settings, database, [CODES[0], "PA01GT0000001"])
    assert hand_out(settings, database, []) == []

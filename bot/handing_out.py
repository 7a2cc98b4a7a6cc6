"""Codes for staff to hand out, as a table (until the staff pages do it)."""

import csv
import getpass
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TextIO
from urllib.parse import quote

from actions.desk import load_company
from bot.clock import system_clock
from bot.pipeline.assembly import DATA
from bot.settings import Settings
from bot.store.database import Database
from bot.store.link_codes import LinkCodes, grouped

COLUMNS = ("customer_code", "link_code", "expires", "messenger", "zalo")


class NotOurs(ValueError):
    """The text is no customer code of the company."""


@dataclass(frozen=True)
class Slip:
    """What one paper says; `messenger` and `zalo` are addresses for its QR, empty where the channel is off.

    Messenger tells us the code of the address (messenger.md §8); on Zalo the customer types it.
    """

    customer_code: str
    link_code: str
    expires: str
    messenger: str
    zalo: str


def hand_out(settings: Settings, database: Database, codes: Sequence[str], *, days: int | None = None) -> list[Slip]:
    """A new code for each customer. Raises NotOurs before any is made."""
    company = load_company(DATA)
    for code in codes:
        if not company.is_our_code(code):
            raise NotOurs(code)
    store = LinkCodes(settings.secret_key.get_secret_value())
    now, lifetime = system_clock(settings.trolydien_now)(), timedelta(days=days or company.link_codes.days)
    with database.begin() as session:
        issued = [
            store.issue(session, customer_code=code, issued_by=f"cli:{getpass.getuser()}", now=now, lifetime=lifetime)
            for code in codes
        ]
    page = settings.messenger.page_id if settings.messenger else None
    account = settings.zalo.oa_id if settings.zalo else None
    return [
        Slip(
            customer_code=each.customer_code,
            link_code=grouped(each.code),
            expires=f"{each.expires_at.astimezone(settings.zone):%Y-%m-%d %H:%M}",
            messenger=f"https://m.me/{page}?ref={quote(each.code)}" if page else "",
            zalo=f"https://zalo.me/{account}" if account else "",
        )
        for each in issued
    ]


def write_csv(file: TextIO, slips: Iterable[Slip]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(slips))


def _rows(slips: Iterable[Slip]) -> Iterator[list[str]]:
    for slip in slips:
        yield [getattr(slip, column) for column in COLUMNS]

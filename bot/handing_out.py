"""Codes for staff to hand out, as a table: what `trolydien link-codes` prints."""

import csv
import getpass
from collections.abc import Iterable, Sequence
from typing import TextIO

from actions.desk import load_company
from bot.clock import system_clock
from bot.pipeline import slips
from bot.pipeline.assembly import DATA
from bot.pipeline.slips import NotOurs, Slip
from bot.settings import Settings
from bot.store.database import Database

__all__ = ["COLUMNS", "NotOurs", "hand_out", "write_csv"]

COLUMNS = ("customer_code", "link_code", "expires", "messenger", "zalo")


def hand_out(settings: Settings, database: Database, codes: Sequence[str], *, days: int | None = None) -> list[Slip]:
    """A new code for each customer. Raises NotOurs before any is made."""
    return slips.hand_out(
        settings,
        load_company(DATA),
        database,
        codes,
        issued_by=f"cli:{getpass.getuser()}",
        now=system_clock(settings.trolydien_now)(),
        days=days,
    )


def write_csv(file: TextIO, given: Iterable[Slip]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for slip in given:
        expires = f"{slip.expires_at:%Y-%m-%d %H:%M}"
        writer.writerow([slip.customer_code, slip.link_code, expires, slip.messenger, slip.zalo])

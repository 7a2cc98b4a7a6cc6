"""Link codes with what is printed of them: made for customers whom staff have before them, or for a whole hamlet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from actions.desk import Company
from bot.settings import Settings
from bot.store.database import Database
from bot.store.link_codes import LinkCodes, grouped
from bot.store.models import LinkSheet


class NotOurs(ValueError):
    """The text is no customer code of the company."""


@dataclass(frozen=True)
class Slip:
    """What one paper says; `messenger` and `zalo` are addresses for its QR, empty where the channel is off.

    Messenger tells us the code of the address (messenger.md §8); on Zalo the customer types it. `expires_at` is local.
    """

    customer_code: str
    link_code: str = field(repr=False)
    expires_at: datetime
    messenger: str = field(repr=False)
    zalo: str


def hand_out(
    settings: Settings,
    company: Company,
    database: Database,
    codes: Sequence[str],
    *,
    issued_by: str,
    now: datetime,
    days: int | None = None,
    place: str | None = None,
) -> list[Slip]:
    """A new code for each customer, with `place` on one sheet. Raises NotOurs before any is made."""
    for code in codes:
        if not company.is_our_code(code):
            raise NotOurs(code)
    store, lifetime = LinkCodes(settings.secret_key.get_secret_value()), timedelta(days=days or company.link_codes.days)
    with database.begin() as session:
        sheet = None
        if place is not None:
            sheet = LinkSheet(place=place, issued_by=issued_by, issued_at=now, expires_at=now + lifetime)
            session.add(sheet)
            session.flush()
        issued = [
            store.issue(
                session,
                customer_code=code,
                issued_by=issued_by,
                now=now,
                lifetime=lifetime,
                sheet_id=sheet.id if sheet else None,
            )
            for code in codes
        ]
    page = settings.messenger.page_id if settings.messenger else None
    account = settings.zalo.oa_id if settings.zalo else None
    return [
        Slip(
            customer_code=each.customer_code,
            link_code=grouped(each.code),
            expires_at=each.expires_at.astimezone(settings.zone),
            messenger=f"https://m.me/{page}?ref={quote(each.code)}" if page else "",
            zalo=f"https://zalo.me/{account}" if account else "",
        )
        for each in issued
    ]

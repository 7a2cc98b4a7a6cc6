"""The first members of staff, made where no page can make them: at the command line, and for the demonstration."""

import getpass
from collections.abc import Sequence
from datetime import datetime

from bot.console.factors import hash_password, temporary_password
from bot.store import staff
from bot.store.database import Database
from bot.store.models import Role

DEMO_LOGIN = "demo"


def add_staff(database: Database, *, login: str, name: str, roles: Sequence[Role], now: datetime) -> str:
    """Returns the password, which holds until the first sign-in. Raises LoginTaken."""
    password = temporary_password()
    with database.begin() as transaction:
        staff.add(
            transaction,
            login=login,
            name=name,
            roles=roles,
            password_hash=hash_password(password),
            by=f"cli:{getpass.getuser()}",
            at=now,
        )
    return password


def demo_staff(database: Database, now: datetime) -> str:
    """A password, new at each start, for the one account of a demonstration, which may do everything."""
    password = temporary_password()
    with database.begin() as transaction:
        member = staff.by_login(transaction, DEMO_LOGIN) or staff.add(
            transaction,
            login=DEMO_LOGIN,
            name=DEMO_LOGIN.title(),
            roles=list(Role),
            password_hash=hash_password(password),
            by="demo",
            at=now,
        )
        staff.set_password(transaction, member, hash_password(password), by="demo", temporary=False)
    return password

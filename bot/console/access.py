"""Who may open which page: the one place that decides (architecture.md §6, "security by shape").

Every view says which roles may use it, with `allowed`, or that it is for everybody, with `public`; one that says
nothing is refused. The member of staff is `signed_in()`.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from bot.clock import Clock
from bot.store import staff
from bot.store.database import Database
from bot.store.models import Role
from bot.store.staff import SignedIn

EVERY_ROLE: Final = tuple(Role)
TOKEN: Final = "token"
"""Where the browser's signed cookie holds the session's token."""

View = TypeVar("View", bound=Callable[..., Any])


def allowed(*roles: Role) -> Callable[[View], View]:
    """The view is for whoever has one of the roles."""

    def mark(view: View) -> View:
        view.roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """The view is for everybody, signed in or not."""
    view.roles = None  # type: ignore[attr-defined]
    return view


def while_entering(view: View) -> View:
    """The view is a step of signing in: a password suffices so far."""
    view.entering = True  # type: ignore[attr-defined]
    return allowed(*EVERY_ROLE)(view)


def remember(token: str) -> None:
    """From the next request on the browser is in the session with this token, and in no other."""
    session.clear()
    session[TOKEN] = token


def signed_in() -> SignedIn:
    """Of the present request. Only in views that are not public."""
    member: SignedIn | None = g.get("staff")
    if member is None:
        abort(401)
    return member


class Doorkeeper:
    """Asked before every request of the console. `asks_second_factor`: nobody works without one."""

    def __init__(self, database: Database, clock: Clock, *, asks_second_factor: bool) -> None:
        self._database = database
        self._clock = clock
        self._asks_second_factor = asks_second_factor

    def check(self) -> Response | None:
        """Let the request through (None), send it to where it may go, or refuse it (403)."""
        view = current_app.view_functions[str(request.endpoint)]
        g.staff = self._who()
        roles: frozenset[Role] | None = getattr(view, "roles", frozenset())
        if roles is None:
            return None
        if g.staff is None:
            back = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("console.entrance.sign_in", next=back))
        if not getattr(view, "entering", False) and (step := self._missing_step(g.staff)):
            return redirect(url_for(step))
        if not g.staff.may(*roles):
            abort(403)
        return None

    def _who(self) -> SignedIn | None:
        token = session.get(TOKEN)
        if not isinstance(token, str):
            return None
        with self._database.begin() as transaction:
            return staff.who(transaction, token, self._clock())

    def _missing_step(self, member: SignedIn) -> str | None:
        if not member.proved:
            return "console.entrance.second_factor"
        if member.must_change_password:
            return "console.own_account.password"
        if self._asks_second_factor and not member.has_totp:
            return "console.own_account.authenticator"
        return None

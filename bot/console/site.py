"""The console as a whole: its pages under one roof, the door, the headers, what all pages can say."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, g, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from bot.clock import Clock
from bot.console import (
    audit,
    codes,
    desk,
    entrance,
    figures,
    live,
    log,
    own_account,
    people,
    review,
    takeover,
    verdicts,
)
from bot.console.access import EVERY_ROLE, Doorkeeper, allowed, signed_in
from bot.console.masking import cover_code
from bot.console.numbers import count
from bot.console.office import Office
from bot.dialogue import replies
from bot.settings import Settings
from bot.store.database import Database
from bot.store.models import Role
from bot.text import fold

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Opener-Policy": "same-origin",
}
MOST_BYTES = 12 * 1024 * 1024
"""Of a form of somebody who is signed in: a picture from a telephone's camera."""
SUBJECTS = (entrance, own_account, takeover, log, live, review, verdicts, desk, codes, figures, people, audit)
"""The console's pages, a module for each subject."""
FIRST_PAGES: tuple[tuple[Role, str], ...] = (
    (Role.AGENT, "console.takeover.show"),
    (Role.SUPERVISOR, "console.log.show"),
    (Role.REVIEWER, "console.log.show"),
    (Role.PUBLISHER, "console.desk.show"),
    (Role.ADMIN, "console.people.show"),
)
"""Where somebody with the role begins."""


def add_console(app: Flask, settings: Settings, database: Database, clock: Clock) -> None:
    """Put the console under /console of the gateway."""
    office = app.extensions["office"] = Office(settings, database, clock)
    app.extensions["newsroom"] = live.Newsroom(database)
    app.secret_key = f"console:{settings.secret_key.get_secret_value()}"
    app.config.update(
        SESSION_COOKIE_NAME="trolydien_console",
        SESSION_COOKIE_PATH="/console",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    csrf = CSRFProtect(app)
    console = Blueprint("console", __name__, url_prefix="/console", template_folder="templates", static_folder="static")
    door = Doorkeeper(database, clock, asks_second_factor=not settings.sandbox)

    @console.before_request
    def enter() -> Response | None:
        if request.endpoint == "console.static":
            return None
        elsewhere = door.check()
        if g.staff is not None:
            request.max_content_length = MOST_BYTES
        if elsewhere is None and request.method not in {"GET", "HEAD"}:
            csrf.protect()
        return elsewhere

    @console.after_request
    def guard(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "console.static":
            response.headers["Cache-Control"] = "private, no-store"
        return response

    @console.errorhandler(CSRFError)
    def stale(_error: CSRFError) -> tuple[str, int]:
        return render_template("error.html", code=400, says=office.words.says("stale_form")), 400

    @console.errorhandler(DataError)
    def out_of_range(_error: DataError) -> tuple[str, int]:
        """A number in an address that no row can have."""
        return render_template("error.html", code=404, says=office.words["errors"]["404"]), 404

    @console.errorhandler(413)
    @console.errorhandler(HTTPException)
    def failed(error: HTTPException) -> tuple[str, int] | Response:
        code = error.code or 500
        if error.response is not None or code < 400:
            return error.get_response()
        return render_template("error.html", code=code, says=office.words["errors"].get(str(code))), code

    @console.get("/")
    @allowed(*EVERY_ROLE)
    def home() -> Response:
        member = signed_in()
        first = next((page for role, page in FIRST_PAGES if member.may(role)), "console.own_account.show")
        return redirect(url_for(first))

    _teach(console, office)
    for subject in SUBJECTS:
        console.register_blueprint(subject.pages)
    app.register_blueprint(console)


def _teach(console: Blueprint, office: Office) -> None:
    """What every page may say: times as they are here, names of roles and intents."""
    zone = office.settings.zone

    def moment(at: datetime | None) -> str:
        return f"{at.astimezone(zone):%H:%M %d/%m/%Y}" if at else "–"

    def clock_time(at: datetime) -> str:
        return f"{at.astimezone(zone):%H:%M}"

    def day(at: datetime) -> str:
        return f"{at.astimezone(zone):%d/%m/%Y}"

    def ago(at: datetime) -> str:
        """The largest unit that fits: 3 phút, 2 giờ, 5 ngày."""
        units = office.words["messages"]["units"]
        since = max(office.clock() - at, timedelta())
        for name, length in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
            if since >= length:
                return f"{since // length} {units[name]}"
        return f"{since // timedelta(minutes=1)} {units['minutes']}"

    def money(dong: int | None) -> str:
        return replies.money(dong) if dong is not None else "–"

    for shown in (moment, clock_time, day, ago, money, count, cover_code, fold):
        console.add_app_template_filter(shown)

    @console.context_processor
    def common() -> dict[str, Any]:
        member = g.get("staff")
        return {
            "me": member,
            "navigation": [page for page in office.words["navigation"] if member and member.may(*page["roles"])],
            "words": office.words,
            "intents": office.intents,
            "outcomes": office.outcomes,
            "company": office.company,
            "now": office.clock(),
            "Role": Role,
        }

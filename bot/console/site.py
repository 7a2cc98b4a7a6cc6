"""The console as a whole: its pages under one roof, the door, the headers, what all pages can say."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, g, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from bot.clock import Clock
from bot.console import audit, entrance, own_account, people, review, verdicts
from bot.console.access import EVERY_ROLE, Doorkeeper, allowed, signed_in
from bot.console.office import Office
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
SUBJECTS = (entrance, own_account, review, verdicts, people, audit)
"""The console's pages, a module for each subject."""
FIRST_PAGES: tuple[tuple[Role, str], ...] = ((Role.ADMIN, "console.people.show"),)
"""Where somebody with the role begins."""


def add_console(app: Flask, settings: Settings, database: Database, clock: Clock) -> None:
    """Put the console under /console of the gateway."""
    office = app.extensions["office"] = Office(settings, database, clock)
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
        if request.method not in {"GET", "HEAD"}:
            csrf.protect()
        return door.check()

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
        return f"{dong:,} đ".replace(",", ".") if dong is not None else "–"

    def count(number: int) -> str:
        return f"{number:,}".replace(",", ".")

    for shown in (moment, clock_time, day, ago, money, count, fold):
        console.add_app_template_filter(shown)

    @console.context_processor
    def common() -> dict[str, Any]:
        member = g.get("staff")
        return {
            "me": member,
            "navigation": [page for page in office.words["navigation"] if member and member.may(*page["roles"])],
            "words": office.words,
            "intents": office.intents,
            "company": office.company,
            "now": office.clock(),
            "Role": Role,
        }

"""Signing in and out."""

import secrets
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bot.console import factors
from bot.console.access import TOKEN, public, remember, signed_in, while_entering
from bot.console.office import office
from bot.logs import get_logger
from bot.store import staff
from bot.store.conversations import audit
from bot.store.models import Staff

log = get_logger(__name__)


pages = Blueprint("entrance", __name__)


@pages.get("/sign-in")
@public
def sign_in() -> str:
    return render_template("entrance/sign_in.html")


@pages.post("/sign-in")
@public
def enter() -> tuple[str, int] | Response:
    login, password = request.form.get("login", "").strip().lower(), request.form.get("password", "")
    now, token = office().clock(), secrets.token_urlsafe(32)
    with office().database.begin() as transaction:
        member = staff.by_login(transaction, login)
        right = factors.is_password(member.password_hash if member else None, password)
        open_now = member is not None and member.disabled_at is None and not staff.is_locked(member, now)
        if member and open_now and not right and staff.count_failure(transaction, member, now):
            log.warning("staff_locked", staff=member.id)
        if member and open_now and right:
            if factors.needs_rehash(member.password_hash):
                member.password_hash = factors.hash_password(password)
            proved = member.totp_secret is None
            if proved:
                _came_in(transaction, member)
            staff.begin_session(transaction, staff_id=member.id, token=token, proved=proved, now=now)
    if not (member and open_now and right):
        flash(office().words.says("wrong_password"), "bad")
        return render_template("entrance/sign_in.html", login=login), 401
    remember(token)
    if not proved:
        return redirect(url_for("console.entrance.second_factor", next=request.args.get("next")))
    return redirect(_next())


@pages.get("/second-factor")
@while_entering
def second_factor() -> str:
    return render_template("entrance/second_factor.html")


@pages.post("/second-factor")
@while_entering
def prove() -> tuple[str, int] | Response:
    now, token = office().clock(), secrets.token_urlsafe(32)
    with office().database.begin() as transaction:
        member = staff.by_login(transaction, signed_in().login)
        step = None
        if member and member.totp_secret and not staff.is_locked(member, now):
            step = office().factors.step_of(
                member.totp_secret, request.form.get("code", ""), now, after=member.totp_used
            )
            if step is None:
                if staff.count_failure(transaction, member, now):
                    staff.end_sessions(transaction, member.id)
            else:
                member.totp_used = step
                _came_in(transaction, member)
                staff.end_session(transaction, str(session.get(TOKEN)))
                staff.begin_session(transaction, staff_id=member.id, token=token, proved=True, now=now)
    if step is None:
        flash(office().words.says("wrong_code"), "bad")
        return render_template("entrance/second_factor.html"), 401
    remember(token)
    return redirect(_next())


@pages.post("/sign-out")
@while_entering
def sign_out() -> Response:
    with office().database.begin() as transaction:
        staff.end_session(transaction, str(session.get(TOKEN)))
    session.clear()
    return redirect(url_for("console.entrance.sign_in"))


def _came_in(transaction: Session, member: Staff) -> None:
    staff.count_success(member, office().clock())
    audit(transaction, actor=staff.actor(member.id), action="staff.signed_in", contact_id=None)


def _next() -> str:
    """The page that was asked for before, if it is one of ours."""
    wanted = request.args.get("next", "")
    parts = urlsplit(wanted)
    ours = not parts.scheme and not parts.netloc and parts.path.startswith("/console") and "\\" not in wanted
    return wanted if ours else url_for("console.home")

"""What everybody does about their own account: the password, the authenticator."""

import secrets

import segno
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.console import factors
from bot.console.access import EVERY_ROLE, allowed, remember, signed_in, while_entering
from bot.console.office import office
from bot.store import staff
from bot.store.conversations import audit

pages = Blueprint("own_account", __name__, url_prefix="/me")


@pages.get("")
@allowed(*EVERY_ROLE)
def show() -> str:
    return render_template("own_account/show.html")


@pages.get("/password")
@while_entering
def password() -> str:
    _only_proved()
    return render_template("own_account/password.html")


@pages.post("/password")
@while_entering
def change_password() -> tuple[str, int] | AnyResponse:
    _only_proved()
    old, new = request.form.get("old", ""), request.form.get("new", "")
    now, token, me = office().clock(), secrets.token_urlsafe(32), signed_in()
    problem = None
    with office().database.begin() as transaction:
        member = staff.by_login(transaction, me.login)
        if member is None or staff.is_locked(member, now) or not factors.is_password(member.password_hash, old):
            problem = "wrong_old_password"
            if member and not staff.is_locked(member, now) and staff.count_failure(transaction, member, now):
                staff.end_sessions(transaction, member.id)
        elif new != request.form.get("again", ""):
            problem = "passwords_differ"
        elif new == old:
            problem = "same_password"
        elif not factors.is_strong(new, known=(me.login, me.name, office().company.name, office().company.short_name)):
            problem = "weak_password"
        else:
            hashed = factors.hash_password(new)
            staff.set_password(transaction, member, hashed, by=me.actor, temporary=False)
            staff.begin_session(transaction, staff_id=me.id, token=token, proved=True, now=now)
    if problem:
        flash(office().words.says(problem), "bad")
        return render_template("own_account/password.html"), 422
    remember(token)
    flash(office().words.says("password_changed"), "good")
    return redirect(url_for("console.home"))


@pages.get("/authenticator")
@while_entering
def authenticator() -> str:
    """A secret to set up; a new one each time, until it is confirmed."""
    _only_proved()
    me = signed_in()
    with office().database.begin() as transaction:
        member = staff.by_login(transaction, me.login)
        if member is None:
            abort(401)
        member.totp_pending = office().factors.new()
        plain = office().factors.plain(member.totp_pending)
    return render_template("own_account/authenticator.html", plain=plain)


@pages.get("/authenticator.svg")
@while_entering
def authenticator_qr() -> Response:
    _only_proved()
    me = signed_in()
    with office().database.begin() as transaction:
        member = staff.by_login(transaction, me.login)
        if member is None or member.totp_pending is None:
            abort(404)
        address = office().factors.address(member.totp_pending, me.login)
    return Response(segno.make(address, error="m").svg_inline(scale=5, border=2), mimetype="image/svg+xml")


@pages.post("/authenticator")
@while_entering
def confirm_authenticator() -> tuple[str, int] | AnyResponse:
    _only_proved()
    me, now = signed_in(), office().clock()
    with office().database.begin() as transaction:
        member = staff.by_login(transaction, me.login)
        if member is None or member.totp_pending is None:
            abort(404)
        pending = member.totp_pending
        step = office().factors.step_of(pending, request.form.get("code", ""), now, after=member.totp_used)
        if step is not None:
            member.totp_secret, member.totp_pending, member.totp_used = pending, None, step
            audit(transaction, actor=me.actor, action="staff.second_factor_set", contact_id=None)
    if step is None:
        flash(office().words.says("wrong_code"), "bad")
        return render_template("own_account/authenticator.html", plain=office().factors.plain(pending)), 422
    flash(office().words.says("second_factor_set"), "good")
    return redirect(url_for("console.own_account.show"))


def _only_proved() -> None:
    """A stolen password alone changes neither the password nor the second factor."""
    if not signed_in().proved:
        abort(403)

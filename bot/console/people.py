"""Who works with the console, and as what (F29)."""

import re

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bot.console import factors, given
from bot.console.access import allowed, signed_in
from bot.console.office import office
from bot.store import staff
from bot.store.conversations import audit
from bot.store.models import Role, Staff
from bot.text import clean

LOGIN_FORM = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")


pages = Blueprint("people", __name__, url_prefix="/people")


@pages.get("")
@allowed(Role.ADMIN)
def show() -> str:
    with office().database.begin() as transaction:
        return render_template("people/show.html", people=staff.everybody(transaction))


@pages.post("")
@allowed(Role.ADMIN)
def add() -> tuple[str, int] | str:
    login, name = request.form.get("login", "").strip().lower(), clean(request.form.get("name", "")).strip()
    roles, password = _roles(), factors.temporary_password()
    problem = None
    if not LOGIN_FORM.fullmatch(login):
        problem = "bad_login"
    elif not name:
        problem = "name_missing"
    elif not roles:
        problem = "role_missing"
    else:
        try:
            with office().database.begin() as transaction:
                staff.add(
                    transaction,
                    login=login,
                    name=name,
                    roles=roles,
                    password_hash=factors.hash_password(password),
                    by=signed_in().actor,
                    at=office().clock(),
                )
        except staff.LoginTaken:
            problem = "login_taken"
    if problem:
        flash(office().words.says(problem), "bad")
        with office().database.begin() as transaction:
            people = staff.everybody(transaction)
        return render_template("people/show.html", people=people, given=request.form, chosen=roles), 422
    return render_template("people/password.html", login=login, name=name, password=password)


@pages.post("/<int:staff_id>/roles")
@allowed(Role.ADMIN)
def change_roles(staff_id: int) -> Response:
    roles = _roles()
    with office().database.begin() as transaction:
        member = given.row(transaction, Staff, staff_id, hold=True)
        if not roles:
            flash(office().words.says("role_missing"), "bad")
        elif Role.ADMIN not in roles and _is_last_admin(transaction, member):
            flash(office().words.says("last_admin"), "bad")
        elif sorted(roles) != sorted(member.roles):
            member.roles = list(roles)
            staff.end_sessions(transaction, staff_id)
            audit(
                transaction,
                actor=signed_in().actor,
                action="staff.roles_set",
                contact_id=None,
                staff=staff_id,
                roles=sorted(roles),
            )
            flash(office().words.says("saved"), "good")
    return redirect(url_for("console.people.show"))


@pages.post("/<int:staff_id>/password")
@allowed(Role.ADMIN)
def reset(staff_id: int) -> str:
    """A new temporary password, and no second factor any more: for whoever lost either."""
    password = factors.temporary_password()
    with office().database.begin() as transaction:
        member = given.row(transaction, Staff, staff_id, hold=True)
        staff.set_password(transaction, member, factors.hash_password(password), by=signed_in().actor, temporary=True)
        member.totp_secret = member.totp_pending = None
    return render_template("people/password.html", login=member.login, name=member.name, password=password)


@pages.post("/<int:staff_id>/disabled")
@allowed(Role.ADMIN)
def disable(staff_id: int) -> Response:
    off = request.form.get("off") == "yes"
    with office().database.begin() as transaction:
        member = given.row(transaction, Staff, staff_id, hold=True)
        if off and _is_last_admin(transaction, member):
            flash(office().words.says("last_admin"), "bad")
        elif off != (member.disabled_at is not None):
            member.disabled_at = office().clock() if off else None
            staff.end_sessions(transaction, staff_id)
            action = "staff.disabled" if off else "staff.enabled"
            audit(transaction, actor=signed_in().actor, action=action, contact_id=None, staff=staff_id)
            flash(office().words.says("saved"), "good")
    return redirect(url_for("console.people.show"))


def _roles() -> list[Role]:
    return [role for role in Role if role in request.form.getlist("roles")]


def _is_last_admin(transaction: Session, member: Staff) -> bool:
    admins = [one.id for one in staff.everybody(transaction) if Role.ADMIN in one.roles and one.disabled_at is None]
    return admins == [member.id]

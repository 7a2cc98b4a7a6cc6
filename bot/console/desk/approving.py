"""Looking at what was written, by four eyes: what it says, whom it reaches, what it costs; and letting it go."""

from collections.abc import Callable
from typing import Final

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bot.console import given
from bot.console.access import allowed, signed_in
from bot.console.desk.board import WORKERS, pages
from bot.console.desk.catalog import composables, outcome_words
from bot.console.desk.form import shown
from bot.console.desk.samples import samples
from bot.console.office import office
from bot.store import campaigns, staff
from bot.store.campaigns import EDITABLE, Refused
from bot.store.models import Campaign, Role
from notifier.composed import subject_of
from notifier.forecast import Plan

COUNT_SECONDS: Final = 4.0
"""So long a page waits for how many a notice reaches."""


@pages.get("/<int:campaign_id>")
@allowed(*WORKERS)
def review(campaign_id: int) -> str | Response:
    with office().database.begin() as transaction:
        campaign = transaction.get(Campaign, campaign_id)
        names = staff.names(transaction)
    if campaign is None:
        abort(404)
    if campaign.notice_id is not None:
        return redirect(url_for("console.desk.ledger", notice_id=campaign.notice_id))
    me = signed_in()
    plan = _plan(campaign)
    forecast = office().product.forecaster.look(plan, COUNT_SECONDS) if campaign.status in EDITABLE else None
    return render_template(
        "desk/review.html",
        campaign=campaign,
        notice=plan.kind,
        written=shown(composables()[campaign.kind], campaign.given),
        names=names,
        forecast=forecast,
        outcome_words=outcome_words,
        samples=samples(plan, forecast.examples) if forecast else [],
        gazetteer=office().product.desk.gazetteer,
        is_over=campaign.valid_until <= office().clock(),
        own=me.id in {campaign.created_by, campaign.edited_by},
        may_write=me.may(Role.PUBLISHER),
        count_seconds=COUNT_SECONDS,
    )


@pages.post("/<int:campaign_id>/submit")
@allowed(Role.PUBLISHER)
def submit(campaign_id: int) -> Response:
    now = office().clock()
    return _done(campaign_id, "campaign_submitted", lambda s: campaigns.submit(s, campaign_id, by=_me(), now=now))


@pages.post("/<int:campaign_id>/approve")
@allowed(*WORKERS)
def approve(campaign_id: int) -> Response:
    seen, now = request.form.get("content", ""), office().clock()
    return _done(
        campaign_id, "campaign_approved", lambda s: campaigns.approve(s, campaign_id, by=_me(), seen=seen, now=now)
    )


@pages.post("/<int:campaign_id>/send-back")
@allowed(*WORKERS)
def send_back(campaign_id: int) -> Response:
    why = given.reason()
    if not why:
        flash(office().words.says("why_missing"), "bad")
        return _back(campaign_id)
    return _done(campaign_id, "campaign_sent_back", lambda s: campaigns.send_back(s, campaign_id, by=_me(), why=why))


@pages.post("/<int:campaign_id>/withdraw")
@allowed(Role.PUBLISHER)
def withdraw(campaign_id: int) -> Response:
    return _done(campaign_id, "campaign_withdrawn", lambda s: campaigns.withdraw(s, campaign_id, by=_me()))


@pages.post("/<int:campaign_id>/release")
@allowed(*WORKERS)
def release(campaign_id: int) -> Response:
    now = office().clock()

    def let_go(session: Session) -> None:
        campaign = session.get(Campaign, campaign_id)
        subject, version = (subject_of(campaign.facts) if campaign else None) or (None, 1)
        campaigns.release(session, campaign_id, by=_me(), now=now, subject=subject, version=version)

    return _done(campaign_id, "campaign_released", let_go)


@pages.post("/<int:campaign_id>/copy")
@allowed(Role.PUBLISHER)
def copy(campaign_id: int) -> Response:
    now = office().clock()
    try:
        with office().database.begin() as transaction:
            copied = campaigns.copy(transaction, campaign_id, by=_me(), now=now)
    except Refused:
        abort(404)
    flash(office().words.says("campaign_copied"), "good")
    return redirect(url_for("console.desk.edit", campaign_id=copied))


def _plan(campaign: Campaign) -> Plan:
    now = office().clock()
    return Plan(
        kind=office().product.desk.notice_kinds[campaign.kind],
        facts=campaign.facts,
        query=campaign.audience,
        at=max(campaign.not_before or now, now),
        valid_until=campaign.valid_until,
    )


def _done(campaign_id: int, said: str, step: Callable[[Session], object]) -> Response:
    """Do it, say so or why not, and show what has become of it."""
    try:
        with office().database.begin() as transaction:
            step(transaction)
    except Refused as refused:
        if refused.name == "no_campaign":
            abort(404)
        flash(office().words.says(refused.name), "bad")
    else:
        flash(office().words.says(said), "good")
    return _back(campaign_id)


def _back(campaign_id: int) -> Response:
    return redirect(url_for("console.desk.review", campaign_id=campaign_id))


def _me() -> int:
    return signed_in().id

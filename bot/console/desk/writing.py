"""Writing a notice: choosing its kind, filling it in, changing it."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bot.console.access import allowed, signed_in
from bot.console.desk import audience_form
from bot.console.desk.board import pages
from bot.console.desk.catalog import Composable, composables
from bot.console.desk.form import Filled, filled, read
from bot.console.office import office
from bot.store import campaigns
from bot.store.campaigns import EDITABLE, Refused
from bot.store.models import Campaign, CampaignStatus, Role

Answer = str | tuple[str, int] | Response


@pages.get("/new")
@allowed(Role.PUBLISHER)
def choose_kind() -> str:
    return render_template("desk/kinds.html", composables=composables(), kinds=office().product.desk.notice_kinds)


@pages.get("/new/<kind>")
@allowed(Role.PUBLISHER)
def new(kind: str) -> str:
    return _form(kind, _composable(kind), Filled({"audience": audience_form.usual(_composable(kind))}))


@pages.post("/new/<kind>")
@allowed(Role.PUBLISHER)
def write(kind: str) -> Answer:
    composable = _composable(kind)
    found, now, me = filled(request, composable, None), office().clock(), signed_in()
    content = read(found, kind, composable, now)
    if content is None:
        return _refuse(kind, composable, found)
    with office().database.begin() as transaction:
        campaigns.keep_list(transaction, found.listed)
        campaign_id = campaigns.create(transaction, content, by=me.id, now=now)
    flash(office().words.says("campaign_saved"), "good")
    return redirect(url_for("console.desk.review", campaign_id=campaign_id))


@pages.get("/<int:campaign_id>/edit")
@allowed(Role.PUBLISHER)
def edit(campaign_id: int) -> Answer:
    campaign = _editable(campaign_id)
    if campaign is None:
        return _moved_on(campaign_id)
    return _form(campaign.kind, _composable(campaign.kind), Filled(campaign.given, kept_list=_list(campaign)), campaign)


@pages.post("/<int:campaign_id>/edit")
@allowed(Role.PUBLISHER)
def change(campaign_id: int) -> Answer:
    campaign = _editable(campaign_id)
    if campaign is None:
        return _moved_on(campaign_id)
    composable = _composable(campaign.kind)
    found, now, me = filled(request, composable, _list(campaign)), office().clock(), signed_in()
    content = read(found, campaign.kind, composable, now)
    if content is None:
        return _refuse(campaign.kind, composable, found, campaign)
    try:
        with office().database.begin() as transaction:
            campaigns.keep_list(transaction, found.listed)
            campaigns.edit(transaction, campaign_id, content, by=me.id, now=now)
    except Refused:
        return _moved_on(campaign_id)
    was_approved = campaign.status == CampaignStatus.APPROVED
    flash(office().words.says("approval_void" if was_approved else "campaign_saved"), "good")
    return redirect(url_for("console.desk.review", campaign_id=campaign_id))


def _composable(kind: str) -> Composable:
    return composables().get(kind) or abort(404)


def _editable(campaign_id: int) -> Campaign | None:
    with office().database.begin() as transaction:
        campaign = transaction.get(Campaign, campaign_id)
    if campaign is None:
        abort(404)
    return campaign if campaign.status in EDITABLE else None


def _list(campaign: Campaign) -> dict[str, Any] | None:
    return campaign.audience if "list" in campaign.audience else None


def _moved_on(campaign_id: int) -> Response:
    flash(office().words.says("campaign_moved_on"), "bad")
    return redirect(url_for("console.desk.review", campaign_id=campaign_id))


def _refuse(kind: str, composable: Composable, found: Filled, campaign: Campaign | None = None) -> tuple[str, int]:
    for problem in found.problems:
        flash(problem.said, "bad")
    return _form(kind, composable, found, campaign), 422


def _form(kind: str, composable: Composable, found: Filled, campaign: Campaign | None = None) -> str:
    product = office().product
    return render_template(
        "desk/form.html",
        notice=product.desk.notice_kinds[kind],
        composable=composable,
        given=found.given,
        codes=found.codes,
        kept_list=found.kept_list,
        campaign=campaign,
        limits=audience_form.LEAST_AND_MOST,
        districts=audience_form.places_by_district(product.desk.gazetteer),
    )

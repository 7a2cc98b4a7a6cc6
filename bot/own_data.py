"""What people open about their own data: the copy they asked for, and how far a request to erase through Meta is."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import select

from actions.desk import copy_links, load_company
from actions.documents import CopyFormat, DocumentExpired, NotADocument
from bot.channels.messenger.inbound import DATA_DELETION
from bot.clock import Clock
from bot.messages import ChannelName
from bot.pipeline.assembly import DATA
from bot.settings import Settings
from bot.store import personal_data
from bot.store.database import Database
from bot.store.models import InboundEvent, RightsRequest
from bot.webhooks.data_deletion import STATUS_PATH

HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
FILE_NAME = "du-lieu-cua-toi.json"


def own_data_blueprint(settings: Settings, database: Database, clock: Clock) -> Blueprint:
    blueprint = Blueprint("own_data", __name__)
    company = load_company(DATA)
    links = copy_links(settings, company)
    pages = Environment(loader=FileSystemLoader(DATA / "pages"), autoescape=True, undefined=StrictUndefined)
    pages.globals["company"] = company
    pages.filters["moment"] = lambda at: _shown(at, settings.zone)

    def page(name: str, status: int = 200, **values: Any) -> Response:
        shown = pages.get_template(name).render(values)
        return Response(shown, status, headers=HEADERS, content_type="text/html; charset=utf-8")

    @blueprint.get("/media/copy/<token>")
    def copy(token: str) -> Response:
        try:
            form, contact_id = links.read(token, clock())
        except NotADocument:
            abort(404)
        except DocumentExpired:
            return page("copy_expired.html", 410)
        with database.begin() as session:
            kept = personal_data.collect(session, contact_id)
        if form is CopyFormat.PAGE:
            return page("copy.html", kept=kept, at=clock())
        file = personal_data.as_json(kept)
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
        return Response(file, headers=headers, content_type="application/json; charset=utf-8")

    @blueprint.get(f"{STATUS_PATH}/<code>")
    def erased(code: str) -> Response:
        with database.begin() as session:
            asked = session.execute(
                select(RightsRequest.done_at, RightsRequest.done_due, InboundEvent.received_at)
                .select_from(InboundEvent)
                .outerjoin(RightsRequest, RightsRequest.event_id == InboundEvent.id)
                .where(InboundEvent.channel == ChannelName.MESSENGER, InboundEvent.key == f"{DATA_DELETION}:{code}")
            ).one_or_none()
        if asked is None:
            return page("erasure.html", 404, code=code, asked=None)
        return page("erasure.html", code=code, asked=asked)

    return blueprint


def _shown(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M %d/%m/%Y}"

"""How well the assistant serves: a month of it in numbers, charts and CSV (F28). Reads only what the clock counted."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from bot.console import graphs, numbers, report
from bot.console.access import allowed
from bot.console.office import office
from bot.console.report import Month, Report, View
from bot.console.tables import csv_response
from bot.messages import ChannelName
from bot.store import figures
from bot.store.models import Role

UNLINKED = "-"
"""How an address says the area of those who linked nothing."""
SVG_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
"""A picture for <img>, styled by itself; it has no script, and could load none."""

pages = Blueprint("figures", __name__, url_prefix="/figures")


@pages.get("")
@allowed(Role.SUPERVISOR, Role.ADMIN)
def show() -> str:
    found = _report()
    with office().database.begin() as transaction:
        days, counted_at = figures.days_counted(transaction), figures.counted_at(transaction)
        areas = figures.areas(transaction)
    latest = max(_this_month(), found.view.month)
    earliest = min(Month.of(days[0]) if days else latest, found.view.month)
    spans = (latest.year - earliest.year) * 12 + latest.number - earliest.number
    view = found.view
    asked = {"month": str(view.month), "area": request.args.get("area"), "channel": view.channel}
    return render_template(
        "figures/show.html",
        found=found,
        view=view,
        asked={name: value for name, value in asked.items() if value},
        months=[latest.back(number) for number in range(spans + 1)],
        areas=dict(sorted(areas.items(), key=lambda item: item[1])),
        area_names=_AreaNames(areas, _words()),
        channels=list(ChannelName),
        counted_at=counted_at,
        texts=_words(),
        times=graphs.times(found, _words()),
        numbers=numbers,
        UNLINKED=UNLINKED,
    )


@pages.get("/<name>.svg")
@allowed(Role.SUPERVISOR, Role.ADMIN)
def chart(name: str) -> Response:
    if name not in _words()["charts"]:
        abort(404)
    with office().database.begin() as transaction:
        areas = _AreaNames(figures.areas(transaction), _words())
    return Response(graphs.draw(name, _report(), _words(), areas), mimetype="image/svg+xml", headers=SVG_HEADERS)


@pages.get("/month.csv")
@allowed(Role.SUPERVISOR, Role.ADMIN)
def table() -> Response:
    view, words = _view(), _words()
    with office().database.begin() as transaction:
        areas = _AreaNames(figures.areas(transaction), words)
        counted = report.rows(transaction, view)
    cells = [
        (
            str(view.month),
            words["names"][name],
            name,
            areas[area],
            area,
            channel,
            bucket,
            part,
            whole,
            numbers.tenth(100 * part / whole) if whole else None,
        )
        for name, area, channel, bucket, part, whole in counted
    ]
    return csv_response(f"so-lieu-{view.month}.csv", words["csv"], cells)


class _AreaNames(dict[str, str]):
    """Names of the units; one whose name is not known is called by its code."""

    def __init__(self, known: Mapping[str, str], words: Mapping[str, Any]) -> None:
        super().__init__({**known, "": words["no_area"]})

    def __missing__(self, code: str) -> str:
        return code


def _report() -> Report:
    with office().database.begin() as transaction:
        return report.read(transaction, _view())


def _view() -> View:
    area, channel = request.args.get("area"), request.args.get("channel")
    return View(
        month=Month.read(request.args.get("month", "")) or _this_month(),
        area="" if area == UNLINKED else area or None,
        channel=channel if channel in set(ChannelName) else None,
    )


def _this_month() -> Month:
    return Month.of(office().clock().astimezone(office().settings.zone).date())


def _words() -> Any:
    return office().words["figures"]

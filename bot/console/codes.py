"""Link codes: handed out one by one or on a sheet, looked through, taken back (F27)."""

import segno
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.console import sheets
from bot.console.access import allowed, signed_in
from bot.console.customer_lists import customer_code, read_list
from bot.console.masking import cover_code, cover_name
from bot.console.office import office
from bot.console.paging import PAGE, Page, page_of
from bot.pipeline.slips import NotOurs, Slip, hand_out
from bot.store import onboarding, staff
from bot.store.link_codes import LinkCodes
from bot.store.models import Role
from bot.store.onboarding import Handed, State
from bot.text import one_line

LONGEST_PLACE = 60
LARGEST_FILE = 200_000
"""Bytes: far more than 500 lines need."""
PDF = "application/pdf"

pages = Blueprint("codes", __name__, url_prefix="/codes")


@pages.get("")
@allowed(Role.AGENT, Role.SUPERVISOR)
def show() -> str:
    state = next((state for state in State if state == request.args.get("state")), None)
    sheet_id, by = request.args.get("sheet", type=int), request.args.get("by") or None
    with office().database.begin() as transaction:
        found = onboarding.codes(
            transaction,
            office().clock(),
            limit=PAGE + 1,
            before=request.args.get("before", type=int),
            state=state,
            sheet_id=sheet_id,
            issued_by=by,
        )
        sheet = onboarding.sheet(transaction, office().clock(), sheet_id) if sheet_id is not None else None
    return _list(page_of(found, lambda code: code.id), state=state, by=by, sheet=sheet)


@pages.post("/of-customer")
@allowed(Role.AGENT, Role.SUPERVISOR)
def of_customer() -> str:
    """The newest codes of one customer. Asked for in a form, so that no address holds a customer code."""
    wanted = customer_code(request.form.get("customer_code", ""))
    with office().database.begin() as transaction:
        found = onboarding.codes(transaction, office().clock(), limit=PAGE, customer_code=wanted) if wanted else []
    return _list(Page(found, None), wanted=wanted)


@pages.post("")
@allowed(Role.AGENT, Role.SUPERVISOR)
def issue() -> tuple[str, int] | str:
    """One code, for a customer who stands at the counter. It is in this answer and nowhere else."""
    code = customer_code(request.form.get("customer_code", ""))
    try:
        (slip,) = _hand_out([code])
    except NotOurs:
        flash(office().words.says("not_our_code"), "bad")
        return _list(_newest(), given=request.form.get("customer_code", "")), 422
    return render_template("codes/issued.html", slip=slip, pictures=_pictures(slip))


@pages.post("/<int:code_id>/revoke")
@allowed(Role.AGENT, Role.SUPERVISOR)
def revoke(code_id: int) -> AnyResponse:
    with office().database.begin() as transaction:
        done = _store().revoke(transaction, link_code_id=code_id, by=signed_in().actor, now=office().clock())
    flash(office().words.says("code_revoked" if done else "code_over"), "good" if done else "bad")
    return redirect(url_for("console.codes.show", sheet=request.form.get("sheet", type=int)))


@pages.get("/sheets")
@allowed(Role.AGENT, Role.SUPERVISOR)
def show_sheets() -> str:
    with office().database.begin() as transaction:
        found = onboarding.sheets(
            transaction, office().clock(), limit=PAGE + 1, before=request.args.get("before", type=int)
        )
    return render_template("codes/sheets.html", page=page_of(found, lambda sheet: sheet.id), names=_names())


@pages.get("/sheets/new")
@allowed(Role.AGENT, Role.SUPERVISOR)
def new_sheet() -> str:
    return render_template("codes/new_sheet.html")


@pages.post("/sheets")
@allowed(Role.AGENT, Role.SUPERVISOR)
def print_sheet() -> tuple[str, int] | Response:
    """The document with new codes. Only it holds them: a sheet that is lost is revoked and made anew."""
    place = one_line(request.form.get("place", ""))
    written, problem = _written()
    entries, bad = read_list(written, office().company.is_our_code)
    if not place or len(place) > LONGEST_PLACE:
        problem = problem or "place_missing"
    if problem or bad:
        if problem:
            flash(office().words.says(problem), "bad")
        return render_template("codes/new_sheet.html", place=place, written=written, bad=bad), 422
    slips = _hand_out([entry.customer_code for entry in entries], place=place)
    printed = [sheets.Printed(slip, entry.note) for slip, entry in zip(slips, entries, strict=True)]
    words = office().words["sheet"]
    document = sheets.pdf(printed, place=place, company=office().company, words=words)
    name = f"{words['file']}-{office().clock().astimezone(office().settings.zone):%Y%m%d-%H%M}.pdf"
    return Response(document, mimetype=PDF, headers={"Content-Disposition": f"attachment; filename={name}"})


@pages.post("/sheets/<int:sheet_id>/revoke")
@allowed(Role.AGENT, Role.SUPERVISOR)
def revoke_sheet(sheet_id: int) -> AnyResponse:
    with office().database.begin() as transaction:
        if onboarding.sheet(transaction, office().clock(), sheet_id) is None:
            abort(404)
        count = _store().revoke_sheet(transaction, sheet_id=sheet_id, by=signed_in().actor, now=office().clock())
    flash(office().words.says("sheet_revoked", count=count), "good")
    return redirect(url_for("console.codes.show_sheets"))


def _hand_out(codes: list[str], *, place: str | None = None) -> list[Slip]:
    here = office()
    return hand_out(
        here.settings,
        here.company,
        here.database,
        codes,
        issued_by=signed_in().actor,
        now=here.clock(),
        place=place,
    )


def _pictures(slip: Slip) -> dict[str, str]:
    """For each channel that is on, the QR as an address that holds the picture itself: none leads to it."""
    addresses = {"messenger": slip.messenger, "zalo": slip.zalo}
    return {
        channel: segno.make_qr(address, error="m").svg_data_uri(scale=5, border=4)
        for channel, address in addresses.items()
        if address
    }


def _written() -> tuple[str, str | None]:
    """The list as pasted, or else as uploaded; and what is wrong with the file."""
    file = request.files.get("file")
    if not file or not file.filename:
        return request.form.get("codes", ""), None
    content = file.stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        return "", "file_too_large"
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        return "", "file_not_text"


def _list(page: Page[Handed], **given: object) -> str:
    return render_template(
        "codes/show.html",
        page=page,
        names=_names(),
        states=list(State),
        cover_code=cover_code,
        cover_name=cover_name,
        **given,
    )


def _newest() -> Page[Handed]:
    with office().database.begin() as transaction:
        found = onboarding.codes(transaction, office().clock(), limit=PAGE + 1)
    return page_of(found, lambda code: code.id)


def _names() -> dict[str, str]:
    """Of those who may have handed out codes, by how the table names them."""
    with office().database.begin() as transaction:
        return {staff.actor(staff_id): name for staff_id, name in staff.names(transaction).items()}


def _store() -> LinkCodes:
    return LinkCodes(office().settings.secret_key.get_secret_value())

"""The page behind a payment request: the demonstration's customer presses "Thanh toán", and the bill is paid."""

from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sandbox.world import Refused, Unknown, World

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def payments_blueprint(world: World) -> Blueprint:
    """Mount at `/pay` of the world's public URL."""
    blueprint = Blueprint("payments", __name__, template_folder="templates")

    @blueprint.get("/<request_id>")
    def show(request_id: str) -> str:
        try:
            shown, invoices = world.payment_request(request_id)
        except Unknown:
            abort(404)
        rest = [bill for bill in invoices if bill.paid < bill.total]
        return render_template(
            "payment.html",
            request=shown,
            invoices=invoices,
            paid=not rest,
            expired=bool(rest) and world.now() > shown.expires_at,
            rest=sum(bill.total - bill.paid for bill in rest),
            dong=_dong,
            expires=shown.expires_at.astimezone(_ZONE),
        )

    @blueprint.post("/<request_id>")
    def pay(request_id: str) -> Response:
        try:
            world.pay_request(request_id)
        except Unknown:
            abort(404)
        except Refused:
            abort(409)
        return redirect(url_for(".show", request_id=request_id), 303)

    return blueprint


def _dong(amount: int) -> str:
    return f"{amount:,} đ".replace(",", ".")

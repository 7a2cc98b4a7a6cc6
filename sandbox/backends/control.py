"""What a test or a presenter does behind the backends: faults, payments, bills, outages, warnings, time."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from actions.backends.models import (
    MeterWorkKind,
    MeterWorkState,
    OutageKind,
    RequestState,
    TicketState,
    UsageFlagKind,
)
from sandbox.backends.contract import answer, error
from sandbox.backends.faults import Faults
from sandbox.world import Refused, Unknown, World


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Pay(_Order):
    customer_code: str
    invoice_id: str | None = None
    amount: Annotated[int, Field(gt=0)] | None = None


class _Issue(_Order):
    customer_code: str
    kwh: Annotated[int, Field(ge=0)] | None = None


class _NewOutage(_Order):
    place_codes: list[str]
    kind: OutageKind = "unplanned"
    start: AwareDatetime | None = None
    expected_end: AwareDatetime | None = None
    reason: str | None = None
    hamlets: list[str] = []


class _OutageChange(_Order):
    state: Literal["restored", "cancelled"] | None = None
    start: AwareDatetime | None = None
    expected_end: AwareDatetime | None = None


class _TicketChange(_Order):
    state: TicketState
    message: str | None = None


class _RequestChange(_Order):
    state: RequestState
    message: str | None = None


class _Flag(_Order):
    customer_code: str
    flag: UsageFlagKind
    message: str | None = None


class _NewMeterWork(_Order):
    customer_code: str
    work: MeterWorkKind
    day: date
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


class _MeterWorkChange(_Order):
    state: MeterWorkState


class _NewCutWarning(_Order):
    customer_code: str
    cut_from: AwareDatetime


class _CutWarningChange(_Order):
    state: Literal["cancelled"]


class _Danger(_Order):
    place_codes: list[str]
    until: AwareDatetime
    text: str | None = None


class _Advance(_Order):
    seconds: Annotated[float, Field(ge=0)] = 0
    hours: Annotated[float, Field(ge=0)] = 0
    days: Annotated[float, Field(ge=0)] = 0


def control_blueprint(faults: Faults, world: World) -> Blueprint:
    """Mount at `/control/backends`. All bodies and answers are JSON.

    `GET|POST ""` shows or changes the faults (`{"reset": true}` ends them); `POST /pay`, `/issue`, `/outages`,
    `/outages/<id>`, `/tickets/<code>`, `/requests/<code>`, `/usage-flags`, `/meter-work`, `/meter-work/<id>`,
    `/cut-warnings`, `/cut-warnings/<id>`, `/dangers`, `/advance`; `GET /sms/<phone>`.
    """
    blueprint = Blueprint("backend_control", __name__)

    @blueprint.errorhandler(ValidationError)
    def bad_order(wrong: ValidationError) -> Response:
        return error("bad_body", str(wrong), 422)

    @blueprint.errorhandler(Unknown)
    def no_such(unknown: Unknown) -> Response:
        return error("not_found", f"No such {unknown}", 404)

    @blueprint.errorhandler(Refused)
    def refused(reason: Refused) -> Response:
        return error(reason.code, reason.message, reason.status)

    @blueprint.get("")
    def show() -> Response:
        return jsonify({**faults.state.model_dump(), "now": world.now().isoformat()})

    @blueprint.post("")
    def set_faults() -> Response:
        changes: dict[str, Any] = request.get_json()
        if changes.pop("reset", False):
            faults.reset()
        return answer(faults.set(**changes))

    @blueprint.post("/pay")
    def pay() -> Response:
        order = _Pay.model_validate(request.get_json())
        payments = world.pay(order.customer_code, order.invoice_id, order.amount)
        return jsonify([payment.model_dump(mode="json") for payment in payments])

    @blueprint.post("/issue")
    def issue() -> Response:
        order = _Issue.model_validate(request.get_json())
        return answer(world.issue(order.customer_code, order.kwh), 201)

    @blueprint.post("/outages")
    def create_outage() -> Response:
        order = _NewOutage.model_validate(request.get_json())
        return answer(world.create_outage(**order.model_dump()), 201)

    @blueprint.post("/outages/<outage_id>")
    def change_outage(outage_id: str) -> Response:
        order = _OutageChange.model_validate(request.get_json())
        changes: dict[str, datetime | None] = {}
        if order.state is not None:
            changes[f"{order.state}_at"] = world.now()
        if order.start is not None:
            changes["start"] = order.start
        if order.expected_end is not None:
            changes["end"] = order.expected_end
        return answer(world.change_outage(outage_id, **changes))

    @blueprint.post("/tickets/<code>")
    def change_ticket(code: str) -> Response:
        order = _TicketChange.model_validate(request.get_json())
        return answer(world.set_ticket(code, order.state, order.message))

    @blueprint.post("/requests/<code>")
    def move_request(code: str) -> Response:
        order = _RequestChange.model_validate(request.get_json())
        return answer(world.move_request(code, order.state, order.message))

    _warning_orders(blueprint, world)

    @blueprint.post("/advance")
    def advance() -> Response:
        order = _Advance.model_validate(request.get_json())
        now = world.advance(timedelta(seconds=order.seconds, hours=order.hours, days=order.days))
        return jsonify({"now": now.isoformat()})

    @blueprint.get("/sms/<phone>")
    def sms(phone: str) -> Response:
        return jsonify([{"text": sms.text, "at": sms.at.isoformat()} for sms in world.sms.messages(phone)])

    return blueprint


def _warning_orders(blueprint: Blueprint, world: World) -> None:
    """What the utility tells of by itself, and what it takes back."""

    @blueprint.post("/usage-flags")
    def flag_usage() -> Response:
        order = _Flag.model_validate(request.get_json())
        return answer(world.flag_usage(order.customer_code, order.flag, order.message), 201)

    @blueprint.post("/meter-work")
    def plan_meter_work() -> Response:
        order = _NewMeterWork.model_validate(request.get_json())
        span = (order.start, order.end) if order.start and order.end else None
        return answer(world.plan_meter_work(order.customer_code, order.work, order.day, span), 201)

    @blueprint.post("/meter-work/<work_id>")
    def move_meter_work(work_id: str) -> Response:
        order = _MeterWorkChange.model_validate(request.get_json())
        return answer(world.move_meter_work(work_id, order.state))

    @blueprint.post("/cut-warnings")
    def warn_of_cut() -> Response:
        order = _NewCutWarning.model_validate(request.get_json())
        return answer(world.warn_of_cut(order.customer_code, order.cut_from), 201)

    @blueprint.post("/cut-warnings/<warning_id>")
    def call_off_cut(warning_id: str) -> Response:
        _CutWarningChange.model_validate(request.get_json())
        return answer(world.call_off_cut(warning_id))

    @blueprint.post("/dangers")
    def warn_of_danger() -> Response:
        order = _Danger.model_validate(request.get_json())
        return answer(world.warn_of_danger(order.place_codes, order.text, order.until), 201)

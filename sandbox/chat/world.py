"""`/world`: the page on which a presenter makes things happen at the utility, and sees what its feeds tell of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import yaml
from flask import Blueprint, abort, redirect, render_template, request, url_for
from pydantic import BaseModel, Field, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from actions.backends.models import MeterWorkKind, Outage, UsageFlagKind
from sandbox.world import Refused, Unknown, World
from sandbox.world.dates import ZONE, local_day, local_instant
from sandbox.world.places import Place, places

_SHOWN: Final = 30
_VISIT_HOURS: Final = (8, 11)
_CUT_AT: Final = 8
_WORDS: Final[Mapping[str, Any]] = yaml.safe_load(Path(__file__).with_name("world.yml").read_text(encoding="utf-8"))

Hours = Annotated[float, Field(gt=0, le=24 * 60)]
FewHours = Annotated[float, Field(gt=0, le=72)]
Text = Annotated[str, Field(min_length=1, max_length=1_000)]
Answer = str | tuple[str, int] | AnyResponse


class _Customer(BaseModel):
    code: str


class _Issue(_Customer):
    kwh: Annotated[int, Field(ge=0, le=1_000_000)] | None = None


class _Flag(_Customer):
    flag: UsageFlagKind


class _Meter(_Customer):
    work: MeterWorkKind
    day: date


class _Cut(_Customer):
    in_days: Annotated[int, Field(ge=0, le=60)]


class _Fault(BaseModel):
    place: str
    reason: Text | None = None


class _Planned(_Fault):
    in_hours: Hours
    lasts_hours: FewHours


class _Danger(BaseModel):
    place: str
    text: Text | None = None
    until_hours: FewHours


class _OneOutage(BaseModel):
    outage: str


class _Advance(BaseModel):
    hours: Hours


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class _Choice:
    """A customer of the demonstration, as the page offers them."""

    code: str
    name: str
    place: str
    owes: int


def world_blueprint(world: World, company: str) -> Blueprint:
    """`GET /world` shows it, `POST /world/<action>` does something and shows it again."""
    pages = Blueprint("world", __name__, template_folder="templates")
    actions = _actions(world)

    @pages.get("/world")
    def show() -> str:
        return page(done=_WORDS["done"].get(request.args.get("done", "")))

    @pages.post("/world/<action>")
    def act(action: str) -> Answer:
        perform = actions.get(action) or abort(404)
        try:
            perform()
        except (ValidationError, Refused, Unknown) as error:
            return page(problem=_told(error)), 422
        code, place = request.form.get("code"), request.form.get("place")
        return redirect(url_for(".show", done=action, code=code, place=place), 303)

    def page(*, done: str | None = None, problem: str | None = None) -> str:
        return render_template(
            "world.html",
            company=company,
            words=_WORDS,
            now=world.now(),
            customers=_customers(world),
            places=_places(world),
            outages=world.changeable_outages(),
            changes=world.newest_changes(_SHOWN),
            place_names={code: place.full_name for code, place in places().items()},
            chosen=request.values,
            done=done,
            problem=problem,
            at=_at,
            dong=_dong,
            tomorrow=local_day(world.now()) + timedelta(days=1),
        )

    return pages


def _actions(world: World) -> dict[str, Callable[[], object]]:
    """What can be done, by the last part of its address. Each raises ValidationError, Refused, Unknown."""

    def pay() -> None:
        if not world.pay(_given(_Customer).code):
            raise Refused("nothing_owed", "Nothing is owed")

    def meter() -> None:
        order = _given(_Meter)
        first, last = (local_instant(order.day, hour) for hour in _VISIT_HOURS)
        world.plan_meter_work(order.code, order.work, order.day, (first, last))

    def warn_of_cut() -> None:
        order = _given(_Cut)
        day = local_day(world.now()) + timedelta(days=order.in_days)
        world.warn_of_cut(order.code, local_instant(day, _CUT_AT))

    def plan_outage() -> None:
        order = _given(_Planned)
        start = _whole_hour(world.now() + timedelta(hours=order.in_hours))
        end = start + timedelta(hours=order.lasts_hours)
        world.create_outage([order.place], kind="planned", start=start, expected_end=end, reason=order.reason)

    def report_outage() -> None:
        order = _given(_Fault)
        world.create_outage([order.place], reason=order.reason)

    def warn_of_danger() -> None:
        order = _given(_Danger)
        world.warn_of_danger([order.place], order.text, world.now() + timedelta(hours=order.until_hours))

    def postpone() -> None:
        """One that has not begun starts and ends an hour later, one that has only ends later."""
        outage, hour = _open_outage(world), timedelta(hours=1)
        end = (outage.expected_end or world.now()) + hour
        if outage.state == "planned":
            world.change_outage(outage.id, start=outage.start + hour, end=end)
        else:
            world.change_outage(outage.id, end=end)

    return {
        "issue": lambda: world.issue(**_given(_Issue).model_dump()),
        "pay": pay,
        "flag": lambda: world.flag_usage(**_given(_Flag).model_dump()),
        "meter": meter,
        "warn_of_cut": warn_of_cut,
        "plan_outage": plan_outage,
        "report_outage": report_outage,
        "warn_of_danger": warn_of_danger,
        "postpone": postpone,
        "cancel": lambda: world.change_outage(_open_outage(world).id, cancelled_at=world.now()),
        "restore": lambda: world.change_outage(_open_outage(world).id, restored_at=world.now()),
        "advance": lambda: world.advance(timedelta(hours=_given(_Advance).hours)),
    }


def _given(order: type[M]) -> M:
    """The fields of this form; an empty one counts as none. Raises ValidationError."""
    return order.model_validate({name: value for name, value in request.form.items() if value.strip()})


def _open_outage(world: World) -> Outage:
    """Raises Refused `over`."""
    wanted = _given(_OneOutage).outage
    found = next((outage for outage in world.changeable_outages() if outage.id == wanted), None)
    if found is None:
        raise Refused("over", "No such outage, or over")
    return found


def _customers(world: World) -> list[_Choice]:
    codes = [code for persona in world.personas for code in persona.codes]
    shown = [world.customer(code) for code in codes]
    return [_Choice(each.code, each.name, each.place_name, world.debt(each.code).total) for each in shown]


def _places(world: World) -> list[Place]:
    """All of them, those where somebody of the demonstration lives first."""
    near = {world.customer(code).place_code for persona in world.personas for code in persona.codes}
    return sorted(places().values(), key=lambda place: (place.code not in near, place.name))


def _told(error: Exception) -> str:
    problems: Mapping[str, str] = _WORDS["problems"]
    if isinstance(error, ValidationError):
        names = dict.fromkeys(_WORDS["fields"].get(fault["loc"][0], fault["loc"][0]) for fault in error.errors())
        return problems["wrong_field"].format(fields=", ".join(names))
    code = error.code if isinstance(error, Refused) else str(error)
    return problems.get(code, str(error))


def _whole_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _at(at: datetime) -> str:
    """`10:00 thứ Hai 23/11`."""
    local = at.astimezone(ZONE)
    return f"{local:%H:%M} {_WORDS['weekdays'][local.weekday()]} {local:%d/%m}"


def _dong(amount: int) -> str:
    return f"{amount:,} đ".replace(",", ".")

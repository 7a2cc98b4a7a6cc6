"""From what was filled in to the content of a campaign: words, audience, times. Nothing passes that would not fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Request
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from actions.backends.errors import BackendError, NotFound
from actions.backends.models import DangerWarning, Outage
from bot.console.desk import audience_form
from bot.console.desk.catalog import Composable, FieldData
from bot.console.desk.problems import Problem
from bot.console.office import office
from bot.notice_kinds import NoticeKind
from bot.store import campaigns
from bot.store.campaigns import Content
from bot.text import clean, one_line
from notifier.composed import Announcement, Arrears, Maintenance, good_until
from notifier.rendering import Told

MOST_DAYS_GOOD: Final = 30
SAMPLE_CODE: Final = "PA00XX0000000"


@dataclass
class Filled:
    """A form as it was filled in; `given` is kept with the campaign, so that it can be edited as it was written.

    `listed`: the customer codes that were brought, once they are read.
    """

    given: dict[str, Any]
    codes: str = ""
    listed: tuple[str, ...] = ()
    kept_list: dict[str, Any] | None = None
    problems: list[Problem] = field(default_factory=list)


def filled(request: Request, kind: Composable, kept_list: dict[str, Any] | None) -> Filled:
    """`kept_list`: the audience of a campaign that has a list; it stays unless another one is brought."""
    form: MultiDict[str, str] = request.form
    names = [
        *(each.name for each in kind.fields),
        "audience",
        "feeder",
        *audience_form.LEAST_AND_MOST,
        "not_before",
        "valid_until",
    ]
    given: dict[str, Any] = {name: one_line(form.get(name, "")) for name in names}
    known = office().product.desk.gazetteer.units
    given["places"] = [code for code in form.getlist("places") if code in known]
    found = Filled(given, clean(form.get("codes", "")), kept_list=kept_list)
    file = request.files.get("file")
    if file and file.filename:
        try:
            found.codes = audience_form.decode(file.stream.read())
        except Problem as problem:
            found.problems.append(problem)
    return found


def read(found: Filled, key: str, kind: Composable, now: datetime) -> Content | None:
    """The content; None where there is a problem, and then `found` has all of them. May ask the utility."""
    reading = _Reading(found, office().product.desk.notice_kinds[key], kind, now)
    reading.all()
    return reading.content if not found.problems else None


class _Reading:
    def __init__(self, found: Filled, notice: NoticeKind, kind: Composable, now: datetime) -> None:
        self._found = found
        self._given = found.given
        self._notice = notice
        self._kind = kind
        self._now = now
        self._facts: dict[str, Any] = {}
        self._audience: dict[str, Any] = {}
        self._not_before: datetime | None = None
        self._valid_until = now

    @property
    def content(self) -> Content:
        return Content(self._notice.key, self._given, self._facts, self._audience, self._not_before, self._valid_until)

    def all(self) -> None:
        """Each part by itself, so that all that is wrong is said at once; what rests on others only if they hold."""
        values = self._values()
        self._try(lambda: self._read_facts(values))
        self._try(self._read_audience)
        self._try(self._read_times)
        if not self._found.problems:
            self._try(self._read_danger)
            self._try(self._fits)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Problem as problem:
            self._found.problems.append(problem)

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for each in self._kind.fields:
            try:
                values[each.name] = self._value(each)
            except Problem as problem:
                self._found.problems.append(problem)
        return values

    def _value(self, each: FieldData) -> Any:
        text = self._given[each.name]
        if not text:
            raise Problem("field_missing", field=each.title)
        if each.type == "moment":
            return _moment(text, each.title)
        if len(text) > each.most:
            raise Problem("field_too_long", field=each.title, most=each.most)
        return text

    def _read_facts(self, values: Mapping[str, Any]) -> None:
        if len(values) < len(self._kind.fields):
            return
        match self._kind.fact:
            case "announcement":
                fact: Any = Announcement(**values)
            case "maintenance":
                try:
                    fact = Maintenance(**values)
                except ValidationError:
                    raise Problem("ends_before_start") from None
            case "arrears":
                fact = Arrears()
            case "outage":
                fact = self._outage(values["outage_id"])
            case "danger":
                return
        self._facts = {self._kind.fact: fact.model_dump(mode="json")}

    def _outage(self, outage_id: str) -> Outage:
        try:
            known = office().product.desk.service.outage(outage_id)
        except NotFound:
            raise Problem("no_such_outage") from None
        except BackendError:
            raise Problem("backend_away") from None
        if known.kind != "planned" or known.state != "planned" or known.start <= self._now:
            raise Problem("outage_not_coming")
        return Outage.model_validate(known.model_dump(exclude={"as_of"}))

    def _read_danger(self) -> None:
        """It names its places and its end, which the other parts have told."""
        if self._kind.fact == "danger":
            danger = DangerWarning(
                id="desk",
                place_codes=tuple(self._audience["place_codes"]),
                text=self._given["text"],
                until=self._valid_until,
            )
            self._facts = {"danger": danger.model_dump(mode="json")}

    def _read_audience(self) -> None:
        chosen = self._given["audience"]
        if chosen not in self._kind.audiences:
            raise Problem("choose_audience")
        if chosen != "list":
            if chosen == "outage" and "outage" not in self._facts:
                return
            titles = office().words["desk"]["numbers"]
            self._audience = audience_form.read_audience({**self._given, "titles": titles}, self._facts.get("outage"))
            return
        if not self._found.codes.strip() and self._found.kept_list:
            self._audience = self._found.kept_list
            return
        codes = audience_form.read_list(self._found.codes, office().company)
        audience_form.check(codes)
        self._found.listed = codes.codes
        self._audience = {"list": campaigns.digest(codes.codes), "count": len(codes.codes)}

    def _read_times(self) -> None:
        titles = office().words["desk"]["times"]
        if self._given["not_before"]:
            self._not_before = _moment(self._given["not_before"], titles["not_before"])
            if self._not_before <= self._now:
                raise Problem("in_the_past")
        starts = self._not_before or self._now
        until = starts + timedelta(hours=self._notice.sent.good_for_hours)
        if self._given["valid_until"]:
            until = _moment(self._given["valid_until"], titles["valid_until"])
        if (over := good_until(self._facts)) is not None:
            until = min(until, over)
        if until <= starts:
            raise Problem("valid_before_sent")
        if until > starts + timedelta(days=MOST_DAYS_GOOD):
            raise Problem("valid_too_long", days=MOST_DAYS_GOOD)
        self._valid_until = until

    def _fits(self) -> None:
        """A notice is one message on every channel."""
        product = office().product
        told = Told(self._facts, link_id=1, code=SAMPLE_CODE, as_of=self._now)
        message = product.renderer.message(self._notice, [told], 1)
        for name, channel in product.channels.items():
            if len(channel.render(message)) != 1:
                raise Problem("message_too_long", channel=office().words["channels"][name])


def shown(kind: Composable, given: Mapping[str, Any]) -> list[tuple[str, str | datetime]]:
    """What was filled in, by title."""
    return [
        (each.title, _moment(given[each.name], each.title) if each.type == "moment" else given[each.name])
        for each in kind.fields
    ]


def _moment(text: str, title: str) -> datetime:
    """A local time as a browser sends it."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=office().settings.zone).astimezone(UTC)
    except ValueError:
        raise Problem("bad_moment", field=title) from None

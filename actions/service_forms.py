"""The forms of the service catalogue: asked in the order of data/services.yml, reviewed, filed once."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import create_model

from actions.backends.models import NewServiceRequest, RequestDetail, ServiceRequest
from actions.backends.references import contact_reference
from actions.catalogue import Service, catalogue
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.papers import attach
from actions.rights_requests import record
from actions.service_fields import SKIPPED, ChoiceField, PapersField, PlaceField, ServiceField
from bot.dialogue.commands import Command, Slots
from bot.dialogue.forms import Ask, Form, Invalid
from bot.dialogue.replies import ReplyBook
from bot.dialogue.state import Choice
from bot.dialogue.turn import Turn
from bot.store.models import RightKind
from bot.text import fold

CORRECTION = "service_info_change"
"""Asking for it is a request to have one's data corrected: it is done here once the service system has it."""
LIFETIME = timedelta(days=7)
"""Papers are often at home, or with somebody else: the form waits for them."""


def form_of(intent: str) -> str:
    """The name of a service's form; the intent itself is answered with what the service is."""
    return f"apply.{intent}"


def contact_of(turn: DeskTurn) -> str:
    """Our reference of the chat in the service system."""
    return contact_reference(turn.caller.contact_id)


class ServiceForm(Form):
    """What all service forms do; each has its own fields (`build`)."""

    review = "service.review"
    lifetime = LIFETIME

    intent: ClassVar[str]
    about: ClassVar[Service]
    fields: ClassVar[Mapping[str, ServiceField]]

    filing: str
    """What makes this filling-in of the form one of its kind: sent again after a lost answer it is filed once."""

    @classmethod
    def applicable(cls, values: Mapping[str, Any]) -> list[str]:
        return [name for name, field in cls.fields.items() if field.applies(values)]

    @classmethod
    def prefill(cls, turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        """The account, and what was heard with the request. Raises NeedsLink or NeedsAccountChoice."""
        known: dict[str, Any] = {"filing": turn.idempotency_key("request")}
        heard = cls.fields.get(slots.field or "")
        if isinstance(heard, ChoiceField) and slots.value in heard.choices:
            known[str(slots.field)] = slots.value
        match cls.about.account:
            case "needed":
                known["link"] = turn.account(slots).link_id
            case "if_linked" if not turn.caller.accounts:
                known["link"] = None
            case "if_linked" if slots.link is not None:
                known["link"] = turn.account(slots).link_id
        return known

    @classmethod
    def ask(cls, turn: DeskTurn, field: str, _values: Mapping[str, Any]) -> None:
        asked = cls.fields[field]
        skip = turn.replies.render("service.later" if isinstance(asked, PapersField) else "service.skip")[0]
        skips = [(skip, SKIPPED)] if asked.optional and field != "link" else []
        options = [
            (title, Command(name="form.fill", slots=Slots(form=form_of(cls.intent), field=field, value=value)))
            for title, value in [*asked.options(turn), *skips]
        ]
        turn.offer("service.ask", options, question=asked.ask)
        if not asked.picks_by_number:
            turn.state.choices = []
        if skips:
            turn.state.choices += [
                Choice(title=words, command=options[-1][1]) for words in turn.desk.answers["service.skip"]["skip"]
            ]

    @classmethod
    def show(cls, turn: DeskTurn, name: str, values: Mapping[str, Any]) -> None:
        kind, days = cls.about.filed_as(values)
        answers, title = cls.answers(turn, values), catalogue().title_of(kind)
        turn.say("service.review", title=title, answers=answers, days=days, form=name)

    @classmethod
    def title_of(cls, _replies: ReplyBook, field: str) -> str:
        return cls.fields[field].label

    @classmethod
    def filled(cls, turn: DeskTurn, field: str, values: dict[str, Any]) -> None:
        value = values[field]
        if value is None or value == SKIPPED:
            if not cls.fields[field].optional:
                raise Invalid("service.is_needed")
            values[field] = None
        else:
            values[field] = cls.fields[field].check(turn, value)

    @classmethod
    def answers(cls, turn: DeskTurn, values: Mapping[str, Any]) -> list[RequestDetail]:
        """The answers as customer and clerk read them."""
        return [
            RequestDetail(label=cls.fields[name].label, value=cls.fields[name].shown(turn, values[name]))
            for name in cls.applicable(values)
            if values.get(name) is not None
        ]

    def submit(self, turn: DeskTurn) -> None:
        values = self.model_dump(mode="json")
        link = values.get("link")
        account = turn.account(Slots(link=link)) if link is not None else None
        kind, days = self.about.filed_as(values)
        wanted = NewServiceRequest(
            service=kind,
            contact=contact_of(turn),
            customer_code=account.customer_code if account else None,
            place_code=self._place_code(values),
            details=tuple(self.answers(turn, values)),
        )
        request = turn.desk.service.file_request(wanted, idempotency_key=f"{self.filing}-{_fingerprint(wanted)}")
        papers = [paper for name in self.applicable(values) for paper in self._papers(name, values)]
        known = {paper["url"] for paper in papers}
        before = [{"url": file.url, "size": file.size} for file in turn.state.take_files() if file.url not in known]
        sent = [*papers, *before]
        lost = attach(turn, request.code, sent)
        if self.intent == CORRECTION:
            record(turn, RightKind.CORRECT, done=True)
        self._say_filed(turn, request, days, kept=len(sent) - lost, lost=lost)

    def _say_filed(self, turn: DeskTurn, request: ServiceRequest, days: int, *, kept: int, lost: int) -> None:
        turn.say(
            "service.filed",
            title=catalogue().title_of(request.service),
            service=self.about,
            filed=request,
            request_code=request.code,
            expected=request.expected_on or turn.desk.hours.add_working_days(turn.now, days).date(),
            kept=kept,
            lost=lost,
            papers_wanted=not kept and any(isinstance(field, PapersField) for field in self.fields.values()),
        )

    @classmethod
    def _papers(cls, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        return (values.get(name) or []) if isinstance(cls.fields[name], PapersField) else []

    @classmethod
    def _place_code(cls, values: Mapping[str, Any]) -> str | None:
        places = [values[name] for name, field in cls.fields.items() if isinstance(field, PlaceField)]
        return str(places[0]["code"]) if places and places[0] else None


def _fingerprint(wanted: NewServiceRequest) -> str:
    return hashlib.sha256(wanted.model_dump_json().encode()).hexdigest()[:16]


def build(intent: str, service: Service) -> type[ServiceForm]:
    """The form class of a service."""
    fields = catalogue().form_fields(service)
    typed: dict[str, Any] = {
        name: (Annotated[field.value_type | None, _ask(name, field)], None) for name, field in fields.items()
    }
    form: type[ServiceForm] = create_model(
        f"Apply_{intent}", __base__=ServiceForm, __module__=__name__, __doc__=service.title, **typed
    )
    form.intent, form.about, form.fields = intent, service, fields
    form.intents = frozenset({intent})
    return form


def _ask(name: str, field: ServiceField) -> Ask:
    def read(turn: Turn[Any]) -> Any:
        form = turn.state.form
        asked = turn.asks_for(name)
        said = fold(turn.text).strip(" .!")
        if field.optional and asked and said in turn.desk.answers["service.skip"]["skip"]:
            return SKIPPED
        return field.read(turn, asked=asked, known=form.values.get(name) if form else None)

    return Ask("service.ask", read=read, free_text=field.free_text, opening=field.opening)


for _intent, _service in catalogue().services.items():
    registry.form(form_of(_intent))(build(_intent, _service))

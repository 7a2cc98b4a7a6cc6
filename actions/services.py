"""Electricity services (F11): what each is and takes, the list of them, the way into their forms."""

from collections.abc import Callable

from actions.answers import option_meant
from actions.backends.models import ServiceKind
from actions.catalogue import Service, catalogue
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.payment_problems import NOT_SEEN
from actions.service_fields import ChoiceField
from actions.service_forms import form_of
from actions.service_requests import service_status
from bot.dialogue import filling
from bot.dialogue.commands import Command, Slots
from bot.dialogue.state import Choice
from bot.dialogue.turn import Account, NeedsAccountChoice, NeedsLink

RECONNECT = "service_reconnect"


def _answering(intent: str) -> Callable[[DeskTurn, Slots], None]:
    def answer(turn: DeskTurn, slots: Slots) -> None:
        service_asked_for(turn, intent, slots)

    return answer


for _intent in catalogue().services:
    registry.handles(_intent)(_answering(_intent))


def service_asked_for(turn: DeskTurn, intent: str, slots: Slots) -> None:
    """What the service is and takes, with the offer to file it here; the form at once where it was plainly ordered."""
    if slots.request_code:
        service_status(turn, slots)
        return
    if any(paused.name == form_of(intent) for paused in turn.state.paused):
        _offer_to_go_on(turn, intent)
        return
    if intent == RECONNECT and _cut_for_debt(turn, slots):
        return
    service = catalogue().services[intent]
    start = _start(intent, slots).with_slots(**_heard(turn, service))
    if _is_ordered(turn) and _can_begin(turn, service, slots):
        turn.say("service.card", service=service, offer=False, form=None, field=None, value=None, link=None)
        start_form(turn, start.slots)
    else:
        known = start.slots
        turn.say(
            "service.card",
            service=service,
            offer=True,
            form=known.form,
            field=known.field,
            value=known.value,
            link=known.link,
        )
        turn.ask_yes_no(yes=start, no=Command(name="deny"))


@registry.handles("service.start")
def start_form(turn: DeskTurn, slots: Slots) -> None:
    """Begin the form named; `field` and `value` are an answer that was given with the request."""
    intent = _intent_of(slots)
    if intent is None:
        turn.say("button.stale")
        return
    filling.start(registry, turn, registry.forms[form_of(intent)], slots=slots)


@registry.handles("service.details")
def details(turn: DeskTurn, slots: Slots) -> None:
    """Papers and steps in full, with where this comes from."""
    intent = _intent_of(slots)
    if intent is None:
        turn.say("button.stale")
        return
    service = catalogue().services[intent]
    turn.say("service.details", service=service, form=slots.form, field=slots.field, value=slots.value, link=slots.link)
    turn.ask_yes_no(yes=Command(name="service.start", slots=slots), no=Command(name="deny"))


@registry.handles("service_list")
def service_list(turn: DeskTurn, _slots: Slots) -> None:
    """All services by group, each to be picked by its number; the groups as buttons."""
    numbered = [(intent, kind, title) for intent, _service in _by_group() for kind, title in _kinds(intent)]
    numbers = {kind: number for number, (_intent, kind, _title) in enumerate(numbered, start=1)}
    groups = {
        title: [
            (numbers[kind], name)
            for intent, service in _by_group()
            if service.group == group
            for kind, name in _kinds(intent)
        ]
        for group, title in catalogue().groups.items()
    }
    options = [
        (title, Command(name="service.group", slots=Slots(value=group))) for group, title in catalogue().groups.items()
    ]
    turn.offer("service.list", options, groups=groups)
    picks = [Choice(title=title, command=Command(name=intent)) for intent, _kind, title in numbered]
    turn.state.choices = [*picks, *turn.state.choices]


@registry.handles("service.group")
def group_of_services(turn: DeskTurn, slots: Slots) -> None:
    """The services of one group, as buttons."""
    found = [(intent, service) for intent, service in _by_group() if service.group == slots.value]
    if not found:
        turn.say("button.stale")
        return
    options = [(service.short, Command(name=intent)) for intent, service in found]
    services = [service for _intent, service in found]
    turn.offer("service.group", options, title=catalogue().groups[str(slots.value)], services=services)


@registry.handles("service.resume")
def go_on(turn: DeskTurn, slots: Slots) -> None:
    """Back to the form named, which waits."""
    form = slots.form or ""
    waiting = [paused for paused in turn.state.paused if paused.name == form]
    turn.state.paused = [*(paused for paused in turn.state.paused if paused.name != form), *waiting]
    if waiting:
        filling.resume(registry, turn)
    else:
        turn.say("button.stale")


def _start(intent: str, slots: Slots) -> Command:
    return Command(name="service.start", slots=slots.model_copy(update={"form": form_of(intent)}))


def _intent_of(slots: Slots) -> str | None:
    return next((intent for intent in catalogue().services if form_of(intent) == slots.form), None)


def _heard(turn: DeskTurn, service: Service) -> dict[str, str]:
    """The first choice that the request itself has made."""
    for name, field in service.fields.items():
        if isinstance(field, ChoiceField) and not field.when and turn.understanding:
            value = field.read(turn, asked=False, known=None)
            return {"field": name, "value": value} if value else {}
    return {}


def _offer_to_go_on(turn: DeskTurn, intent: str) -> None:
    form = form_of(intent)
    turn.say("service.unfinished", service=catalogue().services[intent], form=form)
    turn.ask_yes_no(
        yes=Command(name="service.resume", slots=Slots(form=form)),
        no=Command(name="service.start", slots=Slots(form=form)),
    )


def _is_ordered(turn: DeskTurn) -> bool:
    return bool(turn.understanding and option_meant(turn.desk.answers, "service.order", turn.text))


def _can_begin(turn: DeskTurn, service: Service, slots: Slots) -> bool:
    """Is nothing else to be asked first: which account, or whether to link one?"""
    return service.account != "needed" or _account_if_clear(turn, slots) is not None


def _account_if_clear(turn: DeskTurn, slots: Slots) -> Account | None:
    try:
        return turn.account(slots)
    except (NeedsLink, NeedsAccountChoice):
        return None


def _cut_for_debt(turn: DeskTurn, slots: Slots) -> bool:
    """Who was cut for debt needs no form: power comes back when it is paid."""
    account = _account_if_clear(turn, slots)
    if account is None or turn.desk.billing.customer(account.customer_code).status != "cut_for_debt":
        return False
    debt = turn.desk.billing.debt(account.customer_code)
    if not debt.total:
        return False
    turn.say("service.cut_for_debt", link=account.link_id, value=NOT_SEEN, account=account, debt=debt)
    return True


def _by_group() -> list[tuple[str, Service]]:
    order = list(catalogue().groups)
    return sorted(catalogue().services.items(), key=lambda item: order.index(item[1].group))


def _kinds(intent: str) -> list[tuple[ServiceKind, str]]:
    """The kinds of a service that are services of their own in the industry's catalogue of twelve."""
    service = catalogue().services[intent]
    own = [kind for kind, _title in service.kinds() if kind != "pause"]
    return [(kind, service.title if kind == service.files_as else catalogue().title_of(kind)) for kind in own]

"""Filling in a form: asking, reading answers, correcting, reviewing, cancelling, going back to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.dialogue.commands import Command, Slots
from bot.dialogue.fallback import NOT_UNDERSTOOD
from bot.dialogue.forms import Abandon, Form, Invalid
from bot.dialogue.registry import Registry
from bot.dialogue.state import FormState
from bot.dialogue.turn import Turn

TRIES_BEFORE_OFFERING_A_WAY_OUT = 3
WORDS_OF_A_STORY = 8
"""From so many words the opening message is taken as what a form of free text asks for; the review shows it."""
WORDS_OF_A_BARE_ANSWER = 6
"""An answer longer than this, with another intent for sure, is a new subject even if it holds a value."""


def start(registry: Registry[Any], turn: Turn[Any], form: type[Form], *, slots: Slots) -> None:
    """Begin a form with what the request already says; a form of another kind that runs is paused."""
    name = registry.name_of(form)
    if turn.state.form and turn.state.form.name != name:
        turn.state.pause_form()
    turn.state.paused = [paused for paused in turn.state.paused if paused.name != name]
    running = turn.state.form = FormState(
        name=name, asking=form.missing({}), touched_at=turn.now, lifetime=form.lifetime
    )
    try:
        with _explained(turn) as trouble:
            running.values = form.prefill(turn, slots)
            running.asking = form.missing(running.values)
            _read_opening(form, turn, slots)
    except Exception:
        turn.state.form = None
        raise
    if not trouble:
        go_on(registry, turn)


def go_on(registry: Registry[Any], turn: Turn[Any]) -> None:
    """Ask for the next missing field; when none is missing, review or submit."""
    state, form = _running(registry, turn)
    state.touched_at = turn.now
    state.asking = form.missing(state.values)
    if state.asking:
        state.reviewing = False
        form.ask(turn, state.asking, state.values)
    elif form.review and not state.reviewing:
        state.reviewing = True
        form.show(turn, state.name, state.values)
        turn.ask_yes_no(yes=Command(name="form.confirm", slots=Slots(form=state.name)), no=Command(name="form.edit"))
    else:
        _submit(turn, form)


def answer(registry: Registry[Any], turn: Turn[Any], *, new_subject: bool) -> bool:
    """Take the message as an answer to the form's question. False if it is none."""
    state, form = _running(registry, turn)
    understanding = turn.understanding
    if state.reviewing and understanding and understanding.intent in {"affirm", "deny"}:
        if understanding.intent == "affirm":
            _submit(turn, form)
            return True
        if not _read_other(form, turn):
            edit(registry, turn, Slots(form=state.name))
            return True
        state.reviewing = False
        go_on(registry, turn)
        return True
    if new_subject and (state.asking is None or len(turn.text.split()) > WORDS_OF_A_BARE_ANSWER):
        return False
    taken = True
    with _explained(turn) as trouble:
        taken = _read_asked(form, turn, new_subject=new_subject) or _read_other(form, turn)
    if taken and not trouble:
        state.tries = 0
        state.reviewing = False
        go_on(registry, turn)
    elif trouble and turn.state.form is state and state.tries >= TRIES_BEFORE_OFFERING_A_WAY_OUT:
        asked = form.asks().get(state.asking or "")
        if not (asked and asked.secret):  # guesses at a secret are counted, and ended, by who asks for it
            _offer_a_way_out(turn, state)
    return taken


def fill_by_button(registry: Registry[Any], turn: Turn[Any], slots: Slots) -> None:
    """A tap on an option of the form's question; of another form or question it is out of date."""
    state = turn.state.form
    if state is None or slots.form != state.name or state.asking is None or slots.field != state.asking:
        turn.say("button.stale")
        return
    with _explained(turn) as trouble:
        _put(registry.forms[state.name], turn, state.asking, slots.value or None)
    if not trouble:
        state.reviewing = False
        go_on(registry, turn)


def confirm(registry: Registry[Any], turn: Turn[Any], slots: Slots) -> None:
    """The review is accepted; a button of a form that is not being reviewed is out of date."""
    state = turn.state.form
    if state is None or not state.reviewing or slots.form not in {None, state.name}:
        turn.say("button.stale")
        return
    _submit(turn, registry.forms[state.name])


def edit(registry: Registry[Any], turn: Turn[Any], slots: Slots) -> None:
    """Ask which answer to change, or ask that one again."""
    state = turn.state.form
    if state is None:
        turn.say("button.stale")
        return
    form = registry.forms[state.name]
    if slots.field in form.asks():
        state.values.pop(str(slots.field), None)
        state.reviewing = False
        go_on(registry, turn)
        return
    asks = form.asks()
    fields = [name for name in form.applicable(state.values) if name in state.values and not asks[name].secret]
    turn.offer(
        "form.which_field",
        [(form.title_of(turn.replies, name), Command(name="form.edit", slots=Slots(field=name))) for name in fields],
    )


def cancel(_registry: Registry[Any], turn: Turn[Any]) -> None:
    """Drop the running form, or the one that waits."""
    if turn.state.form:
        turn.state.form = None
    elif turn.state.paused:
        turn.state.paused.pop()
    turn.state.pending = None
    turn.say("form.cancelled")


def resume(registry: Registry[Any], turn: Turn[Any]) -> None:
    """Go back to the form that waits."""
    if turn.state.form is None and not turn.state.paused:
        turn.say("button.stale")
        return
    if turn.state.form is None:
        turn.state.form = turn.state.paused.pop()
    turn.state.form.reviewing = False
    go_on(registry, turn)


def ask_again(registry: Registry[Any], turn: Turn[Any]) -> None:
    state, _form = _running(registry, turn)
    state.reviewing = False
    go_on(registry, turn)


def misunderstood(registry: Registry[Any], turn: Turn[Any]) -> None:
    """Ask again; after several tries, offer to stop or to see a person: nobody is trapped in a form."""
    state, _form = _running(registry, turn)
    state.tries += 1
    if state.tries >= TRIES_BEFORE_OFFERING_A_WAY_OUT:
        _offer_a_way_out(turn, state)
        return
    turn.say("form.not_understood")
    ask_again(registry, turn)


def _offer_a_way_out(turn: Turn[Any], state: FormState) -> None:
    name = turn.replies.render(f"form.name.{state.name}")[0]
    turn.say("form.way_out", form=name, field=NOT_UNDERSTOOD.field)
    turn.ask_yes_no(yes=Command(name="form.resume"), no=Command(name="form.cancel"))


def _running(registry: Registry[Any], turn: Turn[Any]) -> tuple[FormState, type[Form]]:
    assert turn.state.form
    return turn.state.form, registry.forms[turn.state.form.name]


@contextmanager
def _explained(turn: Turn[Any]) -> Iterator[list[str]]:
    """Say why an answer cannot be taken, or why the form cannot go on. Yields a list that then holds the reply."""
    trouble: list[str] = []
    try:
        yield trouble
    except Invalid as invalid:
        trouble.append(invalid.reply)
        form = turn.state.form
        fills = [
            (title, Command(name="form.fill", slots=Slots(form=form.name, field=form.asking, value=value)))
            for title, value in invalid.options
            if form
        ]
        if form:
            form.tries += 1
        turn.offer(invalid.reply, fills, **invalid.values)
    except Abandon as abandon:
        trouble.append(abandon.reply)
        turn.state.form = None
        turn.say(abandon.reply, **abandon.values)


def _read_asked(form: type[Form], turn: Turn[Any], *, new_subject: bool) -> bool:
    state = turn.state.form
    if state is None or state.asking is None:
        return False
    ask = form.asks()[state.asking]
    turn.secret = ask.secret  # of an answer that is refused, too: a password with a digit missing is nearly one
    value = ask.read(turn)
    turn.secret = ask.secret and value is not None
    if value is None and ask.free_text and turn.text.strip() and not new_subject:
        value = turn.text.strip()
    if value is None:
        return False
    _put(form, turn, state.asking, value)
    return True


def _read_opening(form: type[Form], turn: Turn[Any], slots: Slots) -> None:
    """Fields that the opening request already answers."""
    assert turn.state.form
    if slots.customer_code and "customer_code" in form.asks():
        _put(form, turn, "customer_code", slots.customer_code)
    told = turn.intent in form.intents and len(turn.text.split()) >= WORDS_OF_A_STORY
    for name, ask in form.asks().items():
        known = name in turn.state.form.values or name not in form.applicable(turn.state.form.values)
        if known or ask.secret or not ask.opening:
            continue
        value = turn.text.strip() if ask.free_text and told else ask.read(turn)
        if value is not None:
            _put(form, turn, name, value)


def _read_other(form: type[Form], turn: Turn[Any]) -> bool:
    """A value for another field than the one asked for: a correction ("không, mã kia là …"), or more than was asked."""
    state = turn.state.form
    assert state
    for name, ask in form.asks().items():
        if name == state.asking or ask.free_text or ask.secret or name not in form.applicable(state.values):
            continue
        value = ask.read(turn)
        if value is not None and value != state.values.get(name):
            _put(form, turn, name, value)
            return True
    return False


def _put(form: type[Form], turn: Turn[Any], field: str, value: Any) -> None:
    state = turn.state.form
    assert state
    before = dict(state.values)
    state.values[field] = value
    try:
        form.filled(turn, field, state.values)
    except Exception:
        state.values = before
        raise


def _submit(turn: Turn[Any], form: type[Form]) -> None:
    state = turn.state.form
    assert state
    completed = form.complete(state.values)
    completed.submit(turn)
    if turn.state.form is state:
        turn.state.form = None

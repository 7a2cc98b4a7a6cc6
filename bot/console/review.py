"""Reviewing how messages were understood, one after the other (F24).

Names, numbers and amounts are look-alikes until the reviewer opens the person's data with a reason, as everywhere.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bot.console import given, marks
from bot.console.access import allowed, signed_in
from bot.console.lookalikes import LookAlikes
from bot.console.marks import BadMarks, Mark
from bot.console.masking import find_personal
from bot.console.office import office
from bot.console.veil import Veil, uncover
from bot.store import reviews
from bot.store.models import Contact, Message, Role, Verdict
from bot.store.reviews import Case, Judgement, Place
from bot.text import clean, fold

NOT_OURS: Final = "out_of_scope"
CHOICES: Final = 5
"""Guesses with a number each."""
WORDS_SHOWN: Final = 3
"""On both sides of a place where a message can be cut in two."""
_WORD: Final = re.compile(r"\S+")

pages = Blueprint("review", __name__, url_prefix="/review")


class CannotJudge(Exception):
    """What was sent says nothing that could be stored; the text names the message of data/console/messages.yml."""


@dataclass(frozen=True)
class Cut:
    """Before which character a message can be cut, and the words around it."""

    at: int
    before: str
    after: str


@pages.get("")
@allowed(Role.REVIEWER, Role.SUPERVISOR)
def show() -> str:
    """The message after a place, or before it; the first of all when there is none."""
    after, before = Place.read(request.args.get("after")), Place.read(request.args.get("before"))
    with office().database.begin() as transaction:
        found = reviews.preceding(transaction, before) if before else reviews.following(transaction, after)
        found = found or reviews.following(transaction, None)
        case = reviews.find(transaction, found) if found else None
        return _page(transaction, case)


@pages.get("/<int:message_id>")
@allowed(Role.REVIEWER, Role.SUPERVISOR)
def show_one(message_id: int) -> str | Response:
    with office().database.begin() as transaction:
        case = reviews.find(transaction, message_id)
        if case is None:
            abort(404)
        if case.verdict:
            flash(office().words.says("review_taken"), "warn")
            return redirect(url_for("console.verdicts.show"))
        return _page(transaction, case)


@pages.post("/<int:message_id>")
@allowed(Role.REVIEWER, Role.SUPERVISOR)
def judge(message_id: int) -> str | Response | tuple[str, int]:
    """Store the verdict and go on to what comes next."""
    me, now = signed_in(), office().clock()
    with office().database.begin() as transaction:
        case = reviews.find(transaction, message_id)
        if case is None:
            abort(404)
        try:
            judgement = _judgement(case)
        except CannotJudge as problem:
            flash(office().words.says(str(problem)), "bad")
            return _page(transaction, case), 422
        if not reviews.judge(transaction, message_id, judgement, staff_id=me.id, at=now):
            flash(office().words.says("review_taken"), "warn")
    return redirect(url_for("console.review.show", after=case.place))


@pages.post("/undo")
@allowed(Role.REVIEWER, Role.SUPERVISOR)
def undo_last() -> Response:
    """Take one's own last verdict back, and show its message again."""
    with office().database.begin() as transaction:
        last = reviews.last_of(transaction, signed_in().id)
        if last is None or not reviews.undo(transaction, last.message_id):
            flash(office().words.says("nothing_to_undo"), "warn")
            return redirect(url_for("console.review.show"))
        return redirect(url_for("console.review.show_one", message_id=last.message_id))


@pages.post("/<int:message_id>/open")
@allowed(Role.REVIEWER, Role.SUPERVISOR)
def open_data(message_id: int) -> Response:
    """See this person's real words for a while; the audit keeps why."""
    reason = given.reason()
    with office().database.begin() as transaction:
        case = reviews.find(transaction, message_id)
        if case is None:
            abort(404)
        if reason:
            uncover(transaction, case.contact.id, reason)
        else:
            flash(office().words.says("reason_missing"), "bad")
    return redirect(url_for("console.review.show_one", message_id=message_id))


def words_of(transaction: Session, message: Message, contact: Contact) -> str:
    """What a message says, with look-alikes of the personal data in it."""
    alike = LookAlikes(office().words["lookalikes"], partial(reviews.is_linked, transaction))
    entities = (message.understanding or {}).get("entities", ())
    public = (office().company.hotline,)
    found = find_personal(message.text, entities=entities, names=[contact.display_name], public=public)
    return alike.of(message.text, found, message_id=message.id)


def _page(transaction: Session, case: Case | None) -> str:
    me, left = signed_in(), reviews.left(transaction)
    shown: dict[str, Any] = {
        "left": left,
        "most": reviews.MOST_COUNTED,
        "last": reviews.last_of(transaction, me.id),
    }
    if case is None:
        return render_template("review/show.html", case=None, **shown)
    message, contact = case.message, case.contact
    opened = Veil(transaction).opened_until(contact.id)
    text = message.text if opened else words_of(transaction, message, contact)
    understanding = message.understanding or {}
    marked = _marked(message)
    lines = reviews.lines_before(transaction, message)
    return render_template(
        "review/show.html",
        case=case,
        text=text,
        marked=marked,
        pieces=list(marks.pieces(text, marked)),
        cuts=_cuts(text),
        ranking=understanding.get("ranking", [[message.intent, message.confidence]])[:CHOICES],
        before=[(line, line.text if opened else words_of(transaction, line, contact)) for line in lines],
        opened=opened,
        old_model=reviews.present_model(transaction) not in {None, understanding.get("model")},
        **shown,
    )


def _marked(message: Message) -> list[Mark]:
    """As the reviewer left them in a form that is shown again; else as they were understood."""
    kinds = office().words["entities"]
    if request.method == "POST":
        with suppress(BadMarks):
            return marks.given(request.form, message.text, kinds)
    return marks.understood((message.understanding or {}).get("entities", ()), message.text, kinds)


def _judgement(case: Case) -> Judgement:
    """What the form says. Raises CannotJudge."""
    said, message = request.form.get("verdict", ""), case.message
    try:
        marked = marks.given(request.form, message.text, office().words["entities"])
    except BadMarks as error:
        raise CannotJudge("bad_marks") from error
    entities = [mark.as_dict() for mark in marked]
    match said:
        case Verdict.CONFIRMED:
            return Judgement(Verdict.CONFIRMED, message.intent, entities)
        case Verdict.OUT_OF_SCOPE:
            return Judgement(Verdict.OUT_OF_SCOPE, NOT_OURS, entities)
        case Verdict.DISCARDED:
            return Judgement(Verdict.DISCARDED, None, [])
        case Verdict.SPLIT:
            return _split(message, marked)
        case Verdict.RELABELLED:
            intent = _intent_named(request.form.get("label", ""))
        case _:
            intent = _intent_named(said.removeprefix("intent:"))
    verdict = Verdict.CONFIRMED if intent == message.intent else Verdict.RELABELLED
    return Judgement(verdict, intent, entities)


def _split(message: Message, marked: list[Mark]) -> Judgement:
    """Two requests in one message: the words up to a place are one, those from there on the other."""
    at = request.form.get("cut", type=int) or 0
    if at not in {cut.at for cut in _cuts(message.text)}:
        raise CannotJudge("cut_missing")
    intents = [_intent_named(request.form.get(field, "")) for field in ("first", "second")]
    spans = ((0, at), (at, len(message.text)))
    parts = [
        {
            "start": start,
            "end": end,
            "intent": intent,
            "entities": [mark.as_dict() for mark in marked if start <= mark.start and mark.end <= end],
        }
        for intent, (start, end) in zip(intents, spans, strict=True)
    ]
    right = message.intent if message.intent in intents else intents[0]
    return Judgement(Verdict.SPLIT, right, [mark.as_dict() for mark in marked], parts)


def _intent_named(written: str) -> str:
    """An intent by its name or its title, with or without marks. Raises CannotJudge."""
    wanted = fold(clean(written)).strip()
    for name, title in office().intents.items():
        if wanted and wanted in {name, fold(title)}:
            return name
    raise CannotJudge("no_such_intent")


def _cuts(text: str) -> list[Cut]:
    """Before every word but the first."""
    words = list(_WORD.finditer(text))
    return [
        Cut(
            at=word.start(),
            before=" ".join(each[0] for each in words[max(0, place - WORDS_SHOWN) : place]),
            after=" ".join(each[0] for each in words[place : place + WORDS_SHOWN]),
        )
        for place, word in list(enumerate(words))[1:]
    ]

"""The conversation log (F23): the newest conversations, any line by its words, one conversation whole."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from actions.desk import CODE_FORM
from bot.console import given
from bot.console.access import allowed, signed_in
from bot.console.office import office
from bot.console.paging import PAGE, page_of
from bot.console.veil import Veil, uncover
from bot.messages import ChannelName
from bot.store import conversations, handovers, staff, threads
from bot.store.models import Contact, Conversation, Owner, Role
from bot.store.threads import Wanted
from bot.text import clean

READERS = (Role.REVIEWER, Role.AGENT, Role.SUPERVISOR)
LINES = 60
"""Of a conversation at a time."""
SHORTEST_REASON = 5
WINDOW_SOON = timedelta(hours=2)
"""So long before a reply window closes staff are told."""
SENDERS = ("customer", "bot", "staff")
Known = TypeVar("Known", bound=StrEnum)

pages = Blueprint("log", __name__, url_prefix="/log")


@pages.get("")
@allowed(*READERS)
def show() -> str:
    return render_template("log/show.html", **_found())


@pages.get("/list")
@allowed(*READERS)
def show_list() -> str:
    """The list alone, for what is fetched anew."""
    return render_template("log/list.html", **_found())


@pages.get("/<int:conversation_id>")
@allowed(*READERS)
def thread(conversation_id: int) -> str:
    return render_template("log/thread.html", **_thread(conversation_id))


@pages.get("/<int:conversation_id>/lines")
@allowed(*READERS)
def lines(conversation_id: int) -> str:
    """The lines alone, for what is fetched anew."""
    return render_template("log/lines.html", **_thread(conversation_id))


@pages.post("/<int:conversation_id>/open")
@allowed(*READERS)
def open_data(conversation_id: int) -> Response:
    """Uncover the personal data of the conversation, for a reason that the audit keeps."""
    reason = given.reason()
    if len(reason) < SHORTEST_REASON:
        flash(office().words.says("reason_missing"), "bad")
    else:
        with office().database.begin() as transaction:
            conversation = given.row(transaction, Conversation, conversation_id)
            uncover(transaction, conversation.contact_id, reason)
    return redirect(url_for("console.log.thread", conversation_id=conversation_id))


def _found() -> dict[str, object]:
    """What the form of filters asks for: conversations, or lines when only lines can tell."""
    wanted, args = _wanted(), request.args
    common = {"wanted": wanted, "channels": ChannelName, "owners": Owner, "senders": SENDERS, "slow": False}
    common["filtered"] = wanted != Wanted(words=wanted.words)
    with office().database.begin() as transaction:
        veil = Veil(transaction)
        common |= {"veil": veil, "names": staff.names(transaction)}
        if wanted.is_of_messages:
            try:
                with transaction.begin_nested():
                    found = threads.find(transaction, wanted, before=args.get("before", type=int), limit=PAGE + 1)
            except OperationalError:
                return {**common, "kind": "lines", "page": page_of([], str), "with_code": [], "slow": True}
            by_code: list[threads.Thread] = []
            if "before" not in args and CODE_FORM.fullmatch(code := wanted.words.upper().replace(" ", "")):
                by_code = list(threads.with_code(transaction, code, limit=PAGE))
            return {**common, "kind": "lines", "page": page_of(found, _line_key), "with_code": by_code}
        latest = threads.latest(transaction, wanted, before=_key(args.get("before")), limit=PAGE + 1)
        return {**common, "kind": "threads", "page": page_of(latest, _thread_key)}


def _wanted() -> Wanted:
    asked = request.args
    since, until = _day(asked.get("since")), _day(asked.get("until"))
    mine = asked.get("staff") == "me"
    return Wanted(
        words=clean(asked.get("q", "")).strip()[:200],
        channel=_one_of(asked.get("channel"), ChannelName),
        owner=_one_of(asked.get("owner"), Owner),
        staff_id=signed_in().id if mine else asked.get("staff", type=int),
        sender=asked.get("sender") if asked.get("sender") in SENDERS else None,
        intent=asked.get("intent") or None,
        unsure_below=office().company.understanding.act if asked.get("unsure") else None,
        fallback=bool(asked.get("fallback")),
        since=given.midnight(since) if since else None,
        until=given.midnight(until + timedelta(days=1)) if until else None,
    )


def _one_of(text: str | None, kinds: type[Known]) -> Known | None:
    return next((kind for kind in kinds if kind == text), None)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _line_key(line: threads.Line) -> int:
    return line.message.id


def _thread_key(thread: threads.Thread) -> str:
    at = thread.conversation.last_message_at
    return f"{at.isoformat() if at else ''}~{thread.conversation.id}"


def _key(text: str | None) -> tuple[datetime, int] | None:
    try:
        at, _, number = (text or "").partition("~")
        return datetime.fromisoformat(at), int(number)
    except ValueError:
        return None


@dataclass(frozen=True)
class Entry:
    """One thing on the thread's line of time."""

    kind: str
    at: datetime
    of: object


def _thread(conversation_id: int) -> dict[str, object]:
    before = request.args.get("before", type=int)
    with office().database.begin() as transaction:
        conversation = given.row(transaction, Conversation, conversation_id)
        contact = transaction.get_one(Contact, conversation.contact_id)
        part = threads.stretch(transaction, conversation, before=before, limit=LINES)
        veil = Veil(transaction)
        opened = veil.opened_until(contact.id)
        channel = office().channels.get(ChannelName(contact.channel))
        return {
            "conversation": conversation,
            "contact": contact,
            "part": part,
            "entries": _in_order(part),
            "oldest": part.messages[0].id if part.older else None,
            "links": conversations.live_links(transaction, contact.id),
            "handover": handovers.open_of(transaction, conversation_id),
            "veil": veil,
            "opened": opened,
            "names": staff.names(transaction),
            "window_ends": channel.window_ends(contact.last_inbound_at) if channel else None,
            "channel_on": channel is not None,
            "window_soon": WINDOW_SOON,
            "canned": office().words["canned"],
            "helpers": staff.helpers(transaction),
            "newest": before is None,
        }


def _in_order(part: threads.Stretch) -> list[Entry]:
    """Lines as they were written, even if a clock was set back meanwhile; between them what came at the time."""
    entries: list[Entry] = []
    for message in part.messages:
        latest = entries[-1].at if entries else message.created_at
        entries.append(Entry("message", max(latest, message.created_at), message))
    entries += [Entry("note", note.at, note) for note in part.notes]
    return sorted(entries, key=lambda entry: entry.at)

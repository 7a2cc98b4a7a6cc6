"""Customers who wait for a person, and what that person does for them (F25)."""

from io import BytesIO

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from PIL import Image, UnidentifiedImageError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bot.channels.base import Channel
from bot.console import given
from bot.console.access import allowed, signed_in
from bot.console.office import office
from bot.console.veil import Veil, uncover
from bot.messages import ChannelName, OutMessage
from bot.pipeline.turns import MEDIA_LIFETIME, enqueue_sending
from bot.store import conversations, deliveries, handovers, rights, staff
from bot.store.handovers import TakenByOther
from bot.store.models import Contact, Conversation, HandoverReason, Lane, Message, Note, Owner, Role
from bot.text import clean

HELPERS = (Role.AGENT, Role.SUPERVISOR)
MOST_SHOWN = 200
LONGEST_REPLY = 2000
LONGEST_NOTE = 2000
PICTURE_SIDE = 1600
"""Pixels of a picture's longer side: enough to read a paper, small enough for a phone."""
PICTURE_QUALITY = 85

pages = Blueprint("takeover", __name__, url_prefix="/waiting")


class CannotReply(Exception):
    """Why a reply cannot go; the text is the name of what is said."""


@pages.get("")
@allowed(*HELPERS)
def show() -> str:
    return render_template("takeover/show.html", **_queue())


@pages.get("/list")
@allowed(*HELPERS)
def show_list() -> str:
    """The queue alone, for what is fetched anew."""
    return render_template("takeover/list.html", **_queue())


@pages.post("/<int:conversation_id>/claim")
@allowed(*HELPERS)
def claim(conversation_id: int) -> Response:
    """From now on the bot is silent. Whoever helps sees whom: that is the reason that the audit keeps."""
    me, now = signed_in(), office().clock()
    try:
        with office().database.begin() as transaction:
            conversation = given.row(transaction, Conversation, conversation_id)
            over = me.may(Role.SUPERVISOR) and request.form.get("over") == "yes"
            handovers.take(transaction, conversation_id, staff_id=me.id, at=now, over=over)
            _audit(transaction, "conversation.claimed", conversation)
            uncover(transaction, conversation.contact_id, office().words.says("reason_of_claim"))
    except TakenByOther:
        flash(office().words.says("taken_by_other"), "bad")
    else:
        _learn_name(conversation.contact_id)
    return _back_to(conversation_id)


@pages.post("/<int:conversation_id>/reply")
@allowed(*HELPERS)
def reply(conversation_id: int) -> Response | tuple[str, int]:
    text = clean(request.form.get("text", "")).strip()
    try:
        picture = _picture()
        if not text and picture is None:
            raise CannotReply("reply_empty")
        if len(text) > LONGEST_REPLY:
            raise CannotReply("reply_too_long")
        with office().database.begin() as transaction:
            _write(transaction, conversation_id, text, picture)
    except CannotReply as why:
        flash(office().words.says(str(why)), "bad")
        return redirect(url_for("console.log.thread", conversation_id=conversation_id, draft=text[:LONGEST_REPLY]))
    return _back_to(conversation_id)


@pages.post("/<int:conversation_id>/note")
@allowed(Role.REVIEWER, *HELPERS)
def note(conversation_id: int) -> Response:
    text = clean(request.form.get("text", "")).strip()[:LONGEST_NOTE]
    if text:
        with office().database.begin() as transaction:
            conversation = given.row(transaction, Conversation, conversation_id)
            transaction.add(
                Note(conversation_id=conversation.id, staff_id=signed_in().id, text=text, at=office().clock())
            )
    return _back_to(conversation_id)


@pages.post("/<int:conversation_id>/assign")
@allowed(*HELPERS)
def assign(conversation_id: int) -> Response:
    """To a colleague: by whoever has the conversation, or by a supervisor."""
    me, to = signed_in(), request.form.get("to", type=int)
    try:
        with office().database.begin() as transaction:
            conversation = given.row(transaction, Conversation, conversation_id)
            if conversation.staff_id != me.id and not me.may(Role.SUPERVISOR):
                raise TakenByOther
            if to not in {one.id for one in staff.helpers(transaction)}:
                abort(400)
            handovers.take(transaction, conversation_id, staff_id=to, at=office().clock(), over=True)
            _audit(transaction, "conversation.assigned", conversation, to=to)
    except TakenByOther:
        flash(office().words.says("taken_by_other"), "bad")
    return _back_to(conversation_id)


@pages.post("/<int:conversation_id>/hand-back")
@allowed(*HELPERS)
def hand_back(conversation_id: int) -> Response:
    """The bot has the conversation again. A request about the customer's own data is then answered."""
    me = signed_in()
    with office().database.begin() as transaction:
        conversation = given.row(transaction, Conversation, conversation_id)
        others = conversation.owner == Owner.STAFF and conversation.staff_id not in {None, me.id}
        if others and not me.may(Role.SUPERVISOR):
            flash(office().words.says("taken_by_other"), "bad")
            return _back_to(conversation_id)
        row = handovers.open_of(transaction, conversation_id)
        if row and row.reason == HandoverReason.RIGHTS:
            rights.finish(transaction, conversation.contact_id, office().clock())
        handovers.give_back(transaction, conversation_id, by=me.actor, at=office().clock())
        _audit(transaction, "conversation.handed_back", conversation)
    flash(office().words.says("handed_back"), "good")
    return redirect(url_for("console.takeover.show"))


def _learn_name(contact_id: int) -> None:
    """What the person calls themselves on the platform, for whoever now speaks with them."""
    with office().database.begin() as transaction:
        contact = transaction.get_one(Contact, contact_id)
    channel = office().channels.get(ChannelName(contact.channel))
    name = channel.display_name(contact.channel_user_id) if channel and not contact.display_name else None
    if name:
        with office().database.begin() as transaction:
            transaction.get_one(Contact, contact_id).display_name = clean(name)


def _queue() -> dict[str, object]:
    with office().database.begin() as transaction:
        found = handovers.with_people(transaction, limit=MOST_SHOWN)
        return {
            "waiting": [one for one in found if one.conversation.owner == Owner.WAITING],
            "taken": [one for one in found if one.conversation.owner == Owner.STAFF],
            "veil": Veil(transaction),
            "names": staff.names(transaction),
        }


def _write(transaction: Session, conversation_id: int, text: str, picture: bytes | None) -> None:
    """A line of the thread and its send calls, if this person has the conversation and the window is open."""
    me, now = signed_in(), office().clock()
    conversation = given.row(transaction, Conversation, conversation_id, hold=True)
    contact = transaction.get_one(Contact, conversation.contact_id)
    if conversation.owner != Owner.STAFF or conversation.staff_id != me.id:
        raise CannotReply("claim_first")
    channel = office().channels.get(ChannelName(contact.channel))
    if channel is None:
        raise CannotReply("channel_off")
    if not channel.reply_window(contact.last_inbound_at, now):
        raise CannotReply("window_closed")
    message = OutMessage(text=text, media_id=_keep(transaction, contact, channel, picture))
    message_id = conversations.record(
        transaction,
        Message(
            conversation_id=conversation.id,
            sender="staff",
            kind="text",
            text=text,
            content=message.model_dump(mode="json", exclude={"text"}, exclude_defaults=True),
            staff_id=me.id,
            created_at=now,
        ),
    )
    for number, part in enumerate(channel.render(message)):
        deliveries.plan(
            transaction,
            key=f"staff-{message_id}-{number}",
            contact=contact,
            message_id=message_id,
            lane=Lane.REPLY,
            content=part,
            now=now,
        )
    conversation.last_message_at = now
    rights.answer(transaction, contact.id, now)
    enqueue_sending(transaction, contact.id)


def _keep(transaction: Session, contact: Contact, channel: Channel, picture: bytes | None) -> int | None:
    if picture is None:
        return None
    if len(picture) > channel.limits.picture_bytes:
        raise CannotReply("picture_too_large")
    return deliveries.keep_media(
        transaction,
        contact_id=contact.id,
        content_type="image/jpeg",
        body=picture,
        expires_at=office().clock() + MEDIA_LIFETIME,
    )


def _picture() -> bytes | None:
    """The picture of the form, made anew: without its camera's notes, and of a size for a phone."""
    given = request.files.get("picture")
    if given is None or not given.filename:
        return None
    try:
        with Image.open(given.stream) as picture:
            picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
            made = BytesIO()
            picture.convert("RGB").save(made, "JPEG", quality=PICTURE_QUALITY)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise CannotReply("not_a_picture") from error
    return made.getvalue()


def _audit(transaction: Session, action: str, conversation: Conversation, **detail: object) -> None:
    conversations.audit(
        transaction, actor=signed_in().actor, action=action, contact_id=conversation.contact_id, **detail
    )


def _back_to(conversation_id: int) -> Response:
    return redirect(url_for("console.log.thread", conversation_id=conversation_id))

"""Messenger webhook events (messenger.md §3) in the product's own terms. Lenient, like Meta's own samples."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.channels import payload as read
from bot.messages import Attachment, Inbound, InboundKind
from bot.text import clean

ATTACHMENTS = {
    "image": InboundKind.IMAGE,
    "audio": InboundKind.AUDIO,
    "video": InboundKind.VIDEO,
    "file": InboundKind.FILE,
    "sticker": InboundKind.STICKER,
    "location": InboundKind.LOCATION,
    "fallback": InboundKind.LINK,
}
DATA_DELETION = "data_deletion"
"""Source and name of a request that came by Meta's data deletion callback (messenger.md §9)."""
LIKES = frozenset({"369239263222822", "369239343222814", "369239383222810"})
"""Stickers of the thumb beside the text field, in its three sizes."""
CAPTIONED = frozenset({"image", "video", "file"})
THREAD_CONTROL = ("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles")


def events(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every event of every entry of a batch, each in the form that `parse` reads and the store keeps."""
    for entry in read.items(body.get("entry")):
        for source in ("messaging", "standby", "changes"):
            for event in read.items(entry.get(source)):
                yield {
                    "source": source,
                    "page_id": read.string(entry.get("id")),
                    "time": entry.get("time"),
                    "event": event,
                }


def parse(stored: Mapping[str, Any], *, page_id: str, app_id: str | None = None) -> Inbound:
    """One event as yielded by `events`, or a request to erase.

    A message of a thread that others own (standby) is only on record.
    """
    event = read.mapping(stored.get("event"))
    source = stored.get("source")
    if source == DATA_DELETION:
        return Inbound(
            key=f"{DATA_DELETION}:{stored.get('code')}",
            name=DATA_DELETION,
            kind=InboundKind.WITHDRAW,
            at=datetime.now(UTC),
            user_id=read.identifier(event.get("user_id")),
        )
    sender, recipient = (read.identifier(read.mapping(event.get(side)).get("id")) for side in ("sender", "recipient"))
    user_id = recipient if sender == page_id else sender
    if source == "changes":
        return Inbound(
            key=_hash_key(stored),
            name=read.identifier(event.get("field")) or "changes",
            kind=InboundKind.TEMPLATE if "template" in str(event.get("field")) else InboundKind.OTHER,
            at=datetime.now(UTC),
        )
    message = read.mapping(event.get("message"))
    inbound = _message(event, message, user_id, app_id) if message else _other(event, user_id, app_id)
    if source == "standby" and inbound.kind not in {InboundKind.DELIVERED, InboundKind.SEEN, InboundKind.ECHO}:
        return Inbound(
            key=inbound.key,
            name=f"standby.{inbound.name}",
            kind=InboundKind.OTHER,
            at=inbound.at,
            user_id=user_id,
            text=inbound.text,
            message_id=inbound.message_id,
        )
    return inbound


def _message(event: Mapping[str, Any], message: Mapping[str, Any], user_id: str | None, app_id: str | None) -> Inbound:
    echo = bool(message.get("is_echo"))
    quick_reply = read.string(read.mapping(message.get("quick_reply")).get("payload"))
    attachments = read.items(message.get("attachments"))
    kind = InboundKind.ECHO if echo else _message_kind(message, quick_reply, attachments)
    latitude, longitude = _coordinates(attachments)
    message_id = read.identifier(message.get("mid"))
    sending_app = read.string(message.get("app_id"))
    text = clean(read.string(message.get("text")) or "")
    name = "echo" if echo else "message"
    return Inbound(
        key=f"{name}:{message_id}" if message_id else _hash_key(event),
        name=name,
        kind=kind,
        at=read.time(event.get("timestamp")),
        user_id=user_id,
        text=text,
        payload=quick_reply,
        message_id=message_id,
        message_ids=(message_id,) if message_id else (),
        attachments=tuple(
            Attachment(
                url=read.string(read.mapping(item.get("payload")).get("url")), name=read.string(item.get("title"))
            )
            for item in attachments
        ),
        latitude=latitude,
        longitude=longitude,
        referral=read.string(read.mapping(message.get("referral")).get("ref")),
        thumbs_up=_is_like(kind, text, attachments),
        by_staff=echo and not message.get("metadata") and (app_id is None or sending_app != app_id),
        echo_of=read.string(message.get("metadata")) if echo else None,
    )


def _message_kind(
    message: Mapping[str, Any], quick_reply: str | None, attachments: list[Mapping[str, Any]]
) -> InboundKind:
    if quick_reply:
        return InboundKind.BUTTON
    if message.get("text") and not _is_bare_link(message, attachments):
        captioned = next((str(item["type"]) for item in attachments if item.get("type") in CAPTIONED), None)
        return ATTACHMENTS[captioned] if captioned else InboundKind.TEXT
    if attachments:
        first = attachments[0]
        if _sticker(first):
            return InboundKind.STICKER
        return ATTACHMENTS.get(str(first.get("type")), InboundKind.LINK)
    return InboundKind.OTHER


def _sticker(attachment: Mapping[str, Any]) -> str | None:
    return read.string(attachment.get("sticker_id") or read.mapping(attachment.get("payload")).get("sticker_id"))


def _is_like(kind: InboundKind, text: str, attachments: list[Mapping[str, Any]]) -> bool:
    if kind is InboundKind.STICKER:
        return _sticker(attachments[0]) in LIKES
    return kind is InboundKind.TEXT and read.is_thumb(text)


def _is_bare_link(message: Mapping[str, Any], attachments: list[Mapping[str, Any]]) -> bool:
    """Is the text nothing but the address whose preview comes with it?"""
    text = str(message["text"]).strip()
    return any(item.get("type") == "fallback" and read.string(item.get("url")) == text for item in attachments)


def _other(event: Mapping[str, Any], user_id: str | None, app_id: str | None) -> Inbound:
    """An event that is no message. Those that we do not know are named by their own key."""
    what = next((key for key in event if key not in {"sender", "recipient", "timestamp"}), None)
    unknown = Inbound(
        key=_hash_key(event),
        name=read.identifier(what) or "unnamed",
        kind=InboundKind.OTHER,
        at=read.time(event.get("timestamp")),
        user_id=user_id,
    )
    if postback := read.mapping(event.get("postback")):
        message_id = read.identifier(postback.get("mid"))
        return replace(
            unknown,
            key=f"postback:{message_id}" if message_id else unknown.key,
            name="postback",
            kind=InboundKind.BUTTON if postback.get("payload") else InboundKind.OTHER,
            text=clean(read.string(postback.get("title")) or ""),
            payload=read.string(postback.get("payload")),
            message_id=message_id,
            referral=read.string(read.mapping(postback.get("referral")).get("ref")),
        )
    if delivery := read.mapping(event.get("delivery")):
        ids, watermark = read.strings(delivery.get("mids")), read.time(delivery.get("watermark"))
        return replace(unknown, name="delivery", kind=InboundKind.DELIVERED, message_ids=ids, watermark=watermark)
    if seen := read.mapping(event.get("read")):
        return replace(unknown, name="read", kind=InboundKind.SEEN, watermark=read.time(seen.get("watermark")))
    if referral := read.mapping(event.get("referral")):
        return replace(unknown, name="referral", kind=InboundKind.OPENED, referral=read.string(referral.get("ref")))
    if "reaction" in event:
        return replace(unknown, name="reaction", kind=InboundKind.REACTION)
    for name in THREAD_CONTROL:
        if name in event:
            return replace(unknown, name=name, kind=_thread_control(name, read.mapping(event[name]), app_id))
    return unknown


def _thread_control(name: str, control: Mapping[str, Any], app_id: str | None) -> InboundKind:
    if name == "take_thread_control":
        return InboundKind.TAKEOVER
    given_to_us = app_id is not None and read.string(control.get("new_owner_app_id")) == app_id
    return InboundKind.HANDBACK if name == "pass_thread_control" and given_to_us else InboundKind.OTHER


def _coordinates(attachments: list[Mapping[str, Any]]) -> tuple[float, float] | tuple[None, None]:
    places = (read.mapping(read.mapping(item.get("payload")).get("coordinates")) for item in attachments)
    return next((point for place in places if (point := read.coordinates(place, "lat", "long"))), (None, None))


def _hash_key(event: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()

"""Zalo webhook events (zalo.md §2) in the product's own terms. Lenient: whatever is missing or odd is left out."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from bot.channels import payload as read
from bot.messages import Attachment, Inbound, InboundKind
from bot.text import clean

CONSOLE_SAMPLE_MESSAGE_ID = "This is message id"
"""Message id of the sample event that the console sends when its test button is pressed (zalo.md §2.1)."""

USER_MESSAGES = {
    "user_send_text": InboundKind.TEXT,
    "user_send_image": InboundKind.IMAGE,
    "user_send_gif": InboundKind.IMAGE,
    "user_send_link": InboundKind.LINK,
    "user_send_audio": InboundKind.AUDIO,
    "user_send_video": InboundKind.VIDEO,
    "user_send_sticker": InboundKind.STICKER,
    "user_send_location": InboundKind.LOCATION,
    "user_send_file": InboundKind.FILE,
    "user_send_business_card": InboundKind.CONTACT_INFO,
    "user_submit_info": InboundKind.CONTACT_INFO,
}
OTHERS_ABOUT_A_USER = {
    "follow": InboundKind.FOLLOW,
    "unfollow": InboundKind.UNFOLLOW,
    "user_click_chatnow": InboundKind.OPENED,
    "user_received_message": InboundKind.DELIVERED,
    "user_seen_message": InboundKind.SEEN,
    "user_reacted_message": InboundKind.REACTION,
    "user_withdraw": InboundKind.WITHDRAW,
}
LIKE = "/-strong"
"""How Zalo's own thumb is written in a text."""
TEMPLATE_EVENTS = {
    "user_feedback",
    "user_click_response_button",
    "change_oa_daily_quota",
    "change_template_quality",
    "change_template_status",
    "change_template_quota",
    "change_oa_template_tags",
    "event_journey_acknowledged",
    "event_journey_time_out",
}


def parse(payload: Mapping[str, Any], *, raw_body: bytes | None = None) -> Inbound:
    """One event. `key` is event name and message id where there is one, else a hash of the body."""
    name = read.identifier(payload.get("event_name")) or "unnamed"
    message = read.mapping(payload.get("message"))
    message_id = _first(message, "msg_id", "message_id", "mid")
    kind = _kind(name, message)
    latitude, longitude = _coordinates(message)
    text = clean(read.string(message.get("text")) or "")
    return Inbound(
        key=_key(name, message_id, payload, raw_body),
        name=name,
        kind=kind,
        at=read.time(payload.get("timestamp")),
        user_id=_user_id(name, payload),
        text=text,
        message_id=message_id,
        message_ids=_message_ids(message, message_id),
        attachments=tuple(_attachments(message)),
        latitude=latitude,
        longitude=longitude,
        info=_submitted_info(read.mapping(payload.get("info"))) or _card(name, message),
        thumbs_up=kind is InboundKind.TEXT and (text.strip() == LIKE or read.is_thumb(text)),
        by_staff=kind is InboundKind.ECHO and bool(read.mapping(payload.get("sender")).get("admin_id")),
    )


def is_console_sample(event: Inbound) -> bool:
    return event.message_id == CONSOLE_SAMPLE_MESSAGE_ID


def _kind(name: str, message: Mapping[str, Any]) -> InboundKind:
    if name == "user_received_message" and (message.get("tracking_id") or message.get("delivery_time")):
        return InboundKind.TEMPLATE
    if name in USER_MESSAGES:
        return USER_MESSAGES[name]
    if name in OTHERS_ABOUT_A_USER:
        return OTHERS_ABOUT_A_USER[name]
    if name.startswith("oa_send_") and not name.startswith(("oa_send_group", "oa_send_anonymous", "oa_send_consent")):
        return InboundKind.ECHO
    if name in TEMPLATE_EVENTS:
        return InboundKind.TEMPLATE
    return InboundKind.OTHER


def _user_id(name: str, payload: Mapping[str, Any]) -> str | None:
    """The customer's UID: where it stands depends on the event's direction (zalo.md §2.3)."""
    if name in {"follow", "unfollow"}:
        return read.identifier(read.mapping(payload.get("follower")).get("id"))
    if name in {"user_click_chatnow", "user_withdraw"}:
        return read.identifier(payload.get("user_id"))
    if name.startswith("oa_") or name in {"user_received_message", "user_seen_message"}:
        return read.identifier(read.mapping(payload.get("recipient")).get("id"))
    if name.startswith("user_send_group"):
        return None
    return read.identifier(read.mapping(payload.get("sender")).get("id"))


def _key(name: str, message_id: str | None, payload: Mapping[str, Any], raw_body: bytes | None) -> str:
    if message_id and message_id != CONSOLE_SAMPLE_MESSAGE_ID:
        return f"{name}:{message_id}"
    body = raw_body if raw_body is not None else json.dumps(payload, sort_keys=True).encode()
    return f"{name}:{hashlib.sha256(body).hexdigest()}"


def _message_ids(message: Mapping[str, Any], message_id: str | None) -> tuple[str, ...]:
    return read.strings(message.get("msg_ids")) or ((message_id,) if message_id else ())


def _attachments(message: Mapping[str, Any]) -> Iterable[Attachment]:
    for item in read.items(message.get("attachments")):
        details = read.mapping(item.get("payload"))
        size = read.string(details.get("size"))
        yield Attachment(
            url=read.string(details.get("url")),
            name=read.string(details.get("name")),
            size=int(size) if size and size.isdecimal() else None,
        )


def _coordinates(message: Mapping[str, Any]) -> tuple[float, float] | tuple[None, None]:
    places = [read.mapping(message.get("location"))]
    for item in read.items(message.get("attachments")):
        places.append(read.mapping(read.mapping(item.get("payload")).get("coordinates")))
    points = (read.coordinates(place, "latitude", "longitude") for place in places)
    return next((point for point in points if point), (None, None))


def _submitted_info(info: Mapping[str, Any]) -> dict[str, str]:
    """Both shapes of user_submit_info (zalo.md §5.3) as name, phone, address, ward, city. A claim, not a proof."""
    full = read.mapping(info.get("full_address"))
    found = {
        "name": info.get("name"),
        "phone": info.get("phone"),
        "address": full.get("user_address") or info.get("address"),
        "ward": full.get("user_ward") or info.get("ward"),
        "city": full.get("user_city") or info.get("city"),
    }
    return {key: clean(text) for key, value in found.items() if (text := read.string(value))}


def _card(name: str, message: Mapping[str, Any]) -> dict[str, str]:
    """The phone on a business card, which is JSON in a string (zalo.md §2.4). It may be anybody's."""
    if name != "user_send_business_card":
        return {}
    cards = (read.mapping(item.get("payload")).get("description") for item in read.items(message.get("attachments")))
    phone = next((phone for card in cards if (phone := read.string(read.embedded(card).get("phone")))), None)
    return {"phone": clean(phone)} if phone else {}


def _first(source: Mapping[str, Any], *names: str) -> str | None:
    return next((value for name in names if (value := read.identifier(source.get(name)))), None)

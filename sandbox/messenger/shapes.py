"""What a message may look like (messenger.md §5): checks the JSON and turns it into content.

Every refusal is a GraphError of code 100, with Meta's subcode where one is known.
"""

from dataclasses import dataclass
from typing import Any

import requests

from sandbox.emulator.media import StoredFile
from sandbox.emulator.transcript import Card, Media, Tap
from sandbox.messenger.errors import GraphError, invalid
from sandbox.messenger.state import MessengerState

TEXT_BELOW = 2000
METADATA_BELOW = 1000
MAX_QUICK_REPLIES = 13
MAX_BUTTONS = 3
MAX_TITLE = 20
MAX_PAYLOAD = 1000
MAX_BUTTON_TEXT = 640
MAX_ELEMENTS = 10
MAX_ELEMENT_TEXT = 80
MAX_IMAGES = 30
MAX_BYTES = 25 * 1024 * 1024
FETCH_SECONDS = 5
MEDIA_TYPES = ("image", "audio", "video", "file")


@dataclass(frozen=True)
class Content:
    """A checked message; `echo` is what the echo event repeats of it."""

    kind: str
    echo: dict[str, Any]
    text: str = ""
    buttons: tuple[Tap, ...] = ()
    quick_replies: tuple[Tap, ...] = ()
    media: tuple[Media, ...] = ()
    cards: tuple[Card, ...] = ()
    metadata: str | None = None


def parse_message(state: MessengerState, message: dict[str, Any]) -> Content:
    """The `message` object of the Send API, other than a utility template."""
    metadata = message.get("metadata")
    if metadata is not None and (not isinstance(metadata, str) or len(metadata) >= METADATA_BELOW):
        raise invalid("param message[metadata] must be a string of less than 1000 characters")
    given = [name for name in ("text", "attachment", "attachments", "sticker_id") if name in message]
    if len(given) != 1:
        raise invalid("param message must have exactly one of text, attachment, attachments, sticker_id")
    quick_replies = _quick_replies(message.get("quick_replies"))
    content = {"text": _text, "attachment": _attachment, "attachments": _images, "sticker_id": _sticker}[given[0]](
        state, message[given[0]]
    )
    return Content(**{**vars(content), "quick_replies": quick_replies, "metadata": metadata})


def _text(_: MessengerState, text: Any) -> Content:
    if not isinstance(text, str) or not text:
        raise invalid("param message[text] must be a non-empty string")
    if len(text) >= TEXT_BELOW:
        raise invalid("Length of param message[text] must be less than 2000")
    return Content("text", {"text": text}, text)


def _attachment(state: MessengerState, attachment: Any) -> Content:
    if not isinstance(attachment, dict) or not isinstance(attachment.get("payload"), dict):
        raise invalid("param message[attachment] needs type and payload")
    kind, payload = attachment.get("type"), attachment["payload"]
    if kind == "template":
        return _template(payload)
    if kind not in MEDIA_TYPES:
        raise invalid(f"param message[attachment][type] must be one of {', '.join(MEDIA_TYPES)}, template")
    file = media_file(state, kind, payload)
    url = state.media_url(file)
    media = Media(kind, url, file.name, len(file.content))
    return Content(kind, {"attachments": [{"type": kind, "payload": {"url": url}}]}, media=(media,))


def _images(state: MessengerState, attachments: Any) -> Content:
    if not isinstance(attachments, list) or not 0 < len(attachments) <= MAX_IMAGES:
        raise invalid(f"param message[attachments] must have 1 to {MAX_IMAGES} images")
    parts = [_attachment(state, attachment) for attachment in attachments]
    if any(part.kind != "image" for part in parts):
        raise invalid("param message[attachments] may hold images only")
    echo = {"attachments": [a for part in parts for a in part.echo["attachments"]]}
    return Content("image", echo, media=tuple(m for part in parts for m in part.media))


def _sticker(state: MessengerState, sticker_id: Any) -> Content:
    if not isinstance(sticker_id, str | int) or isinstance(sticker_id, bool):
        raise invalid("param message[sticker_id] is invalid")
    url = f"{state.settings.base_url}/chat/static/stickers/{sticker_id}.svg"
    payload = {"url": url, "sticker_id": sticker_id}
    return Content(
        "sticker", {"attachments": [{"type": "sticker", "payload": payload}]}, media=(Media("sticker", url),)
    )


def _template(payload: dict[str, Any]) -> Content:
    match payload.get("template_type"):
        case "button":
            text = payload.get("text")
            if not isinstance(text, str) or not 0 < len(text) <= MAX_BUTTON_TEXT:
                raise invalid(f"param text must have 1 to {MAX_BUTTON_TEXT} characters")
            buttons = parse_buttons(payload.get("buttons"))
            return Content("text", _template_echo(payload) | {"text": text}, text, buttons)
        case "generic":
            elements = payload.get("elements")
            if not isinstance(elements, list) or not 0 < len(elements) <= MAX_ELEMENTS:
                raise invalid(f"param elements must have 1 to {MAX_ELEMENTS} elements")
            cards = tuple(_element(element) for element in elements)
            return Content("generic", _template_echo(payload), cards=cards)
    raise invalid("param template_type is invalid")


def _template_echo(payload: dict[str, Any]) -> dict[str, Any]:
    return {"attachments": [{"type": "template", "payload": payload}]}


def _element(element: Any) -> Card:
    if not isinstance(element, dict):
        raise invalid("param elements is invalid")
    title, subtitle = element.get("title"), element.get("subtitle", "")
    if not isinstance(title, str) or not 0 < len(title) <= MAX_ELEMENT_TEXT:
        raise invalid(f"param title must have 1 to {MAX_ELEMENT_TEXT} characters")
    if not isinstance(subtitle, str) or len(subtitle) > MAX_ELEMENT_TEXT:
        raise invalid(f"param subtitle must have at most {MAX_ELEMENT_TEXT} characters")
    if not any(element.get(name) for name in ("subtitle", "image_url", "default_action", "buttons")):
        raise invalid("an element needs more than its title")
    buttons = parse_buttons(element["buttons"]) if "buttons" in element else ()
    return Card(title, subtitle, element.get("image_url"), buttons)


def parse_buttons(buttons: Any) -> tuple[Tap, ...]:
    """One to three buttons: postback, web_url or phone_number."""
    if not isinstance(buttons, list) or not 0 < len(buttons) <= MAX_BUTTONS:
        raise invalid(f"param buttons must have 1 to {MAX_BUTTONS} buttons")
    return tuple(_button(button) for button in buttons)


def _button(button: Any) -> Tap:
    title = button.get("title") if isinstance(button, dict) else None
    if not isinstance(title, str) or not 0 < len(title) <= MAX_TITLE:
        raise invalid(f"param button title must have 1 to {MAX_TITLE} characters")
    match button:
        case {"type": "postback", "payload": str(payload)} if 0 < len(payload) <= MAX_PAYLOAD:
            return Tap(title, "postback", payload=payload)
        case {"type": "web_url", "url": str(url)} if url.startswith(("http://", "https://")):
            return Tap(title, "web_url", url=url)
        case {"type": "phone_number", "payload": str(phone)} if phone.startswith("+"):
            return Tap(title, "phone_number", phone=phone)
    raise invalid("param buttons is invalid")


def _quick_replies(given: Any) -> tuple[Tap, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not 0 < len(given) <= MAX_QUICK_REPLIES:
        raise invalid(f"param quick_replies must have 1 to {MAX_QUICK_REPLIES} elements")
    return tuple(_quick_reply(reply) for reply in given)


def _quick_reply(reply: Any) -> Tap:
    match reply:
        case {"content_type": "text", "title": str(title), "payload": str(payload)}:
            if not title or not 0 < len(payload) <= MAX_PAYLOAD:
                raise invalid("param quick_replies title or payload is invalid")
            return Tap(title[:MAX_TITLE], "text", payload=payload)
        case {"content_type": ("user_phone_number" | "user_email") as kind}:
            return Tap({"user_phone_number": "Số điện thoại", "user_email": "Email"}[kind], kind)
    raise invalid("param quick_replies is invalid")


def media_file(state: MessengerState, kind: str, payload: dict[str, Any]) -> StoredFile:
    """The file behind `attachment_id`, or fetched from `url` as Meta fetches it."""
    match payload:
        case {"attachment_id": str() | int() as attachment_id}:
            known, file = state.attachments.get(str(attachment_id), ("", None))
            if file is None or known != kind:
                raise GraphError(100, 2018074)
            return file
        case {"url": str(url)}:
            return fetch(state, kind, url)
    raise invalid("param payload needs url or attachment_id")


def fetch(state: MessengerState, kind: str, url: str) -> StoredFile:
    """Raises 100/2018008 when it cannot be had, /2018047 for another type, /2018109 above 25 MB."""
    try:
        answer = requests.get(url, timeout=FETCH_SECONDS)
        answer.raise_for_status()
    except (requests.RequestException, ValueError):
        raise GraphError(100, 2018008) from None
    content_type = answer.headers.get("Content-Type", "application/octet-stream")
    return store(state, kind, answer.content, content_type, url.partition("?")[0].rpartition("/")[2] or kind)


def store(state: MessengerState, kind: str, content: bytes, content_type: str, name: str) -> StoredFile:
    if len(content) > MAX_BYTES:
        raise GraphError(100, 2018109)
    if kind != "file" and not content_type.startswith(f"{kind}/"):
        raise GraphError(100, 2018047)
    return state.media.add(content, content_type, name)

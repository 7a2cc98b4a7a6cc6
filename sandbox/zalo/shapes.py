"""What a consultation message may look like (zalo.md §3.1): checks the JSON and turns it into a transcript entry.

Every refusal is a ZaloError: -201 for a wrong shape (naming the field), -210 over a limit, -233 for a type that v3 does
not carry, -100 for an upload older than seven days.
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.emulator.transcript import Card, Media, Tap
from sandbox.zalo.errors import ZaloError
from sandbox.zalo.state import ASSET_LIFE, Asset, ZaloState

MAX_TEXT = 2000
MAX_BUTTONS = 5
MAX_BUTTON_TITLE = 100


@dataclass(frozen=True)
class Content:
    """A checked message: `kind` names the `oa_send_<kind>` event that echoes it."""

    kind: str
    text: str = ""
    buttons: tuple[Tap, ...] = ()
    media: tuple[Media, ...] = ()
    cards: tuple[Card, ...] = ()
    quote: str | None = None
    echo_attachments: list[dict[str, Any]] = field(default_factory=list)


def parse_message(state: ZaloState, message: Any) -> Content:
    """The `message` object of `/v3.0/oa/message/cs` as Content."""
    if not isinstance(message, dict):
        raise _wrong("message")
    text = message.get("text", "")
    if not isinstance(text, str):
        raise _wrong("text")
    if len(text) > MAX_TEXT:
        raise ZaloError(-210, f"text exceeds the limit of {MAX_TEXT} characters")
    quote = message.get("quote_message_id")
    if quote is not None and state.transcript.find(quote) is None:
        raise _wrong("quote_message_id")
    attachment = message.get("attachment")
    if attachment is None:
        if not text.strip():
            raise _wrong("text")
        return Content("text", text, quote=quote)
    if not isinstance(attachment, dict) or not isinstance(attachment.get("payload"), dict):
        raise _wrong("attachment")
    match attachment.get("type"):
        case "file":
            return _file(state, attachment["payload"])
        case "template":
            return _template(state, text, quote, attachment["payload"])
    raise _wrong("attachment.type")


def _template(state: ZaloState, text: str, quote: str | None, payload: dict[str, Any]) -> Content:
    match payload.get("template_type"):
        case None:
            buttons = parse_buttons(state, payload.get("buttons"))
            if not text.strip():
                raise _wrong("text")
            return Content("text", text, buttons, quote=quote)
        case "media":
            return _media(state, text, quote, payload)
        case "request_user_info":
            return _request_user_info(payload)
    raise ZaloError(-233)


def _media(state: ZaloState, text: str, quote: str | None, payload: dict[str, Any]) -> Content:
    element = _single_element(payload)
    kind = element.get("media_type")
    if kind not in {"image", "gif", "sticker"}:
        raise _wrong("media_type")
    url, attachment_id = element.get("url"), element.get("attachment_id")
    if (url is None) == (attachment_id is None):
        raise _wrong("attachment_id")
    if kind == "gif" and not (attachment_id and _is_size(element.get("width")) and _is_size(element.get("height"))):
        raise _wrong("width, height")
    if kind == "sticker":
        if not isinstance(attachment_id, str):
            raise _wrong("attachment_id")
        media = Media("sticker", f"{state.settings.base_url}/chat/static/stickers/{attachment_id}.svg")
    elif attachment_id is not None:
        asset = usable_asset(state, attachment_id, {kind})
        media = Media(kind, state.media_url(asset.file), asset.file.name, len(asset.file.content))
    else:
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise _wrong("url")
        media = Media(kind, url)
    buttons = parse_buttons(state, payload["buttons"]) if payload.get("buttons") else ()
    echoed = [{"type": kind, "payload": {"url": media.url, "thumbnail": media.url}}]
    return Content(kind, text, buttons, (media,), quote=quote, echo_attachments=echoed)


def _request_user_info(payload: dict[str, Any]) -> Content:
    element = _single_element(payload)
    for name in ("title", "subtitle", "image_url"):
        if not isinstance(element.get(name), str) or not element[name]:
            raise _wrong(name)
    card = Card(element["title"], element["subtitle"], element["image_url"])
    return Content("request_user_info", cards=(card,))


def _file(state: ZaloState, payload: dict[str, Any]) -> Content:
    file = usable_asset(state, payload.get("token"), {"file"}).file
    media = Media("file", state.media_url(file), file.name, len(file.content))
    echoed = {
        "url": media.url,
        "name": file.name,
        "size": str(media.size),
        "type": file.name.rpartition(".")[2],
        "checksum": file.checksum,
    }
    return Content("file", media=(media,), echo_attachments=[{"type": "file", "payload": echoed}])


def usable_asset(state: ZaloState, asset_id: Any, kinds: set[str]) -> Asset:
    asset = state.assets.get(asset_id) if isinstance(asset_id, str) else None
    if asset is None or asset.kind not in kinds:
        raise _wrong("attachment_id")
    if state.clock.now() - asset.at > ASSET_LIFE:
        raise ZaloError(-100)
    return asset


def parse_buttons(state: ZaloState, buttons: Any) -> tuple[Tap, ...]:
    """One to five buttons of the four types of zalo.md §3.1."""
    if state.options.buttons is not None:
        raise ZaloError(state.options.buttons, "attachment.payload is invalid")
    if not isinstance(buttons, list) or not 0 < len(buttons) <= MAX_BUTTONS:
        raise _wrong("buttons")
    return tuple(_button(button) for button in buttons)


def _button(button: Any) -> Tap:
    if not isinstance(button, dict):
        raise _wrong("buttons")
    title, payload = button.get("title"), button.get("payload")
    if not isinstance(title, str) or not 0 < len(title) <= MAX_BUTTON_TITLE:
        raise _wrong("buttons.title")
    match button.get("type"), payload:
        case ("oa.query.show" | "oa.query.hide") as kind, str() if payload:
            return Tap(title, kind, payload=payload)
        case "oa.open.url", {"url": str(url)} if url.startswith(("http://", "https://")):
            return Tap(title, "oa.open.url", url=url)
        case "oa.open.phone", {"phone_code": str(phone)}:
            return Tap(title, "oa.open.phone", phone=phone)
        case "oa.open.sms", {"content": str(content), "phone_code": str(phone)}:
            return Tap(title, "oa.open.sms", payload=content, phone=phone)
    raise _wrong("buttons.type, buttons.payload")


def _single_element(payload: dict[str, Any]) -> dict[str, Any]:
    elements = payload.get("elements")
    if not isinstance(elements, list) or len(elements) != 1 or not isinstance(elements[0], dict):
        raise _wrong("elements")
    return elements[0]


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float | str) and str(value).replace(".", "", 1).isdigit()


def _wrong(name: str) -> ZaloError:
    return ZaloError(-201, f"{name} is invalid")

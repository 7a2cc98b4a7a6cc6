"""Our messages in Zalo's terms: parts of one call each, and the JSON of a part (zalo.md §3.1)."""

from typing import Any

from bot.channels.base import Limits
from bot.channels.phrases import CHOOSE, OPEN, OR_REPLY, REPLY_BY_NUMBER, call
from bot.channels.splitting import length, split_tail, split_text
from bot.messages import Button, OutMessage
from bot.text import clean

LIMITS = Limits(
    text=2000, text_with_buttons=2000, buttons=5, button_title=100, quick_replies=0, picture_bytes=1_000_000
)

_ROOM_FOR_TEXT = 200


def render(message: OutMessage) -> list[OutMessage]:
    """Text parts, the picture with the first, the buttons under the last.

    Buttons above Zalo's five are told in the text. The part with buttons is short enough to be sent with a numbered
    list in their place. A picture and buttons do not go in one call.
    """
    buttons, extra = message.buttons[: LIMITS.buttons], message.buttons[LIMITS.buttons :]
    text = clean("\n".join(filter(None, [message.text.strip(), _told(extra)]))).strip()
    if buttons and not text:
        text = CHOOSE
    if buttons:
        room = max(LIMITS.text - length(numbered(buttons)) - 1, _ROOM_FOR_TEXT)
        texts = split_tail(text, LIMITS.text, room)
    else:
        texts = split_text(text, LIMITS.text)
    parts = [OutMessage(text=part) for part in texts]
    if buttons:
        parts[-1] = parts[-1].model_copy(update={"buttons": buttons})
    if message.media_id is None:
        return parts
    if parts and not parts[0].buttons:
        return [parts[0].model_copy(update={"media_id": message.media_id}), *parts[1:]]
    return [OutMessage(media_id=message.media_id), *parts]


def as_text(message: OutMessage) -> dict[str, Any]:
    return {"text": message.text}


def as_buttons(message: OutMessage) -> dict[str, Any]:
    """A tap sends its payload hidden: the customer's chat must not show what is meant for us (zalo.md §2.5)."""
    buttons = [_button(b) for b in message.buttons]
    return {"text": message.text, "attachment": {"type": "template", "payload": {"buttons": buttons}}}


def as_numbered_text(message: OutMessage) -> dict[str, Any]:
    """The same without buttons, for an OA whose `cs` does not take them."""
    return {"text": f"{message.text}\n{numbered(message.buttons)}"}


def as_picture(message: OutMessage, source: dict[str, str]) -> dict[str, Any]:
    """`source` is {"attachment_id": …} or {"url": …}, never both."""
    element = {"media_type": "image", **source}
    attachment = {"type": "template", "payload": {"template_type": "media", "elements": [element]}}
    return {"text": message.text, "attachment": attachment} if message.text else {"attachment": attachment}


def numbered(buttons: tuple[Button, ...]) -> str:
    """The buttons as lines "1. …" the customer can answer with a number; links and phones written out."""
    lines = [f"{number}. {_line(button)}" for number, button in enumerate(buttons, start=1)]
    asks = any(button.payload is not None for button in buttons)
    return clean("\n".join([REPLY_BY_NUMBER, *lines] if asks else lines))


def phone_code(phone: str) -> str:
    """`84…` for a number with a leading 0 or +84; short and 1900 numbers as they are."""
    digits = "".join(c for c in phone if c.isdigit())
    return f"84{digits[1:]}" if digits.startswith("0") else digits


def _told(buttons: tuple[Button, ...]) -> str:
    lines = [_line(b) for b in buttons if b.payload is None]
    titles = [f"“{b.title}”" for b in buttons if b.payload is not None]
    return "\n".join([*lines, *([OR_REPLY.format(titles=", ".join(titles))] if titles else [])])


def _line(button: Button) -> str:
    if button.url:
        return OPEN.format(title=button.title, url=button.url)
    if button.phone:
        return call(button.title, str(button.phone))
    return button.title


def _button(button: Button) -> dict[str, Any]:
    title = clean(button.title)
    if button.url:
        return {"title": title, "type": "oa.open.url", "payload": {"url": button.url}}
    if button.phone:
        return {"title": title, "type": "oa.open.phone", "payload": {"phone_code": phone_code(button.phone)}}
    return {"title": title, "type": "oa.query.hide", "payload": button.payload}

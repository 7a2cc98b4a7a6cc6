"""Our messages in Messenger's terms: parts of one call each, and the JSON of a part (messenger.md §5)."""

from typing import Any

from bot.channels.base import Limits
from bot.channels.phrases import CHOOSE, OPEN, OR_REPLY, call
from bot.channels.splitting import cut_title, length, split_tail, split_text
from bot.messages import Button, OutMessage
from bot.text import clean, one_line

LIMITS = Limits(
    text=1990, text_with_buttons=640, buttons=3, button_title=20, quick_replies=13, picture_bytes=25_000_000
)


def render(message: OutMessage) -> list[OutMessage]:
    """The picture, the text, and under its end the buttons: up to three as a button template.

    More than three: links and phones stay a template, taps become quick replies on a part of their own after it
    (quick replies vanish with the next message, so they come last). What no button can hold is told in the text.
    """
    buttons = tuple(b for b in message.buttons if not _only_told(b))
    taps, links = _by_kind(buttons)
    if len(buttons) <= LIMITS.buttons:
        taps, links = (), buttons
    told = tuple(b for b in message.buttons if _only_told(b))
    extra = (*told, *links[LIMITS.buttons :], *taps[LIMITS.quick_replies :])
    links, taps = links[: LIMITS.buttons], taps[: LIMITS.quick_replies]
    text = clean("\n".join(filter(None, [message.text.strip(), _told(extra)]))).strip()
    parts = [OutMessage(media_id=message.media_id)] if message.media_id is not None else []
    if links:
        parts += _with_buttons(text or CHOOSE, LIMITS.text_with_buttons, links)
        text = CHOOSE if taps else ""
    if taps:
        parts += _with_buttons(text or CHOOSE, LIMITS.text, taps)
        text = ""
    return parts + [OutMessage(text=part) for part in split_text(text, LIMITS.text)]


def as_message(message: OutMessage) -> dict[str, Any]:
    """The JSON of a text part, with its buttons if it has any."""
    if not message.buttons:
        return {"text": message.text}
    titles = button_titles(message.buttons)
    if len(message.buttons) > LIMITS.buttons:
        replies = [
            {"content_type": "text", "title": title, "payload": button.payload}
            for title, button in zip(titles, message.buttons, strict=True)
        ]
        return {"text": message.text, "quick_replies": replies}
    buttons = [_button(title, button) for title, button in zip(titles, message.buttons, strict=True)]
    payload = {"template_type": "button", "text": message.text, "buttons": buttons}
    return {"attachment": {"type": "template", "payload": payload}}


def as_picture(payload: dict[str, Any]) -> dict[str, Any]:
    """`payload` is {"attachment_id": …} or {"url": …}."""
    return {"attachment": {"type": "image", "payload": payload}}


def button_titles(buttons: tuple[Button, ...]) -> list[str]:
    """Titles of at most 20, cut at a word; numbered when they would look alike."""
    if not _look_alike(buttons):
        return [cut_title(_title(b), LIMITS.button_title) for b in buttons]
    cut = (cut_title(_title(b), LIMITS.button_title - len("13. ")) for b in buttons)
    return [f"{number}. {title}" for number, title in enumerate(cut, start=1)]


def international(phone: str) -> str | None:
    """`+84…`, the only form a phone button takes; None for short and 1900 numbers, which have none."""
    digits = "".join(c for c in phone if c.isdigit())
    if digits.startswith("0"):
        return f"+84{digits[1:]}"
    return f"+{digits}" if phone.startswith("+") else None


def _only_told(button: Button) -> bool:
    return button.phone is not None and international(button.phone) is None


def _title(button: Button) -> str:
    return one_line(button.title)


def _look_alike(buttons: tuple[Button, ...]) -> bool:
    return len({cut_title(_title(b), LIMITS.button_title) for b in buttons}) < len(buttons)


def _by_kind(buttons: tuple[Button, ...]) -> tuple[tuple[Button, ...], tuple[Button, ...]]:
    taps = tuple(b for b in buttons if b.payload is not None)
    return taps, tuple(b for b in buttons if b.payload is None)


def _with_buttons(text: str, last_limit: int, buttons: tuple[Button, ...]) -> list[OutMessage]:
    """The text in parts, the buttons on the last; titles that only differ in what is cut off are told there in full."""
    titles = "\n".join(f"{number}. {_title(b)}" for number, b in enumerate(buttons, start=1))
    if not _look_alike(buttons) or text.endswith(titles):
        *before, last = split_tail(text, LIMITS.text, last_limit)
    else:
        *before, last = split_tail(text, LIMITS.text, last_limit - length(titles) - 1)
        last = f"{last}\n{titles}"
    return [*(OutMessage(text=part) for part in before), OutMessage(text=last, buttons=buttons)]


def _told(buttons: tuple[Button, ...]) -> str:
    lines = [
        OPEN.format(title=b.title, url=b.url) if b.url else call(b.title, str(b.phone))
        for b in buttons
        if b.payload is None
    ]
    titles = [f"“{b.title}”" for b in buttons if b.payload is not None]
    return "\n".join([*lines, *([OR_REPLY.format(titles=", ".join(titles))] if titles else [])])


def _button(title: str, button: Button) -> dict[str, Any]:
    if button.url:
        return {"type": "web_url", "title": title, "url": button.url}
    if button.phone:
        return {"type": "phone_number", "title": title, "payload": international(button.phone)}
    return {"type": "postback", "title": title, "payload": button.payload}

"""Every reply that the data can produce, on both channels: within limits, nothing lost, readable on a small phone."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_reply_data import BOOK, OCCASIONS, families, literals, replies_on, sources

from actions.catalogue import catalogue
from actions.service_fields import ChoiceField
from bot.channels.messenger import rendering as messenger
from bot.channels.splitting import length
from bot.channels.zalo import rendering as zalo
from bot.dialogue.replies import RenderedButton
from bot.dialogue.turn import MAX_CHOICES
from bot.messages import Button, OutMessage

PAYLOAD = "#td." + "x" * 400
WITHIN_OTHERS = ("form.name.", "form.field.", "intent.", "chart.", "case.", "sms.")
"""Words that are part of other replies, or that no customer is sent."""
MOST_OPTIONS = MAX_CHOICES
CARDS = ("bill.card", "bill.due", "debt.owed", "debt.none", "payment_problem.shown", "outage.running", "contract.card")
LONGEST_LINE, MOST_LINES = 75, 10
"""What a small phone shows without turning two lines into four, and without scrolling."""
SAYS_ALL = {
    "talk.goodbye": "a goodbye",
    "talk.thank": "a thank you",
    "talk.praise": "a thank you",
    "welcome.short": "the answer follows",
    "form.expired": "the answer follows",
    "form.not_understood": "the question follows",
    "payment_problem.shown": "a question follows",
    "payment_problem.went_there": "a question follows",
    "payment_problem.not_looked_up": "a question follows",
    "media.kept": "a picture is no question",
    "media.kept_for_form": "the question follows",
    "files.attached": "under the case's own buttons",
    "files.not_attached": "under the case's own buttons",
    "outage.which_place_there": "a question",
    "privacy.correction_noted": "a person answers",
    "privacy.erased": "nothing is left",
    "hazard.ask_what": "under the hotline's button",
    "hazard.recorded": "under the hotline's button",
    "hazard.completed": "under the hotline's button",
}
"""Answers that lead nowhere, and why."""


@cache
def how_said() -> dict[str, set[str]]:
    """By which calls each reply is said."""
    found: dict[str, set[str]] = defaultdict(set)
    for _file, code in sources():
        for call in (node for node in ast.walk(code) if isinstance(node, ast.Call)):
            for argument in call.args[:2]:
                for key in literals(argument):
                    if key in BOOK.replies:
                        found[key].add(ast.unparse(call.func).split(".")[-1])
    return found


def rendered(occasion: str) -> Iterator[tuple[str, str, list[RenderedButton]]]:
    """What customers are sent, on an occasion."""
    return (each for each in replies_on(occasion) if not each[0].startswith(WITHIN_OTHERS))


def message(text: str, buttons: list[RenderedButton], options: tuple[str, ...] = ()) -> OutMessage:
    """As `Turn.say` and `Turn.offer` make it."""
    offered = [Button(title=title[:100], payload=PAYLOAD) for title in options]
    own = [
        Button(title=b.title, payload=None if b.url or b.phone else PAYLOAD, url=b.url, phone=b.phone) for b in buttons
    ]
    return OutMessage(text=text, buttons=(*offered, *own))


def check_zalo(key: str, sent: OutMessage) -> None:
    parts = zalo.render(sent)
    for part in parts:
        assert 0 < length(part.text) <= zalo.LIMITS.text, key
        assert len(part.buttons) <= zalo.LIMITS.buttons, key
        assert all(0 < length(button.title) <= zalo.LIMITS.button_title for button in part.buttons), key
        assert not part.buttons or length(zalo.as_numbered_text(part)["text"]) <= zalo.LIMITS.text, key
    check_nothing_lost(key, sent, parts)


def check_messenger(key: str, sent: OutMessage) -> None:
    parts = messenger.render(sent)
    for part in parts:
        json = messenger.as_message(part)
        template = json.get("attachment", {}).get("payload")
        titles = [each["title"] for each in (template["buttons"] if template else json.get("quick_replies", []))]
        text = template["text"] if template else json["text"]
        assert 0 < length(text) <= (messenger.LIMITS.text_with_buttons if template else messenger.LIMITS.text), key
        assert len(titles) <= (messenger.LIMITS.buttons if template else messenger.LIMITS.quick_replies), key
        assert all(0 < length(title) <= messenger.LIMITS.button_title for title in titles), key
        assert len(set(titles)) == len(titles), key
    check_nothing_lost(key, sent, parts)


def check_nothing_lost(key: str, sent: OutMessage, parts: list[OutMessage]) -> None:
    shown = [button for part in parts for button in part.buttons]
    told = "\n".join(part.text for part in parts)
    assert all(button in shown or button.title in told for button in sent.buttons), key
    assert re.sub(r"\s", "", sent.text) in re.sub(r"\s", "", told), key


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_every_reply_is_taken_by_both_channels(occasion: str) -> None:
    for key, text, buttons in rendered(occasion):
        check_zalo(key, message(text, buttons))
        check_messenger(key, message(text, buttons))


OFFERS = [each for each in rendered("usual") if how_said()[each[0]] & {"offer", "Invalid"}]


@settings(max_examples=400)
@given(
    offer=st.sampled_from(OFFERS),
    options=st.lists(
        st.sampled_from(
            ["PA04DH0000123", "Nhà bố mẹ ở Định Hóa", "phường Phan Đình Phùng", "xã Phú Bình cũ (Phú Lương)"]
        )
        | st.text("aăâ bcđeê gh", min_size=1, max_size=120).filter(str.strip),
        min_size=1,
        max_size=MOST_OPTIONS,
    ).map(tuple),
)
def test_with_whatever_options_it_offers(
    offer: tuple[str, str, list[RenderedButton]], options: tuple[str, ...]
) -> None:
    """Accounts, places, intents, requests: any number that the dialogue keeps, with titles of any length."""
    key, text, buttons = offer
    check_zalo(key, message(text, buttons, options))
    check_messenger(key, message(text, buttons, options))


def test_every_question_of_every_service() -> None:
    text, buttons = BOOK.render("service.ask", question="…")
    for service in catalogue().services.values():
        for field in catalogue().form_fields(service).values():
            options = tuple(o.title for o in field.choices.values()) if isinstance(field, ChoiceField) else ()
            asked = message(text.replace("…", field.ask.strip()), buttons, options)
            check_zalo(field.label, asked)
            check_messenger(field.label, asked)


def test_titles_are_shown_whole() -> None:
    """Messenger shows twenty letters of a title."""
    long = {
        f"{key}: {button.title}"
        for occasion in OCCASIONS
        for key, _text, buttons in rendered(occasion)
        for button in buttons
        if len(button.title) > messenger.LIMITS.button_title
    }
    long |= {key for key, reply in BOOK.replies.items() if key.startswith("intent.") and len(reply.text) > 20}
    assert long == set()


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_cards_read_well_on_a_small_phone(occasion: str) -> None:
    for key, text, _buttons in rendered(occasion):
        lines = text.splitlines()
        if key in CARDS[:1]:
            assert len(lines) <= MOST_LINES, key
        if key in CARDS:
            assert [line for line in lines if len(line) > LONGEST_LINE and not line.startswith("(theo")] == [], key


def test_every_answer_leads_on() -> None:
    """By a button for the next likely step, whose title may be typed as well; an offer has its options besides."""
    answers = {key for key, kinds in how_said().items() if kinds & {"say", "Abandon"}}
    answers |= {key for key in families() if key.startswith(("talk.", "advice."))}
    ending = {key for key in answers if not BOOK.replies[key].buttons and not how_said()[key] & {"offer", "Invalid"}}
    assert ending == set(SAYS_ALL)


VOICE = {
    "the bot is no 'em', 'mình' or 'bạn'": re.compile(r"\b(?:[Ee]m|bạn|[Aa]d|[Ss]hop)\b"),
    "nobody is told what he must": re.compile(r"\b(?:phải nộp ngay|bắt buộc|yêu cầu quý khách|nghiêm cấm)\b"),
    "plain words": re.compile(
        r"\b(?:vui lòng|trân trọng|hệ thống CMIS|truy xuất|backend|server|API|ticket)\b", re.IGNORECASE
    ),
    "no shouting": re.compile(r"!!|\?\?"),
    "no English": re.compile(r"\b(?:OK|click|link|email us|update|check)\b"),
}


@pytest.mark.parametrize("rule", VOICE)
def test_the_voice(rule: str) -> None:
    """design/product.md, "How it speaks"."""
    assert {key for occasion in OCCASIONS for key, text, _ in rendered(occasion) if VOICE[rule].search(text)} == set()

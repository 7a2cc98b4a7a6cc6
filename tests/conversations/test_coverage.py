"""What the scripts show together: every intent is reached, every form goes each of its ways."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
import yaml
from form_watch import CORRECTION, DOWN, HAPPY, WAYS
from play import Facts
from script import Script, read
from stack import WEDNESDAY_MORNING, Stack

from actions.registry import registry

ROOT = Path(__file__).parents[2]
INTENTS = frozenset(yaml.safe_load((ROOT / "nlu" / "domain.yml").read_text("utf-8"))["intents"])
SCRIPTS = [read(path) for path in sorted((Path(__file__).parent / "scripts").glob("*.txt"))]

SURE = 0.8
"""Confidence from which a message is no misunderstanding."""

SERVICE_FORMS = "apply."
"""They are one class, made by data/services.yml: the other ways are shown by any of them."""
CANNOT_GO = {
    ("link.code", DOWN): "the link is made in our own database",
    ("account.rename", DOWN): "the name is kept in our own database",
    ("notice.quiet", DOWN): "choices are kept in our own database",
    ("usage.level", DOWN): "choices are kept in our own database",
    ("privacy.erase", DOWN): "what is erased is in our own database",
    ("privacy.correction", DOWN): "requests are kept in our own database",
    ("estimate.missing", DOWN): "prices are in data/tariffs/",
}


WANTING = {"estimate.missing: correction"}
"""Asked for the kWh, "à nhầm, 6 người" is taken for 6 kWh (actions/estimate_form.py). To become empty."""


def requests_of(stack: Stack, script: Script) -> Iterator[str]:
    """What the first customer writes, as far as the facts that it names are there from the start."""
    facts = Facts(stack, script.persona)
    for step in script.steps:
        if step.kind == "say" and not step.text.startswith("("):
            try:
                yield facts.fill(step.text)
            except (KeyError, IndexError, AssertionError):
                continue


def test_every_intent_is_reached(stack: Stack) -> None:
    """By a message that is understood so for sure, alone or as one of two."""
    stack.renew()
    session = requests.Session()
    texts = {text for script in SCRIPTS for text in requests_of(stack, script)}

    def understood(text: str) -> set[str]:
        body = {"text": text, "message_time": WEDNESDAY_MORNING.isoformat()}
        answer = session.post(f"{stack.nlu.url}/model/parse", json=body, timeout=20).json()
        sure = answer["intent"]["confidence"] >= SURE
        return {each["name"] for each in answer.get("intents") or ([answer["intent"]] if sure else [])}

    with ThreadPoolExecutor(2) as pool:
        reached = set().union(*pool.map(understood, texts))
    assert INTENTS - reached == set()


def ways_of(form: str) -> set[str]:
    """Each way that the form can go; one answer that is sent at once leaves nothing to correct."""
    asks = registry.forms[form].asks()
    single = len([ask for ask in asks.values() if not ask.reply.endswith("ask_consent")]) < 2
    cannot = {way for (name, way) in CANNOT_GO if name == form}
    return set(WAYS) - cannot - ({CORRECTION} if single and not registry.forms[form].review else set())


def test_every_form_goes_each_of_its_ways() -> None:
    """As the scripts' headers say (`proves`), which is checked whenever they are played."""
    shown = {way for script in SCRIPTS for way in script.proves}
    by_any_service = {way for form, way in shown if form.startswith(SERVICE_FORMS)}
    lacking = {
        f"{form}: {way}"
        for form in registry.forms
        for way in ways_of(form)
        if (form, way) not in shown and not (form.startswith(SERVICE_FORMS) and way != HAPPY and way in by_any_service)
    }
    assert lacking == WANTING


def test_headers_name_what_exists() -> None:
    known = {(form, way) for form in registry.forms for way in WAYS}
    assert {f"{script.name}: {shown}" for script in SCRIPTS for shown in script.proves if shown not in known} == set()


def test_what_cannot_be_is_of_forms_that_exist() -> None:
    assert {form for form, _way in CANNOT_GO} <= set(registry.forms)

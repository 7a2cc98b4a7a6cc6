"""The README and the pages under docs name what exists: files, commands, settings, events, codes, tests."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from docs_reading import Page, anchor, codes_by_class

from actions.backends.contract import document
from bot.channels.messenger import errors as messenger_errors
from bot.channels.messenger.errors import GraphError
from bot.channels.outcomes import SendError
from bot.channels.zalo import errors as zalo_errors
from bot.channels.zalo import inbound as zalo_events
from bot.cli import app
from bot.settings import MessengerSettings, ZaloSettings
from sandbox.backends.faults import FaultState

ROOT = Path(__file__).parents[1]
README = Page(ROOT / "README.md")
PAGES = [README, *(Page(file) for file in sorted((ROOT / "docs").glob("*.md")))]
FOLDERS = {"actions", "bot", "data", "docs", "notifier", "nlu", "requirements", "sandbox", "scripts", "tests"}

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def page(name: str) -> Page:
    return next(known for known in PAGES if known.file.name == name)


@pytest.mark.parametrize("reading", PAGES, ids=str)
def test_links_lead_somewhere(reading: Page) -> None:
    for target in reading.links:
        path, _, section = target.partition("#")
        file = (reading.file.parent / path).resolve() if path else reading.file
        assert file.exists(), target
        assert file.is_relative_to(ROOT), target
        if section:
            assert section in {anchor(heading) for heading in Page(file).headings}, target


@pytest.mark.parametrize("reading", PAGES, ids=str)
def test_files_that_are_named_exist(reading: Page) -> None:
    named = [code for code in reading.codes if code.split("/")[0] in FOLDERS and re.fullmatch(r"[\w./*-]+", code)]
    missing = [code for code in named if "/" in code and not any(ROOT.glob(code.rstrip("/")))]
    assert not missing


@pytest.mark.parametrize("reading", PAGES, ids=str)
def test_make_targets_that_are_named_exist(reading: Page) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {target for code in reading.codes for target in re.findall(r"\bmake ([a-z-]+)", code)} <= set(targets)


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {(ROOT / target.partition("#")[0]).resolve() for target in README.links}
    assert {known.file for known in PAGES[1:]} <= linked


def test_every_command_is_told_and_no_other() -> None:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    commands |= {group.name for group in app.registered_groups if group.name}
    told = {name for known in PAGES for code in known.codes for name in re.findall(r"\btrolydien ([a-z-]+)", code)}
    assert told == commands


def test_settings_that_are_named_exist() -> None:
    known: set[str] = set()
    for group, prefix in ((ZaloSettings, "ZALO_"), (MessengerSettings, "MESSENGER_")):
        known |= {f"{prefix}{name.upper()}" for name in group.model_fields}
    pattern = r"\b(?:ZALO|MESSENGER)_[A-Z_]*[A-Z]\b"
    named = {name for page in PAGES for code in page.codes for name in re.findall(pattern, code)}
    assert named
    assert named <= known


def test_tests_that_are_named_exist() -> None:
    there = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    named = {code for known in PAGES for code in known.codes if re.fullmatch(r"test_\w+", code)}
    assert named
    assert named <= there


def test_replies_that_are_named_exist() -> None:
    replies = {key for file in (ROOT / "data" / "replies").glob("*.yml") for key in yaml.safe_load(file.read_text())}
    named = {code for known in PAGES for code in known.codes if re.fullmatch(r"(failure|hazard)\.\w+", code)}
    assert named
    assert named <= replies


def test_every_event_of_zalo_is_told() -> None:
    events = {*zalo_events.USER_MESSAGES, *zalo_events.OTHERS_ABOUT_A_USER, *zalo_events.TEMPLATE_EVENTS}
    assert events <= set(page("zalo.md").codes)


def test_codes_of_zalo_are_told_in_their_class() -> None:
    """Of `openapi.zalo.me`, every one of them."""
    told = codes_by_class(page("zalo.md"))
    meant = {str(code): type(verdict(str(code), NOW)).__name__ for code, verdict in zalo_errors.OPENAPI.items()}
    assert told == meant


def test_codes_of_messenger_are_told_in_their_class() -> None:
    """A pair as `code/subcode`, every one of the tables."""
    table = messenger_errors
    known = [f"{code}/{subcode}" for code, subcode in table.BY_PAIR]
    known += [str(code) for code in (*table.EITHER, *table.WITHOUT_SUBCODE, *table.BY_CODE)]
    told = codes_by_class(page("messenger.md"))
    assert told == {label: type(_graph_error(label)).__name__ for label in known}


def _graph_error(label: str) -> SendError:
    code, _, subcode = label.partition("/")
    error = GraphError(int(code), int(subcode) if subcode else None, "", None)
    return error.as_send_error(NOW)


def test_every_operation_of_the_backends_is_told() -> None:
    rows = {
        (operation["operationId"], f"{method.upper()} {path}")
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }
    told = {(row[0], row[1]) for row in page("backends.md").rows if len(row) > 1}
    assert rows <= told


def test_every_fault_switch_is_told() -> None:
    assert set(FaultState.model_fields) <= set(page("backends.md").codes)

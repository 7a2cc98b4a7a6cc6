"""The rules of the house plan (architecture.md §2, §5, §6) that can be read off the code."""

import ast
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from actions.registry import registry
from bot.jobs import QUEUES, build_worker_app
from notifier.clock import TICKS

ROOT = Path(__file__).parents[1]
OURS = ("bot", "actions", "notifier", "nlu", "sandbox")
INTENTS = frozenset(yaml.safe_load((ROOT / "nlu" / "domain.yml").read_text("utf-8"))["intents"])

LEAVES = ("bot.settings", "bot.messages", "bot.clock", "bot.logs", "bot.metrics", "bot.text", "bot.notice_kinds")
TOP = (
    "bot.app",
    "bot.media",
    "bot.own_data",
    "bot.cli",
    "bot.jobs",
    "bot.pipeline",
    "bot.web",
    "bot.demo",
    "bot.doctor",
    "bot.launch",
    "bot.nlu_review",
    "bot.handing_out",
    "bot.first_staff",
)
TOP_HELPERS = ("bot.processes", "bot.leftovers")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "bot.store": (),
    "bot.channels": ("bot.store",),
    "bot.dialogue": ("bot.store",),
    "bot.console": ("bot.store", "bot.channels", "bot.dialogue", "bot.pipeline", "actions", "notifier"),
    "bot.webhooks": ("bot.channels", "bot.store"),
    "actions": ("bot.dialogue", "bot.store"),
    "notifier": ("bot.dialogue", "bot.channels", "bot.store", "actions"),
    "nlu": (),
    "sandbox": ("actions.backends", "actions.tariff", "actions.tariff_data"),
    **dict.fromkeys(LEAVES, ()),
    **dict.fromkeys(TOP_HELPERS, TOP_HELPERS),
    **dict.fromkeys(TOP, (*TOP, *TOP_HELPERS, "bot", "actions", "notifier")),
}
"""Besides itself and the leaves. The sandbox reckons bills by the product's own tariffs and models of the contract."""

CUSTOMERS_DATA = ("billing", "service")
NEEDS_NO_ACCOUNT = {("actions/accounts.py", "send_password")}
"""The one-time password goes to the phone of a contract that is not linked yet: that is what proves it."""
NOT_ABOUT_A_CUSTOMER = {"offices", "outages", "report_outage", "open_case", "add_note", "ticket"} | {
    "file_request",
    "contact_requests",
    "add_paper",
    "cancel_request",
}
"""Calls whose first value is no customer code. Codes of requests are those that the chat's own lists gave."""
MAKES_ACCOUNTS = {("bot/pipeline/turns.py", "_turn"), ("actions/accounts.py", "submit")}
"""From the links of this contact, and from the link that has just been proved."""

WORDS_OF_A_TEXT = 3
TEXT_IN_CODE = {"bot/channels/phrases.py", "actions/backends/probe.py"}
"""What a channel adds by itself; what the check of a live backend says to the utility's people, not to a customer."""


def files(*packages: str) -> list[Path]:
    return sorted(file for package in packages for file in (ROOT / package).rglob("*.py"))


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(file: Path) -> set[str]:
    """The modules of ours that a file imports, wherever in it it does."""
    found: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(file)} imports relatively"
            base = str(node.module)
            found |= {f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base for alias in node.names}
    return {target for target in found if target.split(".")[0] in OURS}


def is_module(dotted: str) -> bool:
    path = ROOT.joinpath(*dotted.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def within(target: str, packages: tuple[str, ...]) -> bool:
    return any(target == package or target.startswith(f"{package}.") for package in packages)


def layer(dotted: str) -> str | None:
    return next((known for known in sorted(MAY_IMPORT, key=len, reverse=True) if within(dotted, (known,))), None)


def functions(file: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef))


def calls(node: ast.AST) -> Iterator[ast.Call]:
    return (call for call in ast.walk(node) if isinstance(call, ast.Call))


def called(call: ast.Call) -> str:
    return ast.unparse(call.func)


class TestImports:
    @pytest.mark.parametrize("file", files(*OURS), ids=name)
    def test_run_one_way(self, file: Path) -> None:
        own = layer(module(file))
        if own is None:
            assert module(file) == "bot", f"{name(file)} belongs to no layer of MAY_IMPORT"
            return
        allowed = (own, *MAY_IMPORT[own], *(LEAVES if own != "nlu" else ()))
        assert {target for target in imported(file) if not within(target, allowed)} == set()

    def test_nobody_imports_the_sandbox(self) -> None:
        product = files("bot", "actions", "notifier", "nlu")
        assert [name(file) for file in product if any(within(t, ("sandbox",)) for t in imported(file))] == []

    def test_actions_know_no_channel_by_name(self) -> None:
        """Not even as a word: what a channel can do is the channel's."""
        knowing = [
            name(file)
            for file in files("actions", "bot/dialogue")
            for node in ast.walk(tree(file))
            if isinstance(node, ast.Attribute) and node.attr in {"ZALO", "MESSENGER"}
        ]
        assert knowing == []


class TestIntents:
    def test_each_has_a_handler_or_a_form(self) -> None:
        served = set(registry.handlers) | set(registry.forms)
        assert INTENTS - served == {"out_of_scope"}

    def test_what_is_served_is_an_intent_or_a_command_with_a_dot(self) -> None:
        served = set(registry.handlers) | set(registry.forms)
        assert {command for command in served if "." not in command} - INTENTS == set()

    def test_nothing_is_both_handler_and_form(self) -> None:
        assert set(registry.handlers) & set(registry.forms) == set()

    def test_a_form_s_own_business_is_made_of_intents(self) -> None:
        assert {intent for form in registry.forms.values() for intent in form.intents} - INTENTS == set()


class TestAccounts:
    """Nobody sees an account that is not linked and verified for this chat contact (architecture.md §6)."""

    def test_accounts_are_made_from_links_only(self) -> None:
        made = {
            (name(file), function.name)
            for file in files("bot", "actions", "notifier")
            for function in functions(file)
            for call in calls(function)
            if called(call).split(".")[-1] == "Account"
        }
        assert made == MAKES_ACCOUNTS

    def test_no_handler_reads_links(self) -> None:
        readers = {
            (name(file), node.attr if isinstance(node, ast.Attribute) else node.id)
            for file in files("actions", "bot/dialogue")
            for node in ast.walk(tree(file))
            if (isinstance(node, ast.Attribute) and node.attr in {"Link", "live_links", "load"})
            or (isinstance(node, ast.Name) and node.id in {"Link", "live_links"})
        }
        assert readers == set()

    @pytest.mark.parametrize("file", files("actions"), ids=name)
    def test_backends_are_asked_about_verified_accounts_only(self, file: Path) -> None:
        """A code handed to a backend is `<account>.customer_code`, and that account comes from the turn."""
        if name(file).startswith("actions/backends/"):
            return
        wrong = [
            f"{function.name}:{call.lineno} {ast.unparse(given)}"
            for function in functions(file)
            if (name(file), function.name) not in NEEDS_NO_ACCOUNT
            for call in calls(function)
            for given in codes_given(call)
            if not is_verified_code(given)
        ]
        assert wrong == []

    @pytest.mark.parametrize("file", files("actions"), ids=name)
    def test_what_is_called_an_account_comes_from_the_turn(self, file: Path) -> None:
        wrong = [
            f"{function.name}:{bound.lineno} {ast.unparse(bound)}"
            for function in functions(file)
            for bound in ast.walk(function)
            if isinstance(bound, ast.Assign | ast.AnnAssign | ast.NamedExpr)
            and "account" in names_bound(bound)
            and not (bound.value and is_from_turn(bound.value, returning_accounts()))
        ]
        assert wrong == []


def codes_given(call: ast.Call) -> Iterator[ast.expr]:
    """The customer codes that a call hands to a backend, itself or in a model of the contract."""
    parts = called(call).split(".")
    if len(parts) > 1 and parts[-2] in CUSTOMERS_DATA:
        takes_code_first = parts[-1] not in NOT_ABOUT_A_CUSTOMER
        if takes_code_first and call.args:
            yield call.args[0]
    elif parts[-1] not in {"Case", "OutageReport", "NewServiceRequest"}:
        return
    for keyword in call.keywords:
        if keyword.arg in {"customer_code", "code"}:
            yield keyword.value


def is_verified_code(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=None):
            return True
        case ast.IfExp(body=body, orelse=orelse):
            return is_verified_code(body) and is_verified_code(orelse)
        case ast.Attribute(attr="customer_code", value=ast.Name(id="account")):
            return True
        case ast.Attribute(attr="customer_code", value=ast.Subscript(value=many)):
            return ast.unparse(many) in {"accounts", "turn.caller.accounts"}
    return False


def returning_accounts() -> set[str]:
    """Functions of the handlers that give accounts; their own bodies are checked like all others."""
    return {
        f.name
        for file in files("actions")
        for f in functions(file)
        if f.returns and "Account" in ast.unparse(f.returns)
    }


def is_from_turn(node: ast.expr, helpers: set[str]) -> bool:
    match node:
        case ast.Constant(value=None):
            return True
        case ast.IfExp(body=body, orelse=orelse):
            return is_from_turn(body, helpers) and is_from_turn(orelse, helpers)
        case ast.Call():
            return called(node) in {"turn.account", *helpers, "Account"}
        case ast.Subscript(value=many):
            return ast.unparse(many) in {"accounts", "turn.caller.accounts"}
    return False


def names_bound(node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}


def worker_tasks() -> dict[str, Any]:
    nothing = SimpleNamespace(
        database=SimpleNamespace(url="postgresql://nowhere"), settings=SimpleNamespace(worker_concurrency=1)
    )
    return dict(build_worker_app(nothing).tasks)  # type: ignore[arg-type]


def enqueued() -> list[tuple[str, ast.expr, str | None]]:
    """Task and queue of every call that enqueues a job; None for a lane's, or that of a tick."""
    found = []
    for file in files("bot", "notifier", "actions"):
        for call in calls(tree(file)):
            if called(call).split(".")[-1] == "enqueue" and len(call.args) == 2:
                queue = next(keyword.value for keyword in call.keywords if keyword.arg == "queue")
                where = f"{name(file)}:{call.lineno}"
                assert isinstance(queue, ast.Constant) or ast.unparse(queue) in {"lane", "tick.queue"}, where
                found.append((name(file), call.args[1], queue.value if isinstance(queue, ast.Constant) else None))
    return found


class TestJobs:
    def test_every_queue_that_is_used_is_served_and_the_other_way_round(self) -> None:
        outright = {queue for _file, _task, queue in enqueued() if queue}
        assert outright | {tick.queue for tick in TICKS} == set(QUEUES)

    def test_every_task_that_is_enqueued_exists(self) -> None:
        tasks = {task.value for _file, task, _queue in enqueued() if isinstance(task, ast.Constant)}
        assert tasks == {"handle_event", "send_replies", "poll_feed", "plan_audience", "dispatch_notices"}
        assert tasks <= worker_tasks().keys()

    def test_every_tick_has_its_task(self) -> None:
        assert {tick.task for tick in TICKS} <= worker_tasks().keys()
        names = [tick.name for tick in TICKS]
        assert len(names) == len(set(names))

    def test_what_must_be_done_again_and_again_has_a_tick(self) -> None:
        by_event = {"handle_event", "send_replies", "plan_audience"}
        own = {task for task in worker_tasks() if not task.startswith(("builtin:", "procrastinate."))}
        assert own - by_event == {tick.task for tick in TICKS}

    def test_customers_are_tried_again(self) -> None:
        tasks = worker_tasks()
        assert all(tasks[task].retry_strategy for task in ("handle_event", "send_replies"))


class TestTexts:
    @pytest.mark.parametrize("file", files("bot", "actions", "notifier"), ids=name)
    def test_what_customers_read_is_data(self, file: Path) -> None:
        if name(file) in TEXT_IN_CODE:
            return
        assert vietnamese_texts(tree(file)) == []

    def test_the_exceptions_are_needed(self) -> None:
        assert [file for file in TEXT_IN_CODE if not vietnamese_texts(tree(ROOT / file))] == []


def vietnamese_texts(code: ast.Module) -> list[str]:
    """String literals (not docstrings) of several words with Vietnamese letters, but for the product's own name."""
    docstrings = {id(node.value) for node in ast.walk(code) if isinstance(node, ast.Expr)}
    literals = (
        node.value
        for node in ast.walk(code)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    )
    return [
        text
        for text in literals
        if len(text.split()) >= WORDS_OF_A_TEXT and any(map(is_marked_letter, text.replace("Trợ lý Điện", "")))
    ]


def is_marked_letter(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character).startswith("L")


def test_the_rules_see_what_they_forbid(tmp_path: Path) -> None:
    """The readers above on code that breaks each rule."""
    bad = ast.parse('def f(turn, slots):\n    turn.desk.billing.debt(slots.customer_code)\n    x = "xin chào bác ạ"')
    (backend_call,) = [call for call in calls(bad) if called(call).startswith("turn.desk.billing")]
    assert [is_verified_code(given) for given in codes_given(backend_call)] == [False]
    assert vietnamese_texts(bad) == ["xin chào bác ạ"]
    taken = ast.parse("account = found[0]").body[0]
    assert isinstance(taken, ast.Assign)
    assert not is_from_turn(taken.value, set())
    assert layer("bot.store.models") == "bot.store"
    assert layer("bot.pipeline.turns") == "bot.pipeline"
    assert "bot.store.conversations" in imported(ROOT / "actions" / "accounts.py")

"""`python -m tests.load [--quick] [--save] [--only PART]`: the product under load, measured on this machine.

Everything runs on loopback, in a folder that is removed at the end. About twenty minutes, `--quick` four.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from tests.load import console, notices, replies, understanding, webhooks
from tests.load.customers import bring_in
from tests.load.report import Report, machine
from tests.load.speech import questions
from tests.load.stack import Stack, running_stack

DOCUMENT = Path(__file__).parents[2] / "docs" / "bench.md"
MARK = "<!-- figures: written by `python -m tests.load --save` -->"
PARTS = ("nlu", "replies", "webhooks", "notices", "console")


def main() -> int:
    """Prints the table; the exit code is 1 when a bar is missed."""
    options = _options()
    began, where = time.monotonic(), machine()
    report = Report()
    with running_stack(Path(os.environ.get("DATA_DIR", ".data"))) as stack:
        _measure(stack, report, options)
    print(f"\n{where}; took {time.monotonic() - began:.0f} s\n\n{report.as_text()}")
    if options.save:
        kept, _, _ = DOCUMENT.read_text().partition(MARK)
        DOCUMENT.write_text(f"{kept}{MARK}\n\n{where}.\n{report.as_markdown()}\n")
    return 0 if report.held else 1


def _measure(stack: Stack, report: Report, options: argparse.Namespace) -> None:
    """The understanding first, while nothing else runs; the heaviest load last."""
    full = not options.quick
    if "notices" in options.only:
        _measure_notices(stack, report, full=full)
    if "console" in options.only:
        _say("the console over many messages")
        console.measure(stack, report, messages=5_000_000 if full else 200_000)
    if set(options.only) <= {"notices", "console"}:
        return
    texts = questions(seed=int(time.time()))
    stack.start_sandbox()
    stack.start_gateway()
    _say("understanding")
    understanding.measure(stack, report, texts, requests=600 if full else 150)
    stack.start_workers()
    _say("bringing in customers")
    people = bring_in(stack)
    if "replies" in options.only:
        _say("replies at 20/s")
        replies.measure_pace(stack, report, people, texts, seconds=30 if full else 8, warm_up=4 if full else 2)
        _say("replies at 60/s")
        replies.measure_flood(stack, report, people, texts, seconds=15 if full else 4)
    stack.stop_workers()
    webhooks.forget_jobs(stack)
    if "replies" in options.only:
        _say("growing conversations")
        lengths = (10, 300, 1000) if full else (10, 40)
        replies.measure_growth(stack, report, people, texts, lengths=lengths, rounds=20 if full else 12)
        webhooks.forget_jobs(stack)
    if "webhooks" in options.only:
        _say("webhooks: baselines")
        baseline = webhooks.measure_baselines(stack, report, seconds=10 if full else 2)
        _say("webhooks without workers")
        webhooks.measure(
            stack, report, people, texts, name="no workers", seconds=20 if full else 4, baseline=baseline, barred=True
        )
        webhooks.forget_jobs(stack)
        stack.control("backends", latency_ms=replies.BACKEND_MS)
        stack.start_workers()
        _say("webhooks with workers at their limit")
        webhooks.measure(
            stack,
            report,
            people,
            texts,
            name="workers at their limit",
            seconds=60 if full else 8,
            baseline=baseline,
            barred=True,
        )


def _measure_notices(stack: Stack, report: Report, *, full: bool) -> None:
    """Nothing but PostgreSQL beside it, until the provider is one of the sandbox."""
    _say("notices: planning")
    notices.measure_planning(stack, report, (10_000, 100_000, 1_000_000) if full else (10_000, 100_000))
    _say("notices: the engine alone")
    notices.measure_engine(stack, report, count=40_000 if full else 10_000)
    _say("notices: urgent")
    notices.measure_urgent(stack, report)
    _say("notices: at the provider's limit")
    notices.measure_limit(stack, report, seconds=300 if full else 20)
    _say("notices: claiming among many")
    notices.measure_claim(stack, report, finished=5_000_000 if full else 500_000, due=100_000)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description="Measure the product under load.")
    parser.add_argument("--quick", action="store_true", help="four minutes, not twenty, with less certain figures")
    parser.add_argument("--save", action="store_true", help="write the figures into docs/bench.md")
    only = "the understanding is measured with all but the notices and the console"
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help=only)
    return parser.parse_args()


def _say(line: str) -> None:
    print(f"→ {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

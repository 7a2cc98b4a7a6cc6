"""What is logged holds no phone number, customer code, name or text of a message (architecture.md §6)."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fixtures.outside import CODE
from fixtures.stage import USER, Stage
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from bot.channels.outcomes import BadRequest, Retry
from bot.jobs import EVENT_PAUSES

ROOT = Path(__file__).parents[2]
NAME, PHONE = "Ma Thị Hoa", "0912345678"
FAILING = f"""
import logging
from bot.logs import configure_logs, get_logger

def read_the_message():
    int("{NAME} {PHONE}")

configure_logs("INFO", "test")
try:
    try:
        read_the_message()
    except ValueError as error:
        raise KeyError("{CODE}") from error
except KeyError as error:
    get_logger("ours").error("event_parked", event_id=7, exc_info=error)
    get_logger("ours").exception("tick_failed")
    logging.getLogger("procrastinate.worker").error("Job failed", exc_info=True)
get_logger("ours").info("all_well", exc_info=False)
"""


def test_exceptions_are_logged_without_their_words() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILING], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["event_parked", "tick_failed", "Job failed", "all_well"]
    for line in lines[:3]:
        assert line["level"] == "error"
        assert "builtins.KeyError" in line["exception"]
        assert "builtins.ValueError" in line["exception"]
        assert "read_the_message" in line["exception"]
    assert "exception" not in lines[3]
    assert not [secret for secret in (NAME, PHONE, CODE) if secret in done.stderr]


def test_a_failed_statement_does_not_tell_its_values(stage: Stage) -> None:
    with pytest.raises(StatementError) as failure, stage.database.begin() as session:
        session.execute(text("SELECT 1 / 0, cast(:name AS text)"), {"name": NAME})
    assert NAME not in str(failure.value)


def test_what_goes_wrong_is_logged_without_whom_it_is_about(stage: Stage, logs: list[dict[str, Any]]) -> None:
    """A defect that is given up, sends that fail, and a job that is rescued."""
    stage.nlu.teach(f"tiền điện của {NAME}", "bill_lookup", customer_code=CODE)
    stage.link(CODE)
    stage.billing.failure = ZeroDivisionError("a defect")
    stage.zalo.script.extend(
        [Retry("http-503", "busy", after=timedelta(seconds=1)), BadRequest("-201", "text exceeds the limit")]
    )
    stage.says(f"tiền điện của {NAME}")
    for pause in (*EVENT_PAUSES, 5):
        stage.later(pause)
    assert {entry["event"] for entry in logs} >= {"event_parked", "send_failed"}
    told = [json.dumps({**entry, "exc_info": None}, ensure_ascii=False, default=str) for entry in logs]
    assert not [line for line in told for secret in (NAME, CODE, USER, "tiền điện") if secret in line]

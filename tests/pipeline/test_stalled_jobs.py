"""Jobs whose worker died are put back, whatever waits beside them."""

from typing import Any

from fixtures.stage import Stage
from sqlalchemy import text

from bot.store.queue import enqueue

DEAD = """
    WITH dead AS (
        INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '5 minutes') RETURNING id
    )
    UPDATE procrastinate_jobs SET status = 'doing', attempts = :attempts, worker_id = (SELECT id FROM dead)
    WHERE status = 'todo'
"""
DISPATCH: dict[str, Any] = {"queue": "bulk", "queueing_lock": "dispatch", "channel": "zalo", "lane": "bulk"}


def dies(stage: Stage, *, attempts: int = 0) -> None:
    """The worker that had taken all jobs there are."""
    with stage.database.begin() as session:
        session.execute(text(DEAD), {"attempts": attempts})


def left(stage: Stage) -> list[tuple[str, str]]:
    with stage.database.begin() as session:
        rows = session.execute(text("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id"))
        return [(task, status) for task, status in rows]


def test_one_whose_like_waits_already_holds_up_no_other(stage: Stage) -> None:
    """The clock enqueues the like; putting the dead one back beside it would break the lock's being unique."""
    event_id = stage.hears("tổng đài số mấy")
    with stage.database.begin() as session:
        enqueue(session, "dispatch_notices", **DISPATCH)
    dies(stage)
    with stage.database.begin() as session:
        enqueue(session, "dispatch_notices", **DISPATCH)
    stage.tick("rescue_stalled_jobs")
    assert left(stage) == []
    assert event_id
    assert stage.zalo.sent


def test_one_that_kills_its_workers_is_given_up(stage: Stage) -> None:
    stage.hears("tổng đài số mấy")
    dies(stage, attempts=8)
    stage.tick("rescue_stalled_jobs")
    assert left(stage) == [("handle_event", "failed")]
    assert stage.zalo.sent == []

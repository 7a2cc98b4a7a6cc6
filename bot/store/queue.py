"""Enqueueing jobs in the transaction of the rows that they are about (Procrastinate's external connection)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from procrastinate import SyncPsycopgConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task
from sqlalchemy.orm import Session

from bot.store.database import driver_connection

_MANAGER = JobManager(SyncPsycopgConnector())


def enqueue(
    session: Session,
    task: str,
    *,
    queue: str,
    lock: str | None = None,
    queueing_lock: str | None = None,
    after: timedelta | None = None,
    **arguments: Any,
) -> None:
    """Have `task` run once the session's transaction commits, or `after` so long.

    Jobs of one `lock` run one after the other in the order of their enqueueing. Raises
    procrastinate.exceptions.AlreadyEnqueued when a job with this `queueing_lock` waits already.
    """
    configure_task(
        name=task,
        job_manager=_MANAGER,
        queue=queue,
        lock=lock,
        queueing_lock=queueing_lock,
        schedule_at=datetime.now(UTC) + after if after else None,
        connection=driver_connection(session),
    ).defer(**arguments)

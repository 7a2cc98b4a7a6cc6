"""Enqueueing jobs in the transaction of the rows that they are about (Procrastinate's external connection)."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from procrastinate import SyncPsycopgConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.store.database import Database, driver_connection

PRIORITIES = {"urgent": -1, "notice": -2, "bulk": -3}
"""Of the queues of what the company writes first; all others go before them."""

_MANAGER = JobManager(SyncPsycopgConnector())

_STORE_AND_ENQUEUE = text(
    """
    WITH given AS (
        SELECT DISTINCT ON (key) *
        FROM ROWS FROM (jsonb_to_recordset(:arrivals) AS (
            key text, name text, user_id text, payload jsonb, task text, queue text, lock text
        )) WITH ORDINALITY AS given (key, name, user_id, payload, task, queue, lock, place)
        ORDER BY key, place
    ), stored AS (
        INSERT INTO inbound_event (channel, key, name, user_id, payload, received_at, handle_from)
        SELECT :channel, key, name, user_id, payload, :received_at,
            CASE WHEN task IS NULL THEN CAST(:received_at AS timestamptz) END
        FROM given ORDER BY place
        ON CONFLICT (channel, key) DO NOTHING
        RETURNING id, key
    )
    SELECT array_agg(key), procrastinate_defer_jobs_v1(array_agg(
        cast((queue, task, 0, lock, NULL, jsonb_build_object('event_id', id), NULL) AS procrastinate_job_to_defer_v1)
        ORDER BY place
    ) FILTER (WHERE task IS NOT NULL))
    FROM stored JOIN given USING (key)
    """
)


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
        priority=PRIORITIES.get(queue, 0),
        schedule_at=datetime.now(UTC) + after if after else None,
        connection=driver_connection(session),
    ).defer(**arguments)


@dataclass(frozen=True)
class Arrival:
    """An inbound event as it comes."""

    key: str
    name: str
    user_id: str | None
    payload: dict[str, Any]


class Intake:
    """Inbound events of one request, to be stored together with the jobs of those that need one.

    One statement and its own transaction: the platform waits for it, and each further round trip to the database would
    cost as much again.
    """

    def __init__(self, channel: str, received_at: datetime) -> None:
        self._channel = channel
        self._received_at = received_at
        self._arrivals: list[dict[str, Any]] = []

    def leave(self, arrival: Arrival) -> None:
        """Store the event, if it is new, for workers to find: it is due at once."""
        self._arrivals.append(asdict(arrival))

    def enqueue(self, arrival: Arrival, task: str, *, queue: str, lock: str | None = None) -> None:
        """Have `task` handle the event, if it is new. Jobs of one `lock` run one after the other in this order."""
        self._arrivals.append({**asdict(arrival), "task": task, "queue": queue, "lock": lock})

    def commit(self, database: Database) -> set[str]:
        """All or nothing; a repeat is a no-op. Returns the keys of the events that are new."""
        parameters = {
            "arrivals": Jsonb(self._arrivals),
            "channel": self._channel,
            "received_at": self._received_at,
        }
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            keys, _jobs = connection.execute(_STORE_AND_ENQUEUE, parameters).one()
        return set(keys or ())

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError

from bot.store.database import Database
from bot.store.migrate import differences, migrate, rollback


def test_models_and_migrations_agree(database: Database) -> None:
    assert differences(database) == []


def test_down_leaves_nothing_and_up_again_works(database: Database) -> None:
    rollback(database)
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    with database.begin() as session:
        left = session.scalar(text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"))
    assert left == 0
    migrate(database)
    assert differences(database) == []


def test_receipts_that_had_a_job_are_found_without_it(database: Database) -> None:
    rollback(database, "0007")
    with database.begin() as session:
        session.execute(
            text(
                "INSERT INTO inbound_event (channel, key, name, payload, status) SELECT 'zalo', n, n, '{}', s"
                " FROM (VALUES ('open', 'received'), ('done', 'done'), ('asked', 'received')) AS given (n, s)"
            )
        )
        session.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args) SELECT 'q',"
                " CASE key WHEN 'asked' THEN 'handle_event' ELSE 'handle_receipt' END,"
                " jsonb_build_object('event_id', id)"
                " FROM inbound_event"
            )
        )
    migrate(database)
    with database.begin() as session:
        waiting = session.scalars(text("SELECT key FROM inbound_event WHERE handle_from = received_at")).all()
        jobs = session.scalars(text("SELECT task_name FROM procrastinate_jobs")).all()
    assert (waiting, jobs) == (["open"], ["handle_event"])
    rollback(database, "0007")
    with database.begin() as session:
        assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'handle_receipt'")) == 1
    migrate(database)


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_audit_cannot_be_changed(database: Database, change: str) -> None:
    with database.begin() as session:
        session.execute(text("INSERT INTO audit (actor, action) VALUES ('a', 'b')"))
    with pytest.raises(DatabaseError, match="append-only"), database.begin() as session:
        session.execute(text(change))
    with database.begin() as session:
        assert session.scalar(text("SELECT actor FROM audit")) == "a"

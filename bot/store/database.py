"""The connection to PostgreSQL: one engine a process, short transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.orm import Session


class Database:
    """All access to the store. `url` is a postgresql:// address."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=pool_size,
            max_overflow=5,
            pool_pre_ping=True,
            hide_parameters=True,  # of failed statements: the text of an error may be logged
            connect_args={"connect_timeout": 5, "options": "-c timezone=UTC"},
        )
        self._committing = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back by an exception."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def by_statement(self) -> Iterator[Connection]:
        """A connection on which each statement is a transaction of its own: no round trips to begin and to commit."""
        with self._committing.connect() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def driver_connection(session: Session) -> psycopg.Connection[Any]:
    """The psycopg connection under a session's transaction, for work that must commit with it (enqueueing jobs)."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection

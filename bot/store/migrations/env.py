"""Runs one migration command on the connection that bot.store.migrate hands over."""

from alembic import context

from bot.store.models import Base


def _ours(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=_ours,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()

"""the job queue's own schema, and a guard that keeps the audit append-only

Revision: 0002, after 0001
"""

import psycopg
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

GUARD = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

DROP_QUEUE = """
DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT oid::regclass AS name FROM pg_class
        WHERE relkind = 'r' AND relname LIKE 'procrastinate\\_%' AND relnamespace = 'public'::regnamespace
    LOOP EXECUTE 'DROP TABLE ' || item.name || ' CASCADE'; END LOOP;
    FOR item IN SELECT oid::regprocedure AS name FROM pg_proc
        WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = 'public'::regnamespace
    LOOP EXECUTE 'DROP FUNCTION ' || item.name || ' CASCADE'; END LOOP;
    FOR item IN SELECT oid::regtype AS name FROM pg_type
        WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c') AND typnamespace = 'public'::regnamespace
    LOOP EXECUTE 'DROP TYPE ' || item.name || ' CASCADE'; END LOOP;
END
$$
"""


def upgrade() -> None:
    _driver().execute(SchemaManager.get_schema())
    _driver().execute(GUARD)


def downgrade() -> None:
    _driver().execute(DROP_QUEUE)
    op.execute("DROP TRIGGER audit_append_only ON audit")
    op.execute("DROP FUNCTION refuse_change()")


def _driver() -> psycopg.Connection:
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection

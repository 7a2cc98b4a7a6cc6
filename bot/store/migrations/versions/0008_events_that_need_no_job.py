"""events that are not from customers wait by time, without a job each

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbound_event", sa.Column("handle_from", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE inbound_event SET handle_from = received_at FROM procrastinate_jobs AS job"
        " WHERE job.task_name = 'handle_receipt' AND job.status IN ('todo', 'doing')"
        " AND (job.args ->> 'event_id')::bigint = inbound_event.id AND inbound_event.status = 'received'"
    )
    op.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'handle_receipt'")
    op.create_index(
        "ix_inbound_event_waiting",
        "inbound_event",
        ["handle_from", "id"],
        postgresql_where=sa.text("status = 'received' AND handle_from IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_inbound_event_waiting", table_name="inbound_event")
    op.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
        " SELECT 'receipt', 'handle_receipt', jsonb_build_object('event_id', id) FROM inbound_event"
        " WHERE status = 'received' AND handle_from IS NOT NULL ORDER BY id"
    )
    op.drop_column("inbound_event", "handle_from")

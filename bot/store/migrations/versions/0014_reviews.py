"""what customers wrote, to be judged by people: was it understood?

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("message_id", sa.BigInteger(), sa.ForeignKey("message.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("signals", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("guessed", sa.Text(), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.Text()),
        sa.Column("intent", sa.Text()),
        sa.Column("entities", postgresql.JSONB()),
        sa.Column("parts", postgresql.JSONB()),
        sa.Column("staff_id", sa.BigInteger(), sa.ForeignKey("staff.id")),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("applied_at", sa.DateTime(timezone=True)),
    )
    for name, columns, where in (
        ("ix_review_queue", ["value", "message_id"], "verdict IS NULL"),
        ("ix_review_done", ["at", "message_id"], "verdict IS NOT NULL"),
        ("ix_review_pending", ["message_id"], "verdict IS NOT NULL AND applied_at IS NULL"),
        ("ix_review_kept", ["said_at"], "verdict IS NULL"),
    ):
        op.create_index(name, "review", columns, postgresql_where=sa.text(where))
    op.create_table(
        "review_progress",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text()),
    )


def downgrade() -> None:
    op.drop_table("review_progress")
    op.drop_table("review")

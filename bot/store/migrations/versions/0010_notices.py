"""notices, and their deliveries

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OF_NOTICES = sa.text("notice_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("customer_code", sa.Text()),
        sa.Column("audience", postgresql.JSONB()),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_up_to", sa.Text()),
        sa.Column("planned_at", sa.DateTime(timezone=True)),
        sa.Column("paused_because", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("ix_notice_due", "notice", ["not_before", "id"], postgresql_where=sa.text("status = 'waiting'"))
    op.create_index("ix_notice_running", "notice", ["id"], postgresql_where=sa.text("status = 'running'"))
    op.create_index(
        "ix_notice_to_plan", "notice", ["id"], postgresql_where=sa.text("audience IS NOT NULL AND planned_at IS NULL")
    )
    op.create_index("ix_notice_subject", "notice", ["subject"])
    op.create_index("ix_notice_kept", "notice", ["created_at"], postgresql_where=sa.text("facts <> '{}'::jsonb"))
    op.add_column("delivery", sa.Column("notice_id", sa.BigInteger(), sa.ForeignKey("notice.id")))
    op.add_column("delivery", sa.Column("link_id", sa.BigInteger()))
    op.add_column("delivery", sa.Column("route", sa.Text()))
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["channel", "lane", "not_before", "id"],
        postgresql_where=sa.text("status = 'pending' AND notice_id IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_leased",
        "delivery",
        ["lease_until"],
        postgresql_where=sa.text("status IN ('claimed', 'sending')"),
    )
    op.create_index("ix_delivery_told", "delivery", ["contact_id", "sent_at"], postgresql_where=OF_NOTICES)
    op.create_index("ix_delivery_notice", "delivery", ["notice_id", "status"], postgresql_where=OF_NOTICES)


def downgrade() -> None:
    op.execute("DELETE FROM delivery WHERE notice_id IS NOT NULL")
    for index in ("ix_delivery_notice", "ix_delivery_told", "ix_delivery_leased", "ix_delivery_due"):
        op.drop_index(index, table_name="delivery")
    for column in ("route", "link_id", "notice_id"):
        op.drop_column("delivery", column)
    op.drop_table("notice")

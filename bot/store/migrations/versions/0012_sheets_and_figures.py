"""sheets of link codes; figures of each day, and indexes to count them by

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_sheet",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("link_code", sa.Column("sheet_id", sa.BigInteger(), sa.ForeignKey("link_sheet.id")))
    op.create_index("ix_link_code_sheet", "link_code", ["sheet_id", "id"])

    op.create_table(
        "figure",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("area", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("bucket", sa.Text(), primary_key=True, server_default=""),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.BigInteger()),
    )
    op.create_table(
        "figure_day",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "figure_area",
        sa.Column("code", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
    )
    op.create_table(
        "unanswered_wording",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("area", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("folded", sa.Text(), primary_key=True),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_message_asked", "message", ["created_at"], postgresql_where=sa.text("sender = 'customer'"))
    op.create_index(
        "ix_delivery_notice_sent",
        "delivery",
        ["sent_at"],
        postgresql_where=sa.text("notice_id IS NOT NULL AND sent_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_notice_sent", "delivery")
    op.drop_index("ix_message_asked", "message")
    for table in ("unanswered_wording", "figure_area", "figure_day", "figure"):
        op.drop_table(table)
    op.drop_index("ix_link_code_sheet", "link_code")
    op.drop_column("link_code", "sheet_id")
    op.drop_table("link_sheet")

"""reports of the grid by contacts, and the outages suspected from many of them

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grid_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("contact_id", sa.BigInteger(), sa.ForeignKey("contact.id", ondelete="CASCADE"), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ticket_code", sa.Text(), nullable=False),
        sa.Column("place_code", sa.Text()),
        sa.Column("feeder", sa.Text()),
        sa.Column("only_me", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("outage_id", sa.Text()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("over_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("event_id", "kind"),
    )
    op.create_index("ix_grid_report_contact", "grid_report", ["contact_id", "at"])
    op.create_index("ix_grid_report_place", "grid_report", ["place_code", "at"])
    op.create_index("ix_grid_report_feeder", "grid_report", ["feeder", "at"])
    op.create_table(
        "suspected_outage",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("place_code", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ticket_code", sa.Text()),
    )
    op.create_index("ix_suspected_outage_area", "suspected_outage", ["area", "since"])


def downgrade() -> None:
    op.drop_table("suspected_outage")
    op.drop_table("grid_report")

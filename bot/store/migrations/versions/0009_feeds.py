"""how far each of the utility's change feeds has been read

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_cursor",
        sa.Column("feed", sa.Text(), primary_key=True),
        sa.Column("cursor", sa.Text()),
        sa.Column("polled_at", sa.DateTime(timezone=True)),
        sa.Column("failed_since", sa.DateTime(timezone=True)),
    )


def downgrade() -> None:
    op.drop_table("feed_cursor")

"""which notices a contact wants, when, how often, and from which use on

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice_preference",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("contact_id", sa.BigInteger(), sa.ForeignKey("contact.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("link_id", sa.BigInteger(), sa.ForeignKey("link.id", ondelete="CASCADE")),
        sa.Column("place_code", sa.Text()),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inbound_event_id", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "uq_notice_preference",
        "notice_preference",
        ["contact_id", "kind", "link_id", "place_code"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "ix_notice_preference_place",
        "notice_preference",
        ["kind", "place_code", "contact_id"],
        postgresql_where=sa.text("wanted AND place_code IS NOT NULL"),
    )
    op.create_index("ix_notice_preference_link_id", "notice_preference", ["link_id"])
    op.create_table(
        "notice_limits",
        sa.Column("contact_id", sa.BigInteger(), sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("quiet_from", sa.Time()),
        sa.Column("quiet_until", sa.Time()),
        sa.Column("most_per_day", sa.BigInteger()),
    )
    op.create_table(
        "usage_alert",
        sa.Column("link_id", sa.BigInteger(), sa.ForeignKey("link.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kwh", sa.BigInteger()),
        sa.Column("dong", sa.BigInteger()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inbound_event_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(kwh IS NULL) <> (dong IS NULL)", name=op.f("ck_usage_alert_kwh_or_dong")),
    )
    op.create_index("ix_consent_latest", "consent", ["contact_id", "purpose", "id"])
    op.drop_index("ix_consent_contact_id", table_name="consent")


def downgrade() -> None:
    op.create_index("ix_consent_contact_id", "consent", ["contact_id"])
    op.drop_index("ix_consent_latest", table_name="consent")
    op.drop_table("usage_alert")
    op.drop_table("notice_limits")
    op.drop_table("notice_preference")

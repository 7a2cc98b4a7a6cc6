"""notices that staff write, approved by a second person; lists of customer codes; the ledger by status and id

The index on delivery is built anew: about a minute for ten million rows.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Immutable in fact: the text of jsonb does not depend on settings, and instants count as seconds.
HASH = """
CREATE FUNCTION campaign_hash(
    kind text, given jsonb, facts jsonb, audience jsonb, not_before timestamptz, valid_until timestamptz
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        kind, given, facts, audience, extract(epoch FROM not_before), extract(epoch FROM valid_until)
    )::text, 'UTF8')), 'hex')
$$;
"""
GUARD = """
CREATE FUNCTION campaign_must_be_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM campaign
        WHERE 'campaign:' || id = NEW.key AND approved_hash = content_hash
          AND kind = NEW.kind AND audience = NEW.audience
          AND (facts = NEW.facts OR TG_OP = 'UPDATE' AND NEW.facts = '{}'::jsonb)
    ) THEN
        RAISE EXCEPTION '% is not approved as it is', NEW.key USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER campaign_must_be_approved BEFORE INSERT OR UPDATE OF key, kind, facts, audience ON notice
    FOR EACH ROW WHEN (NEW.key LIKE 'campaign:%') EXECUTE FUNCTION campaign_must_be_approved();
"""
OF_NOTICES = sa.text("notice_id IS NOT NULL")


def upgrade() -> None:
    op.execute(HASH)
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("given", postgresql.JSONB(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("audience", postgresql.JSONB(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True)),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "content_hash",
            sa.Text(),
            sa.Computed("campaign_hash(kind, given, facts, audience, not_before, valid_until)", True),
            nullable=False,
        ),
        sa.Column("status", sa.Text(), nullable=False, server_default="draft"),
        sa.Column("created_by", sa.BigInteger(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_by", sa.BigInteger(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.BigInteger(), sa.ForeignKey("staff.id")),
        sa.Column("approved_at", sa.DateTime(timezone=True)),
        sa.Column("approved_hash", sa.Text()),
        sa.Column("released_by", sa.BigInteger(), sa.ForeignKey("staff.id")),
        sa.Column("released_at", sa.DateTime(timezone=True)),
        sa.Column("notice_id", sa.BigInteger(), sa.ForeignKey("notice.id"), unique=True),
        sa.CheckConstraint("approved_by <> created_by AND approved_by <> edited_by", name="ck_campaign_four_eyes"),
        sa.CheckConstraint("approved_hash = content_hash", name="ck_campaign_approved_as_it_is"),
        sa.CheckConstraint(
            "num_nulls(approved_by, approved_at, approved_hash) IN (0, 3)", name="ck_campaign_approved_by_somebody"
        ),
        sa.CheckConstraint(
            "(status IN ('approved', 'released')) = (approved_hash IS NOT NULL)", name="ck_campaign_approved"
        ),
        sa.CheckConstraint("(status = 'released') = (notice_id IS NOT NULL)", name="ck_campaign_released"),
        sa.CheckConstraint(
            "num_nulls(notice_id, released_by, released_at) IN (0, 3)", name="ck_campaign_released_by_somebody"
        ),
    )
    op.create_index("ix_campaign_status", "campaign", ["status", "id"])
    op.create_table(
        "listed_code",
        sa.Column("list", sa.Text(), primary_key=True),
        sa.Column("customer_code", sa.Text(), primary_key=True),
    )
    op.execute(GUARD)
    op.create_index("ix_notice_to_many", "notice", ["id"], postgresql_where=sa.text("audience IS NOT NULL"))
    op.drop_index("ix_delivery_notice", table_name="delivery")
    op.create_index("ix_delivery_notice", "delivery", ["notice_id", "status", "id"], postgresql_where=OF_NOTICES)


def downgrade() -> None:
    op.drop_index("ix_delivery_notice", table_name="delivery")
    op.create_index("ix_delivery_notice", "delivery", ["notice_id", "status"], postgresql_where=OF_NOTICES)
    op.drop_index("ix_notice_to_many", table_name="notice")
    op.execute("DROP TRIGGER campaign_must_be_approved ON notice")
    op.execute("DROP FUNCTION campaign_must_be_approved")
    op.drop_table("listed_code")
    op.drop_table("campaign")
    op.execute("DROP FUNCTION campaign_hash")

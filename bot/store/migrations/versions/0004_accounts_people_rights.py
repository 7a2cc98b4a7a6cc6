"""codes that staff hand out, people in the queue, rights over one's data, passwords counted by phone

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("customer_code", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by_contact_id", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["used_by_contact_id"], ["contact.id"], name=op.f("fk_link_code_used_by_contact_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_link_code_code_hash")),
    )
    op.create_index("ix_link_code_customer_code", "link_code", ["customer_code"], unique=False)
    op.create_index(op.f("ix_link_code_expires_at"), "link_code", ["expires_at"], unique=False)
    op.create_index(op.f("ix_link_code_used_by_contact_id"), "link_code", ["used_by_contact_id"], unique=False)
    op.create_table(
        "link_code_guess",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_link_code_guess_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_code_guess")),
        sa.UniqueConstraint("event_id", name=op.f("uq_link_code_guess_event_id")),
    )
    op.create_index("ix_link_code_guess_contact", "link_code_guess", ["contact_id", "at"], unique=False)
    op.create_table(
        "rights_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_rights_request_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_request")),
        sa.UniqueConstraint("event_id", "kind", name=op.f("uq_rights_request_event_id_kind")),
    )
    op.create_index("ix_rights_request_contact", "rights_request", ["contact_id", "id"], unique=False)
    op.create_index(
        "ix_rights_request_open",
        "rights_request",
        ["done_due"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_handover_conversation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(
        "uq_handover_open", "handover", ["conversation_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.add_column("otp_challenge", sa.Column("phone_ref", sa.Text(), nullable=True))
    op.create_index("ix_otp_challenge_phone", "otp_challenge", ["phone_ref", "sent_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_otp_challenge_phone", table_name="otp_challenge")
    op.drop_column("otp_challenge", "phone_ref")
    op.drop_index("uq_handover_open", table_name="handover", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("handover")
    op.drop_index("ix_rights_request_open", table_name="rights_request", postgresql_where=sa.text("done_at IS NULL"))
    op.drop_index("ix_rights_request_contact", table_name="rights_request")
    op.drop_table("rights_request")
    op.drop_index("ix_link_code_guess_contact", table_name="link_code_guess")
    op.drop_table("link_code_guess")
    op.drop_index(op.f("ix_link_code_used_by_contact_id"), table_name="link_code")
    op.drop_index(op.f("ix_link_code_expires_at"), table_name="link_code")
    op.drop_index("ix_link_code_customer_code", table_name="link_code")
    op.drop_table("link_code")

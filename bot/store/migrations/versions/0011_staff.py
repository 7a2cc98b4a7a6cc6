"""staff, their sessions and what they opened; a search over all messages

The message table is rewritten once for its search column: two to three minutes for five million rows.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Marks fall off letters in NFD; what is left of Vietnamese is ASCII but for the barred d.
FUNCTIONS = """
CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lower(regexp_replace(normalize(translate($1, U&'\\0111\\0110', 'dd'), NFD), '[\u0300-\u036f]', '', 'g'))
$$;
CREATE FUNCTION message_search(
    text text, sender text, intent text, confidence double precision, handled_by text, entities jsonb
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.simple', folded(text))
        || coalesce(jsonb_to_tsvector('pg_catalog.simple', folded(entities::text)::jsonb, '["string"]'), '')
        || array_to_tsvector(array_remove(ARRAY[
            'sender=' || sender,
            'intent=' || intent,
            'sure=' || floor(confidence * 10)::integer,
            'by=' || nullif(split_part(handled_by, ' ', 1), '')
        ], NULL))
$$;
"""


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("login", sa.Text(), nullable=False, unique=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("totp_secret", sa.LargeBinary()),
        sa.Column("totp_pending", sa.LargeBinary()),
        sa.Column("totp_used", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("failures", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("locked_until", sa.DateTime(timezone=True)),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("signed_in_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "staff_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("token_hash", sa.Text(), nullable=False, unique=True),
        sa.Column("staff_id", sa.BigInteger(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("proved", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_staff_session_live", "staff_session", ["staff_id", "expires_at"])
    op.create_table(
        "opening",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("staff_id", sa.BigInteger(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), sa.ForeignKey("contact.id", ondelete="CASCADE"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_opening_held", "opening", ["staff_id", "until"])
    op.create_table(
        "note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column(
            "conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("staff_id", sa.BigInteger(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_note_thread", "note", ["conversation_id", "id"])

    op.add_column("conversation", sa.Column("staff_id", sa.BigInteger(), sa.ForeignKey("staff.id")))
    op.create_index("ix_conversation_latest", "conversation", [sa.text("last_message_at DESC"), sa.text("id DESC")])
    op.create_index(
        "ix_conversation_with_people",
        "conversation",
        ["waiting_since", "id"],
        postgresql_where=sa.text("owner <> 'bot'"),
    )
    op.add_column("handover", sa.Column("taken_at", sa.DateTime(timezone=True)))

    op.execute(FUNCTIONS)
    op.add_column("message", sa.Column("staff_id", sa.BigInteger(), sa.ForeignKey("staff.id")))
    op.add_column(
        "message",
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "message_search(text, sender, intent, confidence, handled_by, understanding -> 'entities')", True
            ),
        ),
    )
    op.create_index("ix_message_search", "message", ["search"], postgresql_using="gin")
    # Thousands of words are known with how often they are said: one that is not must be taken for rare.
    op.execute("ALTER TABLE message ALTER COLUMN search SET STATISTICS 1000")


def downgrade() -> None:
    op.drop_index("ix_message_search", "message")
    op.drop_column("message", "search")
    op.drop_column("message", "staff_id")
    op.execute("DROP FUNCTION message_search")
    op.execute("DROP FUNCTION folded")
    op.drop_column("handover", "taken_at")
    op.drop_index("ix_conversation_with_people", "conversation")
    op.drop_index("ix_conversation_latest", "conversation")
    op.drop_column("conversation", "staff_id")
    for table in ("note", "opening", "staff_session", "staff"):
        op.drop_table(table)

"""indexes of what is still to be forgotten: words, attachments, what was sent

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE message SET content = content - 'attachments' WHERE jsonb_typeof(content -> 'attachments') = 'number'"
    )
    op.create_index(
        "ix_message_kept",
        "message",
        ["created_at"],
        postgresql_where=sa.text("text <> '' OR content <> '{}'::jsonb"),
    )
    op.create_index(
        "ix_message_attachments",
        "message",
        ["created_at"],
        postgresql_where=sa.text("content ?| ARRAY['attachments', 'position', 'info']"),
    )
    op.create_index(
        "ix_delivery_kept", "delivery", ["created_at"], postgresql_where=sa.text("content <> '{}'::jsonb")
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_kept", table_name="delivery")
    op.drop_index("ix_message_attachments", table_name="message")
    op.drop_index("ix_message_kept", table_name="message")

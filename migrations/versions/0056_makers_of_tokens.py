"""Whose hands a token went through, and that of a question for a second person."""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

TABLES = ("tokens", "approvals")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN makers text[] NOT NULL DEFAULT '{{}}'")
    op.execute("GRANT SELECT (makers) ON tokens TO plane_dispatch")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN makers")

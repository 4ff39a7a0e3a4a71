"""How large the mirror of each repository was when it was last looked at: what a quota of repository size is held against."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE repositories ADD COLUMN mirror_bytes bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE repositories DROP COLUMN mirror_bytes")

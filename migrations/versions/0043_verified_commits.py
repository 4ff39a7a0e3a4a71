"""Whether one of a project's keys signed the commit that a release is made of, and which."""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE releases ADD COLUMN verification text NOT NULL DEFAULT '', ADD COLUMN signed_by text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE releases DROP COLUMN verification, DROP COLUMN signed_by")

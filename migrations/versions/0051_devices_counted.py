"""Where log-ins of devices were begun, so that no address begins too many."""

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE logins ADD COLUMN address text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE logins DROP COLUMN address")

"""What a cluster's agent can be asked for, beside the large description it came with, so that lists may show it."""

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE clusters ADD COLUMN knows text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE clusters DROP COLUMN knows")

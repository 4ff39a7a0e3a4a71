"""When what a release is made of was committed, for whoever asks how long a change took."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE releases ADD COLUMN committed_at text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE releases DROP COLUMN committed_at")

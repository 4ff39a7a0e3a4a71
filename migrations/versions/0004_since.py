"""Since when an app's decision has had its reason."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE app_states ADD COLUMN since timestamptz")  # of rows from before: the last decision's time, see store.states


def downgrade() -> None:
    op.execute("ALTER TABLE app_states DROP COLUMN since")

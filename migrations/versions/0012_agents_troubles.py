"""What agents say of themselves when they take no tasks, and who wants new keys of them."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE agents ADD COLUMN trouble text NOT NULL DEFAULT '', ADD COLUMN rotation_asked_at timestamptz")
    op.execute("GRANT SELECT (trouble, rotation_asked_at), UPDATE (trouble) ON agents TO plane_dispatch")


def downgrade() -> None:
    op.execute("ALTER TABLE agents DROP COLUMN trouble, DROP COLUMN rotation_asked_at")

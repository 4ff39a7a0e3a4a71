"""Sessions of browsers: tokens that end when they are not used, and that tell where they were made."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        "ALTER TABLE tokens ADD COLUMN idle_s bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN made_at text NOT NULL DEFAULT '', ADD COLUMN made_with text NOT NULL DEFAULT ''"
    )
    op.execute("GRANT SELECT (idle_s) ON tokens TO plane_dispatch")


def downgrade() -> None:
    op.execute("ALTER TABLE tokens DROP COLUMN idle_s, DROP COLUMN made_at, DROP COLUMN made_with")

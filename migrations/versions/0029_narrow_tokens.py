"""Tokens may hold less than their owner, be good from some networks only, and say when they were last used."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        "ALTER TABLE tokens ADD COLUMN scopes text[] NOT NULL DEFAULT '{}', ADD COLUMN networks text[] NOT NULL DEFAULT '{}', "
        "ADD COLUMN used_at timestamptz"
    )
    op.execute("GRANT SELECT (scopes, networks, used_at) ON tokens TO plane_dispatch")


def downgrade() -> None:
    op.execute("ALTER TABLE tokens DROP COLUMN scopes, DROP COLUMN networks, DROP COLUMN used_at")

"""How much of the workers a tenant gets beside others."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE tenants ADD COLUMN weight bigint NOT NULL DEFAULT 1")
    op.execute("GRANT SELECT (weight) ON tenants TO plane_dispatch")


def downgrade() -> None:
    op.execute("ALTER TABLE tenants DROP COLUMN weight")

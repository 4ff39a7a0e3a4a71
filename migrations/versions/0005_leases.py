"""Leases have ids, so that what is written under one can be tied to it."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("apps", "repositories")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN lease uuid")
        op.execute(f"GRANT SELECT (lease), UPDATE (lease) ON {table} TO plane_dispatch")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN lease")

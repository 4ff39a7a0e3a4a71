"""Requests may know what their token came of."""

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT SELECT (provider) ON tokens TO plane_dispatch")


def downgrade() -> None:
    op.execute("REVOKE SELECT (provider) ON tokens FROM plane_dispatch")

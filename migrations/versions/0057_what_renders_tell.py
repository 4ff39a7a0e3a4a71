"""What only a render tells rules, beside its release, so that a preview can tell it too. Releases made before have none."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("releases", sa.Column("rendered", pg.JSONB, nullable=True))


def downgrade() -> None:
    op.drop_column("releases", "rendered")

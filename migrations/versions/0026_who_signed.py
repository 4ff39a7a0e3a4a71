"""Who committed what a release is made of, and which kind of signature the commit carries."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE releases ADD COLUMN committer text NOT NULL DEFAULT '', ADD COLUMN signature text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE releases DROP COLUMN committer, DROP COLUMN signature")

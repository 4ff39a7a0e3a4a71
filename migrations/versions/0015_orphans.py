"""How many objects in a project's namespaces belonged to no app when somebody last asked."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE projects ADD COLUMN orphans jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE projects DROP COLUMN orphans")

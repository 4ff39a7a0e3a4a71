"""Labels on every document, for selectors."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DOCUMENTS = ("tenants", "projects", "clusters", "credentials", "repositories", "apps", "policy_sets")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in DOCUMENTS:  # a constant default rewrites nothing
        op.execute(f"ALTER TABLE {table} ADD COLUMN labels jsonb NOT NULL DEFAULT '{{}}'")


def downgrade() -> None:
    for table in DOCUMENTS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN labels")

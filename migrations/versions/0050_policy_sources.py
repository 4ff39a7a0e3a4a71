"""Policy sets that lie in Git."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("policy_sets", sa.Column("project_id", pg.UUID(as_uuid=False)))
    for name in ("source_url", "seen"):
        op.add_column("policy_sets", sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("policy_sets", sa.Column("problem", pg.JSONB))
    op.create_foreign_key(
        "fk_policy_sets_tenant_id_project_id_projects",
        "policy_sets",
        "projects",
        ["tenant_id", "project_id"],
        ["tenant_id", "id"],
        ondelete="RESTRICT",
    )

"""Health checks of a project: they judge the objects of its apps alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("health_checks", sa.Column("project_id", pg.UUID(as_uuid=False), nullable=True))
    op.drop_constraint("uq_health_checks_tenant_id_name", "health_checks", type_="unique")
    op.create_unique_constraint(
        "uq_health_checks_tenant_id_project_id_name",
        "health_checks",
        ["tenant_id", "project_id", "name"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_foreign_key(
        "fk_health_checks_tenant_id_project_id_projects",
        "health_checks",
        "projects",
        ["tenant_id", "project_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    op.execute("GRANT SELECT (project_id) ON health_checks TO plane_dispatch")


def downgrade() -> None:
    op.execute("DELETE FROM health_checks WHERE project_id IS NOT NULL")
    op.drop_constraint("fk_health_checks_tenant_id_project_id_projects", "health_checks", type_="foreignkey")
    op.drop_constraint("uq_health_checks_tenant_id_project_id_name", "health_checks", type_="unique")
    op.drop_column("health_checks", "project_id")
    op.create_unique_constraint("uq_health_checks_tenant_id_name", "health_checks", ["tenant_id", "name"])

"""How the health of apps and objects changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
TEXTS = ("group", "kind", "namespace", "name", "before", "after", "message")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "health_changes",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("app_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("at", pg.TIMESTAMP(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''")) for name in TEXTS),
        sa.PrimaryKeyConstraint("tenant_id", "app_id", "number", name="pk_health_changes"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "app_id"], ["apps.tenant_id", "apps.id"], name="fk_health_changes_tenant_id_app_id_apps", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_health_changes_tenant_id_at", "health_changes", ["tenant_id", "at"])
    op.execute("ALTER TABLE health_changes ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE health_changes FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON health_changes TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON health_changes TO plane_app")


def downgrade() -> None:
    op.drop_table("health_changes")

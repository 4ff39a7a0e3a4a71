"""Rules that apps break, from when to when."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    texts = ("key", "policy", "rule", "object", "mode", "severity", "message", "by", "waiver")
    op.create_table(
        "findings",
        *(sa.Column(name, pg.UUID(as_uuid=False), nullable=False) for name in ("tenant_id", "id", "project_id", "app_id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("count", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("first_seen", pg.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_seen", pg.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", pg.TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_findings"),
        sa.UniqueConstraint("tenant_id", "app_id", "key", name="uq_findings_tenant_id_app_id_key"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "app_id"], ["apps.tenant_id", "apps.id"], name="fk_findings_tenant_id_app_id_apps", ondelete="CASCADE"
        ),
    )
    op.execute("ALTER TABLE findings ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE findings FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON findings TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON findings TO plane_app")


def downgrade() -> None:
    op.drop_table("findings")

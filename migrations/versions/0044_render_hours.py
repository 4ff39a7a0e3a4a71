"""What tenants' renders took, by the hour."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "render_hours",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("hour", pg.TIMESTAMP(timezone=True), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0")) for name in ("cpu_ms", "peak_bytes", "renders")),
        sa.PrimaryKeyConstraint("tenant_id", "hour", name="pk_render_hours"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_render_hours_tenant_id_tenants", ondelete="CASCADE"),
    )
    op.execute("ALTER TABLE render_hours ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE render_hours FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON render_hours TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON render_hours TO plane_app")


def downgrade() -> None:
    op.drop_table("render_hours")

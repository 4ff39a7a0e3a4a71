"""Rules about resources that hold for every tenant: written by the platform, read by all."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "resource_rules",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("labels", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_resource_rules"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_resource_rules_tenant_id_name"),
    )
    op.execute("ALTER TABLE resource_rules ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE resource_rules FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON resource_rules TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute(f"CREATE POLICY everybodys ON resource_rules FOR SELECT TO plane_app USING (tenant_id = {NIL})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON resource_rules TO plane_app")


def downgrade() -> None:
    op.drop_table("resource_rules")

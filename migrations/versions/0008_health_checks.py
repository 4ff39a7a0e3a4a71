"""Health checks: documents of a tenant or of the platform, which every tenant's agents are told of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "health_checks",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("labels", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("cluster", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_health_checks"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_health_checks_tenant_id_name"),
    )
    op.execute("ALTER TABLE health_checks ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE health_checks FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON health_checks TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute(f"CREATE POLICY platform ON health_checks TO plane_app USING ({CURRENT} = {NIL}) WITH CHECK ({CURRENT} = {NIL})")
    op.execute("CREATE POLICY dispatch ON health_checks TO plane_dispatch USING (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON health_checks TO plane_app")
    op.execute("GRANT SELECT (tenant_id, id, cluster, digest) ON health_checks TO plane_dispatch")


def downgrade() -> None:
    op.drop_table("health_checks")

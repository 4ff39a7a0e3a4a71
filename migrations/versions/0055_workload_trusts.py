"""Trust rules for machines as documents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
TABLE = "workload_trusts"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        TABLE,
        *(sa.Column(name, pg.UUID(as_uuid=False), nullable=False) for name in ("tenant_id", "id")),
        sa.Column("name", sa.Text, nullable=False),
        *(sa.Column(name, pg.JSONB, nullable=False, server_default=sa.text("'{}'")) for name in ("spec", "labels")),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        *(
            sa.Column(name, pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now())
            for name in ("created_at", "updated_at")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_workload_trusts"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_workload_trusts_tenant_id_name"),
    )
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON {TABLE} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    # as identity providers: a tenant goes with all it holds
    op.execute(f"CREATE POLICY platform ON {TABLE} TO plane_app USING ({CURRENT} = {NIL}) WITH CHECK ({CURRENT} = {NIL})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO plane_app")


def downgrade() -> None:
    op.drop_table(TABLE)

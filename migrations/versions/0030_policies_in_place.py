"""Policies in force by place, and exceptions from them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
NIL = "'00000000-0000-0000-0000-000000000000'::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "policy_bindings",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("project_id", pg.UUID(as_uuid=False), nullable=True),
        *_document(),
        sa.Column("policy_set", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_policy_bindings"),
        sa.UniqueConstraint(
            "tenant_id", "project_id", "name", name="uq_policy_bindings_tenant_id_project_id_name", postgresql_nulls_not_distinct=True
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name="fk_policy_bindings_tenant_id_project_id_projects",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "waivers",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("project_id", pg.UUID(as_uuid=False), nullable=False),
        *_document(),
        sa.Column("requester_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("approved_at", pg.TIMESTAMP(timezone=True)),
        sa.Column("revoked_by", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("revoked_at", pg.TIMESTAMP(timezone=True)),
        sa.Column("uses", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("used_at", pg.TIMESTAMP(timezone=True)),
        sa.Column("reminded_at", pg.TIMESTAMP(timezone=True)),
        sa.Column("ends_at", pg.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_waivers"),
        sa.UniqueConstraint("tenant_id", "project_id", "name", name="uq_waivers_tenant_id_project_id_name"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name="fk_waivers_tenant_id_project_id_projects",
            ondelete="CASCADE",
        ),
    )
    for table in ("policy_bindings", "waivers"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")
    op.execute(f"CREATE POLICY everybodys ON policy_bindings FOR SELECT TO plane_app USING (tenant_id = {NIL})")
    op.execute("CREATE POLICY dispatch ON policy_bindings FOR SELECT TO plane_dispatch USING (true)")
    op.execute("GRANT SELECT (tenant_id, policy_set) ON policy_bindings TO plane_dispatch")


def _document() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("labels", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    )


def downgrade() -> None:
    op.drop_table("waivers")
    op.drop_table("policy_bindings")

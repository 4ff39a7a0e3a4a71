"""Users and role bindings are documents; a role given by a document stands apart from one given by hand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
TABLES = {"bindings": "tenant_id, id, role, project_id", "binding_subjects": "tenant_id, binding_id, principal_id"}  # what dispatch reads


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        "ALTER TABLE principals ADD COLUMN description text NOT NULL DEFAULT '', ADD COLUMN labels jsonb NOT NULL DEFAULT '{}', "
        "ADD COLUMN version bigint NOT NULL DEFAULT 1, ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now()",
    )
    op.create_index("ix_role_bindings_principal_id", "role_bindings", ["principal_id"])
    op.create_index("ix_tokens_tenant_id_principal_id", "tokens", ["tenant_id", "principal_id"])
    _bindings()
    _subjects()
    for table, columns in TABLES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
        # as role_bindings: a tenant and the platform's people go with all they hold
        op.execute(f"CREATE POLICY platform ON {table} TO plane_app USING ({CURRENT} = {NIL}) WITH CHECK ({CURRENT} = {NIL})")
        op.execute(f"CREATE POLICY dispatch ON {table} TO plane_dispatch USING (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO plane_dispatch")


def _bindings() -> None:
    op.create_table(
        "bindings",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("labels", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("project_id", pg.UUID(as_uuid=False), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_bindings"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_bindings_tenant_id_name"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name="fk_bindings_tenant_id_project_id_projects",
            ondelete="CASCADE",
        ),
    )


def _subjects() -> None:
    op.create_table(
        "binding_subjects",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("binding_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("principal_id", pg.UUID(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "binding_id", "principal_id", name="pk_binding_subjects"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "binding_id"],
            ["bindings.tenant_id", "bindings.id"],
            name="fk_binding_subjects_tenant_id_binding_id_bindings",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name="fk_binding_subjects_principal_id_principals", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_binding_subjects_principal_id", "binding_subjects", ["principal_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("ix_tokens_tenant_id_principal_id", table_name="tokens")
    op.drop_index("ix_role_bindings_principal_id", table_name="role_bindings")
    op.execute("ALTER TABLE principals DROP COLUMN description, DROP COLUMN labels, DROP COLUMN version, DROP COLUMN updated_at")

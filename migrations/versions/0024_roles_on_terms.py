"""Roles of a tenant's own; bindings to groups and apps, on terms; break-glass roles; what waits for a second person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
TABLES = {  # what dispatch reads
    "binding_groups": "tenant_id, binding_id, name, platform",
    "roles": "tenant_id, name, permissions",
    "glass": "tenant_id, binding_id, principal_id, until, ended_at",
    "approvals": "tenant_id, id",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE principals ADD COLUMN groups text[] NOT NULL DEFAULT '{}'")
    op.execute(
        "ALTER TABLE bindings ADD COLUMN app_id uuid, ADD COLUMN cluster_labels jsonb NOT NULL DEFAULT '{}', ADD COLUMN until timestamptz, "
        "ADD COLUMN networks text[] NOT NULL DEFAULT '{}', ADD COLUMN fresh_s bigint NOT NULL DEFAULT 0, "
        "ADD COLUMN break_glass boolean NOT NULL DEFAULT false",
    )
    op.execute(
        "ALTER TABLE bindings ADD CONSTRAINT fk_bindings_tenant_id_app_id_apps "
        "FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id) ON DELETE CASCADE NOT VALID",  # the column is new: nothing to check
    )
    op.execute("GRANT SELECT (groups) ON principals TO plane_dispatch")
    op.execute("GRANT SELECT (created_at) ON tokens TO plane_dispatch")
    op.execute("GRANT SELECT (name, app_id, cluster_labels, until, networks, fresh_s, break_glass) ON bindings TO plane_dispatch")
    _groups()
    _roles()
    _glass()
    _approvals()
    for table, columns in TABLES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
        # as bindings: a tenant and the platform's people go with all they hold
        op.execute(f"CREATE POLICY platform ON {table} TO plane_app USING ({CURRENT} = {NIL}) WITH CHECK ({CURRENT} = {NIL})")
        op.execute(f"CREATE POLICY dispatch ON {table} TO plane_dispatch USING (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO plane_dispatch")


def _ident(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, pg.UUID(as_uuid=False), nullable=null)


def _time(name: str, *, null: bool = True, now: bool = False) -> sa.Column[object]:
    return sa.Column(name, pg.TIMESTAMP(timezone=True), nullable=null, server_default=sa.func.now() if now else None)


def _of_binding(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "binding_id"],
        ["bindings.tenant_id", "bindings.id"],
        name=f"fk_{table}_tenant_id_binding_id_bindings",
        ondelete="CASCADE",
    )


def _of_principal(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name=f"fk_{table}_principal_id_principals", ondelete="CASCADE")


def _groups() -> None:
    op.create_table(
        "binding_groups",
        _ident("tenant_id"),
        _ident("binding_id"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("platform", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("tenant_id", "binding_id", "name", "platform", name="pk_binding_groups"),
        _of_binding("binding_groups"),
    )
    op.create_index("ix_binding_groups_name", "binding_groups", ["name"])


def _roles() -> None:
    op.create_table(
        "roles",
        _ident("tenant_id"),
        _ident("id"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("labels", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        _time("created_at", null=False, now=True),
        _time("updated_at", null=False, now=True),
        sa.Column("permissions", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_roles"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_roles_tenant_id_name"),
    )


def _glass() -> None:
    op.create_table(
        "glass",
        *(_ident(name) for name in ("tenant_id", "id", "binding_id", "principal_id")),
        sa.Column("reason", sa.Text, nullable=False),
        _time("taken_at", null=False, now=True),
        _time("until", null=False),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_glass"),
        _of_binding("glass"),
        _of_principal("glass"),
    )
    op.create_index("ix_glass_principal_id", "glass", ["principal_id"])


def _approvals() -> None:
    op.create_table(
        "approvals",
        *(_ident(name) for name in ("tenant_id", "id", "principal_id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("permission", "place", "order")),
        sa.Column("digest", pg.BYTEA, nullable=False),
        _time("asked_at", null=False, now=True),
        _time("expires_at", null=False),
        _ident("approved_by", null=True),
        _time("approved_at"),
        _time("used_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_approvals"),
        _of_principal("approvals"),
    )
    op.create_index("ix_approvals_tenant_id_principal_id", "approvals", ["tenant_id", "principal_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("REVOKE SELECT (created_at) ON tokens FROM plane_dispatch")
    op.execute(
        "ALTER TABLE bindings DROP COLUMN app_id, DROP COLUMN cluster_labels, DROP COLUMN until, DROP COLUMN networks, "
        "DROP COLUMN fresh_s, DROP COLUMN break_glass",
    )
    op.execute("ALTER TABLE principals DROP COLUMN groups")

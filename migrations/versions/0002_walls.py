"""Roles, grants and row-level security: what the application may see.

plane_app reads and writes one tenant's rows; plane_dispatch finds work across tenants and sees keys, times and states only. Neither owns a table.
A setting that is unset is '' after the first transaction on a connection, hence nullif: unset means nothing, never everything.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
TENANT_TABLES = (
    "projects",
    "cluster_grants",
    "credentials",
    "repositories",
    "apps",
    "app_states",
    "blobs",
    "releases",
    "sealed_values",
    "tasks",
    "history",
    "audit_heads",
    "idempotency",
)
APPEND_ONLY = ("audit_events", "audit_leaves", "audit_checkpoints")
PLATFORM_TABLES = ("tenants", "clusters", "agents", "join_tokens", "principals", "tokens", "role_bindings", "policy_sets")
DISPATCH = {
    "tenants": "id, name",
    "projects": "tenant_id, id, name",
    "clusters": "id, name",
    "cluster_grants": "tenant_id, cluster_id",
    "agents": "id, cluster_id, signing_key, sealing_key_id, generation, last_seen_at, revoked_at",
    "principals": "tenant_id, id, name, kind, disabled_at",
    "tokens": "tenant_id, id, principal_id, hash, expires_at, revoked_at",
    "role_bindings": "tenant_id, principal_id, role, project_id",
    "repositories": "tenant_id, id, project_id, poll_at, leased_until",
    "apps": "tenant_id, id, project_id, cluster_id, repository_id, lane, due_at, leased_until, deleted_at",
    "tasks": "tenant_id, id, app_id, cluster_id, kind, generation, state, leased_by, leased_until, attempts, created_at, started_at",
    "audit_events": "tenant_id, id, xid",
    "audit_heads": "tenant_id, size, last_xid, last_event",
    "audit_checkpoints": "tenant_id, size",
}
DISPATCH_WRITES = {
    "repositories": "leased_until, poll_at",
    "apps": "leased_until, due_at",
    "tasks": "state, leased_by, leased_until, attempts, started_at",
    "agents": "last_seen_at",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for role in ("plane_app", "plane_dispatch"):
        op.execute(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN NOINHERIT; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
        )
    op.execute("GRANT USAGE ON SCHEMA public TO plane_app, plane_dispatch")
    op.execute("GRANT SELECT ON alembic_version TO PUBLIC")  # every process checks at its start that the schema is its own
    for table in (*TENANT_TABLES, *APPEND_ONLY, *PLATFORM_TABLES):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in TENANT_TABLES:
        _own(table)
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")
    for table in APPEND_ONLY:
        _own(table)
        op.execute(f"GRANT SELECT, INSERT ON {table} TO plane_app")
    _platform()
    _append_only()
    for table, columns in DISPATCH.items():
        op.execute(f"CREATE POLICY dispatch ON {table} TO plane_dispatch USING (true)")
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO plane_dispatch")
    for table, columns in DISPATCH_WRITES.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO plane_dispatch")


def _own(table: str) -> None:
    op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")


def _platform() -> None:
    """Platform rows: written in the platform's scope; a tenant sees itself, clusters granted to it, its people, and the policies above it."""
    for table in PLATFORM_TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")
        op.execute(f"CREATE POLICY platform ON {table} TO plane_app USING ({CURRENT} = {NIL}) WITH CHECK ({CURRENT} = {NIL})")
    op.execute(f"CREATE POLICY own ON tenants FOR SELECT TO plane_app USING (id = {CURRENT})")
    granted = f"EXISTS (SELECT 1 FROM cluster_grants g WHERE g.tenant_id = {CURRENT} AND g.cluster_id = "
    op.execute(f"CREATE POLICY granted ON clusters FOR SELECT TO plane_app USING ({granted} clusters.id))")
    op.execute(f"CREATE POLICY granted ON agents FOR SELECT TO plane_app USING ({granted} agents.cluster_id))")
    for table in ("principals", "tokens", "role_bindings", "policy_sets"):
        _own(table)
    op.execute(f"CREATE POLICY above ON policy_sets FOR SELECT TO plane_app USING (tenant_id = {NIL})")
    # the platform shares clusters out, and looks over all tenants' projects and apps by name only through dispatch
    op.execute(f"CREATE POLICY platform ON cluster_grants TO plane_app USING ({CURRENT} = {NIL}) WITH CHECK ({CURRENT} = {NIL})")


def _append_only() -> None:
    """Grants stop the application, the trigger stops the owner's slips; a superuser who goes around both is found by the Merkle proofs."""
    op.execute(
        "CREATE FUNCTION plane_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege'; END $$",
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION plane_append_only()",
        )


def downgrade() -> None:
    for table in (*TENANT_TABLES, *APPEND_ONLY, *PLATFORM_TABLES):
        op.execute(
            f"DO $$ DECLARE p record; BEGIN FOR p IN SELECT policyname FROM pg_policies WHERE tablename = '{table}' "
            f"LOOP EXECUTE format('DROP POLICY %I ON {table}', p.policyname); END LOOP; END $$",
        )
        op.execute(f"REVOKE ALL ON {table} FROM plane_app, plane_dispatch")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute("DROP FUNCTION plane_append_only()")

"""Clusters of a tenant's own: made, joined and revoked inside the tenant; only the platform shares clusters out to others.

A grant of an own cluster names its owner, which the key into clusters vouches for; so the wall of one table need not look into the other.
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

NIL = "'00000000-0000-0000-0000-000000000000'"
CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(f"ALTER TABLE clusters ADD COLUMN tenant_id uuid NOT NULL DEFAULT {NIL}")
    op.execute("ALTER TABLE clusters DROP CONSTRAINT uq_clusters_name")
    op.execute("ALTER TABLE clusters ADD CONSTRAINT uq_clusters_tenant_id_name UNIQUE (tenant_id, name)")
    op.execute("ALTER TABLE clusters ADD CONSTRAINT uq_clusters_id_tenant_id UNIQUE (id, tenant_id)")
    op.execute(f"ALTER TABLE cluster_grants ADD COLUMN owner_id uuid NOT NULL DEFAULT {NIL}")
    op.execute("ALTER TABLE cluster_grants DROP CONSTRAINT fk_cluster_grants_cluster_id_clusters")
    op.execute(
        "ALTER TABLE cluster_grants ADD CONSTRAINT fk_cluster_grants_cluster_id_owner_id_clusters "
        "FOREIGN KEY (cluster_id, owner_id) REFERENCES clusters (id, tenant_id) ON DELETE CASCADE"
    )
    op.execute(f"CREATE POLICY own ON clusters TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    for table in ("agents", "join_tokens"):
        own = f"EXISTS (SELECT 1 FROM clusters c WHERE c.id = {table}.cluster_id AND c.tenant_id = {CURRENT})"
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING ({own}) WITH CHECK ({own})")
    op.execute("DROP POLICY own ON cluster_grants")
    op.execute(f"CREATE POLICY own ON cluster_grants FOR SELECT TO plane_app USING (tenant_id = {CURRENT})")
    mine = f"tenant_id = {CURRENT} AND owner_id = {CURRENT}"
    op.execute(f"CREATE POLICY mine ON cluster_grants TO plane_app USING ({mine}) WITH CHECK ({mine})")
    op.execute("GRANT SELECT (tenant_id) ON clusters TO plane_dispatch")


def downgrade() -> None:
    op.execute(f"DELETE FROM clusters WHERE tenant_id <> {NIL}")
    op.execute("DROP POLICY mine ON cluster_grants")
    op.execute("DROP POLICY own ON cluster_grants")
    op.execute(f"CREATE POLICY own ON cluster_grants TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    for table in ("agents", "join_tokens", "clusters"):
        op.execute(f"DROP POLICY own ON {table}")
    op.execute("ALTER TABLE cluster_grants DROP COLUMN owner_id")
    op.execute(
        "ALTER TABLE cluster_grants ADD CONSTRAINT fk_cluster_grants_cluster_id_clusters "
        "FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE"
    )
    op.execute("ALTER TABLE clusters DROP COLUMN tenant_id")
    op.execute("ALTER TABLE clusters ADD CONSTRAINT uq_clusters_name UNIQUE (name)")

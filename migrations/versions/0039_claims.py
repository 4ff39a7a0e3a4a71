"""What apps take for themselves by keeping it, and two narrow looks over the tenants' walls."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
ASKED = "json_to_recordset(asked) AS a(app uuid, name text, low text, high text)"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "claims",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("app_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("wanted", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("since", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "app_id", "name", name="pk_claims"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "app_id"], ["apps.tenant_id", "apps.id"], name="fk_claims_tenant_id_app_id_apps", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_claims_name", "claims", ["name"])
    op.execute("ALTER TABLE claims ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE claims FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON claims TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON claims TO plane_app")
    op.execute("CREATE POLICY neighbours ON claims FOR SELECT TO CURRENT_USER USING (true)")
    _neighbours()
    _contenders()


def _neighbours() -> None:
    """Who held before us what we name: our own apps with what they hold, of everybody else only that there is somebody."""
    op.execute(
        "CREATE FUNCTION plane_neighbours(asked json) RETURNS TABLE(app uuid, name text, claim text, other uuid) "
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$ "
        f"SELECT DISTINCT a.app, a.name, CASE WHEN c.tenant_id = {CURRENT} THEN c.name END, "
        f"CASE WHEN c.tenant_id = {CURRENT} THEN c.app_id END "
        f"FROM {ASKED} JOIN claims c ON c.name >= a.low AND c.name <= a.high "
        f"LEFT JOIN claims own ON own.tenant_id = {CURRENT} AND own.app_id = a.app AND own.name = a.name AND own.held "
        f"WHERE {CURRENT} IS NOT NULL AND c.held AND NOT (c.tenant_id = {CURRENT} AND c.app_id = a.app) "
        "AND (own.since IS NULL OR left(c.name, 1) IN ('n', 'g') "
        "OR (c.since, c.tenant_id, c.app_id) < (own.since, own.tenant_id, own.app_id)) $$"
    )
    op.execute("REVOKE ALL ON FUNCTION plane_neighbours(json) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION plane_neighbours(json) TO plane_app")


def _contenders() -> None:
    """Which apps want what somebody took or let go."""
    op.execute(
        "CREATE FUNCTION plane_contenders(asked json) RETURNS TABLE(tenant uuid, app uuid) "
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$ "
        f"SELECT DISTINCT c.tenant_id, c.app_id FROM {ASKED} JOIN claims c ON c.name >= a.low AND c.name <= a.high "
        "WHERE c.wanted AND left(c.name, 1) IN ('o', 'h') AND c.app_id <> a.app $$"
    )
    op.execute("REVOKE ALL ON FUNCTION plane_contenders(json) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION plane_contenders(json) TO plane_dispatch")


def downgrade() -> None:
    op.execute("DROP FUNCTION plane_contenders(json)")
    op.execute("DROP FUNCTION plane_neighbours(json)")
    op.drop_table("claims")

"""What is personal in events lies apart and can be erased; events leave when their time is over, and never under a hold. Leaves stay."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
LEAVING = ("audit_events", "audit_personal")
SHORTEST_DAYS = 400  # whatever a row says: a year of PCI DSS 10.5.1, and a month to look


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "audit_personal",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("event_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("salt", pg.BYTEA, nullable=False),
        sa.Column("body", pg.BYTEA, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name="pk_audit_personal"),
    )
    op.create_index("ix_audit_personal_tenant_id_actor", "audit_personal", ["tenant_id", "actor"])
    op.create_table(
        "audit_terms",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("keep_days", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("hold", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_audit_terms"),
    )
    for table, rights in (("audit_personal", "SELECT, INSERT, DELETE"), ("audit_terms", "SELECT, INSERT, UPDATE")):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
        op.execute(f"GRANT {rights} ON {table} TO plane_app")
    _expiry()


def _expiry() -> None:
    """The one way for an event to leave: a function of the owner's, which looks at hold and age itself."""
    op.execute(
        "CREATE OR REPLACE FUNCTION plane_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_events' AND current_setting('plane.expiring', true) = 'yes' THEN RETURN NULL; END IF; "
        "RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    for table in (*LEAVING, "audit_leaves", "audit_terms"):
        op.execute(f"CREATE POLICY expiry ON {table} TO CURRENT_USER USING (tenant_id = {CURRENT})")
    op.execute(
        "CREATE FUNCTION plane_expire(before bigint, most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER "
        "SET search_path = pg_catalog, public AS $$ DECLARE gone bigint; ids uuid[]; days bigint; BEGIN "
        f"SELECT keep_days INTO days FROM audit_terms WHERE tenant_id = {CURRENT} AND hold = '' AND keep_days >= {SHORTEST_DAYS} FOR UPDATE; "
        "IF days IS NULL THEN RETURN 0; END IF; "
        "SELECT array_agg(found.event_id) INTO ids FROM (SELECT l.event_id FROM audit_leaves l JOIN audit_events e "
        f"ON e.tenant_id = l.tenant_id AND e.id = l.event_id WHERE l.tenant_id = {CURRENT} AND l.seq < before "
        "AND l.at < now() - make_interval(days => days::integer) ORDER BY l.seq LIMIT most) AS found; "
        f"DELETE FROM audit_personal WHERE tenant_id = {CURRENT} AND event_id = ANY(ids); "
        "PERFORM set_config('plane.expiring', 'yes', true); "  # an option of the function would ask for a superuser
        f"DELETE FROM audit_events WHERE tenant_id = {CURRENT} AND id = ANY(ids); "
        "GET DIAGNOSTICS gone = ROW_COUNT; PERFORM set_config('plane.expiring', '', true); RETURN gone; END $$"
    )
    op.execute("REVOKE ALL ON FUNCTION plane_expire(bigint, integer) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION plane_expire(bigint, integer) TO plane_app")


def downgrade() -> None:
    op.execute("DROP FUNCTION plane_expire(bigint, integer)")
    for table in ("audit_events", "audit_leaves"):
        op.execute(f"DROP POLICY expiry ON {table}")
    op.execute(
        "CREATE OR REPLACE FUNCTION plane_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    op.drop_table("audit_terms")
    op.drop_table("audit_personal")

"""Which places of a log hold the events of an hour, kept by the database itself, so that a search by time looks at no other places."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
NOTE = (
    "INSERT INTO audit_hours AS h (tenant_id, hour, first, last) "
    "SELECT tenant_id, date_trunc('hour', at, 'UTC'), min(seq), max(seq) FROM {rows} GROUP BY 1, 2 "
    "ON CONFLICT (tenant_id, hour) DO UPDATE SET first = least(h.first, excluded.first), last = greatest(h.last, excluded.last)"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "audit_hours",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("hour", pg.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("last", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("tenant_id", "hour", name="pk_audit_hours"),
    )
    op.execute("ALTER TABLE audit_hours ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audit_hours FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON audit_hours TO plane_app USING (tenant_id = {CURRENT})")
    op.execute("CREATE POLICY noting ON audit_hours TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute("GRANT SELECT ON audit_hours TO plane_app")
    op.execute(
        "CREATE FUNCTION plane_note_hours() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public "
        f"AS $$ BEGIN {NOTE.format(rows='fresh')}; RETURN NULL; END $$"
    )
    op.execute("REVOKE ALL ON FUNCTION plane_note_hours() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER hours AFTER INSERT ON audit_leaves REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION plane_note_hours()"
    )
    op.execute(NOTE.format(rows="audit_leaves"))


def downgrade() -> None:
    op.execute("DROP TRIGGER hours ON audit_leaves")
    op.execute("DROP FUNCTION plane_note_hours()")
    op.drop_table("audit_hours")

"""What stands in the audit log for secret fields of documents: a key for each log, and the fingerprints beside the secrets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in ("credentials", "sinks"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN fingerprints jsonb NOT NULL DEFAULT '{{}}'")
    op.create_table(
        "audit_fingerprint_keys",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("wrapped", pg.BYTEA, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_audit_fingerprint_keys"),
    )
    op.execute("ALTER TABLE audit_fingerprint_keys ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audit_fingerprint_keys FORCE ROW LEVEL SECURITY")
    mine = f"USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})"
    op.execute(f"CREATE POLICY own ON audit_fingerprint_keys TO plane_app {mine}")
    op.execute("GRANT SELECT, INSERT, UPDATE ON audit_fingerprint_keys TO plane_app")


def downgrade() -> None:
    op.drop_table("audit_fingerprint_keys")
    for table in ("credentials", "sinks"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN fingerprints")

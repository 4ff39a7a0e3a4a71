"""A plane is a witness of others: the newest state that it holds of their logs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "audit_witnessed",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("root", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("note", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "origin", name="pk_audit_witnessed"),
    )
    op.execute("ALTER TABLE audit_witnessed ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audit_witnessed FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON audit_witnessed TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, UPDATE ON audit_witnessed TO plane_app")


def downgrade() -> None:
    op.drop_table("audit_witnessed")

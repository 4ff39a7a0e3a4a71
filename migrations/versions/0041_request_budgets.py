"""Budgets of requests. Unlogged: they fill up by themselves, so a crash may forget them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "request_budgets",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("key", pg.BYTEA, nullable=False),
        sa.Column("used", sa.Float, nullable=False),
        sa.Column("rate", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("at", pg.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_request_budgets"),
        prefixes=["UNLOGGED"],
    )
    op.execute("ALTER TABLE request_budgets ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE request_budgets FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON request_budgets TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON request_budgets TO plane_app")


def downgrade() -> None:
    op.drop_table("request_budgets")

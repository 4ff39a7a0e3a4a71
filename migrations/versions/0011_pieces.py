"""Pieces of long answers on their way from an agent to whoever listens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "pieces",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("task_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("body", pg.BYTEA, nullable=False),
        sa.Column("made_at", pg.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "task_id", "number", name="pk_pieces"),
        prefixes=["UNLOGGED"],
    )
    op.execute("ALTER TABLE pieces ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE pieces FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON pieces TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, DELETE ON pieces TO plane_app")


def downgrade() -> None:
    op.drop_table("pieces")

"""Agents' own journals: how far each is known, and the keys that older entries are signed with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
KEY = 32  # bytes; those before this migration are not known, and nothing holds under a key of zeros


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "agent_journals",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("agent_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("journal", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("hash", pg.BYTEA, nullable=False),
        sa.Column("broken", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "agent_id", "journal", name="pk_agent_journals"),
    )
    op.execute("ALTER TABLE agent_journals ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE agent_journals FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON agent_journals TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, UPDATE ON agent_journals TO plane_app")
    op.execute("ALTER TABLE agents ADD COLUMN former_keys bytea NOT NULL DEFAULT ''")
    op.execute(f"UPDATE agents SET former_keys = decode(repeat('00', (generation::integer - 1) * {KEY}), 'hex') WHERE generation > 1")


def downgrade() -> None:
    op.execute("ALTER TABLE agents DROP COLUMN former_keys")
    op.drop_table("agent_journals")

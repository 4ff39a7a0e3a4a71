"""Sinks: documents of a tenant or of the platform that say where its audit log is sent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
TABLES = ("sinks", "sink_dead_letters")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    _sinks()
    op.create_table(
        "sink_dead_letters",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("sink_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "sink_id", "seq", name="pk_sink_dead_letters"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sink_id"], ["sinks.tenant_id", "sinks.id"], name="fk_sink_dead_letters_tenant_id_sink_id_sinks", ondelete="CASCADE"
        ),
    )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
        # as health_checks: a tenant goes with all it holds
        op.execute(f"CREATE POLICY platform ON {table} TO plane_app USING ({CURRENT} = {NIL}) WITH CHECK ({CURRENT} = {NIL})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")
    op.execute("CREATE POLICY dispatch ON sinks TO plane_dispatch USING (true)")
    op.execute("GRANT SELECT (tenant_id, id, position, paused, retry_at, leased_until) ON sinks TO plane_dispatch")
    op.execute("GRANT UPDATE (leased_until) ON sinks TO plane_dispatch")


def _sinks() -> None:
    op.create_table(
        "sinks",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("labels", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("wrapped", pg.BYTEA, nullable=True),
        sa.Column("position", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("blocking", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("failures", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("problem", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("sent_at", pg.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("retry_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("leased_until", pg.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_sinks"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_sinks_tenant_id_name"),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)

"""Passwords of local admins, and what was tried with wrong ones."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "passwords",
        _ident("tenant_id"),
        _ident("principal_id"),
        sa.Column("hash", sa.Text, nullable=False),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("tenant_id", "principal_id", name="pk_passwords"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "principal_id"],
            ["principals.tenant_id", "principals.id"],
            name="fk_passwords_tenant_id_principal_id_principals",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "login_attempts",
        _ident("tenant_id"),
        sa.Column("key", pg.BYTEA, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        _time("tried_at"),
        _time("locked_until"),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_login_attempts"),
    )
    for table in ("passwords", "login_attempts"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")


def _ident(name: str) -> sa.Column[str]:
    return sa.Column(name, pg.UUID(as_uuid=False), nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, pg.TIMESTAMP(timezone=True), nullable=False)


def downgrade() -> None:
    for table in ("login_attempts", "passwords"):
        op.drop_table(table)

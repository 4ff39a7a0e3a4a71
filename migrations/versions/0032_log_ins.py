"""Log-ins at identity providers: those under way, whom a provider's subject became, and which tokens came of one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE tokens ADD COLUMN provider text NOT NULL DEFAULT '', ADD COLUMN sid text NOT NULL DEFAULT ''")
    op.create_table(
        "identities",
        _ident("tenant_id"),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        _ident("principal_id"),
        sa.PrimaryKeyConstraint("tenant_id", "provider", "subject", name="pk_identities"),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name="fk_identities_principal_id_principals", ondelete="CASCADE"),
    )
    op.create_index("ix_identities_principal_id", "identities", ["principal_id"])
    op.create_table(
        "logins",
        _ident("tenant_id"),
        _ident("id"),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("provider", "nonce", "verifier", "return_to", "challenge")),
        sa.Column("hash", pg.BYTEA, nullable=False),
        sa.Column("wrapped", pg.BYTEA, nullable=True),
        _ident("principal_tenant", null=True),
        _ident("principal_id", null=True),
        sa.Column("sid", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("expires_at", pg.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_logins"),
        sa.UniqueConstraint("tenant_id", "hash", name="uq_logins_tenant_id_hash"),
    )
    for table in ("identities", "logins"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")


def _ident(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, pg.UUID(as_uuid=False), nullable=null)


def downgrade() -> None:
    for table in ("logins", "identities"):
        op.drop_table(table)
    op.execute("ALTER TABLE tokens DROP COLUMN provider, DROP COLUMN sid")

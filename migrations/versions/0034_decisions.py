"""Decision records, and what they rest on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "decisions",
        *(sa.Column(name, pg.UUID(as_uuid=False), nullable=False) for name in ("tenant_id", "id", "project_id", "app_id")),
        sa.Column("made_at", pg.TIMESTAMP(timezone=True), nullable=False),
        *(_text(name) for name in ("cluster", "release", "commit", "signature", "word")),
        _json("verdict"),
        *(_text(name) for name in ("outcome", "input")),
        _json("context"),
        _text("terms"),
        _json("questions"),
        _text("engine"),
        sa.Column("duration_us", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        _text("actor"),
        sa.Column("on_behalf_of", sa.Text, nullable=False, server_default=sa.text("''")),
        _text("trigger"),
        sa.Column("previous", pg.UUID(as_uuid=False)),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_decisions"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "app_id"], ["apps.tenant_id", "apps.id"], name="fk_decisions_tenant_id_app_id_apps", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_decisions_tenant_id_made_at", "decisions", ["tenant_id", "made_at", "id"])
    op.create_index("ix_decisions_tenant_id_app_id_made_at", "decisions", ["tenant_id", "app_id", "made_at"])
    op.create_table(
        "policy_grounds",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        _text("digest"),
        sa.Column("body", pg.BYTEA, nullable=False),
        sa.Column("used_at", pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name="pk_policy_grounds"),
    )
    for table in ("decisions", "policy_grounds"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, pg.JSONB, nullable=False, server_default=sa.text("'{}'"))


def downgrade() -> None:
    op.drop_table("policy_grounds")
    op.drop_table("decisions")

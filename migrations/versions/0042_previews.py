"""What policies would do, asked before they are in force."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "previews",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        _number("number"),
        _text("actor"),
        sa.Column("made_at", pg.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", pg.TIMESTAMP(timezone=True)),
        *(_json(name) for name in ("asked", "files", "counts")),
        *(_number(name) for name in ("total", "done")),
        *(sa.Column(name, pg.UUID(as_uuid=False)) for name in ("last_tenant", "last_app")),
        sa.PrimaryKeyConstraint("tenant_id", "number", name="pk_previews"),
    )
    op.create_table(
        "preview_results",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        _number("number"),
        sa.Column("app_id", pg.UUID(as_uuid=False), nullable=False),
        *(_text(name) for name in ("tenant", "project", "app", "cluster", "owner", "word")),
        _json("found"),
        sa.PrimaryKeyConstraint("tenant_id", "number", "app_id", name="pk_preview_results"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number"],
            ["previews.tenant_id", "previews.number"],
            name="fk_preview_results_tenant_id_number_previews",
            ondelete="CASCADE",
        ),
    )
    for table in ("previews", "preview_results"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plane_app")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, pg.JSONB, nullable=False, server_default=sa.text("'{}'"))


def downgrade() -> None:
    op.drop_table("preview_results")
    op.drop_table("previews")

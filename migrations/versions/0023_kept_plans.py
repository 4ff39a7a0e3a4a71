"""Plans that people keep to compare with, or to have done exactly."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "app_plans",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("app_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("name", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("made_at", pg.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("request", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("body", pg.BYTEA, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "app_id", "number", name="pk_app_plans"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "app_id"], ["apps.tenant_id", "apps.id"], name="fk_app_plans_tenant_id_app_id_apps", ondelete="CASCADE"
        ),
    )
    op.execute("ALTER TABLE app_plans ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE app_plans FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON app_plans TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, DELETE ON app_plans TO plane_app")


def downgrade() -> None:
    op.drop_table("app_plans")

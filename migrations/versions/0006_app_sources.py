"""Sources of an app after its first follow repositories of their own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = "app_sources"
CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        TABLE,
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("app_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("project_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("repository_id", pg.UUID(as_uuid=False), nullable=True),
        sa.Column("roots", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("seen", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("tenant_id", "app_id", "number", name="pk_app_sources"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "app_id"], ["apps.tenant_id", "apps.id"], name="fk_app_sources_tenant_id_app_id_apps", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_app_sources_tenant_id_repository_id", TABLE, ["tenant_id", "repository_id"])
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON {TABLE} TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO plane_app")


def downgrade() -> None:
    op.drop_table(TABLE)

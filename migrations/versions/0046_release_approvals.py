"""Who approved which release, and when: beside the digests that dispatch goes by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "release_approvals",
        *(sa.Column(name, pg.UUID(as_uuid=False), nullable=False) for name in ("tenant_id", "app_id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("release", "to", "by")),
        sa.Column("by_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("event", pg.UUID(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "app_id", "release", "to", name="pk_release_approvals"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "app_id"],
            ["apps.tenant_id", "apps.id"],
            name="fk_release_approvals_tenant_id_app_id_apps",
            ondelete="CASCADE",
        ),
    )
    op.execute("ALTER TABLE release_approvals ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE release_approvals FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON release_approvals TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON release_approvals TO plane_app")


def downgrade() -> None:
    op.drop_table("release_approvals")

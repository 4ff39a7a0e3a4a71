"""What is begun in a cluster and what came of it are found together in the log."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEX = "ix_audit_leaves_tenant_id_correlation"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE audit_leaves ADD COLUMN correlation text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE audit_leaves DISABLE TRIGGER append_only")
    op.execute(
        "UPDATE audit_leaves l SET correlation = e.correlation FROM audit_events e "
        "WHERE e.tenant_id = l.tenant_id AND e.id = l.event_id AND e.correlation <> ''"
    )
    op.execute("ALTER TABLE audit_leaves ENABLE TRIGGER append_only")
    op.create_index(INDEX, "audit_leaves", ["tenant_id", "correlation", "seq"], postgresql_where=sa.text("correlation <> ''"))


def downgrade() -> None:
    op.drop_index(INDEX, table_name="audit_leaves")
    op.execute("ALTER TABLE audit_leaves DROP COLUMN correlation")

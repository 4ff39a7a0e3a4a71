"""What certificate a cluster's agent must show, for whoever asks who an agent is."""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE clusters ADD COLUMN agent_certificate text NOT NULL DEFAULT ''")
    op.execute("GRANT SELECT (agent_certificate) ON clusters TO plane_dispatch")


def downgrade() -> None:
    op.execute("ALTER TABLE clusters DROP COLUMN agent_certificate")

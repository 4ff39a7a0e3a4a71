"""In whose name a service's token is used: whom its own provider vouched for, or the person who made it."""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE tokens ADD COLUMN on_behalf_of text NOT NULL DEFAULT ''")
    op.execute("GRANT SELECT (on_behalf_of) ON tokens TO plane_dispatch")


def downgrade() -> None:
    op.execute("ALTER TABLE tokens DROP COLUMN on_behalf_of")

"""Log-ins may be renewed at the provider that they came from."""

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

COLUMNS = {"renewal": "bytea", "renew_s": "bigint NOT NULL DEFAULT 0", "asked_at": "timestamptz", "tried_at": "timestamptz"}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(f"ALTER TABLE tokens {', '.join(f'ADD COLUMN {name} {kind}' for name, kind in COLUMNS.items())}")
    op.execute("CREATE INDEX ix_tokens_asked_at ON tokens (asked_at) WHERE asked_at IS NOT NULL")
    op.execute("GRANT SELECT (renew_s, asked_at, tried_at) ON tokens TO plane_dispatch")


def downgrade() -> None:
    op.execute("DROP INDEX ix_tokens_asked_at")
    op.execute(f"ALTER TABLE tokens {', '.join(f'DROP COLUMN {name}' for name in COLUMNS)}")

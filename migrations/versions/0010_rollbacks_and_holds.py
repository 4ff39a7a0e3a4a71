"""Which releases were healthy, which were rolled back, and what people hold."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COLUMNS = {
    "app_states": ("reported text NOT NULL DEFAULT ''", "degraded_at timestamptz", "rolled_back jsonb"),
    "history": ("healthy_at timestamptz",),
    "apps": ("hold jsonb",),
    "projects": ("hold jsonb",),
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, columns in COLUMNS.items():
        op.execute(f"ALTER TABLE {table} {', '.join(f'ADD COLUMN {column}' for column in columns)}")


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        op.execute(f"ALTER TABLE {table} {', '.join(f'DROP COLUMN {column.split()[0]}' for column in columns)}")

"""Alembic's environment: one connection handed in by the caller (`plane db …`), a transaction each, bounded locks."""

import re

from alembic import context

from plane.store.layout import tables

MONTHS = re.compile(r"audit_(events|personal)_(before|other|\d{4}_\d{2})")  # made by the database as time goes on


def _ours(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or not MONTHS.fullmatch(name or "")


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables.METADATA,
    compare_server_default=False,
    transaction_per_migration=True,
    include_name=_ours,
)
with context.begin_transaction():
    context.run_migrations()

"""Alembic's environment: one connection handed in by the caller (`plane db …`), one transaction, bounded locks."""

from alembic import context

from plane.store.layout import tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.METADATA, compare_server_default=False, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()

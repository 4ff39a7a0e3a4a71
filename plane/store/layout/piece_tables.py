"""The table of pieces of long answers."""

import sqlalchemy as sa

from plane.store.layout import columns

PIECES = sa.Table(
    "pieces",
    columns.METADATA,
    columns.ident("tenant_id"),
    columns.ident("task_id"),
    columns.number("number"),
    columns.blob("body"),
    columns.time("made_at", null=False),
    columns.tenant_key("task_id", "number"),
    prefixes=["UNLOGGED"],  # gone after a crash of the database, and in no backup and no replica
)

"""The tables of sinks: where the audit log is sent, and what the far ends would not have."""

import sqlalchemy as sa

from plane.store.layout import columns

METADATA = columns.METADATA

sinks = sa.Table(
    "sinks",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    *columns.document(),
    columns.blob("wrapped", null=True),
    columns.json("fingerprints"),  # by secret field, for the audit log
    columns.number("position"),  # the place of the next event to send
    columns.flag("paused"),
    columns.flag("blocking"),  # mandatory and behind: changes are refused
    columns.number("failures"),
    columns.text("problem", default=""),
    columns.time("sent_at"),
    columns.time("retry_at", null=False, now=True),
    columns.time("leased_until"),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
)

dead = sa.Table(
    "sink_dead_letters",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("sink_id"),
    columns.number("seq"),
    columns.text("reason"),
    columns.time("at", null=False, now=True),
    columns.tenant_key("sink_id", "seq"),
    sa.ForeignKeyConstraint(["tenant_id", "sink_id"], ["sinks.tenant_id", "sinks.id"], ondelete="CASCADE"),
)

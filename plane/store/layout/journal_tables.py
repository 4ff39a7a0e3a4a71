"""How far the agents' own journals are known."""

import sqlalchemy as sa

from plane.store.layout import columns

journals = sa.Table(
    "agent_journals",
    columns.METADATA,
    columns.ident("tenant_id"),  # the platform's row has the chain's end; a tenant's how far its own log has the journal
    columns.ident("agent_id"),
    columns.text("journal"),
    columns.number("seq"),
    columns.blob("hash"),  # empty in a tenant's row
    columns.text("broken", default=""),  # what was found wrong with it
    columns.time("at", null=False, now=True),
    columns.tenant_key("agent_id", "journal"),
)

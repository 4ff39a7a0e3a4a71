"""The table of the platform's rules about resources."""

import sqlalchemy as sa

from plane.store.layout import columns

resource_rules = sa.Table(
    "resource_rules",
    columns.METADATA,
    columns.ident("tenant_id"),  # NIL: they are the platform's
    columns.ident(),
    *columns.document(),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
)

"""The tables of health: what users say of how kinds are judged, and how the health of objects changed."""

import sqlalchemy as sa

from plane.store import columns

METADATA = columns.METADATA

health_checks = sa.Table(
    "health_checks",
    METADATA,
    columns.ident("tenant_id"),  # NIL: holds for every tenant
    columns.ident(),
    *columns.document(),
    columns.text("cluster", default=""),  # by name; empty: every cluster
    columns.text("digest"),  # of the spec: what an agent holds is compared by it
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
)

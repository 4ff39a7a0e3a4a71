"""The table of what tenants' renders took."""

import sqlalchemy as sa

from plane.store.layout import columns

render_hours = sa.Table(
    "render_hours",
    columns.METADATA,
    columns.ident("tenant_id"),
    columns.time("hour", null=False),  # when it began
    columns.number("cpu_ms"),
    columns.number("peak_bytes"),  # of the render that held most
    columns.number("renders"),
    columns.tenant_key("hour"),
    sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="CASCADE"),
)

"""The table of what apps take for themselves by keeping it."""

import sqlalchemy as sa

from plane.store.layout import columns

claims = sa.Table(
    "claims",
    columns.METADATA,
    columns.ident("tenant_id"),
    columns.ident("app_id"),
    sa.Column("name", sa.Text(collation="C"), nullable=False),  # domain.judging.claims
    columns.flag("wanted"),  # by the newest release
    columns.flag("held"),  # by one that policy allowed
    columns.time("since", null=False, now=True),  # when it was first held without a break; before that, when it was first wanted
    columns.tenant_key("app_id", "name"),
    columns.of_app(),
    sa.Index("ix_claims_name", "name"),  # without the tenant: `plane_neighbours` looks over the walls, and tells nothing from behind them
)

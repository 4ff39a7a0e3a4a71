"""The table of plans that people kept."""

import sqlalchemy as sa

from plane.store.layout import columns

app_plans = sa.Table(
    "app_plans",
    columns.METADATA,
    columns.ident("tenant_id"),
    columns.ident("app_id"),
    columns.number("number"),
    columns.text("name", default=""),
    columns.time("made_at", null=False),
    columns.text("actor"),
    columns.text("release"),
    columns.text("commit"),
    columns.text("digest"),  # by which the agent knows the plan again
    columns.json("request"),  # msgspec's builtins of server.asking.kept_plans.Request
    columns.blob("body"),  # zlib of the plan's JSON
    columns.tenant_key("app_id", "number"),
    columns.of_app(),
)

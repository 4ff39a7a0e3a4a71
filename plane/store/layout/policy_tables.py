"""The tables that put policies in force and make exceptions from them."""

import sqlalchemy as sa

from plane.store.layout import columns

METADATA = columns.METADATA

policy_bindings = sa.Table(
    "policy_bindings",
    METADATA,
    columns.ident("tenant_id"),  # NIL: holds for every tenant
    columns.ident("project_id", null=True),  # NULL: holds for all of the tenant's
    columns.ident(),
    *columns.document(),
    columns.text("policy_set"),  # spec.policySet: what the dispatch role may know of it
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "project_id", "name", postgresql_nulls_not_distinct=True),
    sa.ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
)

waivers = sa.Table(
    "waivers",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("project_id"),
    columns.ident(),
    *columns.document(),
    columns.ident("requester_id"),
    columns.text("requested_by"),
    columns.text("approved_by", default=""),
    columns.time("approved_at"),
    columns.text("revoked_by", default=""),
    columns.time("revoked_at"),
    columns.number("uses"),  # releases whose verdict it changed
    columns.time("used_at"),
    columns.time("reminded_at"),
    columns.time("ends_at", null=False),  # spec.expiresAt
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "project_id", "name"),
    sa.ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
)
